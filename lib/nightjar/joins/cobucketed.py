"""The as-of join with facts that are laid out for its keys: the spine is shuffled to them, they stay where they are.

Each task gets the spine rows of some buckets, and reads the files of one after another. Facts are neither shuffled nor
turned into rows. Sources that are laid out alike for the same spine columns share one shuffle.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_type

from nightjar.joins import reading, slices
from nightjar.joins.exchange import exchanged, tasks_of_a_shuffle
from nightjar.joins.joined import Joined
from nightjar.joins.planner import Planned
from nightjar.joins.reading import Share
from nightjar.joins.stored import join_facts
from nightjar.tables import layouts
from nightjar.tables.scan import Snapshot


@dataclass(frozen=True)
class Pass:
    """What can be joined by one move of the spine: the same spine columns, of the same types, in as many buckets.

    Attributes:
        planned: what is joined.
        files: for each bucket, layout -> its files.
        cuts: where heavy buckets are cut into slices.
        column: the column with a row's share, a bucket or a slice of one.
    """

    planned: Sequence[Planned]
    files: Sequence[Mapping[str, Snapshot]]
    cuts: Sequence[slices.Cut]
    column: str

    def share(self, prediction_time: str) -> Column:
        """The share of a row of the spine."""
        buckets = len(self.files)
        number = F.coalesce(layouts.bucket(_key_types(self.planned[0]), buckets), F.lit(0))
        bucket = number
        for place, (heavy, instant) in enumerate(self.cuts):
            later = (bucket == heavy) & (F.col(prediction_time) >= F.lit(instant))
            number = F.when(later, F.lit(buckets + place)).otherwise(number)
        return number.alias(self.column)

    def joined(self, before: Joined, prediction_time: str, known_by: str | None) -> Joined:
        """What was joined before, with these facts.

        A task holds the rows of its shares and, of one share at a time, the columns that are asked of the facts they
        can see, and the result. There are as many tasks as there are shares, but not more than Spark is told to make
        of a shuffle.
        """
        spark, planned, column = before.rows.sparkSession, self.planned, self.column
        later = slices.shares(spark, planned, self.files, self.cuts) if self.cuts else []
        shares = [*(Share(of_bucket) for of_bucket in self.files), *later]
        tasks = min(len(shares), tasks_of_a_shuffle(spark))
        moved = exchanged(before, lambda rows: rows.column(column), tasks)
        receive = moved.make

        def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
            for received in receive(batches):
                share = shares[received.column(column)[0].as_py()]
                rows = received.drop_columns([column])
                facts = reading.laid_out(planned, rows, share, prediction_time, known_by)
                yield join_facts(rows, facts, prediction_time, known_by)

        return replace(moved, make=make)


def passes(planned: Sequence[Planned]) -> list[Pass]:
    """One for each set of facts that can be joined in one pass."""
    alike: dict[tuple[object, ...], list[Planned]] = {}
    for one in planned:
        alike.setdefault((_buckets(one), *_key_types(one).items()), []).append(one)
    return [_pass(group, f"_share_{number}") for number, group in enumerate(alike.values())]


def _pass(planned: Sequence[Planned], column: str) -> Pass:
    files = [_by_bucket(planned, bucket) for bucket in range(_buckets(planned[0]))]
    return Pass(planned, files, slices.cuts(files), column)


def _buckets(planned: Planned) -> int:
    return planned.layout.buckets if planned.layout else 0


def _by_bucket(planned: Sequence[Planned], bucket: int) -> dict[str, Snapshot]:
    """Layout -> its files of one bucket."""
    return {one.files.table: one.files.where(lambda file: file.partition[layouts.BUCKET] == bucket) for one in planned}


def _key_types(planned: Planned) -> dict[str, str]:
    """Spine column -> Spark's name for the type of its fact column, in the order of the layout."""
    spine_column = {fact: spine for spine, fact in planned.facts.keys.items()}
    schema = planned.files.schema
    keys = planned.layout.keys if planned.layout else ()
    return {spine_column[key]: from_arrow_type(schema.field(key).type).simpleString() for key in keys}
