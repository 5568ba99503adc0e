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
from nightjar.tables.hashed_parts import HashedParts
from nightjar.tables.predictions import RETROSPECTIVE_ROLE, is_served
from nightjar.tables.rows import merge_tables
from nightjar.tables.scan import Snapshot
from nightjar.tables.sink import Target

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
ENTITY = "nightjar entity"
"""Column of rows in memory: a key of one number or text, or else a hash of it. No column of a table is called so."""
FOREVER = datetime.max.replace(tzinfo=UTC)


class Newest:
    """Of rows that are added, the newest one of each entity, or of each that is sought."""

    def __init__(self, rows: HashedParts, sought: HashedParts | None = None) -> None:
        """None yet.

        Args:
            rows: for the rows, in parts by `ENTITY`; it has none yet.
            sought: the entities, in as many parts; None: all.
        """
        self.rows, self._sought, self._least = rows, sought, 0

    def part(self, number: int) -> pa.Table:
        """The newest rows of the entities of a part."""
        rows = self.rows.part(number)
        if self._sought is not None:
            rows = rows.filter(pc.is_in(rows[ENTITY], value_set=_entities(self._sought.part(number))))
        return newest_of(rows)

    def shrink(self) -> datetime | None:
        """Drop what is not newest, if half of the rows may be such; the earliest prediction time if nothing else is
        there, and each sought entity has a row. None: some may have none.
        """
        if len(self.rows) < 2 * self._least:
            return None
        earliest = FOREVER
        for number in range(self.rows.count):
            newest = self.part(number)
            self.rows.put(number, newest)
            earliest = min(pc.min(newest["prediction_time"]).as_py() or FOREVER, earliest)
        self._least = len(self.rows)
        return earliest if self._sought is not None and len(self.rows) == len(self._sought) else None


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
        return {file.partition["run_date"] for file in self.of_nights(None).files}

    def of_nights(self, nights: set[date] | None) -> Snapshot:
        """The files of some nights, or of all, that may have served rows."""
        return self.files.where(
            lambda file: may_serve(file) and (nights is None or file.partition["run_date"] in nights)
        )

    def of_night(self, night: date, entities: "pa.Array[Any] | None" = None) -> Iterator[pa.Table]:
        """The served rows of a night, about a million at a time; only those of some entities, where they are given."""
        own = self.of_nights({night})
        names = [name for name in self.into.schema.names if name in own.schema.names]
        batches = scan.batches(own, names, is_served(own.schema.names))
        for table in merge_tables(pa.Table.from_batches([batch]) for batch in batches):
            rows = self.with_entities(table)
            yield rows if entities is None else rows.filter(pc.is_in(rows[ENTITY], value_set=entities))

    def newest(self, nights: Iterable[date], into: HashedParts) -> Newest:
        """The newest served row of each entity that has one in some nights; `into` holds them."""
        newest = Newest(into)
        for night in sorted(nights):
            newest.shrink()
            for rows in self.of_night(night):
                newest.rows.add(rows)
        return newest

    def newest_of_some(self, nights: set[date], sought: HashedParts, into: HashedParts, few: int) -> Newest:
        """The same of some entities, from the latest night back for as long as an earlier one may have a newer row.

        Args:
            nights: that are looked at.
            sought: the entities, at least one.
            into: holds the rows.
            few: so many entities are in memory at once.
        """
        entities = None
        if len(sought) <= few:
            entities = _entities(pa.concat_tables(map(sought.part, range(sought.count))))
        newest = Newest(into, sought)
        for latest, night in self._backwards(nights):
            earliest = newest.shrink()
            if earliest is not None and earliest > latest:
                break
            for rows in self.of_night(night, entities):
                newest.rows.add(rows)
        return newest

    def with_entities(self, rows: pa.Table) -> pa.Table:
        """Rows with all columns of the table, and `ENTITY`."""
        complete = fields.complete(rows, self.into.schema, {}, self.into.table, self.into.folder)
        keys = complete.select(list(self.key))
        return complete.append_column(ENTITY, keys[0] if _is_plain(keys.schema) else id_column(self.project, keys))

    def schema(self) -> pa.Schema:
        """Of such rows."""
        return self.with_entities(self.into.schema.empty_table()).schema

    def _backwards(self, nights: set[date]) -> Iterator[tuple[datetime, date]]:
        """Nights with the latest prediction time that they may have, the latest first."""
        latest: dict[date, datetime] = {}
        for file in self.of_nights(nights).files:
            night = file.partition["run_date"]
            least = latest.get(night, datetime.min.replace(tzinfo=UTC))
            latest[night] = max(least, file.greatest.get("prediction_time", FOREVER))
        return iter(sorted(((time, night) for night, time in latest.items()), reverse=True))


def may_serve(file: DataFile) -> bool:
    """Whether a file of `scores` may have rows that are served."""
    return bool(file.partition["role"] != RETROSPECTIVE_ROLE)


def newest_of(rows: pa.Table) -> pa.Table:
    """The newest row of each entity: by prediction time, then by night."""
    if not len(rows):
        return rows
    encoded: Any = pc.dictionary_encode(_entities(rows), null_encoding="encode")
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


def _entities(rows: pa.Table) -> "pa.Array[Any]":
    entities: Any = rows[ENTITY].combine_chunks()
    array: pa.Array[Any] = entities
    return array


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
    index: Any = pc.index_in(some[ENTITY], value_set=_entities(others))
    at: Places = pc.fill_null(index, -1).to_numpy().astype(np.int64)
    return at
