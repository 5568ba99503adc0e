"""Yeo-Johnson's power transformation of columns of any location and scale."""

import logging
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from nightjar.models.columns import LARGEST

Floats = npt.NDArray[np.float64]

log = logging.getLogger("nightjar.models")


class Powered(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers transformed by the power that brings them nearest to a normal distribution. Null stays NaN.

    The transformation is curved around 0, within about 1 of it (Yeo & Johnson, "A new family of power transformations
    to improve normality or symmetry", 2000; maximum likelihood, by SciPy). Far from there, as for 1000000, 1000001,
    1000005, the power would have to be so steep that all digits are lost: a column whose interquartile range (standard
    deviation where that is 0) is below 1, or below the size of its median, is first centred at its median and divided
    by that range. A column stays as it is if it has one value, or if two values would still become equal or one greater
    than models compute with.

    Attributes:
        centre_, spread_, power_: of each column; 0, 1 and 1 where it stays as it is.
    """

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Fit the powers."""
        validate_data(self, frame, skip_check_array=True)
        fitted = [_fit_column(name, np.unique(frame[name].dropna()), frame[name].dropna().to_numpy()) for name in frame]
        self.centre_, self.spread_, self.power_ = np.array(fitted, dtype=np.float64).reshape(-1, 3).T
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The transformed numbers; infinite where the power overflows."""
        validate_data(self, frame, reset=False, skip_check_array=True)
        fitted = zip(self.centre_, self.spread_, self.power_, strict=True)
        columns = [_transform(frame[name].to_numpy(), *one) for name, one in zip(frame, fitted, strict=True)]
        return pd.DataFrame(dict(zip(frame.columns, columns, strict=True)), index=frame.index)


AS_IT_IS = (0.0, 1.0, 1.0)


def _fit_column(name: Any, distinct: Floats, values: Floats) -> tuple[float, float, float]:
    """Centre, spread and power of a column, from its values that are not null."""
    if len(distinct) < 2:
        return AS_IT_IS
    with np.errstate(all="ignore"):
        centre, spread = _centre_and_spread(values)
        try:
            power = float(stats.yeojohnson((values - centre) / spread)[1])
        except ValueError:  # SciPy cannot fit a power
            power = np.nan
        transformed = _transform(distinct, centre, spread, power)
        stay_apart = (np.diff(transformed) > 0).all()
    if stay_apart and (np.abs(transformed) <= LARGEST).all():
        return centre, spread, power
    log.warning("%s stays as it is: no power can be found for it that keeps its values apart", name)
    return AS_IT_IS


def _centre_and_spread(values: Floats) -> tuple[float, float]:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    spread = float(high - low) or float(np.std(values))
    return (0.0, 1.0) if spread >= max(1.0, abs(median)) else (float(median), spread)


def _transform(values: Floats, centre: float, spread: float, power: float) -> Floats:
    if (centre, spread, power) == AS_IT_IS:
        return values
    with np.errstate(over="ignore"):
        transformed: Floats = stats.yeojohnson((values - centre) / spread, power)
    return transformed
