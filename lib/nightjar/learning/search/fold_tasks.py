"""The tasks of a search, one candidate on one fold each, and their results."""

from collections.abc import Mapping
from dataclasses import dataclass

from nightjar.learning.fitting.candidates import Candidate
from nightjar.settings.task import Metric


@dataclass(frozen=True)
class FoldTask:
    """One candidate to be fitted and measured on one fold, given by the fold's position."""

    candidate: Candidate
    fold: int


@dataclass(frozen=True)
class FoldResult:
    """One candidate's result on one fold.

    Attributes:
        candidate: its name.
        fold: the fold's name.
        seed: of the fit.
        measures: of the fold's test rows; empty where it failed.
        seconds: of fit and measures.
        failure: the traceback of what went wrong, or None.
    """

    candidate: str
    fold: str
    seed: int
    measures: Mapping[str, float | None]
    seconds: float
    failure: str | None = None


@dataclass(frozen=True)
class FoldValues:
    """A candidate's values of the metric on the folds it ran on, in the order of the folds; greater is better.

    Attributes:
        values: None where it failed.
        folds: the number of folds of a candidate that is never stopped.
    """

    values: tuple[float | None, ...]
    folds: int


def value_of(result: FoldResult, metric: Metric) -> float | None:
    """The metric with its sign such that greater is better; None where the candidate failed or it is undefined."""
    value = result.measures.get(metric.value)
    return None if value is None else (value if metric.greater_is_better else -value)
