"""A network's inputs: numbers of about unit size, then the codes of the categories that it embeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OrdinalEncoder

from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import InnerSplit
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.categories import MIN_FREQUENCY
from nightjar.models.preprocessing.preparation import preparation
from nightjar.settings.preparation import Preparation
from nightjar.settings.task import Task


def network_preparation(
    features: Sequence[FeatureColumn],
    settings: Preparation,
    names: Sequence[str],
    *,
    task: Task,
    seed: int,
    inner: Sequence[InnerSplit] = (),
) -> Any:
    """An unfitted preparation that gives the other features as the settings say, then a code for each of the names.

    Codes count from 0; values rarer than `MIN_FREQUENCY` share one. A null is -1, and so is an unseen value where
    training had no rare ones. Derived columns, selections and components use the other features only. Without names
    it is the preparation of any estimator that needs complete inputs.
    """
    if not names:
        return preparation(features, settings, InputRequirement.COMPLETE, task=task, seed=seed, inner=inner)
    others = [column for column in features if column.name not in names]
    prepared = (
        preparation(others, settings, InputRequirement.COMPLETE, task=task, seed=seed, inner=inner) if others else None
    )
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1, min_frequency=MIN_FREQUENCY
    )
    steps = [] if prepared is None else [("prepared", prepared, [column.name for column in others])]
    return ColumnTransformer([*steps, ("embedded", codes, list(names))], sparse_threshold=0)


def levels_of(inputs: npt.NDArray[np.float64], count: int) -> Mapping[int, int]:
    """Column -> codes in the training inputs and one for null, for the last `count` columns."""
    width = inputs.shape[1]
    return {column: int(inputs[:, column].max()) + 2 for column in range(width - count, width)}
