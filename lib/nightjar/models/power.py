"""Yeo-Johnson's power transformation of columns wherever they lie and however small they are."""

import logging
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import validate_data

Floats = npt.NDArray[np.float64]

log = logging.getLogger("nightjar.models")


class Powered(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Numbers bent until they are as near to a normal distribution as a power can bring them. Null stays NaN.

    The power bends around 0 and within about 1 of it (Yeo & Johnson, "A new family of power transformations to improve
    normality or symmetry", 2000; the most likely one, by SciPy). Far from there, such as 1000000, 1000001, 1000005, it
    would have to be so steep that all digits are lost: a column whose interquartile range (standard deviation where
    that is 0) is below 1, or below the size of its median, is first centred at its median and divided by that range. A
    column of one value, or one of whose values two would still become one, stays as it is.

    Attributes:
        centre_, spread_, power_: of each column; 0, 1 and 1 where it stays as it is.
    """

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Find the powers."""
        validate_data(self, frame, skip_check_array=True)
        found = [_fitted(name, np.unique(frame[name].dropna()), frame[name].dropna().to_numpy()) for name in frame]
        self.centre_, self.spread_, self.power_ = np.array(found, dtype=np.float64).reshape(-1, 3).T
        return self

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The bent numbers; infinite where the power takes a value out of all bounds."""
        validate_data(self, frame, reset=False, skip_check_array=True)
        found = zip(self.centre_, self.spread_, self.power_, strict=True)
        bent = [_bent(frame[name].to_numpy(), *one) for name, one in zip(frame, found, strict=True)]
        return pd.DataFrame(dict(zip(frame.columns, bent, strict=True)), index=frame.index)


AS_IT_IS = (0.0, 1.0, 1.0)


def _fitted(name: Any, distinct: Floats, values: Floats) -> tuple[float, float, float]:
    """Centre, spread and power of a column, by its values that are there."""
    if len(distinct) < 2:
        return AS_IT_IS
    with np.errstate(all="ignore"):
        centre, spread = _place(values)
        try:
            power = float(stats.yeojohnson((values - centre) / spread)[1])
        except ValueError:  # SciPy has found no power
            power = np.nan
        steps = np.diff(_bent(distinct, centre, spread, power))
    if (steps > 0).all() and np.isfinite(steps).all():
        return centre, spread, power
    log.warning("%s stays as it is: no power can be found for it that keeps its values apart", name)
    return AS_IT_IS


def _place(values: Floats) -> tuple[float, float]:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    spread = float(high - low) or float(np.std(values))
    return (0.0, 1.0) if spread >= max(1.0, abs(median)) else (float(median), spread)


def _bent(values: Floats, centre: float, spread: float, power: float) -> Floats:
    if (centre, spread, power) == AS_IT_IS:
        return values
    with np.errstate(over="ignore"):
        bent: Floats = stats.yeojohnson((values - centre) / spread, power)
    return bent
