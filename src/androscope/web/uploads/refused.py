"""Uploads that are refused, with the status that says so."""

from __future__ import annotations

from typing import ClassVar

from androscope.errors import AndroscopeError

__all__ = ["BusyError", "TooMuchError", "UploadError"]


class UploadError(AndroscopeError):
    """An upload is no form with files, or broke off."""

    code = "upload"
    status: ClassVar[int] = 400


class TooMuchError(UploadError):
    """An upload has more files or bytes than one may have."""

    status = 413

    @classmethod
    def of_bytes(cls, what: str, limit: int) -> TooMuchError:
        """More bytes than ``limit``."""
        size = f"{limit / 1e6:g} MB" if limit >= 1e5 else f"{limit} bytes"
        return cls(f"{what} may have {size}, got more", advice="Upload smaller files, or fewer")


class BusyError(UploadError):
    """More images wait than may wait."""

    status = 429
    retry_after_s: ClassVar[int] = 30
