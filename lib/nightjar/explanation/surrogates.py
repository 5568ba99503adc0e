"""Simple models that imitate a model: a small tree of all rows, a linear one around a row, each with its fidelity."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from nightjar.errors import ModelError
from nightjar.models.columns import to_frame
from nightjar.models.predictor import Predictor

Floats = npt.NDArray[np.float64]

LEAVES = 8
"""Of a surrogate tree: what fits a page."""
FEWEST_ROWS = 30
"""Rows below which a surrogate says nothing about others."""
ROUNDING = 1e-9
"""A split that explains less of the scores' variance explains none of it."""
WIDTH = 0.25
"""The share of columns with another value at which a row weighs 1 / e."""
NAMED = 5
"""Levels that a condition names."""
SAMPLES = 2_000
"""Rows that are drawn around a row, for the fit and again for its fidelity."""


@dataclass(frozen=True)
class Leaf:
    """A leaf of a surrogate tree.

    Attributes:
        conditions: that its rows fulfil, as text; none of a tree that parts nothing.
        score: the mean score there.
        share: of the rows.
        columns: the one that each condition is on.
    """

    conditions: tuple[str, ...]
    score: float
    share: float
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class SurrogateTree:
    """A tree that imitates the scores.

    Attributes:
        leaves: highest score first.
        fidelity: the share of the scores' variance that it explains on rows it was not fitted to; None: they do not
            vary.
        rows: that it was fitted to.
    """

    leaves: tuple[Leaf, ...]
    fidelity: float | None
    rows: int


@dataclass(frozen=True)
class LocalSurrogate:
    """A linear model of the score around one row.

    Attributes:
        columns: that the model reads.
        effects: what having the row's own value in each adds to the score, beside the value of another row.
        fidelity: the share of the scores' variance around the row that it explains, on rows drawn anew; None: they do
            not vary.
    """

    columns: tuple[str, ...]
    effects: tuple[float, ...]
    fidelity: float | None


def surrogate_tree(predictor: Predictor, table: pa.Table, test: pa.Table, output: int = -1) -> SurrogateTree:
    """A tree of at most `LEAVES` leaves, fitted to the scores of some rows, with its fidelity on others.

    Levels of a category are taken in the order of their mean score. Source: Craven and Shavlik, "Extracting
    tree-structured representations of trained networks", 1996, for fidelity.

    Args:
        predictor: the model.
        table: rows to fit it to.
        test: other rows, best of other nights.
        output: of several classes, which.

    Raises:
        ModelError: fewer than `FEWEST_ROWS` rows of either.
    """
    if min(table.num_rows, test.num_rows) < FEWEST_ROWS:
        raise ModelError(
            f"A surrogate tree needs {FEWEST_ROWS} rows to imitate and as many to be judged on: there are "
            f"{table.num_rows:,} and {test.num_rows:,}. Take more nights."
        )
    frame, test_frame = (to_frame(one, predictor.features) for one in (table, test))
    scores, test_scores = (_one_output(predictor.predict(one), output) for one in (table, test))
    names = [column.name for column in predictor.features]
    levels = {name: _by_score(frame[name], scores) for name in names if frame[name].dtype == object}
    if not names or float(np.ptp(scores)) == 0:
        return SurrogateTree((Leaf((), float(scores[0]), 1.0),), None, len(scores))
    tree = DecisionTreeRegressor(
        max_leaf_nodes=LEAVES,
        min_samples_leaf=max(1, len(scores) // 100),
        min_impurity_decrease=ROUNDING * float(np.var(scores)),
        random_state=0,
    ).fit(_numbers(frame, levels), scores)
    lacking = [name for name in names if frame[name].isna().any()]
    leaves = sorted(_leaves(tree.tree_, names, levels, lacking), key=lambda leaf: -leaf.score)
    return SurrogateTree(
        tuple(leaves), _explained(test_scores, tree.predict(_numbers(test_frame, levels))), len(scores)
    )


def local_surrogate(
    predictor: Predictor, row: pa.Table, background: pa.Table, *, seed: int = 0, output: int = -1
) -> LocalSurrogate:
    """A linear model of which columns have the row's own value, around one row.

    Rows are drawn that have the row's value in each column with a chance of a half, else that of a background row; the
    fewer they share with it, the less they weigh. Source: Ribeiro, Singh and Guestrin, "Why should I trust you?", 2016
    (LIME), with whole background rows in place of independent draws.

    Raises:
        ModelError: no background rows.
    """
    if not background.num_rows:
        raise ModelError("A local surrogate needs background rows: there are none.")
    names = tuple(column.name for column in predictor.features)
    if not names:
        return LocalSurrogate((), (), None)
    random = np.random.default_rng(seed)
    own, others = (to_frame(one, predictor.features) for one in (row, background))
    is_own, scores, weights = _around(predictor, own, others, random, output)
    fitted = Ridge(alpha=1e-3).fit(is_own, scores, weights)
    is_own, scores, weights = _around(predictor, own, others, random, output)
    fidelity = _explained(scores, fitted.predict(is_own), weights)
    return LocalSurrogate(names, tuple(fitted.coef_.tolist()), fidelity)


def _around(
    predictor: Predictor, own: pd.DataFrame, others: pd.DataFrame, random: np.random.Generator, output: int
) -> tuple[Floats, Floats, Floats]:
    """Which columns have the row's own value, (rows, columns), the scores, and the weights."""
    is_own = random.random((SAMPLES, own.shape[1])) < 1 / 2
    is_own[0] = True
    drawn = others.iloc[random.integers(0, len(others), SAMPLES)]
    mixed = {
        name: np.where(is_own[:, place], own[name].to_numpy(), drawn[name].to_numpy()) for place, name in enumerate(own)
    }
    scores = _one_output(predictor.scores(pd.DataFrame(mixed)), output)
    distance = 1 - is_own.mean(axis=1)
    return is_own.astype(np.float64), scores, np.exp(-((distance / WIDTH) ** 2))


def _one_output(scores: Floats, output: int) -> Floats:
    return scores if scores.ndim == 1 else scores[:, output]


def _explained(scores: Floats, imitated: Floats, weights: Floats | None = None) -> float | None:
    centre = np.average(scores, weights=weights)
    total = float(np.average((scores - centre) ** 2, weights=weights))
    if total <= np.finfo(np.float64).eps * max(1.0, centre**2):
        return None
    return 1 - float(np.average((scores - imitated) ** 2, weights=weights)) / total


def _by_score(column: "pd.Series[Any]", scores: Floats) -> list[str]:
    """The levels of a category by their mean score."""
    return list(pd.Series(scores).groupby(column.to_numpy()).mean().sort_values(kind="stable").index)


def _numbers(frame: pd.DataFrame, levels: dict[str, list[str]]) -> Floats:
    """Numbers as they are, categories as places; one that is not among the levels is missing."""
    columns = [
        frame[name].map({level: place for place, level in enumerate(levels[name])}) if name in levels else frame[name]
        for name in frame
    ]
    return np.column_stack([column.to_numpy(dtype=np.float64) for column in columns])


@dataclass(frozen=True)
class _Range:
    """What a path says of a column: above `low`, not above `high`; whether a missing value goes along."""

    low: float = -np.inf
    high: float = np.inf
    missing: bool = True


def _leaves(tree: Any, names: Sequence[str], levels: dict[str, list[str]], lacking: Collection[str]) -> list[Leaf]:
    """The leaves; `lacking` are the columns of which some rows have no value."""
    stack: list[tuple[int, dict[str, _Range]]] = [(0, {})]
    leaves = []
    while stack:
        node, ranges = stack.pop()
        if tree.children_left[node] < 0:
            share = float(tree.n_node_samples[node] / tree.n_node_samples[0])
            texts = [_condition(name, one, levels.get(name), lacking) for name, one in ranges.items()]
            leaves.append(Leaf(tuple(texts), float(tree.value[node, 0, 0]), share, tuple(ranges)))
            continue
        name, threshold = names[tree.feature[node]], float(tree.threshold[node])
        own, lower = ranges.get(name, _Range()), bool(tree.missing_go_to_left[node])
        below = _Range(own.low, threshold, own.missing and lower)
        above = _Range(threshold, own.high, own.missing and not lower)
        stack += [(int(tree.children_left[node]), ranges | {name: below})]
        stack += [(int(tree.children_right[node]), ranges | {name: above})]
    return leaves


def _condition(name: str, within: _Range, levels: list[str] | None, lacking: Collection[str]) -> str:
    end = " or missing" if within.missing and name in lacking else ""
    if levels is None:
        low, high = (f"{one:.4g}" if np.isfinite(one) else "" for one in (within.low, within.high))
        words = f"{low} < {name} <= {high}" if low and high else f"{name} > {low}" if low else f"{name} <= {high}"
        return f"({words}{end})" if end else words
    own = [level for place, level in enumerate(levels) if within.low < place <= within.high]
    more = f" and {len(own) - NAMED} more" if len(own) > NAMED else ""
    words = f"{name} in {', '.join(own[:NAMED])}{more}" if own else f"{name} missing"
    return f"({words}{end})" if own and end else words
