"""Videos written here, read back: sampling, truncation, things that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from androscope.imaging.video import EVENLY, Sampling, VideoFrame, is_video, read_video
from androscope.settings import Settings
from androscope.types import Failure

av = pytest.importorskip("av", reason="PyAV is not installed: it is the video extra")


def write(path: Path, frames: list[np.ndarray], codec: str = "mjpeg", rate: int = 25) -> Path:
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
    return [np.full((64, 96), 40 + 5 * n % 200, np.uint8) for n in range(count)]


def looked(path: Path, sampling: Sampling = EVENLY) -> list[VideoFrame]:
    """Frames that are looked at, of a video that is whole."""
    got = list(read_video(path, sampling))
    frames = [frame for frame in got if isinstance(frame, VideoFrame)]
    assert len(frames) == len(got)
    return frames


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mjpeg"), ("a.mp4", "mpeg4")])
def test_frames_come_back(tmp_path: Path, name: str, codec: str) -> None:
    path = write(tmp_path / name, grey(12), codec)
    assert is_video(path)
    got = looked(path)
    assert [frame.image.index for frame in got] == list(range(12))
    for number, frame in enumerate(got):
        assert (frame.rate, frame.stretch, frame.of) == (25, 0, 12)
        assert frame.image.source == str(path)
        assert frame.image.pixels.shape == (64, 96)
        assert float(frame.image.pixels.mean()) == pytest.approx(40 + 5 * number, abs=4)


@pytest.mark.parametrize(
    ("rate", "count", "sampling", "expected", "a_second"),
    [
        pytest.param(30, 40, Sampling(), range(30), 30, id="30-a-second-all-of-one-second"),
        pytest.param(50, 60, Sampling(), range(0, 50, 2), 25, id="every-second-of-50"),
        pytest.param(60, 30, Sampling(), range(0, 30, 2), 30, id="every-second-of-60"),
        pytest.param(10, 30, Sampling(), range(10), 10, id="never-more-than-there-are"),
        pytest.param(10, 9, Sampling(5, 0.6), [0, 2, 4], 5, id="what-is-asked-for"),
        pytest.param(1, 5, Sampling(), [0], 1, id="one-a-second"),
    ],
)
def test_the_first_second_is_looked_at(
    tmp_path: Path, rate: int, count: int, sampling: Sampling, expected: list[int], a_second: float
) -> None:
    got = looked(write(tmp_path / "a.avi", grey(count), rate=rate), sampling)
    assert [frame.image.index for frame in got] == list(expected)
    assert {frame.rate for frame in got} == {a_second}
    assert {frame.of for frame in got} == {count}


def test_stretches_go_on_to_the_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a.avi", grey(45), rate=10)
    got = looked(path, Sampling(10, 0.5, every=2))
    of = [[frame.image.index for frame in got if frame.stretch == n] for n in range(4)]
    assert of == [[0, 1, 2, 3, 4], [20, 21, 22, 23, 24], [40, 41, 42, 43, 44], []]


def test_what_does_not_say_its_length_is_read_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", grey(30))
    got = looked(path)
    assert len(got) == 25
    assert {frame.of for frame in got} == {None}


def test_a_truncated_avi_gives_its_frames_and_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (64, 96), dtype=np.uint8) for _ in range(12)]
    path = write(tmp_path / "a.avi", frames)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    got = list(read_video(path))
    assert 3 <= sum(isinstance(frame, VideoFrame) for frame in got) < 12
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


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        pytest.param((0, 1), "expected per_second above 0, got 0", id="no-frames"),
        pytest.param((float("nan"), 1), "expected per_second above 0, got nan", id="nan"),
        pytest.param((5, -1), "expected seconds above 0, got -1", id="no-time"),
        pytest.param(
            (5, 1, 0.5), "expected every of at least a stretch's 1 s, got 0.5", id="overlap"
        ),
        pytest.param(
            (5, 1, float("inf")), "expected every of at least a stretch's 1 s, got inf", id="never"
        ),
    ],
)
def test_a_sampling_of_nothing_is_refused(bad: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sampling(*bad)
