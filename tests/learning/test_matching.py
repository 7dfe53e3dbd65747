from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra: torch is not installed")
pytest.importorskip("lightning", reason="needs the train extra: lightning is not installed")

from androscope.errors import ConfigError  # noqa: E402
from androscope.learning.matching import Matching  # noqa: E402
from androscope.learning.module import JointModule  # noqa: E402
from androscope.learning.network import build_network  # noqa: E402
from androscope.learning.run import Run, train  # noqa: E402

from .tiny import config as quick  # noqa: E402
from .tiny import dataset, discs  # noqa: E402

pytestmark = pytest.mark.train

LABELS = ("head", "vacuole")


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_targets_lie_between_the_label_and_the_answer_to_this_very_view(
    teachers: list[Run], share: float
) -> None:
    seen = discs(12, seed=3).crops
    # As augmentation leaves them: between grey levels, at its ends.
    crops = torch.from_numpy(seen).float() + 0.3
    known = torch.tensor([[0, 1]] * 12, dtype=torch.int8)
    known[5] = -1
    got = Matching(teachers, LABELS, share).targets(crops, known).numpy()
    both, vacuole = teachers
    head = both.probabilities(seen)[:, both.labels.index("head")]
    other = (both.probabilities(seen)[:, -1] + vacuole.probabilities(seen)[:, 0]) / 2
    asked = np.stack([head, other], 1)
    wanted = (1 - share) * np.array([0, 1]) + share * asked
    wanted[5] = asked[5]  # no label: the teachers' word alone
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_a_step_learns_what_they_say_of_what_it_sees(teachers: list[Run]) -> None:
    """The loss is that against their answers to the augmented, mixed crops, not to the stored."""
    config = quick("augment.mixup=1.0")
    asked = []

    class Spy(Matching):
        def targets(self, crops, known):
            asked.append((crops.clone(), super().targets(crops, known)))
            return asked[-1][1]

    torch.manual_seed(0)
    joint = JointModule(build_network(config), config, Spy(teachers, config.labels, 1.0)).eval()
    joint.log = lambda *_, **__: None
    crops, labels = discs(8).crops, torch.from_numpy(discs(8).labels)
    with torch.no_grad():
        loss = joint.training_step((torch.from_numpy(crops), labels), 0)
        ((seen, answers),) = asked
        logits = joint.network(seen)
    assert not torch.equal(seen, torch.from_numpy(crops).float())
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(logits, answers)
    assert float(loss) == pytest.approx(float(wanted), rel=1e-5)


def test_a_run_that_matches_its_teachers_says_so(teachers: list[Run], tmp_path: Path) -> None:
    both = f"teacher.runs=[{teachers[0].folder}]"
    runs = [
        train(
            quick(both, "teacher.share=1.0", f"teacher.match={match}", "stage1.epochs=2"),
            tmp_path / str(match),
            dataset=dataset(),
            quiet=True,
        )
        for match in ("true", "false")
    ]
    assert runs[0].record["teachers"] == runs[1].record["teachers"]
    assert runs[0].record["network_sha256"] != runs[1].record["network_sha256"]


def test_dtl_that_matches_asks_nothing_beforehand(
    teachers: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the stored crops' targets are not used")

    monkeypatch.setattr("androscope.learning.training.soft_targets", never)
    of = f"teacher.runs=[{teachers[0].folder}]"
    dtl = ("method=dtl", "labels=[head]", "stage1.epochs=1", "teacher.match=true", of)
    assert train(quick(*dtl), tmp_path / "run", dataset=dataset(), quiet=True).labels == ("head",)
    with pytest.raises(AssertionError, match="are not used"):
        train(quick(*dtl[3:]), tmp_path / "dmtl", dataset=dataset(), quiet=True)


def test_matching_asks_all_and_held_out_only_some() -> None:
    with pytest.raises(ConfigError, match="match asks all teachers of each view, held_out only"):
        quick("teacher.match=true", "teacher.held_out=true")
