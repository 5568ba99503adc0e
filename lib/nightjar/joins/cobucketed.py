"""The as-of join with facts that are laid out for its keys: the spine is shuffled to them, they stay where they are.

Each task gets the spine rows of some buckets, and reads the files of one after another. Facts are neither shuffled nor
turned into rows. Sources that are laid out alike for the same spine columns share one shuffle.
"""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_type

from nightjar.joins import reading, slices
from nightjar.joins.joined import Joined
from nightjar.joins.planner import Planned
from nightjar.joins.reading import Share
from nightjar.joins.stored import join_facts, output_schema
from nightjar.tables import layouts
from nightjar.tables.scan import Snapshot
from nightjar.tables.sink import in_one_piece
from nightjar.tables.warehouse import Warehouse

SHARE = "_share"


def groups(planned: Sequence[Planned]) -> list[list[Planned]]:
    """What can be joined in one pass: the same spine columns, of the same types, in as many buckets."""
    alike: dict[tuple[object, ...], list[Planned]] = {}
    for one in planned:
        buckets = one.layout.buckets if one.layout else 0
        alike.setdefault((buckets, *_key_types(one).items()), []).append(one)
    return list(alike.values())


def joined(
    before: Joined, warehouse: Warehouse, planned: Sequence[Planned], prediction_time: str, known_by: str | None
) -> Joined:
    """What was joined before, with the facts of one group.

    A share is a bucket, or one slice of a heavy one. A task holds the spine rows of its shares and, of one share at a
    time, the columns that are asked of the facts they can see, and the result. There are as many tasks as there are
    shares, but not more than Spark is told to make of a shuffle.
    """
    buckets = planned[0].layout.buckets if planned[0].layout else 0
    files = [_by_bucket(planned, bucket) for bucket in range(buckets)]
    bucket = F.coalesce(layouts.bucket(_key_types(planned[0]), buckets), F.lit(0))
    number, cuts = bucket, slices.cuts(files)
    for place, (heavy, instant) in enumerate(cuts):
        later = (bucket == heavy) & (F.col(prediction_time) >= F.lit(instant))
        number = F.when(later, F.lit(buckets + place)).otherwise(number)
    spark = before.rows.sparkSession
    later_shares = slices.shares(spark, planned, files, cuts) if cuts else []
    shares = [*(Share(of_bucket) for of_bucket in files), *later_shares]

    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for received in in_one_piece(batches):
            numbers = received.column(SHARE)
            for one in pc.unique(numbers):
                rows = received.filter(pc.equal(numbers, one)).drop_columns([SHARE])
                facts = reading.laid_out(planned, rows, shares[one.as_py()], prediction_time, known_by)
                yield join_facts(rows, facts, prediction_time, known_by)

    spine = before.frame() if before.placed else before.rows
    schema = output_schema(warehouse, before.schema, [one.facts for one in planned], prediction_time)
    tasks = min(len(shares), int(spark.conf.get("spark.sql.shuffle.partitions") or 1))
    return Joined(spine.withColumn(SHARE, number).repartitionById(tasks, SHARE), make, schema, placed=True)


def _by_bucket(planned: Sequence[Planned], bucket: int) -> dict[str, Snapshot]:
    """Layout -> its files of one bucket."""
    return {one.files.table: one.files.where(lambda file: file.partition[layouts.BUCKET] == bucket) for one in planned}


def _key_types(planned: Planned) -> dict[str, str]:
    """Spine column -> Spark's name for the type of its fact column, in the order of the layout."""
    spine_column = {fact: spine for spine, fact in planned.facts.keys.items()}
    schema = planned.files.schema
    keys = planned.layout.keys if planned.layout else ()
    return {spine_column[key]: from_arrow_type(schema.field(key).type).simpleString() for key in keys}
