"""What a test that is looked at every night can show, before it begins: its power, and how long it takes.

The sum of differences is normal, so its path past the bounds is integrated night by night.

Source: Armitage, McPherson and Rowe (1969), Repeated significance tests on accumulating data, Journal of the Royal
Statistical Society A 132(2), 235-244; integrals as in Jennison and Turnbull (2000), Group sequential methods with
applications to clinical trials, chapter 19.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from nightjar.evaluation.rows import Floats
from nightjar.evaluation.sequential import FEWEST, tuning, two_sided_reach
from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.experiment import Experiment

_FAR = 7.0
"""Standard deviations beyond which nothing is counted."""
_PER_DEVIATION, _MOST = 6, 4001
"""Points of a night's integral in a standard deviation of what the night adds, and of one integral at most."""
_LONGEST = 730
"""Nights of the longest plan that is thought of."""


@dataclass(frozen=True)
class Plan:
    """A test as it is planned.

    Attributes:
        shares: of entities in the challenger's arm, night by night.
        entities: that enter on a night.
        deviation: the standard deviation of what entities of one night are worth.
        level: the chance that bounds are ever wrong.
    """

    shares: Sequence[float]
    entities: float
    deviation: float
    level: float

    @classmethod
    def of(cls, experiment: Experiment, canary: Canary) -> "Plan":
        """The plan of a randomised experiment, each step of the canary as long as it lasts at least.

        The last step lasts until the plan's end.
        """
        shares = [share for share in canary.steps for _ in range(canary.nights)]
        shares += canary.steps[-1:] * max(0, experiment.nights - len(shares))
        numbers = (experiment.entities or 0.0, experiment.deviation or 0.0, experiment.level)
        return cls(shares[: experiment.nights], *numbers)

    def weights(self) -> Floats:
        """The expected weight of each night, see `sequential.evidence`: of n entities the mean of n1 n0 / n."""
        share = np.asarray(self.shares, np.float64)
        return max(self.entities - 1, 0.0) * share * (1 - share)

    def variance(self) -> float:
        """Of the sum of differences at the end."""
        return float(self.deviation**2 * self.weights().sum())

    def tuned(self, level: float | None = None, *, one_sided: bool = False) -> float:
        """The parameter of bounds that are tightest at the end; of another level than the plan's where one is given."""
        return tuning(self.level if level is None else level, self.variance(), one_sided=one_sided)

    def looks(self) -> npt.NDArray[np.bool_]:
        """Whether each night is expected to have entities enough in both arms."""
        share = np.asarray(self.shares, np.float64)
        smaller = np.minimum(np.cumsum(share), np.cumsum(1 - share))
        looks: npt.NDArray[np.bool_] = self.entities * smaller >= FEWEST
        return looks


def power(plan: Plan, effect: float) -> Floats:
    """The chance that the challenger is shown to be better by each night, where it is by so much an entity.

    Entities become known some nights after they have entered: so much later is what a night says here.

    Args:
        plan: of the test.
        effect: how much more an entity is worth in the challenger's arm; 0: the chance of a false alarm in its favour.

    Example:
        28 nights with 400 entities each, of which 5%, 20% and then 50% are the challenger's.

        >>> plan = Plan([0.05] * 7 + [0.2] * 7 + [0.5] * 14, 400, deviation=100, level=0.05)
        >>> [round(float(power(plan, effect)[-1]), 3) for effect in (0.0, 7.0, 10.0)]
        [0.006, 0.611, 0.942]
    """
    weights = plan.weights()
    variance = plan.deviation**2 * np.cumsum(weights)
    return crossing(effect * np.cumsum(weights), variance, plan.looks(), plan.level, plan.tuned())


def crossing(drift: Floats, variance: Floats, looks: npt.NDArray[np.bool_], level: float, tuned: float) -> Floats:
    """The chance that a normal sum has passed the upper bound, and not the lower one before, by each night.

    Args:
        drift: the sum that is expected after each night.
        variance: of the sum.
        looks: whether anything is said on the night.
        level: the chance that bounds are ever wrong.
        tuned: their parameter.
    """
    unit = float(np.sqrt(variance[-1])) or 1.0
    drift, reach, variance = (
        drift / unit,
        two_sided_reach(variance, level, tuned) / unit,
        variance / unit**2,
    )
    result, shown = np.zeros(len(drift)), 0.0
    points, masses, before = np.zeros(1), np.ones(1), (0.0, 0.0)
    for night in np.flatnonzero(looks & (np.diff(variance, prepend=0.0) > 0)):
        moved = points + drift[night] - before[0]
        step = float(np.sqrt(variance[night] - before[1]))
        shown += float(masses @ ndtr((moved - reach[night]) / step))
        result[night:] = shown
        ends = (max(-reach[night], moved[0] - _FAR * step), min(reach[night], moved[-1] + _FAR * step))
        if ends[0] >= ends[1]:
            break
        nodes, simpson = _simpson(*ends, step)
        density = np.exp(-(((nodes[:, None] - moved) / step) ** 2) / 2) @ masses / (step * np.sqrt(2 * np.pi))
        masses = simpson * density
        is_likely = masses > masses.max(initial=0) * 1e-15
        points, masses, before = nodes[is_likely], masses[is_likely], (drift[night], variance[night])
    return result


def advice(plan: Plan, effect: float, chance: float) -> Iterator[str]:
    """Why the plan is too weak, and what would do; nothing where it shows the effect with that chance.

    Example:
        >>> (line,) = advice(Plan([0.1] * 7 + [0.5] * 21, 50, deviation=100, level=0.05), effect=10, chance=0.8)
        >>> for sentence in line.split(". "):
        ...     print(sentence)
        28 nights with 50 entities each show an effect of 10 with a chance of 15%, less than 80%
        112 nights would show it, these nights an effect of 21.9.
    """
    reached = float(power(plan, effect)[-1])
    if reached >= chance:
        return
    shares, nights = list(plan.shares), len(plan.shares)
    longer = [replace(plan, shares=shares + shares[-1:] * (number - nights)) for number in _numbers(nights)]
    enough = next((len(one.shares) for one in longer if power(one, effect)[-1] >= chance), None)
    least = _least_effect(plan, effect, chance)
    would_do = [f"{enough} nights would show it"] if enough else []
    would_do += [f"these nights an effect of {least:.3g}"] if least else []
    words = f" {', '.join(would_do)}." if would_do else ""
    yield (
        f"{nights} nights with {plan.entities:g} entities each show an effect of {effect:g} with a chance of "
        f"{reached:.0%}, less than {chance:.0%}.{words}"
    )


def _least_effect(plan: Plan, effect: float, chance: float) -> float | None:
    """The least effect that the plan shows with a chance, to a hundredth; None: none up to 100 times as large."""
    low, high = effect, 100 * effect
    if power(plan, high)[-1] < chance:
        return None
    while high > 1.01 * low:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if power(plan, middle)[-1] >= chance else (middle, high)
    return high


def _numbers(nights: int) -> list[int]:
    """Longer plans, up to ten times as long, or two years."""
    numbers = np.unique(np.ceil(nights * 10 ** np.linspace(0.05, 1, 20)).astype(int))
    return [int(number) for number in numbers if number <= max(nights, _LONGEST)]


def _simpson(low: float, high: float, step: float) -> tuple[Floats, Floats]:
    """Points between two ends and their weights by Simpson's rule."""
    pairs = int(np.clip(np.ceil((high - low) / step * _PER_DEVIATION / 2), 4, _MOST // 2))
    nodes = np.linspace(low, high, 2 * pairs + 1)
    weights = np.ones(len(nodes))
    weights[1:-1:2], weights[2:-1:2] = 4.0, 2.0
    return nodes, weights * (nodes[1] - nodes[0]) / 3
