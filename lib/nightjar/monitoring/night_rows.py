"""The rows of the table `performance` about one night: what its labels say by now, and how many of them there are."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.metric_report import headline
from nightjar.monitoring.coverage import abstention_figures, coverage_figures
from nightjar.monitoring.figures import ALL, Figure, night_figures, plain, tier_figures
from nightjar.monitoring.history import MATURED, REALISED
from nightjar.monitoring.judged_rows import ROLE, truth_of
from nightjar.monitoring.part_figures import decision_figures, part_figures
from nightjar.monitoring.promises import Promise
from nightjar.settings.project import Project
from nightjar.settings.task import METRICS, Task
from nightjar.tables import labels
from nightjar.timeline import cutoff, moment

log = logging.getLogger("nightjar.monitor")
POSITIVE_SO_FAR = "known_positive_share"
"""The share of all rows of a night that is known to be true by now: compared at one age it shows a night early."""


@dataclass(frozen=True)
class Judging:
    """As of when nights are judged, and what their figures are put beside.

    Attributes:
        project: whose nights they are.
        run_date: labels count that are known at its midnight.
        run_id: of this run.
        promises: version -> its figures at training, and those of its best baseline.
    """

    project: Project
    run_date: date
    run_id: str
    promises: Mapping[str, Promise]

    def about(self, day: date, rows: pa.Table, coverage: float, *, provisional: bool) -> dict[str, Any]:
        """What all table rows about one night have in common."""
        return {
            "evaluated_date": day,
            "provisional": provisional,
            "model_version": rows["model_version"][0].as_py(),
            "coverage": coverage,
            "age_days": (self.run_date - day).days,
            "run_date": self.run_date,
            "run_id": self.run_id,
        }

    def is_provisional(self, rows: pa.Table) -> bool:
        """Whether some label of a night may still change."""
        return bool((self.project.label.final_at(_predicted(rows), self.project.zone) > self._now()).any())

    def is_final(self, rows: pa.Table, day: date) -> bool:
        """Whether all labels of one of the nights are final."""
        return not self.is_provisional(rows.filter(pc.field("run_date") == day))

    def usable(self, rows: pa.Table) -> pa.Table:
        """The rows whose outcome is known and, where labels may be settled early, no early one."""
        usable = pc.is_valid(rows["label"])
        if self.project.label.settled_early:
            passed = self.project.label.passed_at(_predicted(rows), self.project.zone) <= self._now()
            usable = pc.and_(usable, pa.array(passed))
        return rows.filter(usable)

    def _now(self) -> int:
        return moment(cutoff(self.run_date, self.project.zone))


def figures_of(rows: pa.Table, day: date, judging: Judging, role: str = ROLE) -> Iterator[dict[str, Any]]:
    """The realised figures of a night in a role; of another role than the champion's its metrics alone."""
    provisional, judged = judging.is_provisional(rows), judging.usable(rows)
    matured = 1 - rows["label_known_at"].null_count / len(rows)
    truth, score = truth_of(judged, judging.project)
    figures = [*night_figures(truth, score), plain(ALL, MATURED, matured, len(rows))]
    if role == ROLE:
        figures += _of_champion(rows, judged, judging.project)
        first = headline(truth.task).value
        main = next(figure.interval for figure in figures if (figure.of, figure.measure) == (ALL, first))
        shown = f"undefined ({main.reason})" if main.estimate is None else f"{main.estimate:.4g}"
        log.info("performance of %s: %s %s, %.1f%% of labels matured", day, first, shown, 100 * matured)
    else:
        names = {metric.value for metric in METRICS[truth.task]} | {MATURED, "rows"}
        figures = [figure for figure in figures if figure.of == ALL and figure.measure in names]
    about = judging.about(day, rows, matured, provisional=provisional) | {"subject": role, "basis": REALISED}
    promise = judging.promises.get(about["model_version"], Promise())
    yield from (about | measured(figure) | promise.beside(figure.of, figure.measure) for figure in figures)


def measured(figure: Figure) -> dict[str, Any]:
    """What a row of the table has of a figure."""
    one = figure.interval
    return {
        "slice": figure.of,
        "measure": figure.measure,
        "value": None if one.estimate is None else float(one.estimate),
        "low": one.low,
        "high": one.high,
        "rows": one.rows,
        "reason": one.reason,
    }


def _of_champion(rows: pa.Table, judged: pa.Table, project: Project) -> Sequence[Figure]:
    truth, score = truth_of(judged, project)
    apart = [
        replace(figure, of=name)
        for name, part in _apart(judged).items()
        for figure in night_figures(*truth_of(part, project))
        if figure.of == ALL
    ]
    tiers = judged["tier"].to_numpy() if "tier" in judged.column_names else np.full(len(judged), None)
    figures = [*tier_figures(truth, score, tiers), *apart]
    figures += [*abstention_figures(rows), *coverage_figures(judged, truth)]
    figures += [*part_figures(truth, score, judged, project), *decision_figures(truth, score, judged, project)]
    if truth.task is Task.CLASSIFICATION:
        label: Any = rows["label"]
        positive: int = pc.sum(label).as_py() or 0  # of booleans; null where there is none
        figures.append(plain(ALL, POSITIVE_SO_FAR, positive / len(rows), len(rows)))
    return figures


def _apart(judged: pa.Table) -> dict[str, pa.Table]:
    """The rows that somebody has acted on, and the others, where that is recorded and there are some."""
    if labels.ACTED not in judged.column_names:
        return {}
    columns: Any = judged
    acted = pc.fill_null(columns[labels.ACTED], False)
    parts = {"acted": judged.filter(acted), "not_acted": judged.filter(pc.invert(acted))}
    return {name: part for name, part in parts.items() if len(part)}


def _predicted(rows: pa.Table) -> Any:
    return rows["prediction_time"].cast(pa.int64()).to_numpy()
