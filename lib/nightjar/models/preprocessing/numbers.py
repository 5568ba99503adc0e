"""The preprocessing of number columns that share their settings."""

from collections.abc import Mapping
from typing import Any

# scikit-learn 1.9 exports its IterativeImputer only after this import.
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.column_rules import JOINT, scale_of
from nightjar.models.preprocessing.numeric_transformers import Binned, Bounded, Filled, Logged, Resized, Winsorised
from nightjar.models.preprocessing.power import Powered
from nightjar.settings.columns import Missing, Number, Scale, Shape

STRATEGIES: Mapping[Missing, str] = {
    Missing.MEAN: "mean",
    Missing.MEDIAN: "median",
    Missing.MODE: "most_frequent",
    Missing.CONSTANT: "constant",
}
"""scikit-learn's strategies of imputing a column by itself."""

SCALERS: Mapping[Scale, type[Any]] = {
    Scale.STANDARD: StandardScaler,
    Scale.MIN_MAX: MinMaxScaler,
    Scale.ROBUST: RobustScaler,
}


def number_steps(settings: Number, requirement: InputRequirement, seed: int) -> Any:
    """An unfitted transformer of a frame of numbers, as `Number` says."""
    shaped = _shape(settings)
    if settings.bins:
        return make_pipeline(Filled(), *shaped, *_bins(settings, requirement))
    scaled = _fill_and_scale(settings, requirement, seed)
    # For trees a column without a value is dropped instead: `WithValues`.
    return make_pipeline(Filled(), *shaped, Bounded(), *scaled) if shaped or scaled else make_pipeline(Bounded())


def _shape(settings: Number) -> list[Any]:
    steps: list[Any] = [] if settings.winsorise is None else [Winsorised(settings.winsorise)]
    if settings.shape is Shape.POWER:
        steps.append(Powered())
    elif settings.shape is not None:
        steps.append(Logged(signed=settings.shape is Shape.SIGNED_LOG))
    return steps


def _bins(settings: Number, requirement: InputRequirement) -> list[Any]:
    filled = [] if settings.missing in (None, Missing.KEEP) else [_of_one_column(settings, indicator=False)]
    binned = Binned(str(settings.bins and settings.bins.value), settings.bin_count, list(settings.edges))
    one_hot = (
        [OneHotEncoder(handle_unknown="ignore", sparse_output=False)]
        if requirement is InputRequirement.COMPLETE
        else []
    )
    return [*filled, binned, *one_hot]


def _fill_and_scale(settings: Number, requirement: InputRequirement, seed: int) -> list[Any]:
    missing = settings.missing or (Missing.MEDIAN if requirement is InputRequirement.COMPLETE else Missing.KEEP)
    joint = missing in JOINT
    scale = scale_of(settings, requirement)
    scaler = [] if scale is Scale.NONE else [Resized(), SCALERS[scale]()]
    if missing is Missing.KEEP:
        return scaler
    if joint:  # distances compare columns, so these are scaled first
        return [*scaler, _of_all_columns(settings, seed)]
    return [_of_one_column(settings, indicator=settings.indicator), *scaler]


def _of_one_column(settings: Number, *, indicator: bool) -> SimpleImputer:
    strategy = STRATEGIES[settings.missing or Missing.MEDIAN]
    constant = settings.constant if strategy == "constant" else None
    return SimpleImputer(strategy=strategy, fill_value=constant, add_indicator=indicator, keep_empty_features=True)


def _of_all_columns(settings: Number, seed: int) -> Any:
    if settings.missing is Missing.KNN:
        return KNNImputer(n_neighbors=settings.neighbours, add_indicator=settings.indicator, keep_empty_features=True)
    return IterativeImputer(random_state=seed, add_indicator=settings.indicator, keep_empty_features=True)
