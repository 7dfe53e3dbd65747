"""What the figures were measured on: one paragraph that every table of `make bench` stands under.

python benchmarks/machine.py
"""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

#: What of a processor's abilities decides how fast a network runs.
_ABILITIES = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_tile")

#: A machine is busy when this much of a core is taken by others.
_BUSY = 0.5


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _field(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")


def busy() -> float:
    """Processes that wanted to run over the last minute, besides this one."""
    return max(0.0, os.getloadavg()[0] - 1) if hasattr(os, "getloadavg") else 0.0


def describe() -> str:
    """Processor, memory, system and versions, in a few lines."""
    flags = _field("/proc/cpuinfo", "flags").split()
    model = _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine()
    memory = _field("/proc/meminfo", "MemTotal").split()
    gigabytes = f", {int(memory[0]) / 1e6:.0f} GB" if memory else ""
    versions = []
    for package in ("androscope", "onnxruntime", "numpy", "torch"):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    have = [name for name in _ABILITIES if name in flags]
    lines = [
        f"{model}, {cores()} cores{gigabytes}; {platform.system()} {platform.machine()}",
        f"instructions: {', '.join(have) or 'not known'}",
        f"Python {platform.python_version()}, {', '.join(versions)}",
    ]
    if busy() > _BUSY:
        lines.append(
            f"BUSY: {busy():.1f} other processes wanted the processor over the last minute; "
            "trust ratios and processor time, not wall time"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(describe())
