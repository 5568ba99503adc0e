"""Whom the lender approves: by an old rule, or once nights are scored by the tiers of the model that scores them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from credit.world import Applications, Booleans, Integers, Texts, World

LEAST_SCORE, MOST_INCOMES = 500, 6
"""The old rule approves from this score of the bureau on, and up to so many stated monthly incomes."""
EXCEPTIONS = 0.1
"""The share of what the rule refuses that branches approved all the same."""
REVIEWED_UP_TO = 0.15
"""Who reviews an application by hand approves it up to this true probability of default."""
APPROVE, REVIEW, PEOPLE = "approve", "review", "people"


@dataclass(frozen=True, eq=False)
class Night:
    """What a night's scores say of the applicants of the day before.

    Attributes:
        applicant: numbers of applicants.
        treatment: of each `approve`, or the name of a tier: `review` and `people` go to people, any other is a refusal.
    """

    applicant: Integers
    treatment: Texts


Nights = Callable[[date], Night | None]
"""The scores of a night; None: it has none."""


def no_nights(_: date) -> None:
    """Of a lender that scores nothing yet."""


def approve(world: World, applications: Applications, nights: Nights) -> Booleans:
    """Who is approved; an application that has no score is decided by the old rule."""
    by_rule = (applications.bureau_score >= LEAST_SCORE) & (
        applications.amount <= MOST_INCOMES * applications.stated_income
    )
    generator = world.generator(2, applications.day.toordinal())
    approved = by_rule | (generator.random(len(applications)) < EXCEPTIONS)
    night = nights(applications.day + timedelta(days=1))
    if night is None:
        return approved
    order = np.argsort(night.applicant)
    place = np.searchsorted(night.applicant, applications.applicant, sorter=order).clip(max=len(order) - 1)
    row = order[place]
    is_scored = night.applicant[row] == applications.applicant
    treatment = night.treatment[row]
    by_people = np.isin(treatment, [REVIEW, PEOPLE]) & (applications.default_probability <= REVIEWED_UP_TO)
    return np.where(is_scored, (treatment == APPROVE) | by_people, approved)


def treatments(tiers: Sequence[str | None], is_drawn: Sequence[bool]) -> list[str]:
    """The tier of each row; without one, or drawn so that nobody acts on it, `approve`."""
    return [APPROVE if drawn or tier is None else tier for tier, drawn in zip(tiers, is_drawn, strict=True)]
