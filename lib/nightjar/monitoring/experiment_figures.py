"""The figures of a randomised experiment as of a run date: differences, bounds and verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isfinite

import numpy as np

from nightjar.durations import parse_duration
from nightjar.evaluation import sequential
from nightjar.evaluation.rows import Floats
from nightjar.evaluation.sequential import Bounds, Evidence, evidence
from nightjar.evaluation.sequential_power import Plan, power
from nightjar.evaluation.sequential_verdicts import Decision, Verdict, decide, guard
from nightjar.expressions.references import columns_in
from nightjar.monitoring.enrolment import LABEL, Clock, Enrolment, Trial, enrol
from nightjar.settings.label import Label
from nightjar.settings.serving.experiment import Experiment, Guard, Harm

VALUE = "value"
"""The name of the experiment's own figure."""


@dataclass(frozen=True)
class Figure:
    """One figure as of a run date, as `experiments` stores it; None: there is none.

    Attributes:
        name: `value`, or the guard's.
        last_night: the last one whose entities count.
        entities: of the champion's arm, and of the challenger's.
        means: the same.
        decided_on: the run date on which the verdict was first reached.
        reason: why there is no verdict, or there are no bounds.
    """

    name: str
    last_night: date | None
    entities: tuple[int, int]
    waiting: int | None
    changed: int | None
    means: tuple[float | None, float | None]
    difference: float | None
    low: float | None
    high: float | None
    level: float
    deviation: float | None
    planned_power: float | None
    verdict: Verdict | None
    decided_on: date | None
    reason: str | None


def figures(trial: Trial, experiment: Experiment, plan: Plan) -> list[Figure]:
    """The value's figure first, then that of each guard.

    Raises:
        UsageError: an expression does not fit the columns.
        TableError: it cannot be computed for a row.
    """
    clocks = clocks_of(experiment, trial.project.label)
    expressions = experiment.expressions()
    by_path: dict[str, Enrolment] = {}
    for clock in dict.fromkeys(clocks.values()):
        own = {path: sql for path, sql in expressions.items() if clocks[path] == clock}
        by_path |= dict.fromkeys(own, enrol(trial, own, clock))
    result = [_value(by_path[VALUE], clocks[VALUE], experiment, plan)]
    for name, settings in experiment.guards.items():
        path = f"guards.{name}.value"
        result.append(_guard(name, path, by_path[path], clocks[path], settings, experiment, plan))
    return result


def clocks_of(experiment: Experiment, label: Label) -> dict[str, Clock]:
    """Path of each expression -> when entities count by it."""
    parts: dict[str, Experiment | Guard] = {VALUE: experiment}
    parts |= {f"guards.{name}.value": one for name, one in experiment.guards.items()}
    return {path: _clock(one, label) for path, one in parts.items()}


def _clock(figure: Experiment | Guard, label: Label) -> Clock:
    exposure = parse_duration(figure.exposure).days
    if figure.age is not None:
        return Clock(exposure, parse_duration(figure.age).days)
    names = columns_in(figure.value or "")
    if names is not None and LABEL not in {name.casefold() for name in names}:
        return Clock(exposure, exposure)
    return Clock(
        exposure, exposure + sum(_days(one.days, one.exact) for one in (label.horizon_length(), label.lateness()))
    )


def _days(days: int, exact: timedelta) -> int:
    """So many days at most, also where a day has 23 hours."""
    return days + -(-(exact + timedelta(hours=1)) // timedelta(days=1)) if exact else days


def _value(enrolment: Enrolment, clock: Clock, experiment: Experiment, plan: Plan) -> Figure:
    strange = enrolment.strange[VALUE]
    compared = evidence(*enrolment.arms[VALUE])
    bounds = sequential.two_sided(compared, plan.level, plan.tuned())
    decision = decide(bounds, experiment.nights, experiment.not_worse_by)
    expected = power(plan, experiment.effect or 0.0)
    nights = min(len(enrolment.nights), len(expected))
    chance = float(expected[nights - 1]) if nights else 0.0
    return _figure(VALUE, enrolment, clock, compared, bounds, decision, plan.level, strange, chance)


def _guard(
    name: str, path: str, enrolment: Enrolment, clock: Clock, settings: Guard, experiment: Experiment, plan: Plan
) -> Figure:
    level = experiment.guard_level / len(experiment.guards)
    compared = evidence(*enrolment.arms[path])
    harm = lower_of_harm(compared, settings.harm, level, float(plan.weights().sum()))
    empty = np.full(len(harm), np.inf)
    bounds = Bounds(harm, empty) if settings.harm is Harm.MORE else Bounds(-empty, -harm)
    decision = guard(harm, settings.worse_by)
    return _figure(name, enrolment, clock, compared, bounds, decision, level, enrolment.strange[path], None)


def lower_of_harm(compared: Evidence, harm: Harm, level: float, weight: float) -> Floats:
    """By night, the lower bound of how much worse the challenger is.

    It is tightest once nights have a weight, at the deviation that the first night with entities enough shows.
    """
    worse = compared if harm is Harm.MORE else compared.turned()
    enough = np.flatnonzero(compared.is_enough & (compared.variance > 0))
    if not len(enough):
        return np.full(len(compared.weight), -np.inf)
    variance = float(compared.deviation[enough[0]]) ** 2 * weight
    return sequential.lower(worse, level, sequential.tuning(level, variance, one_sided=True)).low


def _figure(
    name: str,
    enrolment: Enrolment,
    clock: Clock,
    compared: Evidence,
    bounds: Bounds,
    decision: Decision,
    level: float,
    strange: int,
    planned_power: float | None,
) -> Figure:
    nights = enrolment.nights
    has_some, is_computed = bool(nights), not strange
    decided = nights[decision.night] + timedelta(days=clock.age) if decision.night is not None else None

    def last(values: Floats) -> float | None:
        return float(values[-1]) if has_some and is_computed and isfinite(values[-1]) else None

    return Figure(
        name=name,
        last_night=nights[-1] if nights else None,
        entities=(int(compared.entities[0][-1]), int(compared.entities[1][-1])) if nights else (0, 0),
        waiting=enrolment.waiting,
        changed=enrolment.changed,
        means=(last(compared.means[0]), last(compared.means[1])),
        difference=last(compared.difference),
        low=last(bounds.low),
        high=last(bounds.high),
        level=level,
        deviation=last(compared.deviation),
        planned_power=planned_power,
        verdict=decision.verdict if is_computed else None,
        decided_on=decided if is_computed else None,
        reason=_reason(strange, compared, nights),
    )


def _reason(strange: int, compared: Evidence, nights: Sequence[date]) -> str | None:
    if strange:
        return (
            f"it is null, NaN or infinite for {strange:,} entities that count: a row without an outcome is worth "
            "something, too; say what, such as coalesce(..., 0)"
        )
    if nights and bool(compared.is_enough[-1]):
        return None
    return f"bounds need {sequential.FEWEST} entities in each arm"
