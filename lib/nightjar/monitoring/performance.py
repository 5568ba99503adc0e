"""Performance of earlier nights' predictions, on the labels known by now, and what is expected of the others."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.rehearsal import LEARNED_FROM, MOST_ROWS
from nightjar.monitoring.coverage import rolling_figures
from nightjar.monitoring.estimating import estimated_rows
from nightjar.monitoring.history import History, read_history
from nightjar.monitoring.judged_rows import ROLE, with_labels
from nightjar.monitoring.night_rows import Judging, figures_of, measured
from nightjar.monitoring.part_figures import columns_of_parts
from nightjar.monitoring.performance_signals import signals_of
from nightjar.monitoring.promises import read_promises
from nightjar.monitoring.reviewing import review_figures
from nightjar.monitoring.signals import Signal
from nightjar.settings.project import Project
from nightjar.tables import arrow, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.monitoring_definitions import PERFORMANCE
from nightjar.tables.predictions import CHALLENGER_ROLE
from nightjar.tables.runs import Outcome
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, moment

log = logging.getLogger("nightjar.monitor")
FOLLOWED = timedelta(days=7)
"""How long a night is still evaluated after its labels are final."""
Row = dict[str, Any]


def measure(warehouse: Warehouse, project: Project, run_date: date, run_id: str) -> tuple[Outcome, list[Signal]]:
    """Judge the served predictions of earlier nights on the labels known at the run date's midnight.

    These are the nights without final figures as of an earlier run date, however old, and those whose labels became
    final within the last week. A figure is provisional until the last of the night's labels is final, horizon and
    allowed lateness passed: labels known early are no random sample. Where labels may be settled early, only true ones
    are: rows whose horizon has not passed are then left out. A ranking is evaluated within the lists that the features
    name, and rows of a sample are weighted by the `sampling_weight` of their features. Scores of models that were
    trained on labels of another definition than those that are stored are not judged. Decisions between several classes
    are those that were served, and cost what the project says today; a class that the model does not know has the
    probability 0. Where people review predictions, what they decided is measured besides.

    Of nights without final labels, this one among them, it is estimated what the figures will be; those of a challenger
    are measured beside the champion's. The signals say what has changed, and what nobody can say.

    Raises:
        TableError: a table is missing that must have been written before, or a column of the features that is needed.
    """
    outcome = Outcome(inputs=arrow.pin(warehouse, ["scores", "labels", "features"]))
    history = read_history(warehouse, run_date)
    nights = _nights_of(warehouse, project, run_date, history, outcome.inputs["scores"])
    judging = Judging(project, run_date, run_id, read_promises(warehouse))
    rows: list[Row] = []
    if nights.all:
        columns = columns_of_parts(project)
        scores = with_labels(warehouse, project, run_date, nights.all, outcome.inputs, columns_beside=columns)
        rows += _judged(scores, nights.to_judge, judging)
        rows += _rolled(warehouse, rows, run_date)
        rows += _beside(warehouse, project, run_date, nights.to_judge, outcome.inputs, judging)
        rows += _estimated(scores, nights, judging, history, rows)
    signals = signals_of(rows, judging, history)
    rows += review_figures(warehouse, project, run_date, run_id)
    outcome.outputs[PERFORMANCE.name] = arrow.replace(warehouse, PERFORMANCE, rows, {"run_date": run_date}, run_id)
    outcome.rows[PERFORMANCE.name] = len(rows)
    return outcome, signals


@dataclass(frozen=True)
class _Nights:
    """Nights that have scores, ascending.

    Attributes:
        to_judge: those that lack final figures of their model as of an earlier run date, and recent ones.
        tonight: the run date, if it is scored.
        to_learn: those with final labels from which estimates are learned.
    """

    to_judge: Sequence[date]
    tonight: Sequence[date]
    to_learn: Sequence[date]

    @property
    def all(self) -> list[date]:
        """Each night once."""
        return sorted({*self.to_judge, *self.tonight, *self.to_learn})


def _nights_of(warehouse: Warehouse, project: Project, run_date: date, history: History, version: int) -> _Nights:
    served: dict[date, list[DataFile]] = {}
    for file in scan.snapshot(warehouse, "scores", version).files:
        if file.rows and file.partition["role"] == ROLE and file.partition["run_date"] <= run_date:
            served.setdefault(file.partition["run_date"], []).append(file)
    tonight = [run_date] if served.pop(run_date, None) else []
    judged, label, zone = history.versions(), project.label, project.zone
    sight = cutoff(run_date, zone) - FOLLOWED
    to_judge = sorted(
        day
        for day, files in served.items()
        if day not in judged
        or not all(file.may_hold("model_version", judged[day], judged[day]) for file in files)
        or label.final_at(np.array([moment(cutoff(day, zone))]), zone)[0] >= moment(sight)
    )
    return _Nights(to_judge, tonight, _to_learn(served, judged))


def _to_learn(served: Mapping[date, Sequence[DataFile]], judged: Mapping[date, str]) -> list[date]:
    """The last nights with final figures: as many as estimates are learned from, and no more rows; at least one."""
    nights, rows = list[date](), 0
    for day in sorted(set(served) & set(judged), reverse=True)[:LEARNED_FROM]:
        rows += sum(file.rows for file in served[day])
        if nights and rows > MOST_ROWS:
            break
        nights.append(day)
    return nights


def _judged(scores: pa.Table, nights: Sequence[date], judging: Judging) -> list[Row]:
    scored = set(scores["run_date"].unique().to_pylist())
    skipped = [day for day in nights if day not in scored]
    if skipped:
        dates = (len(skipped), skipped[0], skipped[-1])
        log.info("not judged: %s nights from %s to %s, scored by models of another label", *dates)
    return [row for day in nights if day in scored for row in figures_of(_of_night(scores, day), day, judging)]


def _rolled(warehouse: Warehouse, rows: Sequence[Row], run_date: date) -> Iterator[Row]:
    for day, figures in rolling_figures(warehouse, rows, run_date).items():
        like = next((row for row in rows if row["evaluated_date"] == day), None)
        yield from () if like is None else (like | measured(figure) for figure in figures)


def _beside(
    warehouse: Warehouse,
    project: Project,
    run_date: date,
    nights: Sequence[date],
    versions: Mapping[str, int],
    judging: Judging,
) -> Iterator[Row]:
    """The metrics of a challenger's predictions of the same nights, where there were any."""
    challenged = {
        file.partition["run_date"]
        for file in scan.snapshot(warehouse, "scores", versions["scores"]).files
        if file.rows and file.partition["role"] == CHALLENGER_ROLE
    }
    own = [day for day in nights if day in challenged]
    if own:
        scores = with_labels(warehouse, project, run_date, own, versions, CHALLENGER_ROLE)
        days: list[Any] = scores["run_date"].unique().to_pylist()
        for day in sorted(days):
            yield from figures_of(_of_night(scores, day), day, judging, CHALLENGER_ROLE)


def _estimated(
    scores: pa.Table, nights: _Nights, judging: Judging, history: History, rows: Sequence[Row]
) -> Iterator[Row]:
    """Of tonight, and of the nights that have been judged as provisional."""
    open_nights = {row["evaluated_date"] for row in rows if row["provisional"] and row["subject"] == ROLE}
    scored = set(scores["run_date"].unique().to_pylist())
    days = sorted(({*nights.tonight} | open_nights) & scored)
    yield from estimated_rows(scores, days, judging, history, list(rows))


def _of_night(scores: pa.Table, day: date) -> pa.Table:
    return scores.filter(pc.field("run_date") == day)
