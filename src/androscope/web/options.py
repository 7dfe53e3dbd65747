"""How one server is run: where it listens, and what it takes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Limits", "ServeOptions", "is_loopback"]

_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes before it says no.

    Attributes
    ----------
    files, file_bytes, upload_bytes
        Of one upload: how many files, the largest of them, all together.
    fields, field_bytes
        Of one form beside its files.
    queue
        Images waiting to be decoded or graded; beyond it an upload is answered with 429.
    decode_s, grade_s
        For one file to be decoded and one picture to be graded; a process that takes longer is
        ended.
    decode_bytes, grade_bytes
        Of address space for such a process.
    reply_bytes
        Of what one file may become when decoded.
    """

    files: int = 2000
    file_bytes: int = 200 * _MB
    upload_bytes: int = 4000 * _MB
    fields: int = 50
    field_bytes: int = 20_000
    queue: int = 5000
    decode_s: float = 60.0
    grade_s: float = 300.0
    decode_bytes: int = 3000 * _MB
    grade_bytes: int = 8000 * _MB
    reply_bytes: int = 400 * _MB


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """One server.

    Attributes
    ----------
    host, port
        Where it listens; another host than this machine's own (loopback) needs users.
    names
        Names that browsers may know it by beside ``host`` and this machine's own.
    https
        Whether browsers reach it by HTTPS: by its own certificate or a proxy's.
    proxied
        Whether a proxy passes other machines' requests on to it.
    incoming
        Folder of files that are received and not decoded yet.
    model
        What grades if a sample names none: a shipped name or a bundle's folder; ``None``: the
        setting.
    threads
        Of the process that grades; 0: as onnxruntime likes.
    work
        Whether this server decodes and grades; without it, queued work waits.
    limits
        What it takes.
    """

    incoming: Path
    host: str = "127.0.0.1"
    port: int = 8311
    names: tuple[str, ...] = ()
    https: bool = False
    proxied: bool = False
    model: str | None = None
    threads: int = 0
    work: bool = True
    limits: Limits = field(default_factory=Limits)

    @property
    def models(self) -> Path:
        """Folder of the lab's own bundles, beside its records."""
        return self.incoming.parent / "models"

    @property
    def hosts(self) -> list[str]:
        """What a request's ``Host`` may be."""
        own = ["127.0.0.1", "localhost", "::1", "[::1]"]
        wild = self.host in ("0.0.0.0", "::", "")
        return [*own, *([] if wild else [self.host.lower()]), *(n.lower() for n in self.names)]

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        name = f"[{host}]" if ":" in host else host
        own = self.https and not self.proxied
        return f"{'https' if own else 'http'}://{name}:{self.port}/"


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
