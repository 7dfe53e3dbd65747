"""A loopback HTTP server that can misbehave in the ways real ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """Files under ``/``, with faults that each strike once, or a fixed way of answering."""

    files: Mapping[str, bytes]
    ranges: bool = True
    lengths: bool = True
    wrong_range_start: bool = False
    #: Per name: close the connection after so many body bytes, once per entry.
    drops: dict[str, list[int]] = field(default_factory=dict)
    #: Per name: answer with this status, once per entry.
    statuses: dict[str, list[int]] = field(default_factory=dict)
    #: Every request as (name, Range header).
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def asked(self, name: str) -> list[str | None]:
        return [wanted for asked, wanted in self.requests if asked == name]


@contextmanager
def serve(server: FileServer) -> Iterator[FileServer]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            wanted = self.headers.get("Range")
            server.requests.append((name, wanted))
            status = server.statuses[name].pop(0) if server.statuses.get(name) else None
            if status is not None or name not in server.files:
                self.send_response(status or 404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = server.files[name]
            start = 0
            if wanted is not None and server.ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                start = start // 2 if server.wrong_range_start else start
                self.send_response(206)
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}"
                )
            else:
                self.send_response(200)
            body = content[start:]
            if server.lengths:
                self.send_header("Content-Length", str(len(body)))
            else:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            if server.drops.get(name):
                body = body[: server.drops[name].pop(0)]
                self.close_connection = True
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{listener.server_port}/"
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
