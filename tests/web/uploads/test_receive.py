"""Forms with files taken from the wire: what is too much, what is broken, what names may hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from fastapi import HTTPException
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from androscope.web.options import Limits
from androscope.web.uploads.names import LONGEST, replicate_of, shown_name
from androscope.web.uploads.receive import Received, receive
from androscope.web.uploads.refused import TooMuchError, UploadError

LIMITS = Limits()
FIELDS = {"csrf": "t", "name": "S-1"}


def form(files: Iterable[tuple[str, bytes]], fields: dict[str, str] = FIELDS) -> bytes:
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    parts += [
        f'name="files"; filename="{name}"\r\ncontent-type: image/png\r\n\r\n'.encode() + content
        for name, content in files
    ]
    body = b"".join(b"--XX\r\ncontent-disposition: form-data; " + part + b"\r\n" for part in parts)
    return body + b"--XX--\r\n"


def take(
    folder: Path, body: bytes, limits: Limits = LIMITS, *, pieces: int = 1000, **more: object
) -> Received:
    """Receive a body that comes in pieces."""
    left = [body[i : i + pieces] for i in range(0, len(body), pieces)]

    async def wire() -> dict[str, object]:
        if not left:
            return {"type": "http.disconnect"}
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left) or "cut" in more}

    kind = str(more.get("kind", "multipart/form-data; boundary=XX"))
    headers = [(b"content-type", kind.encode())]
    if "length" in more:
        headers.append((b"content-length", str(more["length"]).encode()))
    scope = {"type": "http", "method": "POST", "headers": headers}
    return asyncio.run(receive(Request(scope, wire), folder, limits, allow=more.get("allow")))


@pytest.mark.parametrize("pieces", [1, 7, 100_000], ids=["byte by byte", "few", "at once"])
def test_fields_and_files(tmp_path: Path, pieces: int) -> None:
    files = [("a/1.png", b"one"), ("2.tif", bytes(range(256)) * 20), ("", b"")]
    received = take(tmp_path, form(files), pieces=pieces)
    assert received.fields == FIELDS
    # The third is how a browser says that no file was chosen.
    assert [(f.name, f.size, f.path.read_bytes()) for f in received.files] == [
        ("a/1.png", 3, b"one"),
        ("2.tif", 5120, bytes(range(256)) * 20),
    ]
    assert {f.path.parent for f in received.files} == {tmp_path}
    received.forget()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "limits", "error", "says"),
    [
        pytest.param(
            form([("a", b"1"), ("b", b"2")]), Limits(files=1), TooMuchError,
            "an upload may have 1 files, got more", id="files",
        ),
        pytest.param(
            form([("big.png", b"x" * 5000)]), Limits(file_bytes=4000), TooMuchError,
            "big.png may have 4000 bytes, got more", id="a file's bytes",
        ),
        pytest.param(
            form([(str(i), b"x" * 900) for i in range(9)]), Limits(upload_bytes=3000),
            TooMuchError, "the upload may have 3000 bytes, got more", id="all bytes",
        ),
        pytest.param(
            form([], {"name": "x" * 200}), Limits(field_bytes=100), TooMuchError,
            "the field name may have 100 bytes", id="a field's bytes",
        ),
        pytest.param(
            form([], {str(i): "" for i in range(9)}), Limits(fields=8), TooMuchError,
            "a form may have 8 fields", id="fields",
        ),
        pytest.param(
            form([("a", b"1")])[:-8], Limits(), UploadError, "broke off", id="cut"
        ),
        pytest.param(b"--YY\r\nnonsense", Limits(), UploadError, "no form", id="nonsense"),
        pytest.param(
            b"--XX\r\ncontent-disposition: form-data\r\n\r\nx\r\n--XX--\r\n", Limits(),
            UploadError, "has no name", id="no name",
        ),
    ],
)  # fmt: skip
def test_refused_while_it_comes(
    tmp_path: Path, body: bytes, limits: Limits, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        take(tmp_path, body, limits, pieces=500)
    assert list(tmp_path.iterdir()) == []


def test_a_client_that_goes_away(tmp_path: Path) -> None:
    with pytest.raises(UploadError, match="broke off"):
        take(tmp_path, form([("a", b"x" * 9000)])[:5000], cut=True)
    assert list(tmp_path.iterdir()) == []


def test_what_it_says_of_its_length_is_believed_if_it_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(TooMuchError):
        take(tmp_path, b"", Limits(upload_bytes=1000), length=1001)


def test_no_form(tmp_path: Path) -> None:
    with pytest.raises(UploadError, match="expected a form with files"):
        take(tmp_path, b"{}", kind="application/json")


def test_the_first_file_is_not_kept_before_it_is_allowed(tmp_path: Path) -> None:
    def allow(fields: dict[str, str]) -> None:
        assert list(tmp_path.iterdir()) == []
        assert fields == FIELDS
        raise HTTPException(403)

    with pytest.raises(HTTPException):
        take(tmp_path, form([("a", b"1")]), allow=allow)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"a.png", "a.png"),
        (b"../../etc/passwd", "etc/passwd"),
        (b"/root/x.png", "root/x.png"),
        (b"C:\\lab\\x.png", "C:/lab/x.png"),
        (b"a/./b//c.png", "a/b/c.png"),
        (b"\xff\xfe.png", "\\xff\\xfe.png"),
        (b"a\x00b\n.png", "a\\x00b\\n.png"),
        ("é精.png".encode(), "é精.png"),
        (b"..", ""),
        (b"x" * 300 + b".png", "…" + "x" * (LONGEST - 5) + ".png"),
    ],
)
def test_names_are_shown_and_never_paths(raw: bytes, name: str) -> None:
    assert shown_name(raw) == name


@given(st.binary(max_size=300))
def test_any_name_can_be_kept(raw: bytes) -> None:
    name = shown_name(raw)
    assert len(name) <= LONGEST
    assert name.isprintable()
    assert not name.startswith("/")
    assert ".." not in name.split("/")
    name.encode("utf-8")


@pytest.mark.parametrize(
    ("name", "given", "replicate"),
    [
        ("1.png", "", "1"),
        ("1.png", "b", "b"),
        ("sample/1.png", "", "sample"),
        ("sample/a/1.png", "", "a"),
        ("sample/a/deep/1.png", "", "a"),
        ("sample/a/1.png", "z", "z"),
    ],
)
def test_which_replicate(name: str, given: str, replicate: str) -> None:
    assert replicate_of(name, given) == replicate
