"""Sampled Shapley values of any model, with their standard error."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from nightjar.errors import ModelError
from nightjar.explanation.contributions import Contributions, NotAdditiveError, contributions
from nightjar.explanation.raw_scores import raw_scores, scale_of
from nightjar.models.columns import to_frame
from nightjar.models.predictor import Predictor, require_features

Floats = npt.NDArray[np.float64]
PAIRS = 100
"""Pairs of orders that are drawn for each row."""


def explain(predictor: Predictor, table: pa.Table, background: pa.Table, seed: int = 0) -> Contributions:
    """What each column adds to each row's raw score: exactly where the model allows it, else sampled.

    Args:
        predictor: the model.
        table: the rows.
        background: other rows, from which sampled values take a column that is left out.
        seed: of what is drawn.

    Raises:
        ModelError: a table does not fit the model, or there are no background rows where they are needed.
    """
    try:
        return contributions(predictor, table)
    except NotAdditiveError:
        return sampled_contributions(predictor, table, background, seed=seed)


def sampled_contributions(
    predictor: Predictor, table: pa.Table, background: pa.Table, *, pairs: int = PAIRS, seed: int = 0
) -> Contributions:
    """Shapley values of the game in which a column that is left out has the value of a random background row.

    Columns come in one after another, in a random order and then in its reverse, over a row that is drawn anew for each
    pair (Mitchell et al., "Sampling permutations for Shapley value estimation", 2022, antithetic sampling). A value is
    the mean gain of its column, and its error the standard error over the pairs. The base is the mean raw score of the
    rows drawn, so that each row's values sum to its raw score exactly, whatever their error; with several rows to
    explain, it is the same for all, as all meet the same orders and background rows.

    Raises:
        ModelError: a table does not fit the model, or there are no background rows.
    """
    for one in (table, background):
        require_features(predictor.features, one.schema)
    if not background.num_rows:
        raise ModelError("Sampled contributions need background rows: there are none.")
    names = tuple(column.name for column in predictor.features)
    random = np.random.default_rng(seed)
    order = random.random((pairs, len(names))).argsort(axis=1).argsort(axis=1)
    drawn = to_frame(background.take(random.integers(0, background.num_rows, pairs)), predictor.features)
    frame, coalitions = to_frame(table, predictor.features), _coalitions(order)
    parts = [_of_row(predictor, frame.iloc[[row]], drawn, coalitions, order) for row in range(len(frame))]
    # From the same call as the gains: where neighbours are equally far, scores depend on how many rows are scored.
    base = parts[0][2] if parts else raw_scores(predictor, drawn).mean(axis=0)
    values, errors = (
        np.array([part[which] for part in parts]).reshape(len(frame), len(base), len(names)) for which in (0, 1)
    )
    return Contributions(names, values, base, scale_of(predictor), errors)


def _coalitions(order: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Which columns are in, (pairs, 2 x columns, columns): 0 to all of them in order, then 1 to all but one in reverse.

    `order` is the place of each column, (pairs, columns).
    """
    columns = order.shape[1]
    sizes = np.arange(columns + 1)[:, np.newaxis]
    forward = order[:, np.newaxis] < sizes
    backward = order[:, np.newaxis] >= columns - sizes[1:-1]
    return np.concatenate([forward, backward], axis=1)


def _of_row(
    predictor: Predictor,
    row: pd.DataFrame,
    drawn: pd.DataFrame,
    coalitions: npt.NDArray[np.bool_],
    order: npt.NDArray[np.intp],
) -> tuple[Floats, Floats, Floats]:
    """The values of a row and their errors, (outputs, columns) each, and the base, (outputs,)."""
    pairs, steps, columns = coalitions.shape
    is_in = coalitions.reshape(-1, columns)
    mixed = {
        name: np.where(is_in[:, place], row[name].to_numpy(), np.repeat(drawn[name].to_numpy(), steps))
        for place, name in enumerate(drawn)
    }
    scores = raw_scores(predictor, pd.DataFrame(mixed)).reshape(pairs, steps, -1)
    forward = scores[:, : columns + 1]
    backward = np.concatenate([scores[:, :1], scores[:, columns + 1 :], scores[:, columns : columns + 1]], axis=1)
    gain_forward = np.take_along_axis(np.diff(forward, axis=1), order[:, :, np.newaxis], axis=1)
    gain_backward = np.take_along_axis(np.diff(backward, axis=1), columns - 1 - order[:, :, np.newaxis], axis=1)
    gains = (gain_forward + gain_backward) / 2
    return gains.mean(axis=0).T, gains.std(axis=0, ddof=1).T / np.sqrt(pairs), scores[:, 0].mean(axis=0)
