"""Random reviews, undos and signatures against a plain model in memory, on both databases."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from androscope.errors import RecordConflictError
from androscope.records.backup import backup
from androscope.records.restore import restore
from androscope.records.store import Records
from androscope.records.types import SampleStatus
from androscope.records.verify import verify
from androscope.types import Verdict

from .conftest import CARD, graded_sample

CROPS = 3
PEOPLE = st.sampled_from(["anna", "bob"])
WHICH = st.integers(0, CROPS - 1)
PARTS = st.sampled_from(CARD.labels)
VERDICTS = st.sampled_from(list(Verdict))


@dataclass
class Expected:
    """One crop as a person would keep it on paper: a pile of states, the top one stands."""

    pile: list[tuple[dict[str, Verdict], bool]]

    @property
    def top(self) -> tuple[dict[str, Verdict], bool]:
        return self.pile[-1]


@dataclass
class Paper:
    crops: list[Expected] = field(default_factory=list)
    seen: dict[tuple[str, int], dict[str, Verdict]] = field(default_factory=dict)
    signed: int = 0
    changed: bool = False


def machine(records: Records, names: Any) -> type[RuleBasedStateMachine]:
    class Reviews(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.sample_id, crops = graded_sample(records, f"S-{next(names)}", crops=CROPS)
            self.ids = [crop.id for crop in crops]
            self.paper = Paper([Expected([(dict(c.verdicts), True)]) for c in crops])

        @rule(which=WHICH, part=PARTS, to=VERDICTS, who=PEOPLE)
        def verdict(self, which: int, part: str, to: Verdict, who: str) -> None:
            verdicts, sperm = self.paper.crops[which].top
            records.reviews.verdict(self.ids[which], part, to, actor=who, expected=verdicts[part])
            self.say(which, ({**verdicts, part: to}, sperm))

        @rule(which=WHICH, sperm=st.booleans(), who=PEOPLE)
        def is_sperm(self, which: int, sperm: bool, who: str) -> None:
            records.reviews.sperm(self.ids[which], sperm, actor=who)
            self.say(which, (self.paper.crops[which].top[0], sperm))

        @rule(which=WHICH, who=PEOPLE)
        def accept(self, which: int, who: str) -> None:
            records.reviews.accept(self.ids[which], actor=who)
            self.say(which, self.paper.crops[which].top)

        @rule(which=WHICH, who=PEOPLE)
        def undo(self, which: int, who: str) -> None:
            expected = self.paper.crops[which]
            nothing = len(expected.pile) == 1
            with contextlib.suppress(RecordConflictError):
                records.reviews.undo(self.ids[which], actor=who)
                assert not nothing
                expected.pile.pop()
                self.paper.changed = True

        @rule(which=WHICH, part=PARTS, to=VERDICTS, who=PEOPLE)
        def observe(self, which: int, part: str, to: Verdict, who: str) -> None:
            records.reviews.observe(self.ids[which], {part: to}, observer=who)
            self.paper.seen[who, self.ids[which]] = {part: to}

        @precondition(lambda self: self.paper.changed or not self.paper.signed)
        @rule()
        def sign(self) -> None:
            _, anchor = records.findings(self.sample_id, pictures=False)
            signed = records.reports.sign(
                self.sample_id, "{}", anchor=anchor, actor="anna", name="Anna"
            )
            self.paper.signed += 1
            self.paper.changed = False
            assert signed.version == self.paper.signed

        def say(self, which: int, state: tuple[dict[str, Verdict], bool]) -> None:
            self.paper.crops[which].pile.append(state)
            self.paper.changed = True

        @invariant()
        def the_store_says_what_the_paper_says(self) -> None:
            if not hasattr(self, "paper"):
                return
            kept = records.crops.list(self.sample_id).items
            for crop, expected in zip(kept, self.paper.crops, strict=True):
                assert (dict(crop.verdicts), crop.is_sperm) == expected.top
                assert crop.reviewed == (len(expected.pile) > 1)
            seen = {
                (o.observer, o.crop_id): dict(o.verdicts)
                for o in records.reviews.observations(self.sample_id)
            }
            assert seen == self.paper.seen
            state = records.samples.get(self.sample_id)
            assert state.signed_version == self.paper.signed
            assert state.reviewed == sum(len(e.pile) > 1 for e in self.paper.crops)
            if self.paper.signed:
                changed = self.paper.changed
                assert state.status == (SampleStatus.CHANGED if changed else SampleStatus.SIGNED)
            tops = [expected.top for expected in self.paper.crops]
            abnormal = sum(s and Verdict.ABNORMAL in v.values() for v, s in tops)
            normal = sum(s and set(v.values()) == {Verdict.NORMAL} for v, s in tops)
            assert (state.abnormal, state.normal) == (abnormal, normal)
            assert state.undecided == state.assessed - abnormal - normal
            assert state.assessed == sum(s for _, s in tops)

        def teardown(self) -> None:
            with records.database.read() as connection:
                assert verify(connection, None).faults == ()

    return Reviews


def test_reviews_against_a_model_in_memory(records: Records, tmp_path: Path) -> None:
    """And what they left is the same when it was backed up and restored."""
    run_state_machine_as_test(
        machine(records, iter(range(10_000))),
        settings=settings(
            max_examples=6,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    made = backup(records.database, records.pictures, tmp_path / "b.zip")
    restore(tmp_path / "b.zip", f"sqlite:///{tmp_path / 'again.db'}", tmp_path / "i", actor="x")
    with Records.open(f"sqlite:///{tmp_path / 'again.db'}", tmp_path / "i") as again:
        assert list(again.log)[: made.log_count] == list(records.log)
        samples = records.samples.list(per_page=1000).items
        assert again.samples.list(per_page=1000).items == samples
        for sample in samples:
            assert again.crops.list(sample.id) == records.crops.list(sample.id)
            assert again.reports.list(sample.id) == records.reports.list(sample.id)
