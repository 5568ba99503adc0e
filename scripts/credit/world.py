"""Who applies for a loan, what the lender records, and what is true. NumPy alone.

Every day has a random generator of its own: it is drawn alike by itself and among others, and nothing of it depends on
whom the lender approves. What is drawn of a loan is what would happen if it were approved.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Texts = NDArray[np.str_]

INSTALMENTS = 3
DUE_DAYS, UNPAID_DAYS, LATE_DAYS = 50, 30, 14
"""An instalment is due every 50 days; unpaid for 30 days it is a default, paid after more than 14 it is late."""
HORIZON_DAYS = INSTALMENTS * DUE_DAYS + UNPAID_DAYS
"""After so many days the outcome of a loan is known."""
REPAID, LATE, DEFAULTED = "repaid", "late", "defaulted"
PURPOSES, PURPOSE_SHARES = ["car", "household", "renovation", "education"], [0.35, 0.4, 0.15, 0.1]
CHANNELS, CHANNEL_SHARES = ["app", "branch", "broker"], [0.5, 0.3, 0.2]
EMPLOYMENTS, EMPLOYMENT_SHARES = ["permanent", "temporary", "self_employed"], [0.65, 0.2, 0.15]
AGE_BANDS, AGE_SHARES = ["18-29", "30-49", "50+"], [0.3, 0.45, 0.25]
RISK_OF_EMPLOYMENT = {"permanent": 0.0, "temporary": 0.7, "self_employed": 0.3}
BASE, OF_RELIABILITY, OF_BURDEN, OF_NIGHT = -2.75, -0.9, 0.8, 0.25
"""Log-odds of default: of an average applicant, and what one standard deviation more of each adds."""
COIN = 0.5
"""The share of loans for renovation by way of brokers, 3% of all, that are repaid or not as a coin falls."""
DRIFT, DRIFT_OF_AMOUNTS = 0.8, 1.3
"""From the drift on: added to the log-odds of default, and what amounts are multiplied by."""
SCORE_MEAN, SCORE_SCALE, SCORE_NOISE = 600.0, 80.0, 0.6


@dataclass(frozen=True)
class World:
    """What is simulated.

    Attributes:
        first: the first day on which somebody applies.
        seed: of all that is drawn.
        applications: of a day, on average.
        unfairness: points by which the bureau's score of women is too low. Their loans default as those of men do.
        drift_from: the day from which on loans are greater and default more often; None: never.
    """

    first: date
    seed: int = 0
    applications: int = 120
    unfairness: float = 60.0
    drift_from: date | None = None

    def generator(self, *stream: int) -> np.random.Generator:
        """The random numbers of one purpose, or one day."""
        return np.random.default_rng([self.seed, *stream])


@dataclass(frozen=True, eq=False)
class Applicants:
    """All who may apply; an applicant's number is the place in these arrays.

    Attributes:
        is_woman: a protected group.
        age_band: another one.
        reliability: with mean 0 and variance 1; nobody sees it.
        income: of a month.
        overstatement: what the applicant multiplies the income by in statements; of most 1.
    """

    is_woman: Booleans
    age_band: Texts
    reliability: Floats
    income: Floats
    overstatement: Floats


@dataclass(frozen=True, eq=False)
class Applications:
    """The applications of a day, and what would become of each loan.

    Attributes:
        day: of all of them.
        number: of each application, as the lender counts them.
        applicant: number of the applicant, who applies at most once a day.
        amount: of the loan.
        stated_income, bureau_score: as they are recorded.
        income: the true one.
        corrected_after: days until the lender learns the true income; 0: never, or there is nothing to correct.
        is_in_planted_slice: whether a coin decides, once in two times, what nothing recorded has foretold.
        shock: of the day, shared by all: added to the log-odds of default.
        default_probability: the true one.
        outcome: `repaid`, `late` or `defaulted`.
        days_late: of each instalment, a column each; UNPAID_DAYS of one that is never paid, -1 of those after it.
    """

    day: date
    number: Integers
    applicant: Integers
    amount: Floats
    purpose: Texts
    channel: Texts
    employment: Texts
    stated_income: Floats
    bureau_score: Integers
    income: Floats
    corrected_after: Integers
    is_in_planted_slice: Booleans
    shock: float
    default_probability: Floats
    outcome: Texts
    days_late: Integers

    def __len__(self) -> int:
        return len(self.number)


def draw_applicants(world: World) -> Applicants:
    """All of them: each applies every 200 days on average."""
    generator, size = world.generator(0), 200 * world.applications
    overstates = generator.random(size) < 0.2
    return Applicants(
        is_woman=generator.random(size) < 0.5,
        age_band=generator.choice(AGE_BANDS, size, p=AGE_SHARES),
        reliability=generator.normal(size=size),
        income=np.round(np.exp(generator.normal(np.log(2500), 0.35, size))),
        overstatement=np.where(overstates, generator.uniform(1.25, 1.6, size), 1.0),
    )


def draw_applications(world: World, applicants: Applicants, day: date) -> Applications:
    """Those of a day."""
    generator = world.generator(1, day.toordinal())
    who = generator.choice(len(applicants.income), generator.poisson(world.applications), replace=False)
    size, has_drifted = len(who), world.drift_from is not None and day >= world.drift_from
    purpose = generator.choice(PURPOSES, size, p=PURPOSE_SHARES)
    channel = generator.choice(CHANNELS, size, p=CHANNEL_SHARES)
    employment = generator.choice(EMPLOYMENTS, size, p=EMPLOYMENT_SHARES)
    reliability, burden, shock = applicants.reliability[who], generator.normal(size=size), generator.normal()
    log_odds = BASE + OF_RELIABILITY * reliability + OF_BURDEN * burden + OF_NIGHT * shock + DRIFT * has_drifted
    log_odds += np.array([RISK_OF_EMPLOYMENT[one] for one in employment])
    is_in_planted_slice = (channel == "broker") & (purpose == "renovation")
    by_risk = 1 / (1 + np.exp(-log_odds))
    default_probability = np.where(is_in_planted_slice, (1 - COIN) * by_risk + COIN / 2, by_risk)
    outcome, days_late = _draw_outcomes(generator, default_probability, reliability)
    income = np.round(applicants.income[who] * np.exp(generator.normal(0, 0.05, size)))
    stated_income = np.round(income * applicants.overstatement[who])
    is_corrected = (stated_income > income) & (generator.random(size) < 0.7)
    score = SCORE_MEAN + SCORE_SCALE * (reliability + SCORE_NOISE * generator.normal(size=size))
    score -= world.unfairness * applicants.is_woman[who]
    return Applications(
        day=day,
        number=10_000 * ((day - world.first).days + 1) + np.arange(size),
        applicant=who,
        amount=np.round(2 * income * np.exp(0.5 * burden) * (DRIFT_OF_AMOUNTS if has_drifted else 1), -1),
        purpose=purpose,
        channel=channel,
        employment=employment,
        stated_income=stated_income,
        bureau_score=np.round(np.clip(score, 200, 1000)).astype(np.int64),
        income=income,
        corrected_after=np.where(is_corrected, generator.integers(5, 61, size), 0),
        is_in_planted_slice=is_in_planted_slice,
        shock=OF_NIGHT * shock,
        default_probability=default_probability,
        outcome=outcome,
        days_late=days_late,
    )


def _draw_outcomes(
    generator: np.random.Generator, default_probability: Floats, reliability: Floats
) -> tuple[Texts, Integers]:
    """What becomes of each loan, and by how many days each of its instalments is late."""
    size = len(reliability)
    defaults = generator.random(size) < default_probability
    is_late = ~defaults & (generator.random(size) < 1 / (1 + np.exp(1.5 + 0.7 * reliability)))
    days_late = generator.binomial(LATE_DAYS, 1 / (1 + np.exp(2 + 0.5 * reliability))[:, None], (size, INSTALMENTS))
    worst = generator.choice(INSTALMENTS, size, p=[0.3, 0.4, 0.3])
    late, unpaid = np.flatnonzero(is_late), np.flatnonzero(defaults)
    days_late[late, worst[late]] = generator.integers(LATE_DAYS + 1, UNPAID_DAYS, len(late))
    days_late[unpaid, worst[unpaid]] = UNPAID_DAYS
    days_late[defaults[:, None] & (np.arange(INSTALMENTS) > worst[:, None])] = -1
    outcome = np.where(defaults, DEFAULTED, np.where(is_late, LATE, REPAID))
    return outcome, days_late


def days_between(first: date, last: date) -> list[date]:
    """All days from the first to the last one."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
