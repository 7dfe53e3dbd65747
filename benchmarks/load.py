"""The server under load: many clients upload and review while pages are looked at. Loopback only.

    python benchmarks/load.py [--clients 200] [--seconds 30] [--no-peer]

Each client has a sample of its own: it uploads crops, looks at pages, changes verdicts, all as fast
as it is answered after a short pause. Everything the server acknowledged is counted, and looked for
afterwards: an image or a review that is not there is lost. The peer is the same model behind a
Gradio interface, in an environment of its own (build/gradio-venv, made at the first run), asked by
as many clients in the same run; it keeps nothing and has no reviews, so it has uploads and pages
alone. The clients run on the same cores as the server: figures are of both together.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import requests

from androscope.imaging.phantom_set import phantom_set
from androscope.model.bundle import load_bundle
from androscope.records.opinions import encode_png

ROOT = Path(__file__).resolve().parent.parent
PEER_REQUIREMENTS = ("gradio>=6", "onnxruntime", "numpy", "pillow")
FILES = 4  # of one upload
PAUSE_S = 1.5  # between requests, on average: 200 crops reviewed in five minutes


@dataclass(frozen=True)
class Answer:
    """One answer, read whole."""

    status_code: int
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether it is 2xx."""
        return 200 <= self.status_code < 300

    def json(self) -> Any:
        """Its JSON."""
        return json.loads(self.content)


class Http:
    """A crowd's connections.

    Of the usual clients aiohttp leaves most of the cores to the server: with httpx, 200 clients
    take a core for themselves.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, path: str) -> Answer:
        """Fetch a page, not following where it leads."""
        async with self._session.get(path, allow_redirects=False) as answer:
            return Answer(answer.status, await answer.read())

    async def post(
        self,
        path: str,
        *,
        json: object = None,
        files: Sequence[tuple[str, tuple[str, bytes]]] = (),
    ) -> Answer:
        """Send JSON, or a form with files."""
        form = aiohttp.FormData() if files else None
        for field_name, (name, content) in files:
            form.add_field(field_name, content, filename=name)
        async with self._session.post(path, json=None if files else json, data=form) as answer:
            return Answer(answer.status, await answer.read())


@dataclass
class Seen:
    """What the clients saw: seconds of each kind of request, statuses, what was acknowledged."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    images: Counter[int] = field(default_factory=Counter)
    reviews: Counter[int] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    async def ask(self, what: str, call: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """Send one request; ``None`` if there was no answer."""
        start = time.perf_counter()
        try:
            answer = await call()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.failed[type(error).__name__] += 1
            return None
        self.statuses[answer.status_code] += 1
        if answer.is_success:
            self.seconds[what].append(time.perf_counter() - start)
        return answer

    def table(self) -> str:
        """Times of each kind, as lines."""
        lines = [f"  {'':24s} {'requests':>9s} {'p50 ms':>9s} {'p99 ms':>9s} {'max ms':>9s}"]
        for what, times in sorted(self.seconds.items()):
            cuts = statistics.quantiles(times, n=100) if len(times) > 1 else times * 99
            ms = [1e3 * value for value in (cuts[49], cuts[98], max(times))]
            lines.append(f"  {what:24s} {len(times):9d} " + " ".join(f"{v:9.1f}" for v in ms))
        return "\n".join(lines)


class Memory:
    """Highest resident memory of a process and all below it, looked at twice a second."""

    def __init__(self, pid: int) -> None:
        self.peak, self._pid, self._ended = 0, pid, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Give the peak, bytes."""
        self._ended.set()
        self._thread.join()
        return self.peak

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self.peak = max(self.peak, sum(map(_resident, _family(self._pid))))


def _family(pid: int) -> list[int]:
    # Each thread has children of its own.
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    try:
        children = [child for found in lists for child in found.read_text().split()]
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class Pictures:
    """Crops of which no two are alike: phantoms with a pixel of their own."""

    def __init__(self) -> None:
        self._base = [phantom.pixels for phantom in phantom_set(32, 5)]
        self._made = 0

    def file(self) -> tuple[str, bytes]:
        """The next one's name and PNG."""
        pixels = self._base[self._made % len(self._base)].copy()
        code = np.frombuffer(self._made.to_bytes(4, "big"), np.uint8)
        pixels[0, :4] = pixels[0, :4] // 2 + code % 8 * 4
        pixels[1, :4] = 100 + code // 8
        self._made += 1
        return f"{self._made}.png", encode_png(pixels)


async def our_client(
    number: int, http: Http, seen: Seen, pictures: Pictures, until: float
) -> int | None:
    """One client of ours; gives its sample."""
    dice = random.Random(number)
    api = "/api/v1"
    made = await seen.ask(
        "sample made",
        lambda: http.post(f"{api}/samples", json={"name": f"load {number}", "taken_as": "crops"}),
    )
    if made is None or not made.is_success:
        return None
    sample = int(made.json()["id"])
    while time.perf_counter() < until:
        await asyncio.sleep(PAUSE_S * dice.random() * 2)
        choice = dice.random()
        if choice < 0.06:
            files = [("files", pictures.file()) for _ in range(FILES)]
            answer = await seen.ask(
                "upload of 4", lambda f=files: http.post(f"{api}/samples/{sample}/images", files=f)
            )
            if answer is not None and answer.is_success:
                seen.images[sample] += FILES
        elif choice < 0.5:
            await our_review(sample, http, seen, dice)
        else:
            page = dice.choice(["/samples", f"/samples/{sample}", "/samples?search=load"])
            await seen.ask("page", lambda p=page: http.get(p))
    return sample


async def our_review(sample: int, http: Http, seen: Seen, dice: random.Random) -> None:
    """Look at the crops that need a person, and change one verdict."""
    path = f"/api/v1/samples/{sample}/crops?order=need&per_page=20"
    listed = await seen.ask("crops listed", lambda: http.get(path))
    crops = [] if listed is None or not listed.is_success else listed.json()["items"]
    crops = [crop for crop in crops if crop["verdicts"]]
    if not crops:
        return
    crop = dice.choice(crops)
    part, verdict = dice.choice(sorted(crop["verdicts"].items()))
    said = {"do": "verdict", "part": part, "to": "normal" if verdict != "normal" else "abnormal"}
    answer = await seen.ask(
        "review", lambda: http.post(f"/api/v1/crops/{crop['id']}/reviews", json=said)
    )
    if answer is not None and answer.is_success:
        seen.reviews[sample] += 1


async def our_losses(http: Http, seen: Seen) -> tuple[int, int, int]:
    """Wait until all is graded; how many acknowledged images and reviews are not there, waiting."""
    images = reviews = waiting = 0
    for sample in seen.images | seen.reviews:
        for _ in range(1200):
            progress = (await http.get(f"/api/v1/samples/{sample}/progress")).json()
            if progress["over"]:
                break
            await asyncio.sleep(0.25)
        waiting += progress["waiting"]
        said = (await http.get(f"/api/v1/samples/{sample}")).json()
        images += max(0, seen.images[sample] - said["images"])
        found, page, pages = 0, 1, 1
        while page <= pages:
            listed = (
                await http.get(f"/api/v1/samples/{sample}/crops?per_page=200&page={page}")
            ).json()
            for crop in listed["items"]:
                if crop["last_event"]:
                    events = (await http.get(f"/api/v1/crops/{crop['id']}/events")).json()
                    found += sum(event["kind"] == "verdict" for event in events)
            page, pages = page + 1, listed["pages"]
        reviews += max(0, seen.reviews[sample] - found)
    return images, reviews, waiting


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    for _ in range(600):
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}")
        try:
            requests.get(url, timeout=2)
            return
        except requests.RequestException:
            time.sleep(0.1)
    sys.exit("the server did not start")


async def crowd(
    url: str,
    clients: int,
    seconds: float,
    one: Callable[[int, Http, Seen, Pictures, float], Awaitable[object]],
    after: Callable[[Http, Seen], Awaitable[tuple[int, ...]]] | None = None,
) -> tuple[Seen, tuple[int, ...]]:
    """Let clients loose on a server."""
    seen, pictures = Seen(), Pictures()
    async with aiohttp.ClientSession(
        url,
        connector=aiohttp.TCPConnector(limit=clients),
        timeout=aiohttp.ClientTimeout(total=120),
        headers={"x-androscope-client": "load"},
    ) as session:
        http = Http(session)
        until = time.perf_counter() + seconds
        await asyncio.gather(*(one(n, http, seen, pictures, until) for n in range(clients)))
        return seen, await after(http, seen) if after else ()


def ours(clients: int, seconds: float) -> None:
    """Our server."""
    with tempfile.TemporaryDirectory(prefix="androscope-load-") as home:
        port = free_port()
        process = subprocess.Popen(
            [Path(sys.executable).parent / "androscope", "serve", "--port", str(port), "--quiet"],
            env=os.environ | {"ANDROSCOPE_HOME": home},
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/api/v1/openapi.json", process)
            memory = Memory(process.pid)
            start = time.perf_counter()
            seen, lost = asyncio.run(crowd(url, clients, seconds, our_client, our_losses))
            took = time.perf_counter() - start
            print(f"androscope serve: {clients} clients, {seconds:g} s, then until all was graded")
            _print(seen, memory.stop(), lost, took)
        finally:
            process.terminate()
            process.wait(30)


def _print(seen: Seen, memory: int, lost: tuple[int, ...], took: float) -> None:
    print(seen.table())
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(seen.statuses.items()))
    print(f"  statuses {statuses}; without an answer {dict(seen.failed) or 0}")
    bad = sum(count for status, count in seen.statuses.items() if status >= 500)
    print(f"  5xx {bad} (goal 0)")
    if lost:
        images, reviews = sum(seen.images.values()), sum(seen.reviews.values())
        print(
            f"  acknowledged and lost: {lost[0]} of {images} images, {lost[1]} of {reviews} "
            f"reviews (goal 0); still waiting {lost[2]}"
        )
        print(f"  {images / took:.1f} images graded a second, over all")
    pages = seen.seconds["page"]
    if len(pages) > 1:
        p99 = 1e3 * statistics.quantiles(pages, n=100)[98]
        print(f"  p99 of page views {p99:.0f} ms (goal: under 500)")
    print(
        f"  highest memory of the server and its processes {memory / 1e6:.0f} MB (goal: under 1000)"
    )


PEER = """
import sys, numpy, onnxruntime, gradio
options = onnxruntime.SessionOptions()
session = onnxruntime.InferenceSession(sys.argv[1], options)
def grade(image):
    crop = numpy.asarray(image.convert("L"))[None]
    found, = session.run(["probabilities"], {"crops": crop})
    return {str(i): float(p) for i, p in enumerate(found[0])}
page = gradio.Interface(grade, gradio.Image(type="pil"), gradio.JSON(), api_name="grade")
page.queue(max_size=None).launch(server_name="127.0.0.1", server_port=int(sys.argv[2]), quiet=True)
"""


async def peer_client(
    number: int, http: Http, seen: Seen, pictures: Pictures, until: float
) -> None:
    """One client of the peer: uploads a crop, has it graded, looks at the page."""
    dice = random.Random(number)
    while time.perf_counter() < until:
        await asyncio.sleep(PAUSE_S * dice.random() * 2)
        if dice.random() < 0.1:
            for _ in range(FILES):
                await _peer_grade(http, seen, pictures)
        else:
            await seen.ask("page", lambda: http.get("/"))


async def _peer_grade(http: Http, seen: Seen, pictures: Pictures) -> None:
    async def call() -> Answer:
        sent = await http.post("/gradio_api/upload", files=[("files", pictures.file())])
        said = {"data": [{"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}]}
        begun = await http.post("/gradio_api/call/grade", json=said)
        answer = await http.get(f"/gradio_api/call/grade/{begun.json()['event_id']}")
        if b"event: complete" not in answer.content:
            raise aiohttp.ClientError("the peer did not grade")
        seen.images[0] += 1
        return answer

    await seen.ask("upload of 1, graded", call)


def peer(clients: int, seconds: float) -> None:
    """The same model behind Gradio."""
    folder = ROOT / "build" / "gradio-venv"
    python = folder / "bin" / "python"
    if not python.exists():
        print("making the peer's environment: a minute or two ...", flush=True)
        venv.create(folder, with_pip=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", *PEER_REQUIREMENTS])
        if done.returncode:
            print("the peer cannot be installed here: it is left out")
            return
    port = free_port()
    with tempfile.TemporaryDirectory() as work:
        script = Path(work) / "peer.py"
        script.write_text(PEER)
        process = subprocess.Popen(
            [python, script, load_bundle().model_path, str(port)],
            cwd=work,
            env=os.environ | {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"},
            stdout=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url, process)
            memory = Memory(process.pid)
            start = time.perf_counter()
            seen, _ = asyncio.run(crowd(url, clients, seconds, peer_client))
            took = time.perf_counter() - start
            print(f"Gradio, the same model: {clients} clients, {seconds:g} s; keeps nothing")
            _print(seen, memory.stop(), (), took)
            print(f"  {seen.images[0] / took:.1f} images graded a second")
        finally:
            process.terminate()
            process.wait(30)


def main() -> None:
    """Load ours, then the peer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--no-peer", action="store_true")
    given = parser.parse_args()
    if not 1 <= given.clients <= 2000 or not 1 <= given.seconds <= 600:
        parser.error("1 to 2000 clients, 1 to 600 seconds")
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    ours(given.clients, given.seconds)
    if not given.no_peer:
        peer(given.clients, given.seconds)
    print(json.dumps({"clients": given.clients, "seconds": given.seconds}))


if __name__ == "__main__":
    main()
