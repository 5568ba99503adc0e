"""The reasons of a night's scores: how often each feature is among them, and which way it moves the score."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from nightjar.report.reading import PinnedTables
from nightjar.tables.predictions import is_served
from nightjar.tables.reasons import REASONS


@dataclass(frozen=True)
class FeatureReasons:
    """A feature among the reasons of a night.

    Attributes:
        feature: its column.
        share: of the explained rows, those that have it among their reasons.
        first: the same as their most important one.
        raises: of the rows that have it, those whose score it raises.
        size: the mean absolute contribution to the raw score there.
    """

    feature: str
    share: float
    first: float
    raises: float
    size: float


@dataclass(frozen=True)
class NightReasons:
    """The reasons of the served scores of a night.

    Attributes:
        explained: rows with reasons, those among them that no feature is shown to move.
        rows: served.
        without: explained rows that no feature moves.
        features: the most frequent ones first.
    """

    explained: int
    rows: int
    without: int
    features: tuple[FeatureReasons, ...]


def read_reasons(tables: PinnedTables) -> NightReasons | None:
    """The reasons of the night; None where no row has any."""
    stored = tables.columns("scores")
    if REASONS not in stored:
        return None
    scores = tables.read("scores", [REASONS], tables.of_night() & is_served(stored))
    if scores is None:
        return None
    lists = scores[REASONS].combine_chunks()
    explained: Any = lists.drop_null()
    if not len(explained):
        return None
    sizes = pc.list_value_length(explained).to_numpy(zero_copy_only=False)
    reasons = explained.flatten()
    names, codes = np.unique(reasons.field("feature").to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    contribution = reasons.field("contribution").to_numpy(zero_copy_only=False)
    is_first = np.zeros(len(reasons), np.bool_)
    is_first[(np.cumsum(sizes) - sizes)[sizes > 0]] = True
    counts = np.bincount(codes, minlength=len(names))
    sums = [np.bincount(codes, of, minlength=len(names)) for of in (is_first, contribution > 0, np.abs(contribution))]
    features = [
        FeatureReasons(name, count / len(explained), first / len(explained), raises / count, size / count)
        for name, count, first, raises, size in zip(names.tolist(), counts.tolist(), *map(list, sums), strict=True)
    ]
    ranked = sorted(features, key=lambda one: (-one.share, -one.first, one.feature))
    return NightReasons(len(explained), len(lists), int((sizes == 0).sum()), tuple(ranked))
