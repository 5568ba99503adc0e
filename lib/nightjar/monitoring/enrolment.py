"""What the entities of an experiment are worth: each once, as old since its first night as all others.

An entity enters on the first night on which a challenger could have served it, and its arm is that of this night. It
counts once it has its age, by the rows of its exposure, with the labels that were known then: what came later changes
nothing of what has counted. One with rows of the other arm before that age has left, as the share has grown past it; of
its arm those are still there that would stay at that share. They stand for it, by the chances that were logged: that of
its arm on its first night over that of staying until its last one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import BooleanType, NumericType

from nightjar.evaluation.sequential import Arm, arm
from nightjar.expressions import guard
from nightjar.expressions.failing_expressions import translate_errors
from nightjar.expressions.references import columns_in
from nightjar.settings.project import Project
from nightjar.settings.serving.experiment import EXPERIMENT
from nightjar.tables import delta
from nightjar.tables.entries import DataFile
from nightjar.tables.predictions import ARM, ARM_PROPENSITY, CHALLENGER_ROLE, CHAMPION_ROLE, SERVED
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff

LABEL = "label"
_TIME, _NIGHT = "prediction_time", "run_date"
_ENTERED, _COUNTED_AT, _WEIGHT, _CHANGED, _STRANGE = "_entered", "_counted_at", "_weight", "_changed", "_strange"


@dataclass(frozen=True)
class Clock:
    """When entities count, in days since their first night.

    Attributes:
        exposure: rows of so many days count, the first night's included.
        age: an entity counts at that age.
    """

    exposure: int
    age: int


@dataclass(frozen=True)
class Trial:
    """The rows that an experiment is about.

    Attributes:
        since: the first night on which both versions may have served.
        run_date: only nights before it have happened.
        versions: Delta versions of scores, features and labels.
    """

    spark: SparkSession
    warehouse: Warehouse
    project: Project
    since: date
    run_date: date
    versions: Mapping[str, int]

    def read(self, table: str) -> DataFrame:
        """The rows of a table that were stored for the first night or later ones; labels also by later runs."""

        def may_matter(file: DataFile) -> bool:
            return bool(file.partition[_NIGHT] >= self.since)

        rows = delta.read(self.spark, self.warehouse, table, self.versions[table], may_matter)
        return rows.where(F.col(_NIGHT) >= F.lit(self.since))


@dataclass(frozen=True, eq=False)
class Enrolment:
    """The entities of an experiment as of a run date, by the figures of one clock.

    Attributes:
        nights: on which entities that count have entered, in order.
        arms: figure -> the champion's arm and the challenger's, of these nights.
        waiting: entities that are too young.
        changed: those old enough that have left.
        strange: figure -> entities whose value is null, NaN or infinite.
    """

    nights: Sequence[date]
    arms: Mapping[str, tuple[Arm, Arm]]
    waiting: int
    changed: int
    strange: Mapping[str, int]


def enrol(trial: Trial, figures: Mapping[str, str], clock: Clock) -> Enrolment:
    """Find the entities that have entered, and what those are worth that are old enough on the run date.

    Args:
        trial: the rows.
        figures: path below the experiment's settings -> Spark SQL of a row's value.
        clock: of these figures.

    Raises:
        UsageError: an expression does not fit the columns.
        TableError: it cannot be computed for a row.
    """
    key = [*trial.project.spine.key]
    rows = _aged(trial, key, clock)
    is_old = F.date_add(_ENTERED, clock.age) <= F.lit(trial.run_date)
    waiting = rows.where(~is_old).select(*key).distinct().count()
    counting = _with_columns(trial, rows.where(is_old), figures, clock)
    names = {path: f"_value_{number}" for number, path in enumerate(figures)}
    for path, name in names.items():
        value = guard.column(counting, f"{EXPERIMENT}.{path}", figures[path], (NumericType, BooleanType))
        counting = counting.withColumn(name, F.when(_is_exposed(clock), value.cast("double")))
    with translate_errors({f"{EXPERIMENT}.{path}": sql for path, sql in figures.items()}):
        groups = _groups(_entities(counting, key, [*names.values()], clock), [*names.values()]).toArrow()
    return _enrolment(groups, names, waiting)


def _aged(trial: Trial, key: Sequence[str], clock: Clock) -> DataFrame:
    """Served rows of nights on which entities were drawn, up to each entity's age, with its first night."""
    is_drawn = F.col(SERVED) & (F.col(ARM_PROPENSITY) < 1) & (F.col(_NIGHT) < F.lit(trial.run_date))
    rows = trial.read("scores").where(is_drawn & F.col(ARM).isNotNull())
    rows = rows.withColumn(_ENTERED, F.min(_NIGHT).over(Window.partitionBy(*key)))
    return rows.where(F.col(_NIGHT) < F.date_add(_ENTERED, clock.age))


def _with_columns(trial: Trial, rows: DataFrame, figures: Mapping[str, str], clock: Clock) -> DataFrame:
    """The rows with what the expressions may use besides: features, and `label` as it was known at the entity's age."""
    names = [*trial.project.spine.key, _TIME]
    used = [columns_in(sql) for sql in figures.values()]
    are_certain, lower = None not in used, {name.casefold() for one in used for name in one or ()}
    if not are_certain or LABEL in lower:
        rows = rows.join(_labels(trial, rows.select(*names, _ENTERED), names, clock), names, "left")
    if are_certain and lower <= {name.casefold() for name in rows.columns}:
        return rows
    features = trial.read("features")
    beside = [name for name in features.columns if name not in rows.columns]
    return rows.join(features.select(*names, *beside), names, "left")


def _labels(trial: Trial, rows: DataFrame, names: Sequence[str], clock: Clock) -> DataFrame:
    """The label of each row as it was known when its entity had its age."""
    entered = [trial.since + timedelta(days=number) for number in range((trial.run_date - trial.since).days + 1)]
    instants = [cutoff(day + timedelta(days=clock.age), trial.project.zone) for day in entered]
    times = pa.table({_ENTERED: pa.array(entered, pa.date32()), _COUNTED_AT: pa.array(instants, INSTANT)})
    labels = trial.read("labels").select(*names, LABEL, "label_known_at")
    dated = rows.join(F.broadcast(trial.spark.createDataFrame(times)), _ENTERED)
    versions = dated.join(labels, [*names]).where(F.col("label_known_at") <= F.col(_COUNTED_AT))
    return versions.groupBy(*names).agg(F.max_by(LABEL, "label_known_at").alias(LABEL))


def _is_exposed(clock: Clock) -> Column:
    return F.col(_NIGHT) < F.date_add(_ENTERED, clock.exposure)


def _entities(rows: DataFrame, key: Sequence[str], values: Sequence[str], clock: Clock) -> DataFrame:
    """A row for each entity: its night, arm, weight, sum of each value, and whether it has left."""
    start = F.struct(_NIGHT, _TIME)

    def is_strange(name: str) -> Column:
        number = F.col(name)
        return _is_exposed(clock) & (number.isNull() | F.isnan(number) | (F.abs(number) == float("inf")))

    return rows.groupBy(*key, _ENTERED).agg(
        F.min_by(ARM, start).alias(ARM),
        (F.min_by(ARM_PROPENSITY, start) / F.min(ARM_PROPENSITY)).alias(_WEIGHT),
        (F.min(ARM) != F.max(ARM)).alias(_CHANGED),
        *(F.sum(name).alias(name) for name in values),
        *(F.max(is_strange(name)).alias(f"{name}{_STRANGE}") for name in values),
    )


def _groups(entities: DataFrame, values: Sequence[str]) -> DataFrame:
    """A row for all entities of one night, arm and weight, those that have left apart."""
    return entities.groupBy(_ENTERED, ARM, _WEIGHT, _CHANGED).agg(
        F.count(F.lit(1)).alias("entities"),
        *(F.avg(name).alias(name) for name in values),
        *(F.var_pop(name).alias(f"{name}_variance") for name in values),
        *(F.count_if(f"{name}{_STRANGE}").alias(f"{name}{_STRANGE}") for name in values),
    )


def _enrolment(groups: pa.Table, names: Mapping[str, str], waiting: int) -> Enrolment:
    is_changed = groups[_CHANGED].to_numpy()
    changed = int(groups["entities"].to_numpy()[is_changed].sum())
    stayed = groups.filter(pa.array(~is_changed))
    night, cell = np.unique(stayed[_ENTERED].to_numpy(), return_inverse=True)
    column: dict[str, Any] = {name: stayed[name].to_numpy() for name in stayed.column_names}
    arms = {}
    for path, name in names.items():
        own = [column[one] for one in (name, _WEIGHT, "entities", f"{name}_variance")]
        champion, challenger = (
            arm(cell[part], (len(night),), *(one[part] for one in own))
            for part in (column[ARM] == role for role in (CHAMPION_ROLE, CHALLENGER_ROLE))
        )
        arms[path] = (champion, challenger)
    strange = {path: int(column[f"{name}{_STRANGE}"].sum()) for path, name in names.items()}
    return Enrolment(night.astype(object).tolist(), arms, waiting, changed, strange)
