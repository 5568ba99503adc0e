"""The preprocessing of category columns that share their settings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from nightjar.models.examples import InnerSplit
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.encoding import Frequencies, Hashed, LevelTexts
from nightjar.models.preprocessing.level_codes import LevelCodes
from nightjar.models.preprocessing.target_encoding import TargetMeans, TargetShares
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.task import Task

MIN_FREQUENCY = 10
"""A category with fewer training rows shares one column with all other rare and all unseen ones."""

MOST_CATEGORIES = 64
"""The most columns that one category feature becomes, so that names and the like keep the dense array small."""


def category_steps(settings: Category, requirement: InputRequirement, inner: Sequence[InnerSplit], task: Task) -> Any:
    """An unfitted transformer of a frame of categories, as `Category` says; `inner` is for target encoding."""
    complete = requirement is InputRequirement.COMPLETE
    encoding = settings.encoding or (Encoding.ONE_HOT if complete else Encoding.ORDINAL)
    steps: list[Any] = [
        LevelTexts(settings.missing and settings.missing.value),
        _encoder(encoding, settings, inner, task),
    ]
    if complete and encoding is Encoding.ORDINAL:  # unseen values and nulls come before code 0
        steps.append(SimpleImputer(strategy="constant", fill_value=-1.0, keep_empty_features=True))
    if complete and encoding in (Encoding.ORDINAL, Encoding.TARGET, Encoding.FREQUENCY):
        steps.append(StandardScaler())
    return make_pipeline(*steps)


def _encoder(encoding: Encoding, settings: Category, inner: Sequence[InnerSplit], task: Task) -> Any:
    match encoding:
        case Encoding.ONE_HOT:
            return OneHotEncoder(
                handle_unknown="infrequent_if_exist",
                min_frequency=settings.min_frequency or MIN_FREQUENCY,
                max_categories=settings.max_categories or MOST_CATEGORIES,
                sparse_output=False,
            )
        case Encoding.ORDINAL:
            return OrdinalEncoder(
                handle_unknown="use_encoded_value",
                unknown_value=np.nan,
                min_frequency=settings.min_frequency,
                max_categories=settings.max_categories,
            )
        case Encoding.TARGET:
            of_labels = TargetShares if task is Task.MULTICLASS else TargetMeans
            return of_labels(settings.pseudo_count, inner)
        case Encoding.FREQUENCY:
            return Frequencies()
        case Encoding.HASHING:
            return Hashed(settings.buckets)
        case Encoding.NATIVE:
            return LevelCodes()
