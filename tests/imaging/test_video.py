"""Videos written here, read back: sampling, truncation, things that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from androscope.imaging.video import Sampling, is_video, read_video
from androscope.settings import Settings
from androscope.types import Failure, GreyImage

av = pytest.importorskip("av", reason="PyAV is not installed: it is the video extra")


def write(path: Path, frames: list[np.ndarray], codec: str = "mjpeg", rate: int = 10) -> Path:
    """Write grey frames ``(H, W)`` uint8 as a video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = frames[0].shape
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for frame in frames:
            colour = av.VideoFrame.from_ndarray(np.repeat(frame[:, :, None], 3, 2), format="rgb24")
            container.mux(stream.encode(colour))
        container.mux(stream.encode())
    return path


def grey(count: int) -> list[np.ndarray]:
    """Even pictures, each a little brighter than the one before."""
    return [np.full((64, 96), 40 + 5 * n, np.uint8) for n in range(count)]


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mjpeg"), ("a.mp4", "mpeg4")])
def test_frames_come_back(tmp_path: Path, name: str, codec: str) -> None:
    path = write(tmp_path / name, grey(12), codec)
    assert is_video(path)
    got = list(read_video(path))
    assert [frame.index for frame in got] == list(range(12))
    for number, frame in enumerate(got):
        assert isinstance(frame, GreyImage)
        assert frame.source == str(path)
        assert frame.pixels.shape == (64, 96)
        assert float(frame.pixels.mean()) == pytest.approx(40 + 5 * number, abs=4)


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        pytest.param(Sampling(10, 30), [0, 3, 6, 9], id="every-third-of-30-a-second"),
        pytest.param(Sampling(10, 2), [0, 3], id="two-at-most"),
        pytest.param(Sampling(100, 3), [0, 1, 2], id="never-more-than-there-are"),
    ],
)
def test_frames_are_sampled(tmp_path: Path, sampling: Sampling, expected: list[int]) -> None:
    path = write(tmp_path / "a.avi", grey(12), rate=30)
    assert [frame.index for frame in read_video(path, sampling)] == expected


def test_a_truncated_avi_gives_its_frames_and_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (64, 96), dtype=np.uint8) for _ in range(12)]
    path = write(tmp_path / "a.avi", frames)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    got = list(read_video(path))
    assert 3 <= sum(isinstance(frame, GreyImage) for frame in got) < 12
    failure = got[-1]
    assert isinstance(failure, Failure)
    assert failure.code == "image-unreadable"
    assert failure.reason.startswith("truncated or damaged after ")
    assert "those before were used" in failure.reason


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"RIFF\x10\x00\x00\x00AVI LIST", id="avi-header-alone"),
        pytest.param(b"\x00\x00\x00\x18ftypisom" + bytes(200), id="mp4-without-index"),
        pytest.param(b"", id="empty"),
        pytest.param(b"no video at all", id="text"),
    ],
)
def test_what_is_no_video_is_one_failure(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bad.avi"
    path.write_bytes(data)
    (failure,) = read_video(path)
    assert isinstance(failure, Failure)
    assert failure.code == "image-unreadable"
    assert "truncated or damaged video" in failure.reason


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    (failure,) = read_video(tmp_path / "none.avi")
    assert isinstance(failure, Failure)
    assert failure.reason == "no such file"


def test_a_video_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.avi", grey(2))
    (failure,) = read_video(path, settings=Settings(max_pixels=4096))
    assert isinstance(failure, Failure)
    assert failure.code == "image-dimensions"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"\x89PNG\r\n\x1a\n0000", False, id="png"),
        pytest.param(b"RIFF0000WEBP", False, id="webp"),
        pytest.param(b"0000ftypheic", False, id="heic"),
        pytest.param(b"0000ftypqt  ", True, id="mov"),
        pytest.param(b"\x1a\x45\xdf\xa300000000", True, id="mkv"),
    ],
)
def test_videos_are_told_by_their_first_bytes(tmp_path: Path, head: bytes, expected: bool) -> None:
    path = tmp_path / "file"
    path.write_bytes(head)
    assert is_video(path) is expected
    assert not is_video(tmp_path)


@pytest.mark.parametrize("bad", [(0, 5), (float("nan"), 5), (5, 0)])
def test_a_sampling_of_nothing_is_refused(bad: tuple[float, int]) -> None:
    with pytest.raises(ValueError, match="per_second above 0 and most of at least 1"):
        Sampling(*bad)
