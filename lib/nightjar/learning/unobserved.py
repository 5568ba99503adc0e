"""The rows of the final period that a new version would act on, and those of them without an outcome."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.rows import Floats
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.group_thresholds import threshold_of_rows
from nightjar.learning.splits.folding import Fold
from nightjar.models.predictor import Predictor
from nightjar.registry.tiers import TierThreshold
from nightjar.settings.project import Project
from nightjar.settings.spine import WEIGHT
from nightjar.tables import arrow
from nightjar.tables.predictions import ASSIGNMENT, EXPLORATION
from nightjar.tables.warehouse import Warehouse


def count_unobserved(
    warehouse: Warehouse,
    project: Project,
    rows: TrainingSet,
    final: Fold,
    final_scores: Floats,
    predictor: Predictor,
    tiers: Sequence[TierThreshold],
) -> Mapping[str, Any] | None:
    """What `registry.gates.outcomes_seen` reads in the evidence.

    Rows of the period that are not among the training rows have no outcome, or one that acting has changed. No fit has
    seen an outcome of theirs, so that the final one may score them; where self-training has let one without an outcome
    join, it is with the label that the score says already. The share that needs a person holds until the period has a
    row that was drawn so that nobody acts on it, that the version would act on, and whose outcome is known.

    Args:
        warehouse: where `features` and `scores` lie.
        project: says what share needs a person.
        rows: the training rows.
        final: the final period.
        final_scores: of its rows, by a fit that has not seen them.
        predictor: the final fit.
        tiers: their thresholds, in their order; none: nobody decides by the score.
    """
    if not tiers:
        return None
    tier = tiers[-1]
    weight = np.ones(len(rows.label)) if rows.weight is None else rows.weight
    others = _others(warehouse, rows, final, tier.columns)
    score = predictor.predict(others) if len(others) else np.array([])
    other_weight = _weights(others)
    without = float(other_weight[score >= threshold_of_rows(tier, others)].sum())
    columns = None if rows.slices is None else rows.slices.take(final.test)
    chosen = final.test[final_scores >= threshold_of_rows(tier, columns)]
    acted_on = without + float(weight[chosen].sum())
    at_most = None if _is_any_drawn(warehouse, rows.key.take(chosen), final) else project.feedback.without_outcome
    return {"acted_on": acted_on, "without_outcome": without, "at_most": at_most}


def _is_any_drawn(warehouse: Warehouse, keys: pa.Table, final: Fold) -> bool:
    """Whether some row of the period, as it was served, was drawn so that nobody acted on it, whatever its score."""
    if not arrow.exists(warehouse, "scores") or ASSIGNMENT not in arrow.schema(warehouse, "scores").names:
        return False
    served = _of_period(final) & (pc.field("role") == "champion") & (pc.field(ASSIGNMENT) == EXPLORATION)
    drawn = arrow.read(warehouse, "scores", keys.column_names, served)
    return len(keys.join(drawn, keys.column_names, join_type="left semi")) > 0


def _others(warehouse: Warehouse, rows: TrainingSet, final: Fold, of_groups: Sequence[str]) -> pa.Table:
    """The period's rows that are not among the training rows."""
    key, version = rows.key.column_names, rows.versions["features"]
    weight = [WEIGHT] if WEIGHT in arrow.schema(warehouse, "features", version).names else []
    names = list(dict.fromkeys([*key, *(column.name for column in rows.columns), *weight, *of_groups]))
    return arrow.read(warehouse, "features", names, _of_period(final), version).join(
        rows.key, key, join_type="left anti"
    )


def _of_period(final: Fold) -> pc.Expression:
    return (pc.field("run_date") >= pa.scalar(final.start)) & (pc.field("run_date") <= pa.scalar(final.end))


def _weights(others: pa.Table) -> Floats:
    if WEIGHT not in others.column_names:
        return np.ones(len(others))
    weights: Floats = np.nan_to_num(others[WEIGHT].to_numpy().astype(np.float64), nan=1.0)
    return weights
