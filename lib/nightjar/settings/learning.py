"""Settings of model candidates and of the search over them."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING

from nightjar.settings.checks import require, require_duration, require_filled


class Estimator(Enum):
    MAJORITY = "majority"
    RATE = "rate"
    LOGISTIC = "logistic"
    BOOSTING = "boosting"
    NETWORK = "network"


class Metric(Enum):
    """What the search optimises; both are computed for every fold."""

    ROC_AUC = "roc_auc"
    LOG_LOSS = "log_loss"


@dataclass
class Model:
    """One estimator, or a grid of them.

    Attributes:
        estimator: which one.
        baseline: whether a champion must beat it rather than be it.
        parameters: the estimator's own parameters, fixed.
        grid: parameter -> values; every combination is one candidate.
        drop: features this estimator does not use.
    """

    estimator: Estimator = MISSING
    baseline: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, list[Any]] = field(default_factory=dict)
    drop: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Check that no parameter is both fixed and searched."""
        both = sorted(set(self.parameters) & set(self.grid))
        require(not both, "grid", both, "parameters that are not fixed in `parameters`")
        for name, values in self.grid.items():
            require_filled(f"grid.{name}", values)


@dataclass
class Search:
    """The search: candidates, walk-forward folds, and the final period that it never sees.

    Attributes:
        candidates: name -> model.
        metric: what decides.
        folds: number of walk-forward folds.
        test_days: local dates in each fold's test period.
        final_days: local dates in the final period, which ends before the run date.
        embargo: training rows' labels are known at least this long before the test period starts.
        seed: of every random choice.
    """

    candidates: dict[str, Model] = field(default_factory=dict)
    metric: Metric = Metric.ROC_AUC
    folds: int = 3
    test_days: int = 28
    final_days: int = 28
    embargo: str = "0d"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the counts, and that there is a baseline and something to compare with it."""
        for name in ("folds", "test_days", "final_days"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        require_duration("embargo", self.embargo)
        baselines = [name for name, model in self.candidates.items() if model.baseline]
        require(len(baselines) > 0, "candidates", sorted(self.candidates), "at least one with baseline: true")
        require(len(baselines) < len(self.candidates), "candidates", baselines, "at least one that is no baseline")
