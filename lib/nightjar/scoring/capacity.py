"""Tiers that have exactly so many rows of each night, those most worth a look, or all that there are.

Rows are ranked by raw score, since calibrated ones tie on plateaus, and equal ones by a hash of their `prediction_id`.
Rows that a tier before has, that abstain, or that are drawn so that nobody acts on them, take no place. A task keeps
back the rows of its share that may be among the highest of the night; the driver ranks those of all tasks.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.registry.tiers import TierThreshold, is_limited
from nightjar.tables.predictions import ABSTAINED, ASSIGNMENT, BY_SCORE, RAW_SCORE, SERVED
from nightjar.tables.sink import Unfinished

Mask = npt.NDArray[np.bool_]
Tiers = Sequence[TierThreshold]


def hold_back(tables: Iterable[pa.Table], tiers: Tiers) -> "Iterator[pa.Table | Unfinished]":
    """A task's rows; those that may be among the highest of the night come at the end, for the driver to finish.

    Args:
        tables: with `tier` by thresholds alone, `raw_score` and `prediction_id`; with `served`, rows that are and rows
            that are not are ranked apart.
        tiers: of the model, in their order; without one that has so many rows, all tables pass.
    """
    has_limit, pending = is_limited(tiers), list[pa.Table]()
    for table in tables:
        if not has_limit or RAW_SCORE not in table.column_names:  # as in rows that could not be scored
            yield table
            continue
        rows = pa.concat_tables([*pending, table])
        may_be = _may_be_highest(rows, tiers)
        pending, others = [rows.filter(pa.array(may_be))], rows.filter(pa.array(~may_be))
        if len(others):
            yield others
    if sum(map(len, pending)):
        yield Unfinished(pa.concat_tables(pending))


def _may_be_highest(rows: pa.Table, tiers: Tiers) -> Mask:
    """Whether each row may be among the highest of its night: it is, in these rows, with the places of tiers before."""
    result, places = np.zeros(len(rows), np.bool_), 0
    is_free, before = _is_free(rows), _place_before(rows, tiers)
    for place, tier in enumerate(tiers):
        if tier.at_most is None:
            continue
        places += tier.at_most
        for group, _ in _groups(rows):
            result |= _highest(rows, group & is_free & (before > place), places)
    return result


def finish(tables: Sequence[pa.Table], tiers: Tiers, claimed: Mapping[str, int] | None = None) -> pa.Table:
    """The rows that tasks have kept back, with their tiers, in the order of their ids.

    Args:
        tables: what tasks have kept back of one role's rows of one night.
        tiers: of the model.
        claimed: tier -> places that served rows of another role have; see `places_of`. Of the places that are free,
            these rows' served ones get as many as they need. Rows that are not served get the tiers that they would
            have if all were.
    """
    rows = pa.concat_tables(tables).sort_by("prediction_id")
    names: list[str | None] = rows["tier"].to_pylist()
    is_free, before = _is_free(rows), _place_before(rows, tiers)
    for place, tier in enumerate(tiers):
        if tier.at_most is None:
            continue
        for group, is_served in _groups(rows):
            most = max(tier.at_most - (claimed or {}).get(tier.tier, 0), 0) if is_served else tier.at_most
            chosen = _highest(rows, group & is_free & (before > place), most)
            is_free &= ~chosen
            for row in np.flatnonzero(chosen):
                names[row] = tier.tier
    return rows.set_column(rows.column_names.index("tier"), "tier", pa.array(names, pa.string()))


def places_of(rows: pa.Table, tiers: Tiers) -> dict[str, int]:
    """Tier with so many rows a night -> the places that rows have there: of those that stay served, what is claimed."""
    counts, limited = Counter(rows["tier"].to_pylist()), [tier.tier for tier in tiers if tier.at_most is not None]
    drawn = rows.filter(pa.array(~_is_by_score(rows)))
    counts.subtract(Counter(drawn["tier"].to_pylist()))
    return {name: counts[name] for name in limited}


def _groups(rows: pa.Table) -> list[tuple[Mask, bool]]:
    """The rows that are ranked together, and whether they are served."""
    if SERVED not in rows.column_names:
        return [(np.ones(len(rows), np.bool_), True)]
    served = np.asarray(rows[SERVED].to_numpy(), np.bool_)
    return [(served, True), (~served, False)]


def _is_by_score(rows: pa.Table) -> Mask:
    if ASSIGNMENT not in rows.column_names:
        return np.ones(len(rows), np.bool_)
    return np.asarray(rows[ASSIGNMENT].to_numpy() == BY_SCORE)


def _is_free(rows: pa.Table) -> Mask:
    """Whether each row may take a place: it does not abstain, and is acted on by its score."""
    if ABSTAINED not in rows.column_names:
        return _is_by_score(rows)
    abstains = np.asarray(rows[ABSTAINED].is_valid().to_numpy(), np.bool_)
    return np.asarray(_is_by_score(rows) & ~abstains)


def _place_before(rows: pa.Table, tiers: Tiers) -> npt.NDArray[np.intp]:
    """The place of each row's tier by thresholds among all tiers; after the last one where it has none."""
    place = {tier.tier: number for number, tier in enumerate(tiers)}
    names: list[Any] = rows["tier"].to_pylist()
    return np.array([place.get(name, len(tiers)) for name in names], np.intp)


def _highest(rows: pa.Table, among: Mask, most: int) -> Mask:
    """Which of some rows are the highest, so many or all: by raw score, and of equal ones by the hash of their id."""
    numbers, result = np.flatnonzero(among), np.zeros(len(rows), np.bool_)
    if len(numbers) <= most:
        return among
    if not most:
        return result
    raw = rows[RAW_SCORE].to_numpy()[numbers]
    last = np.partition(raw, len(raw) - most)[len(raw) - most]
    result[numbers[raw > last]] = True
    tied = numbers[raw == last]
    ids: list[Any] = rows["prediction_id"].take(tied).to_pylist()
    order = np.argsort([hashlib.sha256(one.encode()).hexdigest() for one in ids])
    result[tied[order[: most - int(result.sum())]]] = True
    return result
