"""What was decided about a night's rows: their tiers, who abstains and why, how often sets of classes were right."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from nightjar.report.figures import JudgedFigure
from nightjar.report.performance import JudgedDate
from nightjar.report.reading import PinnedTables
from nightjar.settings.project import Project
from nightjar.tables.predictions import ABSTAINED, is_served

COVERAGE, ROLLING = "set_coverage", "rolling_coverage"


@dataclass(frozen=True)
class Decisions:
    """The decisions of one night, and what is known of earlier ones.

    Attributes:
        rows: that are served.
        tiers: tier -> its setting in words, rows in it; a name that the project does not declare has no setting.
        without: rows in no tier.
        abstained: rows that nobody should act on by their score; None: no row may abstain.
        reasons: the kind of a reason -> rows that have it; a row may have several.
        covers: the share of each class that sets promise to have, over many nights; None: there are no sets.
        coverage: class -> the share that they had.
        up_to: the latest date of these shares; None: there are none.
        unknown: why nothing is known of sets, in words; None: something is.
    """

    rows: int
    tiers: Mapping[str, tuple[str, int]]
    without: int
    abstained: int | None
    reasons: Mapping[str, int]
    covers: float | None
    coverage: Mapping[str, JudgedFigure]
    up_to: date | None
    unknown: str | None


def read_decisions(tables: PinnedTables, project: Project, judged: Sequence[JudgedDate]) -> Decisions | None:
    """The night's decisions; None where there are no scores, or neither tiers nor abstention."""
    columns = [name for name in ("tier", ABSTAINED) if name in tables.columns("scores")]
    if not columns:
        return None
    night = tables.read("scores", columns, tables.of_night() & is_served(tables.columns("scores")))
    if night is None or not len(night):
        return None
    counts, why = (_counts(night, name) for name in ("tier", ABSTAINED))
    error, coverage = project.serving.abstention.error, _coverage(judged)
    return Decisions(
        rows=len(night),
        tiers=_tiers(project, counts),
        without=counts.pop(None, 0),
        abstained=len(night) - why.pop(None, 0) if ABSTAINED in columns else None,
        reasons=_by_frequency(why),
        covers=None if error is None else 1 - error,
        coverage=coverage[1],
        up_to=coverage[0],
        unknown=_unknown(judged),
    )


def _tiers(project: Project, counts: Mapping[Any, int]) -> dict[str, tuple[str, int]]:
    """The project's tiers in their order, and others that rows have."""
    declared = {name: (str(tier), counts.get(name, 0)) for name, tier in project.decision_tiers().items()}
    others = sorted(str(name) for name in counts if name is not None and name not in declared)
    return declared | {name: ("", counts[name]) for name in others}


def _counts(night: pa.Table, column: str) -> dict[Any, int]:
    """Value -> rows; of a column that the table lacks there are none."""
    if column not in night.column_names:
        return {}
    counted = night.select([column]).group_by(column).aggregate([([], "count_all")])
    return {row[column]: row["count_all"] for row in counted.to_pylist()}


def _by_frequency(why: Mapping[str, int]) -> dict[str, int]:
    """Kind of reason -> rows, the most frequent first."""
    kinds: Counter[str] = Counter()
    for text, rows in why.items():
        kinds.update(dict.fromkeys(_kinds(text), rows))
    return dict(sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0])))


def _kinds(text: str) -> set[str]:
    """The kinds of a row's reasons, of a text such as `out of range: load; conformal set: {}`."""
    return {part.split(":")[0] for part in text.split("; ")}


def _coverage(judged: Sequence[JudgedDate]) -> tuple[date | None, dict[str, JudgedFigure]]:
    """The latest date that has it, and class -> figure."""
    for night in judged:
        of_classes = {
            name.removeprefix("class "): figures[ROLLING]
            for name, figures in night.slices.items()
            if ROLLING in figures
        }
        if of_classes:
            return night.day, of_classes
    return None, {}


def _unknown(judged: Sequence[JudgedDate]) -> str | None:
    """Why the sets of the latest judged date are not known."""
    figures = [one[COVERAGE] for night in judged[:1] for one in night.slices.values() if COVERAGE in one]
    return next((one.reason for one in figures if one.value is None), None)
