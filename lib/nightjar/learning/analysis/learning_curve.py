"""A learning curve: the winner fitted on ever longer spans of its last training days, measured on the final period."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from nightjar.errors import NightjarError
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.rows import Floats, RowNumbers
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.splits.folding import Fold

log = logging.getLogger("nightjar.train")

SHARES = (0.125, 0.25, 0.5)
"""Of the days before the final period; all of them were fitted on when the winner was judged."""


def learning_curve(
    rows: TrainingSet,
    final: Fold,
    fit_scores: Callable[[RowNumbers], Floats],
    scores: Floats,
    measure: Callable[[Floats], Interval],
) -> list[dict[str, Any]]:
    """For each span its `days`, `rows` and first `night`, and the metric with its interval, or the reason of none.

    Args:
        rows: all rows.
        final: the final period, and the rows before it.
        fit_scores: fits the winner on some rows before it, and scores the period's rows.
        scores: of the winner as it was judged, fitted on all of them.
        measure: the metric of scores of the period's rows.
    """
    days = rows.day[final.train]
    first, last = days.min(), days.max()
    span = int((last - first).astype(int)) + 1
    result = []
    for length in dict.fromkeys(max(1, round(share * span)) for share in SHARES):
        start = last - np.timedelta64(length - 1, "D")
        chosen = final.train[days >= start]
        if length >= span:
            continue
        log.info("learning curve: fitting on its last %d of %d days", length, span)
        try:
            figure = measure(fit_scores(chosen))
        except NightjarError as error:
            figure = Interval(None, None, None, 0, f"it cannot be fitted: {str(error).splitlines()[0]}")
        result.append({"days": length, "rows": len(chosen), "night": str(start), **_figure(figure)})
    whole = {"days": span, "rows": len(final.train), "night": str(first), **_figure(measure(scores))}
    return [*result, whole]


def _figure(value: Interval) -> dict[str, Any]:
    stated = asdict(value)
    return {"estimate": stated["estimate"], "low": stated["low"], "high": stated["high"], "reason": stated["reason"]}
