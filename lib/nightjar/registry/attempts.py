"""The chance of a false promotion that each attempt may take, so that those of a year add up to what is declared.

An attempt is a training whose model is compared with what it would replace. Where the two are equally good, it is
promoted all the same with the chance that its interval leaves above: its level. Whatever attempts have in common, the
chance of a false promotion among them is at most the sum of their levels (Boole's inequality). So levels come from a
budget. Two thirds of the yearly rate are there at the beginning, and are the most that can be saved; the last third
comes in over a year, the same each day. An attempt takes three quarters of what is there, the first one half of the
yearly rate: of 5% an interval of 95%. Of any 365 days no more than the yearly rate can be spent, and it is never used
up: a training each night has 1 / 1095 of it each time, one each month about 1 / 36. Trainings of one date, or of dates
before the newest, share what is there: where that is less than `LEAST`, an attempt takes nothing, and a person decides.

`scripts/simulate promotion` compares this with other rules; docs/promotion.md says why it is this one.
Source: Foster and Stine (2008), Alpha-investing: a procedure for sequential control of expected false discoveries,
Journal of the Royal Statistical Society B 70(2), 429-444, for a wealth that attempts spend. Here time refills it: there
a discovery does, which holds the share of discoveries that are false, not their number in a year.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

YEAR = 365
LEAST = 1e-6
"""The least level: no interval of so few nights is right so far out, and at 1e-16 there is none at all."""
_SAVED = 2 / 3  # of the yearly rate, at most
_SPENT = 3 / 4  # of what is there


@dataclass(frozen=True)
class Attempt:
    """A comparison that could have promoted a model.

    Attributes:
        digest: of what was compared, see `digest_of`.
        run_date: of the training.
        level: the chance of a false promotion that it took; 0: there was too little, and it can promote nobody.
    """

    digest: str
    run_date: date
    level: float

    @property
    def confidence(self) -> float:
        """That of its interval."""
        return 1 - 2 * max(self.level, LEAST)


def digest_of(*compared: Any) -> str:
    """SHA-256 of what is compared and how, as JSON can hold it: data, seed, metric, the new model, what it replaces.

    The same comparison, made again, can only end as it did.
    """
    return hashlib.sha256(json.dumps(compared, sort_keys=True).encode()).hexdigest()


def level_of(digest: str, run_date: date, attempts: Iterable[Attempt], per_year: float) -> float:
    """The level at which a comparison is judged; 0 where less than `LEAST` is there.

    A comparison that was made before has the level that it had: a past night that is run again decides as it did.

    Args:
        digest: of the comparison.
        run_date: of its training. One that lies before those of earlier attempts brings in nothing.
        attempts: all of the project, as they were recorded.
        per_year: the chance of a false promotion in a year.

    Example:
        >>> first, second = date(2024, 4, 1), date(2024, 4, 2)
        >>> round(level_of("a", first, [], per_year=0.05), 5)
        0.025
        >>> once = [Attempt("a", first, 0.025)]
        >>> level_of("a", second, once, per_year=0.05)
        0.025
        >>> [round(level_of("b", day, once, per_year=0.05), 5) for day in (first, second)]
        [0.00625, 0.00628]
    """
    most = _SAVED * per_year
    daily = (per_year - most) / YEAR
    budget, today = most, date.min
    before: dict[str, float] = {}
    for attempt in attempts:
        if attempt.digest in before:
            continue
        budget = _refilled(budget, most, daily, today, attempt.run_date)
        today = max(today, attempt.run_date)
        budget = max(0.0, budget - attempt.level)
        before[attempt.digest] = attempt.level
    share = _SPENT * _refilled(budget, most, daily, today, run_date)
    return before.get(digest, share if share >= LEAST else 0.0)


def _refilled(budget: float, most: float, daily: float, since: date, until: date) -> float:
    return min(most, budget + daily * max(0, (until - since).days))
