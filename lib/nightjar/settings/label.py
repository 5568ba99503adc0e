"""Settings of the label: the yes or no that is asked about each row of the spine."""

import re
from dataclasses import dataclass, field

from omegaconf import MISSING

from nightjar.settings.checks import require, require_duration, require_filled, require_length
from nightjar.settings.features import Aggregate

_NUMBER = r"[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?"
_RISING, _FALLING = rf"\s*value\s*>=?\s*{_NUMBER}\s*", rf"\s*value\s*<=?\s*{_NUMBER}\s*"
_MONOTONE = {Aggregate.COUNT: _RISING, Aggregate.DISTINCT: _RISING, Aggregate.MAX: _RISING, Aggregate.MIN: _FALLING}
"""Aggregates that more facts move one way only -> the conditions that stay true once they are."""


@dataclass
class Label:
    """An outcome by key, or a condition on an aggregate of the facts within the horizon.

    Attributes:
        source: the source of outcomes, or of the facts to aggregate.
        keys: spine column -> column of the source; for an outcome they name it.
        column: of the source: the boolean outcome, or what is aggregated.
        horizon: facts in (prediction time, prediction time + horizon] count. A row without an outcome when the horizon
            has passed is settled with a null label: it is neither trained on nor measured.
        aggregate: of the column over the horizon; None: the label is the outcome itself.
        condition: of an aggregate: Spark SQL over `value`, the aggregate, such as "value > 0". Of no facts a count is 0
            and any other aggregate null; a condition that is null settles the label as null.
        settled_early: the label of an aggregate is known as soon as the condition is true, not only when the horizon
            has passed. Only for conditions that further facts cannot make untrue again, as "value > 0" of a count.
        allowed_lateness: facts of the horizon that become known up to this long after it has passed still correct the
            label, as a new version of it. Then it is final.
    """

    source: str = MISSING
    keys: dict[str, str] = field(default_factory=dict)
    column: str = MISSING
    horizon: str = MISSING
    aggregate: Aggregate | None = None
    condition: str | None = None
    settled_early: bool = False
    allowed_lateness: str = "0d"

    def __post_init__(self) -> None:
        """Check the keys, the durations, and that the condition fits the aggregate."""
        require_filled("keys", self.keys)
        require_length("horizon", self.horizon)
        require_duration("allowed_lateness", self.allowed_lateness)
        if self.aggregate is None:
            require(self.condition is None, "condition", self.condition, "none without an aggregate")
            require(not self.settled_early, "settled_early", self.settled_early, "false without an aggregate")
            return
        require(bool(self.condition), "condition", self.condition, 'a condition on the aggregate, such as "value > 0"')
        if self.settled_early:
            self._check_monotone(self.aggregate, self.condition or "")

    def question(self) -> str:
        """What is true where the label is true, for people."""
        if self.aggregate is None:
            return f"{self.column} is true"
        return f"{self.condition}, value being the {self.aggregate.value} of {self.column} in the next {self.horizon}"

    def _check_monotone(self, aggregate: Aggregate, condition: str) -> None:
        able = [one.value for one in _MONOTONE]
        require(aggregate in _MONOTONE, "settled_early", self.settled_early, f"false, or an aggregate among {able}")
        fits = re.fullmatch(_MONOTONE[aggregate], condition, re.IGNORECASE) is not None
        form = "value < NUMBER" if aggregate is Aggregate.MIN else "value > NUMBER"
        require(fits, "condition", condition, f"{form} (or equal), which no further fact undoes: settled_early is true")
