"""Labels: computed from the facts within each row's horizon, in every version that is known by a run date.

Facts with t < event_time <= t + horizon count, as known at some instant k. A label is known
- at t + horizon, when the horizon has passed;
- before that, at the first k at which its outcome is known, or if it may be settled early its condition is true, or
  annotators have a majority (a fact counts from the instant it is known, were it before it happens, but not before t);
- again, as a new version, at each later k up to t + horizon + allowed_lateness at which a late, corrected, moved or
  deleted fact changes the answer, or whether the row was acted on.
The answer of a classification is true or false, of several classes the text that names one; of a regression or a
ranking it is a number, stored as a double, which is also how two answers are compared. NaN and infinity are no outcome:
such an answer is null. A sum or count over nothing is what the label says, 0 if it does not; any other aggregate of
nothing is null.
Versions are only ever added; readers take the latest one known by their own cutoff. What is known at t + horizon +
allowed_lateness is final. Every version is found, whichever nights were run: a range has the labels of its nights.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import BooleanType, DataType, IntegralType, NumericType, StringType

from nightjar.asof import Clocks
from nightjar.errors import JoinError
from nightjar.expressions import guard
from nightjar.features import annotations, classes, instants, labelling_rules
from nightjar.features.definitions import action_facts, label_facts
from nightjar.features.horizons import FINAL, UNTIL, with_horizon
from nightjar.features.instants import KNOWN_BY
from nightjar.joins.join import as_of_join
from nightjar.joins.stored_facts import StoredFacts, output_schema
from nightjar.settings.features import Aggregate
from nightjar.settings.label import OF_NOTHING, Label
from nightjar.settings.project import LABEL, Project
from nightjar.settings.task import Task
from nightjar.tables import arrow, delta
from nightjar.tables.labels import ACTED
from nightjar.tables.rows import of_frame
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff

_ANSWERS: Mapping[Task, tuple[str, tuple[type[DataType], ...]]] = {
    Task.CLASSIFICATION: ("a boolean for a classification; or give it an aggregate and a condition", (BooleanType,)),
    Task.MULTICLASS: ("a text or a whole number that names a class", (StringType, IntegralType)),
    Task.REGRESSION: ("a number for a regression", (NumericType,)),
    Task.RANKING: ("a number or a boolean for a ranking", (NumericType, BooleanType)),
}
"""Task -> the types its answers may have, in words and as Spark's types."""


def label_versions(
    rows: DataFrame, warehouse: Warehouse, project: Project, versions: Mapping[str, int], run_date: date
) -> DataFrame:
    """The versions of the rows' labels that are known by the run date's midnight.

    Columns: the spine's key, `prediction_time`, `label`, `label_known_at`, `run_date`.

    Args:
        rows: spine rows with their horizon (`horizons.with_horizon`).
        warehouse: where tables lie.
        project: has the label and its source.
        versions: table -> the Delta version that is read.
        run_date: only what is known at its midnight is used.

    Raises:
        JoinError: the source's column cannot be aggregated like that, or gives no answer of the kind the task needs.
        UsageError: the condition does not fit the aggregate.
    """
    now = cutoff(run_date, project.zone)
    queries = instants.queries(rows, warehouse, project, versions, now)
    answers = _label_changes(_answer(queries, warehouse, project, versions), project)
    settled = answers.where(F.col("label_known_at") <= F.lit(now))
    names = [*project.spine.key, "prediction_time", *_answer_columns(project), "label_known_at"]
    return settled.select(*names, F.lit(run_date).alias("run_date"))


def answers_now(
    rows: DataFrame, warehouse: Warehouse, project: Project, versions: Mapping[str, int], run_date: date
) -> DataFrame:
    """`value` as known at the run date: one for each annotator; for rules, only rows whose horizon has passed."""
    now = cutoff(run_date, project.zone)
    queries = rows.withColumn(KNOWN_BY, F.least(F.col(FINAL), F.lit(now)))
    due = queries if project.label.annotators.column else queries.where(F.col(UNTIL) <= F.lit(now))
    return _answer(due, warehouse, project, versions)


def _answer(queries: DataFrame, warehouse: Warehouse, project: Project, versions: Mapping[str, int]) -> DataFrame:
    """The queries with `value`: the outcome or aggregate over the horizon as known at each instant, by annotator."""
    label, facts = project.label, label_facts(project, versions)
    if label.annotators.column:
        stored = delta.read(queries.sparkSession, warehouse, facts.table, facts.version)
        queries, facts = (
            annotations.queries_by_annotator(queries, stored, label),
            annotations.facts_by_annotator(facts, label),
        )
    with _translate_join_errors(label):
        actions = action_facts(project, versions)
        joined = as_of_join(of_frame(queries), warehouse, [facts, *actions], _clocks(project)).frame()
    was_acted_on = [F.coalesce(F.col(f"{one.name}__value") > 0, F.lit(False)).alias(ACTED) for one in actions]
    return joined.select(*queries.columns, _value(facts, label), *was_acted_on)


def _value(facts: StoredFacts, label: Label) -> Column:
    """The outcome or aggregate as `value`; `label.empty` where there is nothing to aggregate."""
    value, empty = F.col(f"{facts.name}__value"), label.empty
    if label.aggregate in OF_NOTHING:
        nothing = value.isNull() if label.aggregate is Aggregate.SUM else value == 0
        whole = empty is not None and float(empty).is_integer()  # whole numbers stay what they are
        value = F.when(nothing, F.lit(int(empty or 0) if whole else empty)).otherwise(value)
    return value.alias("value")


def _answer_columns(project: Project) -> list[str]:
    """The label, and whether its row was acted on where that is declared."""
    return ["label", *([ACTED] if project.label.acted.column else [])]


def _clocks(project: Project) -> Clocks:
    return Clocks(UNTIL, known_by=KNOWN_BY, since="prediction_time", zone=project.zone)


def require_fit(rows: DataFrame, stored: DataFrame, project: Project) -> None:
    """Refuse a label that does not fit its facts, as `label_versions` would, without a row of either.

    Args:
        rows: a spine without a row.
        stored: the label's source without a row, with its clocks.
        project: has the label.

    Raises:
        JoinError: see `label_versions`.
        UsageError: see `label_versions`.
    """
    label, some_day = project.label, date(2000, 1, 1)
    queries = with_horizon(rows, project, some_day, some_day).withColumn(KNOWN_BY, F.col(UNTIL))
    facts = label_facts(project, {source_table_name(label.source): 0})
    if label.annotators.column:
        queries, facts = (
            annotations.queries_by_annotator(queries, stored, label),
            annotations.facts_by_annotator(facts, label),
        )
    with _translate_join_errors(label):
        schema = output_schema(of_frame(queries).schema, [(facts, of_frame(stored).schema)], _clocks(project))
    answers = rows.sparkSession.createDataFrame([], from_arrow_schema(schema))
    _with_label(answers.select(*queries.columns, _value(facts, label)), project)


@contextmanager
def _translate_join_errors(label: Label) -> Iterator[None]:
    """Prefix errors of the join with the label's column and source."""
    try:
        yield
    except JoinError as error:
        raise JoinError(f"project.label, column {label.column} of source {label.source}: {error}") from error


def _label_of_value(answers: DataFrame, label: Label, row: Sequence[str]) -> DataFrame:
    """The answers with `label`, which is the value itself: a boolean, a class as a text, or a finite double."""
    kind, (expected, kinds) = answers.schema["value"].dataType, _ANSWERS[label.task]
    if not isinstance(kind, kinds):
        subject = f"its {label.aggregate.value}" if label.aggregate else "it"
        raise JoinError(
            f"project.label, column {label.column} of source {label.source}: {subject} is a {kind.simpleString()}, "
            f"expected {expected}."
        )
    if label.task is Task.CLASSIFICATION:
        return answers.withColumn("label", F.col("value"))
    if label.task is Task.MULTICLASS:
        return answers.withColumn("label", classes.class_of(F.col("value"), label, row))
    number = F.col("value").cast("double")
    finite = F.abs(number) < F.lit(float("inf"))  # to Spark NaN is greater than infinity
    return answers.withColumn("label", F.when(finite, number))


def _label_changes(answers: DataFrame, project: Project) -> DataFrame:
    """The first label of each row, and every later one that differs from the one before it."""
    by_row = Window.partitionBy(*project.spine.key, "prediction_time").orderBy(KNOWN_BY)
    now = F.struct(*_answer_columns(project))
    labelled = _with_label(answers, project).withColumn("_before", F.lag(now).over(by_row))
    is_new = F.col("_before").isNull() | ~F.col("_before").eqNullSafe(now)
    return labelled.where(is_new).withColumnRenamed(KNOWN_BY, "label_known_at")


def _with_label(answers: DataFrame, project: Project) -> DataFrame:
    """The answers with `label`, at each instant that has one; before the horizon's end only if it may settle early."""
    label, row = project.label, [*project.spine.key, "prediction_time"]
    if label.annotators.column:
        return annotations.majority(annotations.answers_of(answers, label, row), label, row, UNTIL, KNOWN_BY)
    if label.rules:
        return labelling_rules.add_votes(answers, label.rules)
    if label.aggregate is None:
        labelled, so_far = _label_of_value(answers, label, row), Window.partitionBy(*row).orderBy(KNOWN_BY)
        with_ever = labelled.withColumn("_ever", F.max(F.col("label").isNotNull()).over(so_far))
        return with_ever.where((F.col(KNOWN_BY) >= F.col(UNTIL)) | F.col("_ever"))
    if label.task is not Task.CLASSIFICATION:
        return _label_of_value(answers, label, row)
    answers = guard.add_columns(answers, LABEL, {"condition": label.condition or ""}, (BooleanType,))
    labelled = answers.withColumnRenamed("condition", "label")
    return labelled.where((F.col(KNOWN_BY) >= F.col(UNTIL)) | F.col("label"))


def not_stored(
    labels: DataFrame, warehouse: Warehouse, project: Project, run_date: date, since: datetime | None = None
) -> DataFrame:
    """Those of the labels that no run of another date has stored; no row has a prediction time before `since`."""
    if not arrow.exists(warehouse, "labels"):
        return labels
    stored = delta.read(
        labels.sparkSession,
        warehouse,
        "labels",
        keep=lambda file: file.partition["run_date"] != run_date and file.may_hold("prediction_time", since),
    )
    other = stored.where(F.col("run_date") != F.lit(run_date))
    names = [*project.spine.key, "prediction_time", "label_known_at"]
    return labels.join(other.select(*names), names, "left_anti")
