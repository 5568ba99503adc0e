"""All that explains a model: on stored rows of several nights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nightjar.errors import ModelError
from nightjar.evaluation.clusters import Clusters, Codes
from nightjar.evaluation.intervals import Interval
from nightjar.evaluation.metric_report import mean_interval
from nightjar.explanation.contributions import Contributions, NotAdditiveError, contributions
from nightjar.explanation.dependence import Dependence, dependence
from nightjar.explanation.sampled import sampled_contributions
from nightjar.explanation.surrogates import FEWEST_ROWS, SurrogateTree, surrogate_tree
from nightjar.models.predictor import Predictor

ROWS, SAMPLED_ROWS = 2_000, 40
"""Rows whose contributions are summed up, at most: of exact ones, and of sampled ones."""
CURVES = 50
"""Rows whose curves are drawn."""
SHOWN = 6
"""Columns whose dependence is computed: those that add most."""


@dataclass(frozen=True)
class Effect:
    """What a column adds to raw scores.

    Attributes:
        column: which.
        size: the mean absolute contribution, its interval over entities and nights; of several classes of their sum.
    """

    column: str
    size: Interval


@dataclass(frozen=True)
class ModelExplanation:
    """What a model goes by.

    Attributes:
        rows, nights: that it is explained on.
        output: of several classes the last one, of which dependences and surrogate are; None: there is one score.
        scale: of the raw score.
        is_sampled: whether contributions are sampled, which makes small ones look greater.
        effects: the greatest first.
        dependences: of the columns with the greatest effects.
        surrogate: a small tree that imitates it, fitted to the earlier half of the nights and judged on the later one.
    """

    rows: int
    nights: int
    output: str | None
    scale: str
    is_sampled: bool
    effects: Sequence[Effect]
    dependences: Sequence[Dependence]
    surrogate: SurrogateTree


def explain_model(predictor: Predictor, table: pa.Table, night: Codes, entity: Codes) -> ModelExplanation:
    """The explanation of a model on some rows.

    Args:
        predictor: the model.
        table: the rows' features.
        night: the number of each row's night, from 0, in the order of time.
        entity: the number of each row's entity.

    Raises:
        ModelError: too few rows or nights, or the table does not fit the model.
    """
    nights = int(night.max(initial=-1)) + 1
    is_early = night < nights // 2
    if nights < 2 or min(is_early.sum(), (~is_early).sum()) < FEWEST_ROWS:
        raise ModelError(
            f"Too few rows to explain the model by: {len(night):,} of {nights} nights, expected {FEWEST_ROWS} in each "
            "half of at least two nights. Take a later run date, once more nights have features."
        )
    random = np.random.default_rng(0)
    parts, rows = _contributions(predictor, table, random)
    sizes = np.abs(parts.values).sum(axis=1)
    clusters = Clusters(entity[rows], night[rows])
    effects = [Effect(name, mean_interval(sizes[:, at], clusters)) for at, name in enumerate(parts.columns)]
    effects.sort(key=lambda one: -(one.size.estimate or 0.0))
    drawn = table.take(_draw(random, len(night), CURVES))
    columns = [one.column for one in effects[:SHOWN] if one.size.estimate]
    return ModelExplanation(
        rows=len(night),
        nights=nights,
        output=predictor.classes[-1] if predictor.classes else None,
        scale=parts.scale,
        is_sampled=parts.error is not None,
        effects=effects,
        dependences=[dependence(predictor, drawn, name) for name in columns],
        surrogate=surrogate_tree(predictor, table.filter(pa.array(is_early)), table.filter(pa.array(~is_early))),
    )


def _contributions(predictor: Predictor, table: pa.Table, random: np.random.Generator) -> tuple[Contributions, Codes]:
    """Of some rows, and which these are."""
    rows = _draw(random, table.num_rows, ROWS)
    try:
        return contributions(predictor, table.take(rows)), rows
    except NotAdditiveError:
        rows = _draw(random, table.num_rows, SAMPLED_ROWS)
        return sampled_contributions(predictor, table.take(rows), table), rows


def _draw(random: np.random.Generator, rows: int, most: int) -> Codes:
    return np.sort(random.choice(rows, min(rows, most), replace=False)).astype(np.intp)
