"""The feature that each of an estimator's inputs was prepared from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

# scikit-learn 1.9 exports its IterativeImputer only after this import.
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder

from nightjar.models.preprocessing.encoding import Hashed
from nightjar.models.preprocessing.level_codes import LevelCodes, native_steps
from nightjar.models.preprocessing.selection import Selected, WithValues
from nightjar.models.preprocessing.target_encoding import TargetShares
from nightjar.models.preprocessing.text import Terms

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Input:
    """One of an estimator's inputs.

    Attributes:
        column: the feature whose value alone decides it; None: several do.
        levels: of a native category: its codes are 0 to levels - 1, or NaN; 0 of a number.
    """

    column: str | None
    levels: int = 0


def inputs_of(prepared: Pipeline) -> list[Input]:
    """The inputs that a fitted preparation gives, in order."""
    (_, columns), *others = prepared.steps
    inputs = [one for _, step, names in columns.transformers_ for one in _of_group(step, list(names))]
    for _, step in others:
        match step:
            case WithValues() | Selected():
                inputs = [one for one, is_selected in zip(inputs, step.kept_, strict=True) if is_selected]
            case FeatureUnion():
                derived = [part[-1] for _, part in step.transformer_list if isinstance(part, Pipeline)]
                inputs += [Input(None) for one in derived for _ in one.get_feature_names_out()]
            case PCA():
                inputs = [Input(None)] * int(step.n_components_)
    return inputs


def drop_unused_levels(prepared: Pipeline, inputs: Floats) -> None:
    """Leave the levels of native categories that these inputs have, and number them anew, in the inputs, too.

    Rows that were left out after the preparation was fitted may have had others, which no tree knows.
    """
    steps = {name: (step[-1], at) for step, names in native_steps(prepared) for at, name in enumerate(names)}
    for place, one in enumerate(inputs_of(prepared)):
        if one.column is None or not one.levels:
            continue
        rows = ~np.isnan(inputs[:, place])
        used, codes = np.unique(inputs[rows, place].astype(np.intp), return_inverse=True)
        inputs[rows, place] = codes
        step, at = steps[one.column]
        step.levels_[at] = step.levels_[at][used]


def _of_group(step: Any, names: Sequence[str]) -> list[Input]:
    """The inputs that the transformer of some columns gives."""
    inputs = [Input(name) for name in names]
    for part in step if isinstance(step, Pipeline) else [step]:
        match part:
            case OneHotEncoder():
                inputs = _repeat(inputs, _columns_of(part))
            case Hashed():
                inputs = _repeat(inputs, [part.buckets] * len(inputs))
            case TargetShares():
                inputs = inputs * len(part.classes_)
            case Terms():
                inputs = _repeat(inputs, [len(part.get_feature_names_out())])
            case LevelCodes():
                inputs = [Input(name, len(levels)) for name, levels in zip(names, part.levels_, strict=True)]
            case SimpleImputer() | KNNImputer() | IterativeImputer():
                indicated = [] if part.indicator_ is None else [inputs[at] for at in part.indicator_.features_]
                is_joint = len(names) > 1 and not isinstance(part, SimpleImputer)
                inputs = [Input(None) if is_joint else one for one in inputs] + indicated
    return inputs


def _repeat(inputs: Sequence[Input], counts: Sequence[int]) -> list[Input]:
    return [one for one, count in zip(inputs, counts, strict=True) for _ in range(count)]


def _columns_of(encoder: OneHotEncoder) -> list[int]:
    """How many columns each feature becomes: one for each level, and one for all rare ones."""
    rare = getattr(encoder, "infrequent_categories_", None) or [None] * len(encoder.categories_)
    pairs = zip(encoder.categories_, rare, strict=True)
    return [len(levels) - (0 if few is None else len(few) - 1) for levels, few in pairs]
