"""What a project may ask of a raw file: the label, its horizon, and the dates that a search of it needs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nightjar.errors import SourceError, UsageError
from nightjar.profiling.activity import Facts, outcomes
from nightjar.profiling.columns import ColumnProfile
from nightjar.profiling.remarks import Remark
from nightjar.settings.features import Aggregate
from nightjar.settings.sources import ColumnType
from nightjar.settings.task import Task

HORIZONS = (30, 7, 1)
"""Days that an outcome may be of."""
SIZES = ((3, 28, 28), (3, 7, 7), (2, 3, 4))
"""Folds, days of each one's test, and days of the final period at least."""
BLOCKS = 3
"""Horizons in the final period: with fewer nobody but a person promotes."""
LEAST_TRAINED = 7
"""Dates that the first fold is trained on, at least."""
BOTH = 0.02
"""The share of yes, and of no, that there is at least for a question of yes or no."""
OFTEN = 0.9
"""The share of active entities with a fact each day from which on facts are readings, not events."""
NUMBERS = (ColumnType.LONG, ColumnType.DOUBLE)


@dataclass(frozen=True)
class Plan:
    """How the dates of a search are used.

    Attributes:
        horizon: days.
        folds: of the search.
        test_days: of each fold.
        final_days: that the search never sees.
    """

    horizon: int
    folds: int
    test_days: int
    final_days: int

    def days(self) -> int:
        """Dates that there must be: to train on, to test on, and until the last outcome is known, of both."""
        trained = max(self.horizon, self.test_days, LEAST_TRAINED)
        return trained + self.folds * self.test_days + self.final_days + 2 * self.horizon


@dataclass(frozen=True)
class LabelProposal:
    """A label.

    Attributes:
        task: what it asks.
        aggregate: of the column over the horizon.
        column: of the file; None: facts are counted.
        condition: of a yes or no.
        title: for people.
    """

    task: Task
    aggregate: Aggregate
    column: str | None
    condition: str | None
    title: str
    plan: Plan
    remark: Remark


def plan_of(horizon: int, days: int) -> Plan | None:
    """The largest plan of a horizon that fits into so many dates; None if there is none."""
    plans = (Plan(horizon, folds, test, max(final, BLOCKS * horizon)) for folds, test, final in SIZES)
    return next((plan for plan in plans if plan.days() <= days), None)


def propose_label(
    label: ColumnProfile | None, numbers: Sequence[str], facts: Facts, true: Facts | None, within: int, days: int
) -> LabelProposal:
    """The question of a project: about the column that is given, else whether an entity has a fact again.

    Args:
        label: the column; None: none is given.
        numbers: columns that could be asked about, if every entity always has a fact again.
        facts: on which dates there are facts.
        true: of a boolean column, where it is true.
        within: days that an entity is active for.
        days: dates that there are to learn from.

    Raises:
        SourceError: too few dates.
        UsageError: the column is of a type that nobody can ask about, or always the same.
    """
    often = outcomes(facts, None, within, 1).met >= OFTEN
    order = sorted(HORIZONS, reverse=not often)
    plans = [plan for plan in (plan_of(horizon, days) for horizon in order) if plan is not None]
    if not plans:
        least = min(Plan(1, folds, test, final).days() for folds, test, final in SIZES)
        raise SourceError(
            f"There are {days} days of facts before the nights that are scored, too few to train and to be judged: "
            f"expected at least {least}. Bring more history. Nothing was written."
        )
    if label is None:
        return _again(numbers, facts, within, plans)
    if label.kind is ColumnType.BOOLEAN:
        return _any(label, facts, true, within, plans)
    if label.kind in NUMBERS:
        return _amount(label.name, "as asked", facts, within, plans[0])
    raise UsageError(
        f"--label: the column {label.name} is a {label.kind.word}, such as {label.examples[0]!r}; expected a boolean "
        f"or a number. Derive one in the source, such as {label.name} = {label.examples[0]!r}. Nothing was written."
    )


def _again(numbers: Sequence[str], facts: Facts, within: int, plans: Sequence[Plan]) -> LabelProposal:
    is_series = not facts.entity.any()  # of one thing, whose days of rest are no question
    for plan in plans if not (is_series and numbers) else []:
        share = outcomes(facts, None, within, plan.horizon).met
        if BOTH <= share <= 1 - BOTH:
            reason = f"no --label was given: whether there is a fact again, true for {share:.0%} of the rows"
            title = f"a fact again within {_days(plan)}"
            return LabelProposal(
                Task.CLASSIFICATION, Aggregate.COUNT, None, "value > 0", title, plan, Remark(reason, is_open=True)
            )
    if numbers:
        return _amount(numbers[0], "no --label was given", facts, within, plans[0])
    reason = "no --label was given, there is always a fact again, and no column holds amounts: facts are counted"
    title = f"facts within {_days(plans[0])}"
    return LabelProposal(Task.REGRESSION, Aggregate.COUNT, None, None, title, plans[0], Remark(reason, is_open=True))


def _any(label: ColumnProfile, facts: Facts, true: Facts | None, within: int, plans: Sequence[Plan]) -> LabelProposal:
    shares = {plan: outcomes(facts, true, within, plan.horizon).true for plan in plans}
    candidates = {plan: share for plan, share in shares.items() if 0 < share < 1}
    if not candidates:
        raise UsageError(
            f"--label: within {' or '.join(f'{plan.horizon}' for plan in plans)} days {label.name} is true once of "
            "every active entity, or of none: there is nothing to learn. Ask about another column. Nothing was written."
        )
    plan = next((plan for plan, share in candidates.items() if BOTH <= share <= 1 - BOTH), None)
    chosen = plan or min(candidates, key=lambda one: abs(candidates[one] - 0.5))
    share = f"{candidates[chosen]:.1%} of the rows with a fact by then"
    reason = f"as asked, whether {label.name} is true once: so it is in {share}"
    title = f"{label.name} within {_days(chosen)}"
    remark = Remark(reason, is_open=True)
    return LabelProposal(Task.CLASSIFICATION, Aggregate.RATE, label.name, "value > 0", title, chosen, remark)


def _amount(column: str, why: str, facts: Facts, within: int, plan: Plan) -> LabelProposal:
    """Of readings, which always come, the mean; of events the sum, which is 0 where none comes."""
    reads = outcomes(facts, None, within, plan.horizon).met >= OFTEN
    aggregate = Aggregate.MEAN if reads else Aggregate.SUM
    title = f"the {aggregate.value} of {column} within {_days(plan)}"
    return LabelProposal(Task.REGRESSION, aggregate, column, None, title, plan, Remark(f"{why}: {title}", is_open=True))


def _days(plan: Plan) -> str:
    return "a day" if plan.horizon == 1 else f"{plan.horizon} days"


def active_within(facts: Facts) -> int:
    """Days after which an entity is taken to be gone: four of five gaps between its facts are no longer."""
    gaps = facts.gaps()
    usual = float(np.quantile(gaps, 0.8)) if len(gaps) else 30.0
    return next((days for days in (7, 30, 90) if days >= usual), 180)
