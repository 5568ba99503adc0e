"""What a night's rows hold: counts of each subject, as scoring has stored them, or from one look at the rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from nightjar.evaluation.histograms import Counts
from nightjar.monitoring.counting import count_partition
from nightjar.monitoring.drift_references import References
from nightjar.monitoring.tallies import SPECIAL, WHOLE, Tally, TallyPlan
from nightjar.settings.project import Project
from nightjar.tables import arrow, predictions
from nightjar.tables.predictions import CHAMPION_ROLE, PREDICTED, PREDICTED_CLASS, PROBABILITIES, SCORE
from nightjar.tables.references import column_of_length, column_of_slice
from nightjar.tables.serving_definitions import INPUTS
from nightjar.tables.warehouse import Warehouse


@dataclass(frozen=True)
class Night:
    """What the rows of one night hold.

    Attributes:
        rows: their number.
        counts: subject -> rows per bin of its reference.
        special: subject -> rows with NaN, and with infinite numbers; of those that may have some.
        moments: subject -> mean and standard deviation of its finite numbers, where scoring has stored them.
        slices: subject -> slice -> rows per bin.
        failures: subject -> why it could not be counted.
    """

    rows: int
    counts: Mapping[str, Counts]
    special: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    moments: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    slices: Mapping[str, Mapping[str, Counts]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sight:
    """Where a night is read: at one version of each table, and with Spark's session where rows are many."""

    session: Callable[[], SparkSession]
    warehouse: Warehouse
    versions: Mapping[str, int]
    run_date: date


def count_night(sight: Sight, project: Project, references: References, scored_by: str) -> Night:
    """Count the night's features and scores into the bins of a reference.

    Features are read only where `inputs` does not have them: of what scoring has counted it takes the counts. A subject
    that cannot be counted is a failure by itself.
    """
    stored = _stored_inputs(sight, scored_by)
    plan = _plan_of_features(references, project.monitoring.slices, stored)
    schema = arrow.schema(sight.warehouse, "features", sight.versions["features"])
    failures = plan.misfits(schema)
    plan, of_night = plan.without(failures), {"run_date": sight.run_date}
    of_scores = _count_scores(sight, references, project.monitoring.slices)
    counted = Tally()
    if plan.columns:
        table = ("features", sight.versions["features"], of_night)
        counted = count_partition(sight.session, sight.warehouse, *table, plan)
    subjects = {name: failures.get(column_of_length(name) or name) for name in references.subjects}
    night = _night_of({**counted, **of_scores}, stored)
    return Night(
        night.rows,
        {name: counts for name, counts in night.counts.items() if name in references.subjects},
        night.special,
        night.moments,
        night.slices,
        {name: reason for name, reason in subjects.items() if reason is not None},
    )


def _night_of(counted: Tally, stored: Mapping[str, Mapping[str, Any]]) -> Night:
    counts = {name: np.array(row["counts"], np.int64) for name, row in stored.items()}
    counts |= {subject: one for (of, subject), one in counted.items() if of == WHOLE}
    special = {name: (row["nan"] or 0, row["infinite"]) for name, row in stored.items() if "nan" in row}
    special |= {name: (int(one[0]), int(one[1:].sum())) for (of, name), one in counted.items() if of == SPECIAL}
    moments = {name: (row["mean"], row["std"]) for name, row in stored.items() if row["std"] is not None}
    slices: dict[str, dict[str, Counts]] = {}
    for (of, subject), one in counted.items():
        if of not in (WHOLE, SPECIAL):
            slices.setdefault(subject, {})[of] = one
    return Night(max((int(one.sum()) for one in counts.values()), default=0), counts, special, moments, slices)


def _stored_inputs(sight: Sight, scored_by: str) -> dict[str, dict[str, Any]]:
    """Feature -> its row in `inputs`, where the model that scored the night is the one that they are about."""
    version = sight.versions.get(INPUTS.name)
    if version is None:
        return {}
    names = [*("column", "counts", "infinite", "mean", "std"), *_added(sight, version)]
    where = (pc.field("run_date") == sight.run_date) & (pc.field("role") == CHAMPION_ROLE)
    where &= pc.field("model_version") == scored_by
    rows = arrow.read(sight.warehouse, INPUTS.name, names, where, version).to_pylist()
    return {row["column"]: row for row in rows if row["counts"]}


def _added(sight: Sight, version: int) -> list[str]:
    """The columns that a table of an earlier Nightjar lacks."""
    return [name for name in ("nan",) if name in arrow.schema(sight.warehouse, INPUTS.name, version).names]


def _plan_of_features(references: References, slices: Sequence[str], stored: dict[str, dict[str, Any]]) -> TallyPlan:
    """What has to be read of the features; what is stored in other bins than the reference's is not used."""
    scores, subjects = references.scores, references.subjects
    for name in [
        name for name in stored if name not in subjects or len(stored[name]["counts"]) != subjects[name].bins.size
    ]:
        del stored[name]
    lengths = {column_of_length(name): one.bins for name, one in subjects.items() if column_of_length(name)}
    levels = _levels(references, slices)
    bins = {
        name: one.bins
        for name, one in subjects.items()
        if name not in scores and column_of_length(name) is None and (levels or name not in stored)
    }
    return TallyPlan(bins, {str(name): one for name, one in lengths.items()}, levels)


def _levels(references: References, slices: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Column -> its levels of which the reference has counts."""
    stored = {column_of_slice(name) for one in references.subjects.values() for name in one.slices}
    return {
        column: levels for column in slices if (levels := tuple(sorted(level for of, level in stored if of == column)))
    }


def _count_scores(sight: Sight, references: References, slices: Sequence[str]) -> Tally:
    """Counts of all that is watched of scores."""
    if not references.scores:
        return {}
    stored = arrow.schema(sight.warehouse, "scores", sight.versions["scores"]).names
    levels = {name: one for name, one in _levels(references, slices).items() if name in stored}
    plan = TallyPlan({name: references.subjects[name].bins for name in references.scores}, {}, levels)
    columns = [SCORE, *([PREDICTED, PROBABILITIES] if references.classes else []), *levels]
    values = {"run_date": sight.run_date, "role": CHAMPION_ROLE}
    prepare = partial(watched_columns, classes=references.classes)
    version = sight.versions["scores"]
    return count_partition(sight.session, sight.warehouse, "scores", version, values, plan, columns, prepare)


def watched_columns(rows: pa.Table, classes: Sequence[str]) -> pa.Table:
    """What is watched of scores: a class of which the model gives no probability has 0."""
    if not classes:
        return rows
    unfolded = predictions.unfold(rows, classes)
    return unfolded.rename_columns([PREDICTED_CLASS if name == PREDICTED else name for name in unfolded.column_names])
