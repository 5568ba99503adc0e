"""Of the rows of `scores`: those that are served, and of an entity's rows the newest one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.scoring.identity import id_column
from nightjar.tables import fields, scan
from nightjar.tables.entries import DataFile
from nightjar.tables.predictions import RETROSPECTIVE_ROLE, is_served
from nightjar.tables.scan import Snapshot
from nightjar.tables.sink import Target

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
ENTITY = "nightjar entity"
"""Column of rows in memory: a key of one number or text, or else a hash of it. No column of a table is called so."""
FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Served:
    """The served rows of one version of `scores`, with the columns of `scores_latest`.

    Attributes:
        project: its name.
        key: of the spine.
        files: of `scores`.
        into: `scores_latest`.
    """

    project: str
    key: Sequence[str]
    files: Snapshot
    into: Target

    def nights(self) -> set[date]:
        """The nights that have rows."""
        return {file.partition["run_date"] for file in self.files.files if may_serve(file)}

    def of_night(self, night: date, entities: "pa.Array[Any] | None" = None) -> pa.Table:
        """The served rows of a night; only those of some entities, where they are given."""
        own = self.files.where(lambda file: file.partition["run_date"] == night and may_serve(file))
        names = [name for name in self.into.schema.names if name in own.schema.names]
        condition = is_served(own.schema.names)
        batches = [batch for batch in scan.batches(own, names, condition) if batch.num_rows]
        schema = pa.schema([own.schema.field(name) for name in names])
        rows = self.with_entities(pa.Table.from_batches(batches, schema))
        return rows if entities is None else rows.filter(pc.is_in(rows[ENTITY], value_set=entities))

    def newest(self, nights: Iterable[date]) -> pa.Table:
        """The newest served row of each entity that has one in some nights."""
        newest = self.empty()
        for night in sorted(nights):
            newest = newest_of([newest, self.of_night(night)])
        return newest

    def newest_of_some(self, nights: Iterable[date], entities: "pa.Array[Any]") -> pa.Table:
        """The same of some entities, from the latest night back for as long as an earlier one may have a newer row."""
        newest = self.empty()
        if not len(entities):
            return newest
        for latest, night in self._backwards(set(nights)):
            if len(newest) == len(entities) and pc.min(newest["prediction_time"]).as_py() > latest:
                break
            newest = newest_of([newest, self.of_night(night, entities)])
        return newest

    def with_entities(self, rows: pa.Table) -> pa.Table:
        """Rows with all columns of the table, and `ENTITY`."""
        complete = fields.complete(rows, self.into.schema, {}, self.into.table, self.into.folder)
        keys = complete.select(list(self.key))
        return complete.append_column(ENTITY, keys[0] if _is_plain(keys.schema) else id_column(self.project, keys))

    def empty(self) -> pa.Table:
        """No rows."""
        return self.with_entities(self.into.schema.empty_table())

    def _backwards(self, nights: set[date]) -> Iterator[tuple[datetime, date]]:
        """Nights with the latest prediction time that they may have, the latest first."""
        latest: dict[date, datetime] = {}
        for file in self.files.files:
            night = file.partition["run_date"]
            if night in nights and may_serve(file):
                least = latest.get(night, datetime.min.replace(tzinfo=UTC))
                latest[night] = max(least, file.greatest.get("prediction_time", FOREVER))
        return iter(sorted(((time, night) for night, time in latest.items()), reverse=True))


def may_serve(file: DataFile) -> bool:
    """Whether a file of `scores` may have rows that are served."""
    return bool(file.partition["role"] != RETROSPECTIVE_ROLE)


def newest_of(tables: Sequence[pa.Table]) -> pa.Table:
    """The newest row of each entity: by prediction time, then by night."""
    rows = pa.concat_tables(tables)
    if not len(rows):
        return rows
    encoded: Any = pc.dictionary_encode(rows[ENTITY].combine_chunks(), null_encoding="encode")
    if len(encoded.dictionary) == len(rows):
        return rows
    entities = encoded.indices.to_numpy()
    order = np.lexsort((*reversed(age(rows)), entities))
    sorted_entities = entities[order]
    is_last = np.append(sorted_entities[1:] != sorted_entities[:-1], True)
    return rows.take(pa.array(order[is_last]))


def _is_plain(keys: pa.Schema) -> bool:
    """Whether values of the key are compared as they are: hashes are longer, and take time."""
    kind = keys.types[0]
    return len(keys) == 1 and (pa.types.is_integer(kind) or pa.types.is_string(kind))


def age(rows: pa.Table) -> tuple[Places, Places]:
    """By what rows are older or newer: prediction time, and night."""
    times: Any = rows["prediction_time"].cast(pa.int64()).to_numpy()
    nights: Any = rows["run_date"].cast(pa.int32()).to_numpy()
    return times, nights


def is_older(some: pa.Table, others: pa.Table) -> Mask:
    """Whether each row is older than the one in its place among others."""
    (times, nights), (other_times, other_nights) = age(some), age(others)
    older: Mask = (times < other_times) | ((times == other_times) & (nights < other_nights))
    return older


def places(some: pa.Table, others: pa.Table) -> Places:
    """Where the entity of each row is among others; -1: nowhere."""
    index: Any = pc.index_in(some[ENTITY], value_set=others[ENTITY].combine_chunks())
    at: Places = pc.fill_null(index, -1).to_numpy().astype(np.int64)
    return at
