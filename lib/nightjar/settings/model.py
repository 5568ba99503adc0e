"""Settings of a model candidate: its estimator, parameters or the space they are searched in, and all around it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Tag

from nightjar.settings.checks import Issue, expect
from nightjar.settings.choices import Choice
from nightjar.settings.columns import Encoding
from nightjar.settings.fields import Bound
from nightjar.settings.labelling import SelfTraining
from nightjar.settings.preparation import Imbalance, Preparation
from nightjar.settings.validation import settings


class Estimator(Choice):
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
    LIGHTGBM = "lightgbm"
    XGBOOST = "xgboost"
    NEIGHBOURS = "neighbours"
    NETWORK = "network"
    SKLEARN = "sklearn"
    BAGGING = "bagging"
    VOTING = "voting"
    STACKING = "stacking"


ENSEMBLES = frozenset({Estimator.BAGGING, Estimator.VOTING, Estimator.STACKING})
"""Made of other candidates, their members."""


EARLY_STOPPING = "early_stopping_rounds"
"""The parameter by which a booster chooses its number of trees on a part of its training rows."""


class Direction(Choice):
    INCREASING = "increasing"
    DECREASING = "decreasing"


class Calibration(Choice):
    """How scores become honest probabilities, by a curve fitted on out-of-fold predictions."""

    NONE = "none"
    PLATT = "platt"
    ISOTONIC = "isotonic"


@settings
class Range:
    """Numbers from low to high, both included.

    Attributes:
        low (the parameter's): the smallest, such as 0.001.
        high (the parameter's): the greatest, such as 1.0.
        log: whether each order of magnitude is as likely as the next.
        whole: whether only whole numbers count.
    """

    low: Bound
    high: Bound
    log: bool = False
    whole: bool = False

    def issues(self) -> Iterator[Issue]:
        """Whether both ends are numbers that the flags allow, and one is above the other."""
        for end, value in (("low", self.low), ("high", self.high)):
            is_finite = math.isfinite(value)
            yield from expect(is_finite, end, value, "a finite number")
            fits = not self.whole or not is_finite or value == int(value)
            yield from expect(fits, end, value, "a whole number with whole: true")
        yield from expect(not self.low >= self.high, "high", self.high, f"more than low = {self.low}")
        yield from expect(not self.log or self.low > 0, "low", self.low, "more than 0 with log: true")


def _tag_of_dimension(value: object) -> str | None:
    if isinstance(value, list):
        return "<list>"
    return "<range>" if isinstance(value, Mapping | Range) else None


Dimension: TypeAlias = Annotated[
    Annotated[list[Any], Field(min_length=1), Tag("<list>")] | Annotated[Range, Tag("<range>")],
    Discriminator(
        _tag_of_dimension,
        custom_error_type="dimension",
        custom_error_message="expected {expected}",
        custom_error_context={"expected": "a list of values, or {low, high, log, whole}"},
    ),
]
"""What is tried for one parameter: a list of values (each may itself be a list), or a range of numbers."""


@settings
class Model:
    """One estimator, or a space of them.

    Attributes:
        estimator: what learns, or a rule of thumb.
        baseline: whether a champion must beat it rather than be it.
        parameters: the estimator's own parameters, fixed: names and meaning are those of its class in scikit-learn,
            LightGBM or XGBoost.
        space: parameter -> what is tried: a list of values (each may itself be a list), or the mapping
            {low, high, log: false, whole: false}.
        drop: features this estimator does not use.
        preparation: how features become the estimator's numbers.
        monotone: number column -> `increasing` or `decreasing`: how the score may change as the column rises and all
            others stay, for `boosting`, `lightgbm` and `xgboost`. Null may have any score.
        imbalance: how unequal classes are evened out.
        calibration: of a classification's probabilities, by a curve fitted on out-of-fold predictions: `platt`, a
            logistic one, or `isotonic`, any rising one.
        members: for `bagging` (one), `voting` and `stacking`: names of other candidates.
        self_training: of a classification: rows without a label join with the one that is predicted, where it is sure.
        class_name: for `sklearn`: the dotted name of a class, such as sklearn.ensemble.ExtraTreesClassifier.
    """

    estimator: Estimator
    baseline: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)
    space: dict[str, Dimension] = field(default_factory=dict)
    drop: list[str] = field(default_factory=list)
    preparation: Preparation = field(default_factory=Preparation)
    monotone: dict[str, Direction] = field(default_factory=dict)
    imbalance: Imbalance = field(default_factory=Imbalance)
    calibration: Calibration = Calibration.NONE
    members: list[str] = field(default_factory=list)
    self_training: SelfTraining = field(default_factory=SelfTraining)
    class_name: str | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether nothing is both fixed and searched, and ensembles, and no other estimators, have members."""
        both = sorted(set(self.parameters) & set(self.space))
        yield from expect(not both, "space", both, "parameters that are not fixed in `parameters`")
        yield from self._member_issues()
        named = self.class_name is not None
        is_named = self.estimator is Estimator.SKLEARN
        expected = "a name for estimator=sklearn, none for other estimators"
        yield from expect(named == is_named, "class_name", self.class_name, expected)

    def inner_depth(self, members: Mapping[str, "Model"]) -> int:
        """How deep it learns from out-of-fold predictions: 0 not at all; 2: from those of what learns from such itself.

        Args:
            members: candidate -> model, of an ensemble at least its own.
        """
        encoded = self.preparation.encodes(Encoding.TARGET)
        blended = self.calibration is not Calibration.NONE or self.estimator is Estimator.STACKING
        stopped = EARLY_STOPPING in {*self.parameters, *self.space}
        below = [members[name].inner_depth(members) for name in self.members]
        return int(encoded) + int(blended) + int(stopped) + max(below, default=0)

    def uses_gpu(self) -> bool:
        """Whether it is fitted on a GPU, or may be at some point of its space."""
        tried = self.space.get("gpu", [])
        return self.parameters.get("gpu", False) is True or (isinstance(tried, list) and True in tried)

    def _member_issues(self) -> Iterator[Issue]:
        repeated = sorted({name for name in self.members if self.members.count(name) > 1})
        yield from expect(not repeated, "members", repeated, "each candidate once")
        least = {Estimator.BAGGING: 1, Estimator.VOTING: 2, Estimator.STACKING: 2}.get(self.estimator, 0)
        fits = len(self.members) >= least if least == 2 else len(self.members) == least
        expectations = (
            "no members for this estimator",
            "exactly one candidate's name",
            "at least two candidates' names",
        )
        yield from expect(fits, "members", self.members, expectations[least])
