"""What a file is, told from its first bytes and never from its name."""

from __future__ import annotations

import codecs

__all__ = ["EXTENSIONS", "READ", "VIDEO_EXTENSIONS", "advice_for", "sniff"]

#: Endings that folders are searched for, without regard to case.
EXTENSIONS = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg", ".npy")

#: Endings of videos, searched for where fields are taken too.
VIDEO_EXTENSIONS = (".avi", ".mp4", ".mov", ".mkv")

#: What is read, for messages.
READ = "PNG, TIFF, BMP, JPEG, still GIF or WebP, or .npy"

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\x93NUMPY", "NPY"),
    (b"BM", "BMP"),
)

# Known kinds that are not read: worth a way out of their own.
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"ZISRAWFILE", "a Zeiss CZI file", "Export it from ZEN as TIFF"),
    (b"\xda\xce\xbe\n", "a Nikon ND2 file", "Export it from NIS-Elements as TIFF"),
    (b"\x0a\xbe\xce\xda", "a Nikon ND2 file", "Export it from NIS-Elements as TIFF"),
    (b"p\x00\x00\x00", "a Leica LIF file", "Export it from LAS X as TIFF"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "Save the pictures as .npy or TIFF"),
    (b"PK\x03\x04", "a ZIP archive (or .npz)", "Unpack it first, or save one array as .npy"),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first"),
    (b"%PDF", "a PDF document", "Export its pictures as PNG or TIFF"),
    (b"8BPS", "a Photoshop document", "Export it as PNG or TIFF"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture", "Convert it to PNG or TIFF"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 codestream", "Convert it to PNG or TIFF"),
    (b"\x80\x02", "a Python pickle", "Save the array with numpy.save; pickles are never opened"),
    (b"\x80\x04", "a Python pickle", "Save the array with numpy.save; pickles are never opened"),
    (b"\x80\x05", "a Python pickle", "Save the array with numpy.save; pickles are never opened"),
)


def sniff(head: bytes) -> str | None:
    """Format named by the first bytes (16 suffice), or ``None`` if it is none of ours."""
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return None


def advice_for(head: bytes) -> tuple[str, str]:
    """What an unread file seems to be, and what to do about it, from its first bytes."""
    for signature, what, advice in _FOREIGN:
        if head.startswith(signature):
            return what, advice
    if head[4:8] == b"ftyp":
        return "a video or HEIC/AVIF file", "Export single frames as PNG or TIFF"
    if head[:4] == b"RIFF":
        return "a RIFF file (AVI video?)", "Export single frames as PNG or TIFF"
    if _is_text(head):
        return "text", f"Give a {READ} file"
    return "data of an unknown kind", f"Give a {READ} file"


def _is_text(head: bytes) -> bool:
    try:
        # Incrementally: the last character may be cut in two.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\n\r\f\ufeff" for character in text)
