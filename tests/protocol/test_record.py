from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from androscope.errors import TrainingError
from androscope.protocol.record import (
    Benchmark,
    Score,
    read_benchmark,
    rounded,
    write_benchmark,
)

from .made import benchmark, run

NUMBERS = st.none() | st.floats(-1, 1).map(lambda value: round(value, 6))
TEXTS = st.text(max_size=20) | st.sampled_from(["[1, 2]", "[\n 1,\n 2\n]", "[null]", '"[ 3 ]"'])


@given(value=NUMBERS, low=NUMBERS, high=NUMBERS, words=st.lists(TEXTS, max_size=3))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    value: float | None,
    low: float | None,
    high: float | None,
    words: list[str],
) -> None:
    folder = tmp_path_factory.mktemp("record")
    entry = run("dmtl/seed-0", 0.5)
    entry = entry.model_copy(
        update={"scores": {"test": {"head": {"mcc": Score(value, low, high)}}}}
    )
    found = benchmark(tried_before=tuple(words))
    recipe = found.recipes["dmtl"].model_copy(update={"runs": (entry,)})
    found = found.model_copy(update={"recipes": {"dmtl": recipe}})
    write_benchmark(folder, found)
    assert read_benchmark(folder) == found


def test_a_score_takes_a_line(tmp_path: Path) -> None:
    write_benchmark(tmp_path, benchmark())
    text = (tmp_path / "benchmark.json").read_text()
    assert "[0.83, 0.78, 0.88]" in text
    assert "[0.81, 0.01, 2, 0.77, 0.85]" in text
    assert '"seeds": [0, 1, 2]' in text
    assert Benchmark.model_validate(json.loads(text)) == benchmark()


def test_rounding() -> None:
    assert rounded(0.12345678) == 0.123457
    assert rounded(float("nan")) is None
    assert rounded(None) is None


BAD = {
    "missing": (None, "cannot be read: No such file or directory. Make it with `androscope"),
    "no JSON": ("{", "is no benchmark's record: invalid json"),
    "another format": (
        json.dumps({**json.loads(benchmark().model_dump_json()), "format": "x/2"}),
        "is no benchmark's record: format: input should be 'androscope.benchmark/1'",
    ),
    "a hole": (
        json.dumps({"format": "androscope.benchmark/1"}),
        "is no benchmark's record: androscope: field required",
    ),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD.keys())
def test_files_that_are_none(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "benchmark.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(TrainingError) as caught:
        read_benchmark(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(path))
