"""The results tables of docs/results.md and the README, from evaluations kept beside this file.

    python benchmarks/results.py [--short | --write]

`benchmarks/results/*.json` are the `evaluation.json` that `androscope evaluate RUN --split test
--out DIR` wrote for the runs named in docs/results.md: scores, intervals and hashes, no crop.
`--write` puts the tables between the marks of both pages.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from androscope.benchmark.board import read_board

FOLDER = Path(__file__).resolve().parent / "results"
ROOT = FOLDER.parent.parent

#: Around a table in a page.
MARKS = re.compile(r"^(<!-- results: [^\n]* -->\n)(.*?)(<!-- end -->)$", re.M | re.S)

METRICS = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f_half": "F0.5",
    "g_mean": "G-mean",
    "roc_auc": "ROC AUC",
    "mcc": "MCC",
}
LABELS = ("head", "acrosome", "vacuole")

#: The evaluation of the bundle that grades by default.
SHIPPED = "DMTL, distilled, int8"

#: That of the bundle `accurate`.
ACCURATE = "DMTL, accurate"

#: What a first try reached on test (Lite0 at 128 px, 40 epochs, one run), before this project had a
#: model: what its own shall not fall below.
FLOOR = {"accuracy": (80.7, 75.0, 93.7), "roc_auc": (80.1, 78.9, 93.9)}

#: Published test scores of the paper, from the leaderboard: by label and the row's name.
PAPER = {
    (label, f"{entry.name}, paper"): tuple(entry.scores[label][m].value for m in METRICS)
    for entry in read_board().entries
    if entry.name in ("DTL", "DMTL")
    for label in LABELS
}


def shown(
    name: str, value: float | None, low: float | None = None, high: float | None = None
) -> str:
    """A score as the tables print it: percent, but MCC from -1 to 1; a dash where undefined."""
    if value is None:
        return "-"
    digits, factor = (3, 1.0) if name == "mcc" else (2, 100.0)
    text = f"{factor * value:.{digits}f}"
    if low is None or high is None:
        return text
    short = digits if name == "mcc" else 1
    return f"{text} ({factor * low:.{short}f} to {factor * high:.{short}f})"


def row(*cells: str) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def long_tables(evaluations: dict[str, Any]) -> str:
    """Every metric: one Markdown table per label, for docs/results.md."""
    lines = []
    for label in LABELS:
        ours = {n: e["by_label"][label] for n, e in evaluations.items() if label in e["by_label"]}
        first = next(iter(ours.values()))
        lines += [
            f"**{label.capitalize()}** ({first['n']} crops, {first['abnormal']} abnormal)",
            "",
        ]
        lines += [row("", *METRICS.values()), row("---", *["---:"] * len(METRICS))]
        baseline = first["baseline"]
        lines.append(row("all called normal", *(shown(m, baseline.get(m)) for m in METRICS)))
        for (of, name), values in PAPER.items():
            if of == label:
                cells = (shown(m, v) for m, v in zip(METRICS, values, strict=True))
                lines.append(row(name, *cells))
        for name, found in ours.items():
            scores = found["scores"]
            cells = (
                shown(m, scores[m]["value"], scores[m]["low"], scores[m]["high"]) for m in METRICS
            )
            lines.append(row(f"**{name}**", *cells))
        lines.append("")
    return "\n".join(lines)


def floor_table(evaluations: dict[str, Any]) -> str:
    """What was to be reached at least, and how far each shipped model is from it, in points."""
    wanted = [(label, metric, n) for metric in FLOOR for n, label in enumerate(LABELS)]
    lines = [
        "**What a first try had reached**, and the shipped models' difference to it in points",
        "",
        row("", *(f"{label}, {METRICS[metric]}" for label, metric, _ in wanted)),
        row("---", *["---:"] * len(wanted)),
        row("first try", *(f"{FLOOR[metric][n]:.1f}" for _, metric, n in wanted)),
    ]
    for name in (SHIPPED, ACCURATE):
        cells = []
        for label, metric, n in wanted:
            value = 100 * evaluations[name]["by_label"][label]["scores"][metric]["value"]
            gap = round(value, 1) - FLOOR[metric][n]
            cells.append(f"{gap:+.1f}, {'met' if gap > -0.05 else 'NOT met'}")
        lines.append(row(name, *cells))
    return "\n".join(lines) + "\n"


def short_table(evaluations: dict[str, Any]) -> str:
    """Accuracy and AUC of each label, for the README."""
    lines = [row("", *LABELS), row("---", *["---:"] * len(LABELS))]

    def ours(name: str, metric: str) -> list[str]:
        cells = []
        for label in LABELS:
            found = evaluations[name]["by_label"].get(label)
            score = found and found["scores"][metric]
            cells.append(
                shown(metric, score["value"], score["low"], score["high"]) if score else "-"
            )
        return cells

    lines.append(row("**shipped DMTL, accuracy**", *ours(SHIPPED, "accuracy")))
    lines.append(row("`--model accurate`, accuracy", *ours(ACCURATE, "accuracy")))
    lines.append(row("shipped DMTL, ROC AUC", *ours(SHIPPED, "roc_auc")))
    lines.append(row("`--model accurate`, ROC AUC", *ours(ACCURATE, "roc_auc")))
    for at, metric in ((0, "accuracy"), (5, "roc_auc")):
        for method in ("DTL", "DMTL"):
            cells = [shown(metric, PAPER[label, f"{method}, paper"][at]) for label in LABELS]
            lines.append(row(f"the paper's {method}, {METRICS[metric]}", *cells))
    baseline = [evaluations[SHIPPED]["by_label"][label]["baseline"]["accuracy"] for label in LABELS]
    lines.append(row("all called normal, accuracy", *(shown("accuracy", b) for b in baseline)))
    return "\n".join(lines) + "\n"


def by_row(files: list[Path]) -> dict[str, Any]:
    """The evaluations by the name of their row: `DTL-head` and `DTL-vacuole` share `DTL`."""
    rows: dict[str, Any] = {}
    for path in files:
        name = re.sub(rf"-({'|'.join(LABELS)})$", "", path.stem)
        rows.setdefault(name, {"by_label": {}})["by_label"].update(
            json.loads(path.read_text())["by_label"]
        )
    return rows


def with_table(page: str, table: str) -> str:
    """A page's text with ``table`` between its marks."""
    found = MARKS.findall(page)
    if len(found) != 1:
        sys.exit(
            f"expected one table between <!-- results: ... --> and <!-- end -->, got {len(found)}"
        )
    return MARKS.sub(lambda marks: marks[1] + table + marks[3], page)


def main() -> None:
    """Print the tables, or write them into the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--short", action="store_true", help="the README's table")
    what.add_argument(
        "--write", action="store_true", help="put both tables into README.md and docs/results.md"
    )
    arguments = parser.parse_args()
    evaluations = by_row(sorted(FOLDER.glob("*.json")))
    for needed in (SHIPPED, ACCURATE):
        if needed not in evaluations:
            sys.exit(f"{FOLDER / needed}.json is missing")
    tables = {
        "README.md": short_table(evaluations),
        "docs/results.md": "\n".join([long_tables(evaluations), floor_table(evaluations)]),
    }
    if not arguments.write:
        print(tables["README.md" if arguments.short else "docs/results.md"], end="")
        return
    for name, table in tables.items():
        page = ROOT / name
        before = page.read_text(encoding="utf-8")
        after = with_table(before, table)
        page.write_text(after, encoding="utf-8", newline="\n")
        print(f"{name}: {'as it was' if after == before else 'written'}")


if __name__ == "__main__":
    main()
