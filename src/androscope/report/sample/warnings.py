"""What the signer of a report must know before its numbers: in the report's first lines."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence

from androscope.assessment.findings import Findings, SampleFile
from androscope.imaging.head_scale import IN_DOUBT, LENGTH_SAID_OTHERWISE
from androscope.imaging.one_field import ALIKE_PAGES
from androscope.imaging.pixel_size import NOT_CREDIBLE, SAID_OTHERWISE
from androscope.imaging.values import guessed_bits
from androscope.imaging.video_field import LOST, NOT_MOVED, TOO_SLOW, WHOLE
from androscope.report.sample.document import AgreementReport, CountsReport, ReplicateRow

__all__ = ["ENOUGH", "warnings_of"]

#: Sperm that WHO asks to be assessed, in each of two replicates.
ENOUGH = 200

#: Pixel sizes, or head lengths, that differ by more than this factor differ.
_DIFFERS = 1.02
#: Likewise where the lengths are estimates.
_DIFFERS_ESTIMATED = 1.25

#: From this share on, what the checks refuse is more than the few good images that they may cost.
_MANY_REFUSED = 0.05


def warnings_of(
    findings: Findings,
    counts: CountsReport,
    replicates: Sequence[ReplicateRow],
    agreement: AgreementReport,
) -> list[str]:
    """List what is to be known, the gravest first; empty if nothing is."""
    return [
        *_about_doubted_scale(findings),
        *_about_numbers(counts, replicates),
        *_about_undecided(counts),
        *_about_checks(findings),
        *_about_replicates(findings, replicates, agreement),
        *_about_scale(findings),
        *_about_depth(findings),
        *_about_files(findings, counts),
        *_about_videos(findings),
        *findings.notes,
    ]


def _about_numbers(counts: CountsReport, replicates: Sequence[ReplicateRow]) -> list[str]:
    if not counts.assessed:
        why = "no sperm was found in it" if not counts.found else "none could be graded"
        return [f"This sample has no result: {why}."]
    few = [f"{r.assessed} in {r.name}" for r in replicates if r.assessed < ENOUGH]
    if counts.assessed < ENOUGH:
        return [
            f"Fewer than {ENOUGH} sperm were assessed ({counts.assessed}): the intervals are wide. "
            f"WHO asks for at least {ENOUGH} in each of two replicates."
        ]
    if few:
        return [f"Fewer than {ENOUGH} sperm in a replicate: {', '.join(few)}. WHO asks for more."]
    return []


def _about_undecided(counts: CountsReport) -> list[str]:
    if not counts.undecided:
        return []
    return [
        f"{counts.undecided} of {counts.assessed} sperm are undecided and left to you: they are "
        "shown below, and no fraction counts them."
    ]


def _about_checks(findings: Findings) -> list[str]:
    """Sperm graded although they did not pass, and those that the checks refused."""
    assessed = [verdicts for _, verdicts in findings.assessed]
    flagged = sum(bool(verdicts.flags) for verdicts in assessed)
    if flagged:
        return [
            f"{flagged} of {len(assessed)} sperm assessed did not pass the checks of images and "
            "were graded all the same: their verdicts are not to be relied on."
        ]
    refused = sum(bool(find.flags) for find in findings.finds if find.assessment is None)
    if refused > len(assessed):
        return [
            f"The checks refused {refused} images and passed {len(assessed)}: these images are "
            "not such as the model learned from."
        ]
    if refused and refused >= _MANY_REFUSED * (refused + len(assessed)):
        return [
            f"The checks refused {refused} of {refused + len(assessed)} crops: no fraction counts "
            "them, and each speaks of the others alone."
        ]
    return []


def _about_replicates(
    findings: Findings, replicates: Sequence[ReplicateRow], agreement: AgreementReport
) -> list[str]:
    found = []
    if agreement.accepted is False:
        found.append("The replicates do not agree: assess two new replicates.")
    if len(replicates) == 1:
        found.append("One replicate: whether a second one would agree is not known.")
    if len(replicates) > 2:
        found.append(
            f"{len(replicates)} replicates: WHO's test compares two, so that none was done."
        )
    names: dict[str, list[str]] = defaultdict(list)
    for file in findings.files:
        if file.sha256 is not None:
            names[file.sha256].append(file.name)
    found += [
        f"The same image counts more than once: {', '.join(same)} are one file's copies."
        for same in names.values()
        if len(same) > 1
    ]
    return found + _about_copies(findings)


def _about_copies(findings: Findings) -> list[str]:
    """Pictures that are one to the eye, though their files differ."""
    bytes_of = {file.name: file.sha256 for file in findings.files}
    replicate_of = {file.name: file.replicate for file in findings.files}
    found = []
    for same in findings.copies:
        if len({bytes_of[name] for name in same}) == 1:
            continue  # said already: their very bytes are the same
        across = ""
        if len({replicate_of[name] for name in same}) > 1:
            across = ", and the replicates are not independent"
        found.append(
            f"{_some(same)} look the same (in other formats, or frames of one field): their sperm "
            f"count more than once{across}."
        )
    return found


#: Notes of files that say that the scale may be wrong, as they begin.
_DOUBTS = (IN_DOUBT, SAID_OTHERWISE, LENGTH_SAID_OTHERWISE, NOT_CREDIBLE)


def _about_doubted_scale(findings: Findings) -> list[str]:
    """What speaks against the scale, each with its files: every verdict depends on it."""
    found = []
    for beginning in _DOUBTS:
        notes = {
            file.name: note
            for file in findings.files
            for note in file.notes
            if note.startswith(beginning)
        }
        # One warning for all, in the words of the first: heads found differ from field to field.
        for note in itertools.islice(notes.values(), 1):
            advice = "" if beginning == NOT_CREDIBLE else " Every verdict depends on the scale."
            found.append(
                f"{note[0].upper()}{note[1:]} ({len(notes)} of {len(findings.files)} files)."
                f"{advice}"
            )
    return found


def _about_scale(findings: Findings) -> list[str]:
    found = []
    sizes = {
        name: sorted({s for f in findings.files if f.replicate == name for s in f.pixel_sizes_um})
        for name in findings.replicates
    }
    known = sorted({size for of in sizes.values() for size in of})
    if _differ(known, _DIFFERS):
        where = "; ".join(
            f"{name} {', '.join(f'{size:g}' for size in of)} um" for name, of in sizes.items() if of
        )
        found.append(
            f"Images have different pixel sizes ({where}). Each was brought to the model's scale; "
            "differences between replicates may be the optics' and not the sample's."
        )
    estimated = [file for file in findings.files if file.estimated]
    if estimated:
        lengths = sorted(length for file in estimated for length in file.head_lengths)
        apart = ""
        if _differ(lengths, _DIFFERS_ESTIMATED):
            apart = f", and differs between files ({lengths[0]:.0f} to {lengths[-1]:.0f} px a head)"
        found.append(
            f"The scale of {len(estimated)} of {len(findings.files)} files was estimated from the "
            f"heads found{apart}. Every verdict depends on it: give the pixel size to be sure."
        )
    refused = [
        file.name for file in findings.files if any("morphology refused" in n for n in file.notes)
    ]
    if refused:
        found.append(
            f"Morphology was refused in {len(refused)} files, whose optics are too coarse: their "
            "sperm were located and counted, and not graded."
        )
    unused = findings.settings.get("pixel size given")
    crops = any(find.place is None for find in findings.finds)
    if unused and crops and findings.card.input.pixel_size_um is None:
        found.append(
            f"The pixel size ({unused}) was not used for crops: that of the crops "
            f"{findings.card.name} learned from is not known."
        )
    return found


def _about_depth(findings: Findings) -> list[str]:
    guesses = {file.name: guessed_bits(file.notes) for file in findings.files}
    guessed = sorted({bits for bits in guesses.values() if bits is not None})
    found = []
    if guessed:
        count = sum(bits is not None for bits in guesses.values())
        depth = f"{guessed[0]} bits" if len(guessed) == 1 else f"{guessed[0]} to {guessed[-1]} bits"
        found.append(
            f"The bit depth of {count} of {len(findings.files)} files was guessed ({depth}). "
            "Contrast, and so every verdict, depends on it: give the camera's with --bit-depth to "
            "be sure."
        )
    few = _with_note(findings, "few grey levels")
    if few:
        found.append(
            f"Little contrast is left in {_some(few)}: fewer than 40 of 256 grey levels are used. "
            "Sperm may be missed or graded wrongly; give the bit depth, and take away a camera's "
            "offset before."
        )
    return found


def _with_note(findings: Findings, beginning: str) -> list[str]:
    """Names of the files one of whose notes begins so."""
    return [f.name for f in findings.files if any(n.startswith(beginning) for n in f.notes)]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _differ(ascending: Sequence[float], factor: float) -> bool:
    return bool(ascending) and ascending[-1] > factor * ascending[0]


def _about_files(findings: Findings, counts: CountsReport) -> list[str]:
    found = []
    if counts.unreadable:
        what = "file or picture" if counts.unreadable == 1 else "files or pictures"
        found.append(f"{counts.unreadable} {what} could not be used; listed below with reasons.")
    for word, says in (("blank", "are blank"), ("saturated", "are saturated")):
        names = _with_note(findings, word)
        if names:
            found.append(f"Frames that {says}: {_some(names)}.")
    with_sperm = {find.file for find in findings.finds if find.is_sperm}
    nothing = [
        file.name
        for file in findings.files
        if {"field", "video"} & set(file.kinds) and file.name not in with_sperm
    ]
    if nothing and counts.found:
        found.append(f"No sperm was found in {_some(nothing)}.")
    alike = _with_note(findings, ALIKE_PAGES)
    if alike:
        found.append(
            f"Pages of {_some(alike)} look alike: if they show the same field, its sperm count "
            "more than once."
        )
    return found


def _about_videos(findings: Findings) -> list[str]:
    """Of which moments sperm count, and where they could not be followed."""
    videos = [file for file in findings.files if "video" in file.kinds]
    every = findings.settings.get("a field of view of videos every")
    found = []
    slow = [file.name for file in videos if _says(file, TOO_SLOW)]
    if slow:
        found.append(
            f"Too few frames a second to follow sperm: {_some(slow)}. One frame of each field of "
            "view was graded as a still, with no choice of the sharpest."
        )
    lost = [file.name for file in videos if _says(file, LOST)]
    if lost:
        found.append(
            f"More than a tenth of what was found could not be followed and is not counted in "
            f"{_some(lost)}: sperm may be missing, the fast ones first."
        )
    same = [file.name for file in videos if _says(file, NOT_MOVED)]
    if same:
        found.append(
            f"The same sperm count more than once in {_some(same)}: the stage was hardly moved "
            f"between fields of view taken every {every}. Grade it without --video-every."
        )
    part = [file.name for file in videos if not _says(file, WHOLE)]
    if part and every is None:
        found.append(
            f"Only the beginning of {_some(part)} was looked at, and the sperm in the field at one "
            "moment count. If the stage was moved later, --video-every takes more fields of view."
        )
    if videos and every is not None:
        found.append(
            f"Of videos a field of view was taken every {every}. If the stage was not moved in "
            "between, the same sperm count more than once."
        )
    return found


def _says(file: SampleFile, words: str) -> bool:
    return any(words in note for note in file.notes)
