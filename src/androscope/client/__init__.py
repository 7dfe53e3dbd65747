"""A server's API from Python: :class:`Client`, and the shapes of what it says."""

from __future__ import annotations

from androscope.client.connection import ApiError, Client

__all__ = ["ApiError", "Client"]
