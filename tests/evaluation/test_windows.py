"""Windows of several nights, judged beside the night that ends them."""

from datetime import timedelta

import numpy as np
import pytest

from evaluation.varying_nights import FIRST, NAMES, dates_of, nights_of
from nightjar.evaluation.divergences import jensen_shannon, jensen_shannon_of
from nightjar.evaluation.nulls import fit_null
from nightjar.evaluation.window_yardsticks import fit_window
from nightjar.evaluation.windows import judge
from oracles import nulls as oracle

NIGHT = 206
"""Tonight: the seventh after the reference of 200."""


def said(null, counts, windows=(7,), first=200, tonight=NIGHT, **options):
    """What is said of a night by its counts and those of the nights from one on."""
    dates = dates_of(len(counts["wind"]))
    before = {name: {dates[night]: one[night] for night in range(first, tonight)} for name, one in counts.items()}
    reference = {name: one[:200].sum(axis=0) for name, one in counts.items()}
    of_night = {name: one[tonight] for name, one in counts.items()}
    return judge(null, dates[tonight], tonight - 199, of_night, reference, {}, before, windows, **options)


def test_a_yardstick_of_windows_is_that_of_the_oracle(counts):
    dates, stack = dates_of(112), np.stack([counts[name][:112] for name in NAMES])

    result = fit_window(np.array(dates, "datetime64[D]"), stack, 7, 10**6, jensen_shannon_of, 5)

    maxima = oracle.window_maxima(dates, stack.tolist(), 7, 5, jensen_shannon)
    np.testing.assert_allclose(result.tail.values, np.sort(np.maximum(list(maxima.values()), 2.0)))
    assert result.nights == 5


def test_a_small_shift_that_lasts_is_seen_in_the_week_and_not_in_its_last_night(null, counts):
    """By one night deviation, on each of seven nights."""
    shifted = dict(counts)
    tilt = np.exp(0.1 * np.linspace(-1.5, 1.5, 10))
    share = counts["wind"][200:, 2:12] * tilt
    drawn = np.random.default_rng(8).multinomial(1000, share / share.sum(axis=1, keepdims=True))
    shifted["wind"] = np.concatenate([counts["wind"][:200], np.pad(drawn, ((0, 0), (2, 1)))])

    alone, week, as_usual = said(null, shifted, windows=()), said(null, shifted).columns["wind"], said(null, counts)

    assert alone.columns["wind"].state == "ok"
    assert (week.state, week.span) == ("watch", 7)
    assert week.windows[7].studentised > week.windows[7].watch
    assert as_usual.state == "ok"
    assert set(as_usual.columns["wind"].windows) == {7}


def test_windows_spend_a_third_of_the_false_alarms_and_nothing_where_none_is_judged(null, counts):
    """Of the 147 nights that can be compared windows of 28 nights have five that do not overlap."""
    alone, month, week = (said(null, counts, windows=windows) for windows in ((), (28,), (7, 28)))

    assert month == alone
    assert week.watch > alone.watch
    assert week.p_of_30_nights == pytest.approx(1 - (1 - week.p) ** 30)
    assert week.maximum == max(one.greatest for one in week.columns.values())
    assert said(null, counts, first=201) == alone, "a night of the week is not there"
    of_other_bins = {name: one[:, :-1] for name, one in counts.items()}
    before = {name: {FIRST + timedelta(200 + back): of_other_bins[name][back] for back in range(6)} for name in NAMES}
    reference = {name: one[:200].sum(axis=0) for name, one in counts.items()}
    tonight = {name: one[NIGHT] for name, one in counts.items()}
    assert judge(null, FIRST + timedelta(NIGHT), 7, tonight, reference, {}, before, (7,)) == alone


def test_a_week_of_nights_that_are_no_more_than_workdays_is_whole_with_five():
    days = [one for one in dates_of(330) if one.weekday() < 5]
    counts = nights_of(np.random.default_rng(1), len(days), 1000)
    reference = {name: one[:200] for name, one in counts.items()}
    null = fit_null(days[:200], reference, gap_days=14, oldest_days=60)
    before = {name: {days[night]: one[night] for night in range(200, 209)} for name, one in counts.items()}
    totals, tonight = (
        {name: one.sum(axis=0) for name, one in reference.items()},
        {n: one[209] for n, one in counts.items()},
    )

    result = judge(null, days[209], (days[209] - days[199]).days, tonight, totals, {}, before, (7,))

    assert [one.nights for one in null.windows.values()] == [5]
    assert set(result.columns["wind"].windows) == {7}
