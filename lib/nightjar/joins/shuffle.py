"""The as-of join with facts that are laid out for nothing: facts and spine are shuffled together by their keys."""

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema, from_arrow_type, to_arrow_schema

from nightjar.joins.exchange import tasks_of_a_shuffle
from nightjar.joins.planner import Planned
from nightjar.joins.stored import join_facts, output_schema
from nightjar.tables import delta, layouts
from nightjar.tables.layouts import BUCKET, RETRACTION
from nightjar.tables.warehouse import Warehouse


def joined(
    spine: DataFrame, warehouse: Warehouse, planned: Planned, prediction_time: str, known_by: str | None
) -> DataFrame:
    """The spine's rows with the features of one source.

    Versions are resolved over the whole source first: what moves elsewhere leaves a retraction at its old place.
    """
    asked = planned.facts
    schema = to_arrow_schema(spine.schema, timezone="UTC")
    result = output_schema(schema, [(asked, planned.files.schema)], prediction_time)
    table = delta.read(spine.sparkSession, warehouse, asked.table, asked.version).select(*sorted(asked.columns()))
    keys = list(asked.keys.values())
    facts = layouts.with_retractions(table, asked.fact_id, keys, F.lit(True))
    types = {key: from_arrow_type(planned.files.schema.field(key).type).simpleString() for key in keys}
    spine_types = {column: types[key] for column, key in asked.keys.items()}
    tasks = tasks_of_a_shuffle(spine.sparkSession)
    there = facts.withColumn(BUCKET, layouts.bucket(types, tasks)).groupBy(BUCKET)
    here = spine.withColumn(BUCKET, layouts.bucket(spine_types, tasks)).groupBy(BUCKET)

    def join_bucket(rows: pa.Table, held: pa.Table) -> pa.Table:
        rows = rows.drop_columns([BUCKET]).cast(schema)
        return join_facts(rows, [(asked, asked.asked(held, RETRACTION))], prediction_time, known_by)

    return here.cogroup(there).applyInArrow(join_bucket, from_arrow_schema(result))
