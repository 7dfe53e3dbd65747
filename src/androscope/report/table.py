"""Results as a table for a terminal, or as plain columns when the output goes elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING

from androscope.assessment.conformal import promise
from androscope.assessment.sample import Proportion
from androscope.assessment.tally import tally
from androscope.report.names import NOTICE, printable
from androscope.types import Assessment, Failure, PartVerdict, Results, Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["ROWS", "Truth", "console_for", "print_failures", "print_results", "table_for"]

#: Rows shown when not all are asked for.
ROWS = 40

#: For each assessment, what its parts truly are, by label. A label may be missing.
Truth = Sequence[Mapping[str, Verdict]]

_COLOUR = {
    Verdict.NORMAL: "green", Verdict.ABNORMAL: "bold red", Verdict.UNDECIDED: "bold magenta"
}  # fmt: skip


def console_for(stream: IO[str]) -> Console:
    """Make a console on ``stream``: coloured on a terminal, plain and never wrapped elsewhere."""
    from rich.console import Console

    if stream.isatty():
        return Console(file=stream, highlight=False, emoji=False)
    # Rich would wrap a pipe's lines at 80 columns and so break file names apart.
    return Console(file=stream, highlight=False, emoji=False, width=10_000, no_color=True)


def print_results(
    console: Console, results: Results, *, all_rows: bool = False, truth: Truth | None = None
) -> None:
    """Print verdicts, a summary of the sample, and the notice.

    Parameters
    ----------
    console
        From :func:`console_for`.
    results
        What was assessed.
    all_rows
        Print every row; otherwise the first :data:`ROWS`, and how many are not shown.
    truth
        What is known of the images, in the order of ``results.assessments``; shown beside each
        verdict.
    """
    if results.assessments:
        shown = results.assessments if all_rows else results.assessments[:ROWS]
        # A column more only where there is something in it: images graded all the same.
        flagged = any(assessment.flags for assessment in results.assessments)
        flags = ["did not pass"] if flagged else []
        table = table_for(console, "Image", *results.labels, *flags)
        width = max(len(part.verdict) for one in shown for part in one.parts) if shown else 0
        for number, assessment in enumerate(shown):
            known = {} if truth is None else truth[number]
            cells = (_cell(part, known.get(part.label), width) for part in assessment.parts)
            marks = [_text(_checks(assessment), "yellow")] if flagged else []
            table.add_row(_text(printable(assessment.name)), *cells, *marks)
        console.print(table)
        hidden = len(results.assessments) - len(shown)
        if hidden:
            console.print(
                f"... and {hidden} more images: --all shows them, --csv FILE writes them.",
                markup=False,
            )
        console.print()
    _print_summary(console, results)
    if truth is not None:
        console.print(_agreement(results, truth), markup=False)
    if "not_checked" in results.extra:
        console.print(f"Note: {results.extra['not_checked']}.", markup=False)
    console.print(NOTICE, markup=False)


def _checks(assessment: Assessment) -> str:
    return ", ".join(flag.check for flag in assessment.flags)


def print_failures(console: Console, failures: Sequence[Failure]) -> None:
    """List every image that could not be assessed, with its reason and what to do."""
    if not failures:
        return
    count = "1 image" if len(failures) == 1 else f"{len(failures)} images"
    console.print(f"{count} could not be assessed:", style="bold", markup=False)
    for failure in failures:
        advice = f". {failure.advice}" if failure.advice else ""
        line = f"  {failure.name}: {failure.reason}{advice} [{failure.code}]"
        console.print(printable(line), markup=False, soft_wrap=True)


def percent(proportion: Proportion) -> str:
    """Give a fraction and its interval in percent."""
    if proportion.fraction is None or proportion.low is None or proportion.high is None:
        return "-"
    return f"{proportion.fraction:.1%} ({proportion.low:.1%} to {proportion.high:.1%})"


def agreement(results: Results, truth: Truth) -> tuple[int, int]:
    """Count the verdicts that agree with the truth, and those for which it is known.

    What was left undecided is no verdict, and is in neither.
    """
    agree = known = 0
    for assessment, true in zip(results.assessments, truth, strict=True):
        for part in assessment.parts:
            if part.label in true and part.verdict is not Verdict.UNDECIDED:
                known += 1
                agree += part.verdict is true[part.label]
    return agree, known


def _agreement(results: Results, truth: Truth) -> str:
    agree, known = agreement(results, truth)
    return f"{agree} of {known} verdicts agree with what is true of these images."


def _print_summary(console: Console, results: Results) -> None:
    found = tally(results.assessments, results.labels)
    whole = found.whole
    version = f" {results.model_version}" if results.model_version else ""
    failed = f"; {len(results.failures)} could not be" if results.failures else ""
    console.print(
        f"{whole.assessed} assessed by {results.model}{version}{failed}.",
        style="bold",
        markup=False,
    )
    if not whole.assessed:
        return
    abstains = results.error_rate is not None or any(c.undecided for c in found.parts.values())
    columns = ("count", "fraction (95% interval)", *(["undecided"] if abstains else []))
    table = table_for(console, "Of the sample", *columns)
    rows = [(f"{label} abnormal", c, c.fraction_abnormal) for label, c in found.parts.items()]
    for name, counts, share in (*rows, ("every part normal", whole, whole.fraction_normal)):
        undecided = [_text(str(counts.undecided), _COLOUR[Verdict.UNDECIDED])] if abstains else []
        table.add_row(name, f"{share.count} of {share.n}", percent(share), *undecided)
    console.print(table)
    if whole.undecided and whole.bounds:
        low, high = whole.bounds
        console.print(
            f"With the {whole.undecided} undecided sperm, every part is normal in {low:.1%} to "
            f"{high:.1%}.",
            markup=False,
        )
    if results.error_rate is not None:
        console.print(promise(results.error_rate), markup=False)


def table_for(console: Console, first: str, *others: str) -> Table:
    """Give an empty table with these columns, ruled on a terminal alone."""
    from rich import box
    from rich.table import Table

    # Lines are drawn on a terminal alone; safe_box leaves those that an old one cannot show.
    style = box.SIMPLE_HEAD if console.is_terminal else None
    table = Table(box=style, header_style="bold", pad_edge=False, safe_box=True)
    table.add_column(first, overflow="fold", no_wrap=not console.is_terminal)
    for name in others:
        table.add_column(name, no_wrap=True)
    return table


def _cell(part: PartVerdict, true: Verdict | None, width: int) -> Text:
    cell = _text(f"{part.verdict.value:<{width}} {part.probability:.2f}", _COLOUR[part.verdict])
    if true is not None and part.verdict is not Verdict.UNDECIDED:
        right = true is part.verdict
        cell.append(
            f" {'ok' if right else f'not {true.value}'}", style="dim" if right else "yellow"
        )
    return cell


def _text(content: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(content, style=style)
