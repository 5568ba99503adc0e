"""What is usual, and what is amiss: numbers alone."""

import math
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from nightjar.settings.gates import GateCheck, OutlierMethod
from nightjar.sources.gates import judging
from nightjar.sources.gates.judging import Day, expected, outlier_band
from nightjar.sources.gates.measures import HISTORY_DAYS

START = date(2024, 1, 1)
JUDGED = (GateCheck.VOLUME, GateCheck.NULL_SHARE, GateCheck.MEAN)


def simulate(seed, rows, trend=0.01, noise=0.0):
    """Days without fault: a weekly pattern, a trend (of 1% a week), Poisson noise and more, as each check sees them."""
    random = np.random.default_rng(seed)
    for number in range(60):
        day = START + timedelta(days=number)
        usual = rows * (0.4 if day.weekday() >= 5 else 1) * (1 + trend) ** (number / 7)
        count = int(random.poisson(usual * math.exp(random.normal(0, noise))))
        nulls = random.binomial(count, 0.03 + 0.02 * (day.weekday() == 6) + 0.0005 * number)
        mean = random.normal(10 + day.weekday() + 0.02 * number, 3 / math.sqrt(count)) if count else None
        share = nulls / count if count else None
        yield day, dict(zip(JUDGED, (Day(count, count), Day(count, share), Day(count, mean, 9.0)), strict=True))


def verdicts(days):
    """(check, day, whether it is amiss) of each day that is judged, by the days before it."""
    history = {check: {} for check in JUDGED}
    for day, measured in days:
        for check, one in measured.items():
            first = day - timedelta(days=HISTORY_DAYS)
            past = {before: other for before, other in history[check].items() if before >= first}
            band = None if one.value is None else expected(check, past, day, one.rows, judging.TOLERANCE)
            if band is not None:
                yield check, day, not band.lowest <= one.value <= band.highest
            history[check][day] = one


@pytest.mark.parametrize(
    "kind",
    [
        {"rows": 3},
        {"rows": 1_000},
        {"rows": 1_000, "noise": 0.3},
        {"rows": 1_000, "trend": 0.05},
        {"rows": 1_000_000, "trend": 0.03, "noise": 0.02},
    ],
    ids=str,
)
def test_sixty_nights_without_fault_warn_seldom(kind):
    judged = [amiss for seed in range(5) for _, _, amiss in verdicts(simulate(seed, **kind))]
    assert len(judged) > 5 * 3 * 25
    assert sum(judged) / len(judged) <= 0.05


@pytest.mark.parametrize("fault", JUDGED, ids=str)
def test_a_fault_in_one_of_them_is_amiss_on_its_day_and_check(fault):
    """Half the rows; three times the nulls; a mean two thirds of a standard deviation away."""
    broken = {
        GateCheck.VOLUME: lambda day: Day(day.rows // 2, day.value / 2),
        GateCheck.NULL_SHARE: lambda day: Day(day.rows, 0.05 + 3 * day.value),
        GateCheck.MEAN: lambda day: Day(day.rows, day.value + 2, day.variance),
    }
    last = START + timedelta(days=59)
    days = [
        (day, measured | ({fault: broken[fault](measured[fault])} if day == last else {}))
        for day, measured in simulate(1, rows=1_000)
    ]
    assert [check for check, day, amiss in verdicts(days) if amiss and day == last] == [fault]


def test_nothing_is_judged_by_fewer_than_four_weeks_and_the_rest_by_days_before_alone():
    days = dict(simulate(2, rows=1_000))
    volume = {day: measured[GateCheck.VOLUME] for day, measured in days.items()}
    for number in (0, 7, 27, 28):
        before = {day: one for day, one in volume.items() if day < START + timedelta(days=number)}
        band = expected(GateCheck.VOLUME, before, START + timedelta(days=number), 1_000, judging.TOLERANCE)
        assert (band is not None) == (number == 28)
    day = START + timedelta(days=40)
    before = {one: measured for one, measured in volume.items() if one < day}
    assert expected(GateCheck.VOLUME, before, day, 1, 4.0) == expected(GateCheck.VOLUME, volume, day, 1, 4.0)


def test_a_column_of_one_value_expects_it():
    always = {START + timedelta(days=number): Day(10, 5.0, 0.0) for number in range(40)}
    band = expected(GateCheck.MEAN, always, START + timedelta(days=40), 10, judging.TOLERANCE)
    assert band.lowest <= 5.0 <= band.highest
    assert not band.lowest <= 5.001 <= band.highest


def day_of(values):
    quantiles = tuple(np.quantile(values, judging.QUANTILES))
    return Day(len(values), float(np.mean(values)), float(np.var(values, ddof=1)), quantiles)


def test_bounds_of_outliers_are_those_of_all_rows_of_history_together():
    random = np.random.default_rng(3)
    days = [random.gamma(2, 10, size) + shift for size, shift in ((400, 0), (900, 5), (50, 30), (2_000, 0))]
    rows, history = np.concatenate(days), [day_of(values) for values in days]
    by_z = outlier_band(OutlierMethod.Z_SCORE, history, 5)
    assert (by_z.lowest, by_z.highest) == pytest.approx(
        (rows.mean() - 5 * rows.std(ddof=1), rows.mean() + 5 * rows.std(ddof=1))
    )
    first, third = np.quantile(rows, [0.25, 0.75])
    by_iqr = outlier_band(OutlierMethod.IQR, history, 3)
    reach = third - first
    assert (by_iqr.lowest, by_iqr.highest) == pytest.approx((first - 3 * reach, third + 3 * reach), abs=0.1 * reach)
    by_quantiles = outlier_band(OutlierMethod.QUANTILES, history, 0.001)
    assert np.mean(rows < by_quantiles.lowest) == pytest.approx(0.001, abs=0.001)
    assert np.mean(rows > by_quantiles.highest) == pytest.approx(0.001, abs=0.001)
    assert outlier_band(OutlierMethod.IQR, [day_of(np.arange(20.0))], 3) is None
    same = outlier_band(OutlierMethod.IQR, [day_of(np.full(50, 7.0))], 3)
    assert (same.lowest, same.highest) == (7.0, 7.0)


def test_counts_are_amiss_by_the_exact_binomial_distribution():
    for rows, share in ((1, 0.002), (50, 0.1), (1_000, 0.002), (100_000, 0.01)):
        most = judging.most_by_chance(rows, share)
        assert stats.binom.sf(most, rows, share) < judging.P_VALUE
        assert most == 0 or stats.binom.sf(most - 1, rows, share) >= judging.P_VALUE or most <= rows * share
    for count, rows, share in ((3, 10, 0.5), (70, 100, 0.5), (0, 40, 0.2), (5, 40, 0.0)):
        exact = 2 * min(stats.binom.sf(count - 1, rows, share), stats.binom.cdf(count, rows, share))
        assert judging.share_p_value(count, rows, share, 1e-12, 1) == pytest.approx(min(exact, 1.0), abs=1e-9)


def test_a_share_may_differ_by_the_tolerance_however_many_rows_there_are_and_few_rows_prove_little():
    assert judging.share_p_value(5_400_000, 10_000_000, 0.5, 0.05, 2) == 1.0
    assert judging.share_p_value(5_600_000, 10_000_000, 0.5, 0.05, 2) < 1e-9
    assert judging.share_p_value(4, 4, 0.5, 0.05, 2) > judging.P_VALUE
    random = np.random.default_rng(4)
    counts = random.multinomial(500, [1 / 200] * 200, size=200)  # 200 nights of 200 values
    amiss = [min(judging.share_p_value(int(c), 500, 1 / 200, 0.001, 200) for c in night) < 0.001 for night in counts]
    assert sum(amiss) <= 1
