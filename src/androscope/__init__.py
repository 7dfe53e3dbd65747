"""androscope: grade sperm morphology from microscope images. For research use only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from androscope.client import Client
    from androscope.explanation import explain
    from androscope.predict import assess

__all__ = ["Client", "__version__", "assess", "explain"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Lazily, so that `androscope --help` loads neither numpy nor onnxruntime.
    if name == "assess":
        from androscope.predict import assess

        return assess
    if name == "explain":
        from androscope.explanation import explain

        return explain
    if name == "Client":
        from androscope.client import Client

        return Client
    raise AttributeError(f"module 'androscope' has no attribute {name!r}")
