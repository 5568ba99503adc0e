from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.drift import ADWIN, PageHinkley
from river.drift.binary import DDM

from nightjar.errors import LearningError
from nightjar.evaluation import change_detection
from nightjar.evaluation.change_detection import ALLOWANCE, FEWEST, detect
from nightjar.settings.monitoring.detection import Detector
from oracles.cusum import sums_of

FIRST = date(2024, 1, 1)
REFERENCE = 120


def nights(count):
    return [FIRST + timedelta(days) for days in range(count)]


def judge(values, *, errors=None, worse="lower", **options):
    own = np.zeros(len(values)) if errors is None else errors
    return detect(values, own, nights(len(values)), judged_from=FIRST + timedelta(REFERENCE), worse=worse, **options)


@pytest.fixture
def usual():
    return 0.8 + 0.01 * np.random.default_rng(1).normal(size=REFERENCE + 30)


def test_figures_like_those_of_the_reference_are_no_change(usual):
    result = judge(usual)

    assert result.alarm is False
    assert result.since is None
    assert result.statistic == result.path[-1] < result.limit
    assert len(result.path) == len(result.deviations) == 30
    assert result.night_deviation == pytest.approx(0.01, rel=0.2)


def test_a_drop_is_dated_to_about_its_first_night(usual):
    usual[-10:] -= 0.03

    result = judge(usual)

    assert result.alarm
    assert abs((result.since - FIRST).days - REFERENCE - 20) <= 2
    assert list(np.diff(result.path[-10:]) > 0) == [True] * 9


def test_only_the_direction_that_is_worse_counts(usual):
    usual[-10:] -= 0.03

    assert {worse: judge(usual, worse=worse).alarm for worse in ("lower", "higher", "either")} == {
        "lower": True,
        "higher": False,
        "either": True,
    }


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30))
@settings(max_examples=50)
def test_sums_are_those_of_the_oracle(judged):
    figures = np.concatenate([np.random.default_rng(2).normal(size=REFERENCE), judged])

    result = judge(figures, worse="higher")

    sums, starts = sums_of(result.deviations, ALLOWANCE)
    assert result.path == pytest.approx(sums)
    assert result.alarm == (sums[-1] > result.limit)
    if result.alarm:
        assert result.since == FIRST + timedelta(REFERENCE + starts[-1])


def test_a_figure_of_few_rows_moves_the_sum_little(usual):
    errors = np.full(len(usual), 0.001)
    usual[-1] -= 0.1
    noisy = errors.copy()
    noisy[-1] = 0.2

    exact, uncertain = judge(usual, errors=errors), judge(usual, errors=noisy)

    assert exact.deviations[-1] < -5
    assert -1 < uncertain.deviations[-1] < 0
    assert exact.alarm
    assert not uncertain.alarm


def test_weekdays_are_compared_with_each_other(usual):
    """Each Sunday is lower by ten night deviations: that is no change; neither is a reference that holds a few."""
    sunday = np.arange(len(usual)) % 7 == 6
    usual[sunday] -= 0.1

    result = judge(usual)

    assert not result.alarm
    assert max(map(abs, result.deviations)) < 4
    assert result.night_deviation == pytest.approx(0.01, rel=0.2)


def test_many_streams_make_the_limit_higher_and_so_do_shocks_that_last(usual):
    lasting = np.repeat(usual[::3], 3)[: len(usual)]

    assert judge(usual, streams=60).limit > judge(usual).limit
    assert judge(lasting, streams=60).limit > judge(usual, streams=60).limit


def test_too_short_a_reference_says_nothing():
    result = detect(np.ones(60), np.zeros(60), nights(60), judged_from=FIRST + timedelta(FEWEST - 1), worse="lower")

    assert result.alarm is None
    assert result.limit is None


def test_a_figure_that_never_changed_changes():
    figures = np.ones(REFERENCE + 5)
    assert not judge(figures).alarm

    figures[-1] = 0.9
    assert judge(figures).alarm


def test_nights_without_a_figure_are_no_nights(usual):
    dates = nights(len(usual))
    gaps = np.ones(len(usual), bool)
    gaps[[5, 50, REFERENCE + 3]] = False
    holes = np.where(gaps, usual, np.nan)
    options = {"judged_from": FIRST + timedelta(REFERENCE), "worse": "lower"}

    absent = detect(
        usual[gaps], np.zeros(gaps.sum()), [d for d, one in zip(dates, gaps, strict=True) if one], **options
    )

    assert detect(holes, np.zeros(len(usual)), dates, **options) == absent


def test_what_is_no_stream_is_refused():
    with pytest.raises(LearningError, match="each night needs one of each"):
        judge(np.ones(REFERENCE), errors=np.zeros(3))
    with pytest.raises(LearningError, match="at least 0"):
        judge(np.ones(REFERENCE), errors=-np.ones(REFERENCE))
    with pytest.raises(LearningError, match="ascend"):
        detect([1, 2], [0, 0], [FIRST, FIRST], judged_from=FIRST, worse="lower")
    with pytest.raises(LearningError, match="shares of errors"):
        judge(np.full(REFERENCE + 3, 2.0), detector=Detector.DDM)


@pytest.mark.parametrize(
    ("detector", "river"),
    [
        (Detector.ADWIN, lambda: ADWIN(clock=1, grace_period=5)),
        (Detector.PAGE_HINKLEY, lambda: PageHinkley(min_instances=28, delta=0.5, threshold=8, mode="down")),
        (Detector.DDM, DDM),
    ],
)
def test_the_other_detectors_are_those_of_river(detector, river):
    """The last night on which river's own one fires, on the same stream."""
    random = np.random.default_rng(3)
    level = np.repeat([0.9, 0.4] if detector is not Detector.DDM else [0.1, 0.6], [REFERENCE + 20, 60])
    figures = np.clip(level + 0.05 * random.normal(size=len(level)), 0, 1)
    result = judge(figures, detector=detector)
    deviations = change_detection._standardise(
        change_detection._Series.of(figures, np.zeros(len(figures)), nights(len(figures))),
        np.arange(len(figures)) < REFERENCE,
    )[0]
    stream, fired = river(), []
    for place, one in enumerate(figures if detector is Detector.DDM else deviations):
        stream.update(float(one))
        fired += [place] if stream.drift_detected else []

    assert result.alarm
    assert result.since == FIRST + timedelta(fired[-1])
    assert result.since >= FIRST + timedelta(REFERENCE + 20)
