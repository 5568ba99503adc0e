"""All that explains the score of one row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.explanation.counterfactuals import Counterfactual, counterfactuals
from nightjar.explanation.raw_scores import PROBABILITY
from nightjar.explanation.sampled import explain
from nightjar.explanation.sum_check import require_sums
from nightjar.explanation.surrogates import LocalSurrogate, local_surrogate
from nightjar.models.predictor import Predictor
from nightjar.settings.explaining import Actionable

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """What a column adds to the raw score of a row.

    Attributes:
        column: which.
        value: the row's.
        added: to the raw score.
        error: its standard error where it is sampled; None: it is exact.
    """

    column: str
    value: Any
    added: float
    error: float | None


@dataclass(frozen=True)
class RowExplanation:
    """Why a row has its score.

    Attributes:
        score: that the model gives it today: a value, or of several classes the probability of `output`.
        output: of several classes the predicted one.
        base: the raw score where nothing is known of the row.
        scale: of the raw score.
        effects: the greatest first; with the base they sum to the raw score.
        surrogate: a linear model around the row.
        threshold: of the score, from which on the decision is another one; None: there is none.
        counterfactuals: rows on the other side of it; None: none were looked for.
        background: how many other rows the explanation is beside.
    """

    score: float
    output: str | None
    base: float
    scale: str
    effects: Sequence[Effect]
    surrogate: LocalSurrogate
    threshold: float | None
    counterfactuals: Sequence[Counterfactual] | None
    background: int


def explain_row(
    predictor: Predictor,
    row: pa.Table,
    background: pa.Table,
    actionable: Mapping[str, Actionable],
    *,
    threshold: float | None = None,
    predicted: str | None = None,
) -> RowExplanation:
    """The explanation of a row.

    Args:
        predictor: the model.
        row: the features of the row.
        background: other rows.
        actionable: how columns may be changed; none: no counterfactual is looked for.
        threshold: of the score; None: it decides nothing.
        predicted: of several classes the one that was predicted, which by costs need not be the most likely one.

    Raises:
        ModelError: a table does not fit the model, contributions do not sum to its score, or the model reads no
            actionable column.
    """
    scores = predictor.predict(row)
    code = None if predicted is None else predictor.classes.index(predicted)
    base, scale, effects = _effects(predictor, row, background, scores, code)
    is_decided = threshold is not None and bool(actionable) and code is None
    return RowExplanation(
        score=float(scores[0] if code is None else scores[0, code]),
        output=predicted,
        base=base,
        scale=scale,
        effects=sorted(effects, key=lambda one: -abs(one.added)),
        surrogate=local_surrogate(predictor, row, background, output=-1 if code is None else code),
        threshold=threshold,
        counterfactuals=counterfactuals(predictor, row, background, actionable, threshold)
        if is_decided and threshold is not None
        else None,
        background=background.num_rows,
    )


def _effects(
    predictor: Predictor, row: pa.Table, background: pa.Table, scores: Floats, code: int | None
) -> tuple[float, str, list[Effect]]:
    """The base, the scale of the raw score, and what columns add; none to a class that training has not seen."""
    parts = explain(predictor, row, background)
    require_sums(predictor, row, parts, scores)
    is_seen = predictor.is_seen()
    if code is not None and not is_seen[code]:
        return 0.0, PROBABILITY, []
    place, errors = int(is_seen[:code].sum()) if code is not None else 0, parts.error
    effects = [
        Effect(
            name,
            row[name][0].as_py(),
            float(parts.values[0, place, at]),
            None if errors is None else float(errors[0, place, at]),
        )
        for at, name in enumerate(parts.columns)
    ]
    return float(parts.base[place]), parts.scale, effects
