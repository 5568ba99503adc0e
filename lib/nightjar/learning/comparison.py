"""The difference between a new model and others in the metric, on the rows of the final period."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nightjar.evaluation.metric_report import Truth, metric_difference
from nightjar.evaluation.rows import Floats
from nightjar.settings.task import Metric

POWER = 0.8
"""How often a difference is shown that is the smallest which a period can show."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A new model's scores of the final period, to be compared with others' of the same rows.

    Attributes:
        metric: in which they are compared.
        truth: the rows.
        scores: of the new model.
    """

    metric: Metric
    truth: Truth
    scores: Floats

    def over(self, name: str, others: Floats, confidence: float) -> dict[str, Any]:
        """The new model minus another one, as the evidence holds it."""
        paired = metric_difference(self.metric, self.truth, self.scores, others, confidence)
        better = 1 if self.metric.greater_is_better else -1
        return {"over": name, "better": better, "confidence": confidence, **asdict(paired)}

    def smallest(self, name: str, others: Floats, confidence: float) -> dict[str, Any] | None:
        """The smallest true difference whose interval lies on the better side with the chance `POWER`.

        It says nothing of the difference itself: only how much it varies between entities and blocks of time. None:
        there is no interval. Half the interval's width is t(confidence) standard errors, and as many again as the
        chance asks for are those of a narrower interval.

        Source: Lachin (1981), Introduction to sample size determination and power analysis for clinical trials,
        Controlled Clinical Trials 2(2), 93-113.
        """
        halves = [_half_width(self.over(name, others, one)) for one in (confidence, 2 * POWER - 1)]
        smallest = None if None in halves else sum(half for half in halves if half is not None)
        if not smallest:
            return None
        return {"over": name, "difference": smallest, "power": POWER, "confidence": confidence}


def _half_width(compared: Mapping[str, Any]) -> float | None:
    low, high = compared["low"], compared["high"]
    return None if low is None or high is None else float(high - low) / 2
