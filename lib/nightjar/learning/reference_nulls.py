"""The null of a version: how far the nights of its training were from those before them, stored with its references."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np

from nightjar.evaluation.nulls import fit_null
from nightjar.learning.reference_rows import NIGHTS
from nightjar.tables.references import ALL_COLUMNS, ALL_SCORES

LEAST_NIGHTS = 20
"""Fewer nights say nothing of a chance of one in twenty."""


def null_rows(
    entries: Sequence[dict[str, Any]], scores: Sequence[str], *, gap_days: int, oldest_days: int
) -> Iterator[dict[str, Any]]:
    """The rows of `references` that have a null: of the features that are tested, and of what is watched of scores.

    There is none where the nights are too few.

    Args:
        entries: the histograms of a version.
        scores: the subjects that are scores.
        gap_days: the longest window of the features.
        oldest_days: the age up to which a version is judged by nights as old.
    """
    with_nights = [one for one in entries if NIGHTS in one and one.get("tested") is not False]
    for family, of_scores in ((ALL_COLUMNS, False), (ALL_SCORES, True)):
        own = {one["column"]: one for one in with_nights if (one["column"] in scores) == of_scores}
        if not own:
            continue
        days = next(iter(own.values()))[NIGHTS][0]
        if len(days) < LEAST_NIGHTS:
            continue
        counts = {name: one[NIGHTS][1] for name, one in own.items()}
        null = fit_null(_dates(days), counts, gap_days=gap_days, oldest_days=oldest_days)
        yield {"column": family, "night": None, "slice": None, "null_distribution": null.to_json()}


def _dates(days: Any) -> list[date]:
    return [np.datetime64(day, "D").astype(object) for day in days]
