"""Rows of `scores_latest` beside what is served now: which of them go, which come, and what has happened to each."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.scoring.newest import ENTITY, Mask, Places, is_older, newest_of, places
from nightjar.tables.predictions import FALLBACK

NEW, RESCORED, CORRECTED, RESTORED = "new", "rescored", "corrected", "restored"
CHANGE, RUN_ID = "change", "run_id"
PLACE = "nightjar place"
"""Column of rows in memory: the number of a row in the table, file after file. No column of a table is called so."""
SCORER = ("model_version", "role", FALLBACK)


class Comparison:
    """Rows of the table beside the newest rows of nights that have changed.

    A row that was the newest still is, unless its own night has changed, or one that has changed has a newer one.
    """

    def __init__(self, rows: pa.Table, newest: pa.Table, nights: set[date], *, of_all: bool) -> None:
        """Compare the ages.

        Args:
            rows: of the table, with `PLACE`.
            newest: of each entity that has a row in these nights.
            nights: those that have changed.
            of_all: whether these are all nights.
        """
        self._places: Places = rows[PLACE].to_numpy()
        self._rows, self._newest = rows.drop_columns([PLACE]), newest
        self._stale = np.full(len(rows), of_all) | _is_in(rows["run_date"], nights)
        at = places(rows, newest)
        self._is_there = at >= 0
        remains_newest = np.zeros(len(rows), np.bool_)
        remains_newest[self._is_there] = is_older(_take(newest, at[self._is_there]), _those(rows, self._is_there))
        self._lost = self._stale & (~self._is_there | remains_newest)

    def lost(self) -> pa.Table:
        """The entities, as `ENTITY`, of which an earlier night may have the newest row now."""
        return _those(self._rows.select([ENTITY]), self._lost)

    def differences(self, earlier: pa.Table) -> tuple[Places, pa.Table]:
        """The places of rows of the table that go, and the rows that come in their place or anew.

        Args:
            earlier: of those that are lost, the newest rows in all other nights.
        """
        unchanged = _those(self._rows, self._is_there & ~self._stale)
        now = self._newest
        if len(unchanged) or len(earlier):
            now = newest_of(pa.concat_tables([now, unchanged, earlier]))
        going, coming = _compare(self._rows, now, self._stale | self._is_there)
        return self._places[going], coming.drop_columns([ENTITY])


def _compare(rows: pa.Table, now: pa.Table, looked_at: Mask) -> tuple[Mask, pa.Table]:
    """Which rows of the table go, and what comes, given the newest rows of all entities that were looked at."""
    at = places(rows, now)
    both = looked_at & (at >= 0)
    differing = np.zeros(len(rows), np.bool_)
    before, after = _those(rows, both), _take(now, at[both])
    differing[both] = _differ(before, after, [name for name in rows.column_names if name not in (CHANGE, RUN_ID)])
    added = _those(now, places(now, rows) < 0)
    changed = _take(now, at[differing])
    coming = pa.concat_tables(
        [_marked(added, [NEW] * len(added)), _marked(changed, _kinds(_those(rows, differing), changed))]
    )
    return (looked_at & (at < 0)) | differing, coming


def _kinds(before: pa.Table, after: pa.Table) -> list[str]:
    """What has happened to each entity that had a row, and has another one."""
    is_same = ~_differ(before, after, ["prediction_id"])
    by_another, older = _differ(before, after, SCORER), is_older(after, before)
    columns = (column.tolist() for column in (is_same, by_another, older))
    return [
        (RESCORED if another else CORRECTED) if same else (RESTORED if is_earlier else NEW)
        for same, another, is_earlier in zip(*columns, strict=True)
    ]


def _take(rows: pa.Table, numbers: Places) -> pa.Table:
    chosen: pa.Array[Any] = pa.array(numbers)
    return rows.take(chosen)


def _those(rows: pa.Table, chosen: Mask) -> pa.Table:
    return rows.filter(pa.array(chosen))


def _marked(rows: pa.Table, kinds: list[str]) -> pa.Table:
    return rows.set_column(rows.column_names.index(CHANGE), CHANGE, pa.array(kinds, pa.string()))


def _differ(before: pa.Table, after: pa.Table, names: Sequence[str]) -> Mask:
    """Whether rows differ in some column from those in their places; nulls are alike, and so is NaN."""
    differ = np.zeros(len(before), np.bool_)
    for name in names:
        differ |= _values_differ(before[name], after[name])
    return differ


def _values_differ(before: "pa.ChunkedArray[Any]", after: "pa.ChunkedArray[Any]") -> Mask:
    if pa.types.is_nested(before.type):
        pairs = zip(before.to_pylist(), after.to_pylist(), strict=True)
        return np.array([one != other for one, other in pairs], np.bool_)
    compared: Any = pc.equal(before, after)
    alike: Any = pc.fill_null(compared, False)
    same: Any = pc.or_(alike, pc.and_(pc.is_null(before), pc.is_null(after)))
    if pa.types.is_floating(before.type):
        both_nan: Any = pc.and_(pc.is_nan(before), pc.is_nan(after))
        same = pc.or_(same, pc.fill_null(both_nan, False))
    differ: Mask = ~same.to_numpy()
    return differ


def _is_in(nights: "pa.ChunkedArray[Any]", some: set[date]) -> Mask:
    is_in: Mask = pc.is_in(nights, value_set=pa.array(sorted(some), pa.date32())).to_numpy()
    return is_in
