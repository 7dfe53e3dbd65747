"""Working processes: what they say is read, and none of them takes the server down."""

from __future__ import annotations

import io
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from androscope.errors import ImageDimensionsError, ImageUnreadableError
from androscope.types import Failure
from androscope.web.work.process import Worker, WorkerStoppedError
from androscope.web.work.wire import Decoded, DecodeTask, Graded, GradeTask, Stopped

TINY = Path(__file__).parent.parent.parent / "data" / "tiny-bundle"
MB = 1_000_000


def stand_in(code: str, seconds: float = 20.0, reply_bytes: int = 1000) -> Worker:
    """A process that does something else with its tasks."""
    script = f"import os, sys, time\nfor line in sys.stdin:\n    {code}"
    return Worker(
        memory_bytes=3000 * MB, seconds=seconds, reply_bytes=reply_bytes, command=("-c", script)
    )


TASK = DecodeTask(path="/nowhere", name="x.png")


@pytest.mark.parametrize(
    ("code", "error", "says"),
    [
        ("os.kill(os.getpid(), 11)", ImageUnreadableError, r"ended \(SIGSEGV\)"),
        ("sys.exit(3)", ImageUnreadableError, r"ended \(exit code 3\)"),
        ("print('nonsense', flush=True)", ImageUnreadableError, "makes no sense"),
        ("print('x' * 5000, flush=True)", ImageDimensionsError, "more than 0.001 MB"),
        ("os.write(1, b'half'); os._exit(0)", ImageUnreadableError, r"ended \(exit code 0\)"),
    ],
    ids=["crashes", "leaves", "talks nonsense", "talks too much", "stops in the middle"],
)
def test_a_process_that_goes_wrong(code: str, error: type[Exception], says: str) -> None:
    worker = stand_in(code)
    for _ in range(2):  # and it is started again
        with pytest.raises(error, match=says):
            worker.ask(TASK)


def test_a_process_that_hangs_is_ended() -> None:
    worker = stand_in("time.sleep(600)", seconds=0.5)
    begun = time.monotonic()
    with pytest.raises(ImageUnreadableError, match=r"took longer than 0\.5 s"):
        worker.ask(TASK)
    assert time.monotonic() - begun < 60


def test_a_server_that_closes_waits_for_nobody() -> None:
    import threading

    worker = stand_in("time.sleep(600)")
    threading.Timer(0.3, worker.stop).start()
    with pytest.raises(WorkerStoppedError):
        worker.ask(TASK)
    with pytest.raises(WorkerStoppedError):
        worker.ask(TASK)


@pytest.fixture(scope="module")
def worker() -> Worker:
    """A real one; its memory suffices for the tiny model and not for a bomb."""
    worker = Worker(memory_bytes=2500 * MB, seconds=120.0, reply_bytes=50 * MB, threads=1)
    yield worker
    worker.stop()


def bomb() -> bytes:
    """A PNG of 400 kB that says it is 60000 x 60000."""

    def chunk(name: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(name + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + name + body + crc

    side = (60_000).to_bytes(4, "big")
    lines = zlib.compress(bytes(400_000_000 // 1000), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", side + side + b"\x08\x00\x00\x00\x00")
        + chunk(b"IDAT", lines)
        + chunk(b"IEND", b"")
    )


def tiff_bomb() -> bytes:
    """A deflated TIFF of 7000 x 7000 doubles, all zero: 400 kB that unpack to 392 MB."""
    stream = io.BytesIO()
    zeros = np.broadcast_to(np.float64(0), (7000, 7000))
    tifffile.imwrite(stream, zeros, compression="deflate", rowsperstrip=500)
    return stream.getvalue()


def decoded(worker: Worker, path: Path, content: bytes) -> Decoded:
    path.write_bytes(content)
    reply = worker.ask(DecodeTask(path=str(path), name=path.name))
    assert isinstance(reply, Decoded)
    return reply


def test_decoding_keeps_pixels_alone(worker: Worker, tmp_path: Path) -> None:
    pixels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) % 251
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe"
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "PNG", exif=exif)
    reply = decoded(worker, tmp_path / "a.png", stream.getvalue())
    (item,) = reply.pictures
    assert not isinstance(item, Failure)
    picture = item.picture()
    assert b"Jane" not in picture.png
    kept = np.asarray(Image.open(io.BytesIO(picture.png)))
    assert np.array_equal(kept, pixels)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        pytest.param("a.png", bomb(), "image-dimensions", id="a bomb by its size"),
        pytest.param("a.txt", b"hello", "image-unreadable", id="text"),
        pytest.param("a.png", b"", "image-unreadable", id="empty"),
        pytest.param("a.png", bomb()[:60], "image-dimensions", id="cut"),
    ],
)
def test_what_cannot_be_decoded_is_a_failure(
    worker: Worker, tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    (failure,) = decoded(worker, tmp_path / name, content).pictures
    assert isinstance(failure, Failure)
    assert (failure.code, failure.source) == (code, name)


def test_a_bomb_meets_the_limit_of_memory(tmp_path: Path) -> None:
    worker = Worker(memory_bytes=700 * MB, seconds=60.0, reply_bytes=MB)
    path = tmp_path / "bomb.tif"
    path.write_bytes(tiff_bomb())
    reply = worker.ask(DecodeTask(path=str(path), name="bomb.tif"))
    # Whichever step the limit is met at.
    failure = reply.pictures[0] if isinstance(reply, Decoded) else reply
    assert isinstance(failure, Failure | Stopped)
    assert failure.code == "image-dimensions"
    assert "memory" in failure.reason
    # And the next one is decoded.
    stream = io.BytesIO()
    Image.new("L", (64, 64)).save(stream, "PNG")
    assert len(decoded(worker, tmp_path / "b.png", stream.getvalue()).pictures) == 1
    worker.stop()


def test_grading_a_crop(worker: Worker, tmp_path: Path) -> None:
    path = tmp_path / "kept.png"
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    task = GradeTask(path=str(path), name="crop.png", model=str(TINY), taken_as="crops")
    reply = worker.ask(task)
    assert isinstance(reply, Graded)
    assert reply.kind == "crop"
    (found,) = reply.finds
    assert np.array_equal(found.find().pixels, pixels)
    from androscope.predict import Grader

    (graded,) = Grader(TINY, threads=1).grade_images([_grey(pixels)])
    assert found.parts == graded.assessment.parts


def test_a_blank_crop_counts_as_no_sperm(worker: Worker, tmp_path: Path) -> None:
    path = tmp_path / "kept.png"
    Image.new("L", (64, 64), 90).save(path)
    task = GradeTask(path=str(path), name="blank.png", model=str(TINY), taken_as="crops")
    reply = worker.ask(task)
    assert isinstance(reply, Graded)
    (found,) = reply.finds
    assert (found.is_sperm, found.parts) == (False, ())
    assert "blank" in str(found.excluded)


@pytest.mark.parametrize(
    ("task", "code"),
    [
        (GradeTask(path="/nowhere.png", name="x.png", model=str(TINY)), "image-unreadable"),
        (GradeTask(path="/nowhere.png", name="x.png", model="no-such-model"), "bundle"),
        (GradeTask(path="/nowhere.png", name="x.png", error_rate=0.8), "settings"),
    ],
    ids=["no picture", "no model", "a rate of an earlier version"],
)
def test_what_cannot_be_graded_is_said(worker: Worker, task: GradeTask, code: str) -> None:
    reply = worker.ask(task)
    assert isinstance(reply, Stopped)
    assert reply.code == code


def test_a_process_whose_server_is_gone_ends() -> None:
    command = [sys.executable, "-m", "androscope.web.work.worker", "--bytes", str(2500 * MB)]
    done = subprocess.run(
        [*command, "--seconds", "5"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"")


def _grey(pixels: np.ndarray):
    from androscope.types import GreyImage

    return GreyImage(pixels, "crop.png")
