"""The night's scores, counted a batch at a time: the page of many rows takes no more memory than that of a few."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.histograms import Bins, count
from nightjar.report.reading import PinnedTables
from nightjar.tables import scan
from nightjar.tables.predictions import CHALLENGER_ROLE, FALLBACK, PREDICTED, SCORE, is_served

_SERVED = ("model_version", "input_warnings", "unseen_levels", FALLBACK, PREDICTED)
"""Columns of served rows whose values are counted; tables of earlier versions lack all but the first."""


@dataclass
class ScoreCounts:
    """What is counted of a night's scores.

    Attributes:
        served: rows that are served.
        others: role -> rows that are not.
        values: column -> value -> served rows; nulls are not counted.
        challengers: version -> rows that it serves as challenger.
        finite: served scores that are numbers.
        total: their sum.
        least, greatest: among them; infinite without any.
    """

    served: int = 0
    others: Counter[str] = field(default_factory=Counter)
    values: dict[str, Counter[str]] = field(default_factory=dict)
    challengers: Counter[str] = field(default_factory=Counter)
    finite: int = 0
    total: float = 0.0
    least: float = np.inf
    greatest: float = -np.inf


def count_scores(tables: PinnedTables) -> ScoreCounts:
    """The counts of the night; all 0 without scores."""
    counts, there = ScoreCounts(), tables.columns("scores")
    counted = [name for name in _SERVED if name in there]
    is_own = _own(tables)
    for batch in _batches(tables, ["role"], ~is_own):
        counts.others += _frequencies(batch["role"])
    for batch in _batches(tables, [SCORE, "role", *counted], is_own):
        counts.served += batch.num_rows
        is_challenger = pc.equal(batch["role"], pa.scalar(CHALLENGER_ROLE))
        counts.challengers += _frequencies(batch["model_version"].filter(is_challenger))
        for name in counted:
            counts.values.setdefault(name, Counter()).update(_frequencies(batch[name]))
        finite = _finite(batch[SCORE])
        if len(finite):
            counts.finite += len(finite)
            counts.total += float(finite.sum())
            counts.least = min(counts.least, float(finite.min()))
            counts.greatest = max(counts.greatest, float(finite.max()))
    return counts


def count_in_bins(tables: PinnedTables, bins: Bins) -> npt.NDArray[np.int64]:
    """Served scores in each bin, nulls first."""
    result = np.zeros(bins.size, np.int64)
    for batch in _batches(tables, [SCORE], _own(tables)):
        result += count(bins, pa.chunked_array([batch[SCORE]]))
    return result


def count_between(tables: PinnedTables, edges: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Served scores between edges of slots."""
    result = np.zeros(len(edges) - 1, np.int64)
    for batch in _batches(tables, [SCORE], _own(tables)):
        result += np.histogram(_finite(batch[SCORE]), bins=edges)[0]
    return result


def _own(tables: PinnedTables) -> pc.Expression:
    """The condition that a row is served, also true or false where nothing says whether it is."""
    is_own = is_served(tables.columns("scores"))
    return is_own & is_own.is_valid()


def _batches(tables: PinnedTables, columns: Sequence[str], where: pc.Expression) -> Iterator[pa.RecordBatch]:
    if "scores" not in tables.versions:
        return
    source = scan.snapshot(tables.warehouse, "scores", tables.versions["scores"])
    yield from scan.batches(source, columns, tables.of_night() & where)


def _frequencies(values: "pa.Array[Any]") -> Counter[str]:
    counts: Any = pc.value_counts(values.drop_null())
    return Counter({str(one["values"]): one["counts"] for one in counts.to_pylist()})


def _finite(values: "pa.Array[Any]") -> npt.NDArray[np.float64]:
    numbers = np.asarray(values.drop_null().to_numpy(zero_copy_only=False), np.float64)
    return numbers[np.isfinite(numbers)]
