"""Histograms of a model's training data, as the table `references` stores them."""

from dataclasses import dataclass

import pyarrow.compute as pc

from nightjar.errors import LearningError
from nightjar.evaluation.histograms import Bins
from nightjar.report.reading import PinnedTables


@dataclass(frozen=True)
class Histogram:
    """Bins and the rows in each, nulls first."""

    bins: Bins
    counts: list[int]


def training_histograms(tables: PinnedTables, version: str) -> dict[str, Histogram]:
    """Column -> training histogram of one model version; only stored ones whose counts fit their bins."""
    where = (pc.field("model_version") == version) & pc.field("night").is_null() & pc.field("bins").is_valid()
    rows = tables.rows("references", ["column", "bins", "counts"], where)
    histograms = {row["column"]: _histogram(row["bins"], row["counts"]) for row in rows}
    return {column: histogram for column, histogram in histograms.items() if histogram is not None}


def _histogram(bins: str | None, counts: list[int] | None) -> Histogram | None:
    try:
        parsed_bins = Bins.from_json(bins or "")
    except LearningError:
        return None
    return (
        Histogram(parsed_bins, counts) if counts and len(counts) == parsed_bins.size and parsed_bins.size > 2 else None
    )
