"""Drift of a night against its champion's training reference, computed from histograms."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import Any

import numpy as np
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from nightjar.errors import ModelError
from nightjar.masking.values import masking_of
from nightjar.monitoring import drift_figures, drift_signals, joint_drift, upstream
from nightjar.monitoring.drift_history import DAYS, JUDGED, History, nights_of_training, read_history
from nightjar.monitoring.drift_judging import OF_LITTLE_USE, Assessment, judge
from nightjar.monitoring.drift_references import Reference, References, references_of_night
from nightjar.monitoring.drift_signals import Drifted
from nightjar.monitoring.night_counts import Night, Sight, count_night
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.settings.project import Project
from nightjar.tables import arrow, scan
from nightjar.tables.monitoring_definitions import DRIFT, REFERENCES
from nightjar.tables.predictions import CHAMPION_ROLE
from nightjar.tables.references import ALL_COLUMNS, ALL_SCORES
from nightjar.tables.runs import Outcome
from nightjar.tables.serving_definitions import INPUTS
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.monitor")
Row = dict[str, Any]
COUNTED = "psi"
"""The measure whose rows have the counts."""


def measure(
    session: Callable[[], SparkSession], warehouse: Warehouse, project: Project, run_date: date, run_id: str
) -> tuple[Outcome, list[Signal]]:
    """Compare the night's features and scores with the reference of the model that scored them.

    Where the spine has no rows on the night's weekday there is no drift, and rows of an earlier run are removed. The
    same tables give the same rows, whenever it runs; of `drift` it reads the nights before.

    Args:
        session: gives Spark's, which is asked for only where the night has many rows.
        warehouse: where the tables lie.
        project: says what is watched.
        run_date: the night.
        run_id: of this run.

    Raises:
        ModelError: the night has no scores though it may have, or the model that scored it has no reference.
    """
    outcome = Outcome(
        inputs=arrow.versions(warehouse, ("features", "scores", REFERENCES.name, INPUTS.name, DRIFT.name))
    )
    scored_by, absence = _scored_by(warehouse, run_date, outcome.inputs["scores"]), project.spine.absence(run_date)
    rows: list[Row] = []
    signals: list[Signal] = []
    if scored_by is not None:
        references = references_of_night(warehouse, scored_by, run_date, outcome.inputs.get(REFERENCES.name))
        sight = Sight(session, warehouse, outcome.inputs, run_date)
        rows, signals = _compare(sight, project, references, scored_by)
        stamps = {"model_version": scored_by, "run_date": run_date, "evaluated_date": run_date, "run_id": run_id}
        rows = [row | stamps for row in rows]
        log.info("drift: %d figures of version %s", len(rows), scored_by)
    elif absence is not None:
        log.info("drift: nothing to compare; %s", absence)
    else:
        raise ModelError(f"Table scores has no scores of {run_date} to watch. Run: jobs/score.py run_date={run_date}")
    outcome.outputs[DRIFT.name] = arrow.replace(warehouse, DRIFT, rows, {"run_date": run_date}, run_id)
    outcome.rows[DRIFT.name] = len(rows)
    return outcome, signals


def _scored_by(warehouse: Warehouse, run_date: date, version: int) -> str | None:
    """The version whose scores of the night are the champion's; None: there are none."""
    of_night = (pc.field("run_date") == run_date) & (pc.field("role") == CHAMPION_ROLE)
    batches = scan.batches(scan.snapshot(warehouse, "scores", version), ["model_version"], of_night)
    return next((str(batch.column(0)[0].as_py()) for batch in batches if batch.num_rows), None)


def _compare(
    sight: Sight, project: Project, references: References | None, scored_by: str
) -> tuple[list[Row], list[Signal]]:
    """The night's rows of `drift` but for their stamps, and its signals."""
    train = f"python jobs/train.py project={project.name} run_date={sight.run_date}"
    if references is None:
        sentence = (
            "A rule of thumb scored the night, and there is no champion whose training data it could be compared with."
        )
        return [], [Signal(Kind.COVARIATE, ALL_COLUMNS, State.UNKNOWN, sentence, train)]
    settings = project.monitoring.drift
    night = count_night(sight, project, references, scored_by)
    longest = max([DAYS, *settings.windows])
    version = sight.versions.get(DRIFT.name)
    history = read_history(sight.warehouse, scored_by, sight.run_date, longest, version)
    figures = {
        name: drift_figures.distances(reference, night.counts[name], night.special.get(name))
        for name, reference in references.subjects.items()
        if name in night.counts and name not in night.failures
    }
    assessments = judge(references, night, figures, history, settings, sight.run_date)
    subjects = drift_signals.moved(assessments, references)
    nights = (
        nights_of_training(sight.warehouse, references.version, subjects, sight.versions[REFERENCES.name])
        if len(subjects) > 1
        else {}
    )
    declared, looks = {*settings.columns, *settings.thresholds}, _looks(project, sight.run_date)
    hiding = masking_of(project)
    drifted = Drifted(references, night, assessments, history, nights, sight.run_date, train, declared, looks, hiding)
    signals = list(drift_signals.signals(drifted))
    fresh = upstream.freshness(sight.warehouse, project, sight.run_date, sight.versions["features"])
    signals += upstream.source_signals(fresh, project.name, sight.run_date)
    by_subject = drift_signals.signal_by_subject(signals)
    assessments |= {name: _limited(assessments[name], one) for name, one in by_subject.items()}
    clusters = {name: one.subject for name, one in by_subject.items()}
    rows = [
        row | {"cluster": clusters.get(row["subject"])} for row in _judged_rows(references, night, figures, assessments)
    ]
    rows += _rows_of_slices(references, night)
    if settings.multivariate:
        comparison = joint_drift.compare(sight, references, train)
        rows += comparison.rows
        signals.append(comparison.signal)
    for days in settings.windows:
        rows += _window_rows(references, night, history, sight.run_date, days, assessments)
    return rows, signals


def _looks(project: Project, run_date: date) -> dict[str, str]:
    """Feature -> the command that shows the facts that it is made of."""
    sources = dict.fromkeys([*project.spine.features, *project.expressions], project.spine.source)
    sources |= {name: group.source for label, group in project.features.items() for name in group.names(label)}
    return {
        name: f"python jobs/profile.py project={project.name} source={source} run_date={run_date}"
        for name, source in sources.items()
    }


def _limited(assessment: Assessment, signal: Signal) -> Assessment:
    """As bad as the signal of the column says, with the reason where its distance alone would be worse."""
    if assessment.state is signal.state or not assessment.has_moved:
        return assessment
    return replace(assessment, state=signal.state, reason=assessment.reason or OF_LITTLE_USE)


def _judged_rows(
    references: References,
    night: Night,
    figures: Mapping[str, Mapping[str, float | None]],
    assessments: Mapping[str, Assessment],
) -> Iterator[Row]:
    """One for each distance of each column; what was judged stands beside one of them, the counts beside another."""
    for name, reference in references.subjects.items():
        for measure, value in figures.get(name, {JUDGED: None}).items():
            row = _row(name, measure, value, night.rows) | {"importance": reference.importance}
            if measure == JUDGED:
                row |= _judged(assessments.get(name, Assessment(None)))
            if measure == COUNTED:
                row["counts"] = night.counts[name].tolist()
            yield row
        if reference.anchor is not None and name in figures:
            of_anchor = drift_figures.anchor_distances(reference.anchor[1], reference, night.counts[name])
            yield from (
                _row(name, measure, value, night.rows) | {"reference": "anchor"} for measure, value in of_anchor.items()
            )
    for family in (ALL_COLUMNS, ALL_SCORES):
        if family in assessments:
            one = assessments[family]
            yield _row(family, "maximum", one.greatest, night.rows) | _judged(one)


def _judged(one: Assessment) -> Row:
    return {
        "studentised": one.studentised,
        "p_value": one.p_value,
        "threshold": one.threshold,
        "state": None if one.state is None else one.state.value,
        "reason": one.reason,
    }


def _rows_of_slices(references: References, night: Night) -> Iterator[Row]:
    for name, slices in night.slices.items():
        for of, counts in slices.items():
            expected = references.subjects[name].slices.get(of)
            if expected is None or not counts.sum():
                continue
            own = Reference(references.subjects[name].bins, expected)
            for measure, value in drift_figures.window_distances(own, counts).items():
                yield _row(name, measure, value, int(counts.sum())) | {"slice": of}


def _window_rows(
    references: References,
    night: Night,
    history: History,
    run_date: date,
    days: int,
    assessments: Mapping[str, Assessment],
) -> Iterator[Row]:
    """The distances of a window's nights together, with what was judged; none where the night stands alone in it."""
    for name, reference in references.subjects.items():
        before = history.window(name, run_date, days)
        before = [one for one in before if len(one) == reference.bins.size]
        if name not in night.counts or not before:
            continue
        counts = reduce(np.add, before, night.counts[name])
        reason = None if len(before) == days - 1 else f"of {days} nights {len(before) + 1} are there"
        assessment = assessments.get(name, Assessment(None))
        judged = assessment.windows.get(days)
        if judged is None and reason is None and assessment.threshold is not None:
            reason = "not judged: the training had too few such windows that do not overlap"
        for measure, value in drift_figures.window_distances(reference, counts).items():
            row = _row(name, measure, value, int(counts.sum())) | {"window_days": days, "reason": reason}
            if measure == JUDGED and judged is not None:
                row |= {"studentised": judged.studentised, "threshold": judged.watch}
            yield row


def _row(subject: str, measure: str, value: float | None, rows: int) -> Row:
    return {"subject": subject, "slice": "all", "measure": measure, "value": value, "rows": rows}
