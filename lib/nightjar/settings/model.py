"""Settings of a model candidate: its estimator, parameters or the space they are searched in, and all around it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING

from nightjar.settings.checks import require, require_filled
from nightjar.settings.columns import Encoding
from nightjar.settings.labelling import SelfTraining
from nightjar.settings.preparation import Imbalance, Preparation


class Estimator(Enum):
    """What learns. models/estimators/estimator_registry.py says what each one is made of and which tasks it can do."""

    MAJORITY = "majority"
    MEAN = "mean"
    RULE = "rule"
    RATE = "rate"
    LINEAR = "linear"
    LOGISTIC = "logistic"
    TREE = "tree"
    FOREST = "forest"
    BOOSTING = "boosting"
    NEIGHBOURS = "neighbours"
    NETWORK = "network"
    SKLEARN = "sklearn"
    BAGGING = "bagging"
    VOTING = "voting"
    STACKING = "stacking"


ENSEMBLES = frozenset({Estimator.BAGGING, Estimator.VOTING, Estimator.STACKING})
"""Made of other candidates, their members."""


class Calibration(Enum):
    """How scores become honest probabilities, by a curve fitted on out-of-fold predictions."""

    NONE = "none"
    PLATT = "platt"
    ISOTONIC = "isotonic"


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included.

    Attributes:
        low: the smallest.
        high: the greatest.
        log: whether each order of magnitude is as likely as the next.
        whole: whether only whole numbers count.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False


@dataclass
class Model:
    """One estimator, or a space of them.

    Attributes:
        estimator: which one.
        baseline: whether a champion must beat it rather than be it.
        parameters: the estimator's own parameters, fixed.
        space: parameter -> what is tried: a list of values (each may itself be a list), or the mapping
            {low, high, log: false, whole: false}; see `dimension`.
        drop: features this estimator does not use.
        preparation: how features become the estimator's numbers.
        imbalance: how unequal classes are evened out.
        calibration: of a classification's probabilities.
        members: for BAGGING (one), VOTING and STACKING: names of other candidates.
        self_training: of a classification: rows without a label join with the one that is predicted, where it is sure.
        class_name: for SKLEARN: the dotted name of a class, such as sklearn.ensemble.ExtraTreesClassifier.
    """

    estimator: Estimator = MISSING
    baseline: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    space: dict[str, Any] = field(default_factory=dict)
    drop: list[str] = field(default_factory=list)
    preparation: Preparation = field(default_factory=Preparation)
    imbalance: Imbalance = field(default_factory=Imbalance)
    calibration: Calibration = Calibration.NONE
    members: list[str] = field(default_factory=list)
    self_training: SelfTraining = field(default_factory=SelfTraining)
    class_name: str | None = None

    def __post_init__(self) -> None:
        """Check the space, and that an ensemble has members and no other estimator does."""
        both = sorted(set(self.parameters) & set(self.space))
        require(not both, "space", both, "parameters that are not fixed in `parameters`")
        for name, values in self.space.items():
            dimension(name, values)
        self._check_members()
        named = self.class_name is not None
        door = self.estimator is Estimator.SKLEARN
        require(named == door, "class_name", self.class_name, "a name for SKLEARN, none for other estimators")

    def inner_depth(self, members: Mapping[str, "Model"]) -> int:
        """How deep it learns from out-of-fold predictions: 0 not at all; 2: from those of what learns from such itself.

        Args:
            members: candidate -> model, of an ensemble at least its own.
        """
        encoded = self.preparation.encodes(Encoding.TARGET)
        blended = self.calibration is not Calibration.NONE or self.estimator is Estimator.STACKING
        below = [members[name].inner_depth(members) for name in self.members]
        return int(encoded) + int(blended) + max(below, default=0)

    def uses_gpu(self) -> bool:
        """Whether it is fitted on a GPU, or may be at some point of its space."""
        return True in [self.parameters.get("gpu", False), *self.space.get("gpu", [])]

    def _check_members(self) -> None:
        repeated = sorted({name for name in self.members if self.members.count(name) > 1})
        require(not repeated, "members", repeated, "each candidate once")
        least = {Estimator.BAGGING: 1, Estimator.VOTING: 2, Estimator.STACKING: 2}.get(self.estimator, 0)
        fits = len(self.members) >= least if least == 2 else len(self.members) == least
        expectations = (
            "no members for this estimator",
            "exactly one candidate's name",
            "at least two candidates' names",
        )
        require(fits, "members", self.members, expectations[least])


def dimension(name: str, values: Any) -> list[Any] | Range:
    """What a space tries for one parameter.

    Raises:
        ValueError: an empty list, or a mapping that is no range of numbers.
    """
    field_name = f"space.{name}"
    if isinstance(values, list):
        require_filled(field_name, values)
        return values
    require(isinstance(values, Mapping), field_name, values, "a list of values, or {low, high, log, whole}")
    strange = sorted(set(values) - {"low", "high", "log", "whole"})
    require(not strange, field_name, strange, "the keys low, high, log, whole only")
    bounds: dict[str, Any] = {"low": None, "high": None, **values}
    result = Range(**bounds)
    for end in ("low", "high"):
        value = getattr(result, end)
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        require(number, f"{field_name}.{end}", value, "a finite number")
        require(not result.whole or value == int(value), f"{field_name}.{end}", value, "a whole number")
    for flag in ("log", "whole"):
        require(isinstance(getattr(result, flag), bool), f"{field_name}.{flag}", getattr(result, flag), "true or false")
    require(result.low < result.high, f"{field_name}.high", result.high, f"more than low = {result.low}")
    require(not result.log or result.low > 0, f"{field_name}.low", result.low, "more than 0 with log: true")
    return result
