"""What is hashed, against a second way of saying it; and what stands of a crop."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from androscope.records.chain import GENESIS, canonical, chained, parsed
from androscope.records.entries import EventKind
from androscope.records.standing import Change, need_of, outcome_of, standing
from androscope.records.types import Find
from androscope.types import Flag, PartVerdict, Verdict

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text("abä€", max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=40)
@given(st.dictionaries(st.text("abcäß", max_size=4), JSON, max_size=4))
def test_canonical_text_comes_back_and_does_not_depend_on_order(value: dict[str, object]) -> None:
    text = canonical(value)
    assert parsed(text) == value
    assert canonical(dict(reversed(value.items()))) == text
    assert canonical(json.loads(text)) == text


def test_the_hash_is_what_the_documentation_says() -> None:
    line = (
        GENESIS + '\n{"actor":"Änne","at":"2026-01-02T03:04:05.000006Z","crop":null,'
        '"data":{"a":0.5},"kind":"sample","number":1,"sample":7}'
    )
    assert chained(
        GENESIS, number=1, at="2026-01-02T03:04:05.000006Z", actor="Änne", kind="sample",
        sample_id=7, crop_id=None, data={"a": 0.5},
    ) == hashlib.sha256(line.encode()).hexdigest()  # fmt: skip


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_has_no_json_has_no_hash(bad: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": bad})


def part(probability: float, verdict: Verdict, label: str = "head") -> PartVerdict:
    return PartVerdict(label, probability, 0.5, verdict)


@pytest.mark.parametrize(
    ("find", "need"),
    [
        pytest.param(Find(), 0.0, id="not-graded"),
        pytest.param(Find(parts=(part(0.0, Verdict.NORMAL),)), 0.0, id="sure"),
        pytest.param(Find(parts=(part(1.0, Verdict.ABNORMAL),)), 0.0, id="sure-abnormal"),
        pytest.param(Find(parts=(part(0.75, Verdict.ABNORMAL),)), 0.5, id="half-way"),
        pytest.param(Find(parts=(part(0.5, Verdict.ABNORMAL),)), 1.0, id="on-the-threshold"),
        pytest.param(Find(parts=(part(0.25, Verdict.UNDECIDED),)), 2.5, id="undecided"),
        pytest.param(
            Find(parts=(part(0.0, Verdict.NORMAL),), flags=(Flag("focus", 0, 1, "blurred"),) * 2),
            3.0,
            id="two-flags",
        ),
    ],
)
def test_how_much_a_person_is_needed(find: Find, need: float) -> None:
    assert need_of(find) == need


def test_an_earlier_change_below_a_later_one_can_be_taken_out() -> None:
    """The store takes back the last change alone; the replay is right for any."""
    opinion = Find(parts=(part(0.1, Verdict.NORMAL), part(0.2, Verdict.NORMAL, "tail")))
    said = [
        Change(1, EventKind.VERDICT, {"part": "head", "to": "abnormal"}),
        Change(2, EventKind.VERDICT, {"part": "tail", "to": "undecided"}),
        Change(3, EventKind.OBSERVE, {"verdicts": {"tail": "abnormal"}}),
    ]
    stands = standing(opinion, said)
    assert (outcome_of(opinion, stands), stands.last_event) == ("abnormal", 2)
    stands = standing(opinion, [*said, Change(4, EventKind.UNDO, {"undoes": 1})])
    assert stands.verdicts == {"head": Verdict.NORMAL, "tail": Verdict.UNDECIDED}
    assert (outcome_of(opinion, stands), stands.last_event) == ("undecided", 4)
    no_sperm = standing(opinion, [Change(1, EventKind.SPERM, {"to": False})])
    assert outcome_of(opinion, no_sperm) == "excluded"
