"""Whether what a project builds fits the columns that its sources will have: told before facts are read or written."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType, TimestampType

from nightjar.asof import Clocks
from nightjar.features import expressions, labels, spine
from nightjar.features.at import PREDICTION_TIME
from nightjar.features.definitions import feature_facts, source_table_name
from nightjar.joins.stored import output_schema
from nightjar.settings.project import Project
from nightjar.tables.layouts import EVENT_TIME, KNOWN_AT
from nightjar.tables.rows import of_frame


def require_fit(spark: SparkSession, project: Project, stored: Mapping[str, StructType]) -> None:
    """Refuse a spine, a feature, an expression or a label that does not fit; no job runs.

    Args:
        spark: the session.
        project: what is to be built.
        stored: source -> the columns its facts will have, without their clocks.

    Raises:
        JoinError: a feature or the label cannot be made of its column.
        UsageError: an expression does not fit the columns.
    """
    rows = spine.no_rows(spark, project, stored[project.spine.source])
    facts = {name: _with_clocks(columns) for name, columns in stored.items()}
    tables = {source_table_name(name): to_arrow_schema(columns, timezone="UTC") for name, columns in facts.items()}
    asked = [(one, tables[one.table]) for one in feature_facts(project, dict.fromkeys(tables, 0))]
    joined = output_schema(of_frame(rows).schema, asked, Clocks(PREDICTION_TIME, zone=project.zone))
    expressions.after_join(of_frame(_none(spark, from_arrow_schema(joined))), project)
    labels.require_fit(rows, _none(spark, facts[project.label.source]), project)


def _with_clocks(columns: StructType) -> StructType:
    clocks = StructType()
    for name in (EVENT_TIME, KNOWN_AT):
        clocks = clocks.add(name, TimestampType())
    return StructType([*clocks.fields, *columns.fields])


def _none(spark: SparkSession, columns: StructType) -> DataFrame:
    return spark.createDataFrame([], columns)
