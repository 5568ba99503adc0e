"""Checks that what a project builds fits the columns of its sources, before facts are read or written."""

from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import AnsiIntervalType, StructType, TimestampType

from nightjar.asof import Clocks
from nightjar.errors import LearningError, UsageError
from nightjar.features import expressions, labels, spine
from nightjar.features.at import PREDICTION_TIME
from nightjar.features.definitions import feature_facts
from nightjar.joins.stored_facts import output_schema
from nightjar.models.columns import feature_columns
from nightjar.settings.project import Project
from nightjar.tables.layouts import EVENT_TIME, KNOWN_AT
from nightjar.tables.rows import of_frame
from nightjar.tables.source_definitions import source_table_name


def require_fit(spark: SparkSession, project: Project, stored: Mapping[str, StructType]) -> None:
    """Refuse a spine, a feature, an expression or a label that does not fit; no job runs.

    Args:
        spark: the session.
        project: what is to be built.
        stored: source -> the columns its facts will have, without their clocks.

    Raises:
        JoinError: a feature or the label cannot be made of its column.
        UsageError: an expression does not fit the columns, a feature is of a type that no model takes, or a column of a
            source of one that no table stores.
    """
    for source, columns in stored.items():
        _require_storable(source, columns)
    rows = spine.no_rows(spark, project, stored[project.spine.source])
    facts = {name: _with_clocks(columns) for name, columns in stored.items()}
    tables = {source_table_name(name): to_arrow_schema(columns, timezone="UTC") for name, columns in facts.items()}
    tables_of_facts = [
        (group_facts, tables[group_facts.table]) for group_facts in feature_facts(project, dict.fromkeys(tables, 0))
    ]
    joined = output_schema(of_frame(rows).schema, tables_of_facts, Clocks(PREDICTION_TIME, zone=project.zone))
    built = expressions.after_join(of_frame(_empty_frame(spark, from_arrow_schema(joined))), project)
    require_usable(built.schema, project)
    labels.require_fit(rows, _empty_frame(spark, facts[project.label.source]), project)


def require_usable(built: pa.Schema, project: Project) -> None:
    """Refuse a feature of a type that no model takes, which otherwise would fail only when a model is trained.

    Raises:
        UsageError: names the column and its type.
    """
    try:
        feature_columns(built, project.feature_names())
    except LearningError as error:
        raise UsageError(f"project: {error} Nothing was written.") from error


def _require_storable(source: str, columns: StructType) -> None:
    for column in columns:
        if isinstance(column.dataType, AnsiIntervalType):
            raise UsageError(
                f"project.sources.{source}: the column {column.name} is an {column.dataType.simpleString()}, which no "
                "table stores: derive a number of it, such as timestampdiff(MINUTE, a, b). Nothing was written."
            )


def _with_clocks(columns: StructType) -> StructType:
    clocks = StructType()
    for name in (EVENT_TIME, KNOWN_AT):
        clocks = clocks.add(name, TimestampType())
    return StructType([*clocks.fields, *columns.fields])


def _empty_frame(spark: SparkSession, columns: StructType) -> DataFrame:
    return spark.createDataFrame([], columns)
