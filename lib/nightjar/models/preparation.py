"""What turns features into the numbers an estimator takes. Fitted on training rows only, it travels with the estimator.

Both take a frame (models/columns.py) and give a float64 array; `get_feature_names_out` names its columns.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from nightjar.models.columns import FeatureColumn

MIN_FREQUENCY = 10
"""A category with fewer training rows shares one column with all other rare ones, and with those never seen."""

MOST_CATEGORIES = 64
"""How many columns one category feature becomes at most; keeps the dense array small for tail numbers and the like."""


def scaled(features: Sequence[FeatureColumn]) -> ColumnTransformer:
    """For linear models and networks: everything complete, and of about the same size.

    Numbers: null -> the training median, with a column that says so where training had nulls (all null: zero); then
    to mean 0 and standard deviation 1. Categories: one column each; null is a category like any other. One that is
    unseen counts as rare, or as none where training had no rare ones.
    """
    complete = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    one_hot = OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=MIN_FREQUENCY,
        max_categories=MOST_CATEGORIES,
        sparse_output=False,
    )
    return _by_type(features, numbers=make_pipeline(complete, StandardScaler()), categories=one_hot)


def ordinal(features: Sequence[FeatureColumn]) -> ColumnTransformer:
    """For boosting and rates: numbers as they are, categories as their place in code point order, null -> NaN.

    A category unseen in training is NaN too. Places are numbers to the trees: shap is silently wrong on native
    categorical splits.
    """
    places = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    return _by_type(features, numbers="passthrough", categories=places)


def with_values(features: Sequence[FeatureColumn], frame: pd.DataFrame) -> tuple[FeatureColumn, ...]:
    """The features with at least one value. scikit-learn 1.9 cannot bin a column without any for boosting."""
    return tuple(column for column in features if frame[column.name].notna().any())


def _by_type(features: Sequence[FeatureColumn], *, numbers: object, categories: object) -> ColumnTransformer:
    steps = {"number": numbers, "category": categories}
    named = {kind: [column.name for column in features if column.type == kind] for kind in steps}
    return ColumnTransformer([(kind, step, named[kind]) for kind, step in steps.items() if named[kind]])
