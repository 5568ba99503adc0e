from datetime import timedelta

import numpy as np
import pytest

from evaluation.varying_nights import FIRST, NAMES, dates_of, nights_of
from nightjar.errors import LearningError
from nightjar.evaluation.divergences import jensen_shannon, jensen_shannon_of
from nightjar.evaluation.judgements import ACT, WATCH
from nightjar.evaluation.nulls import Null, fit_null
from nightjar.evaluation.tails import fit_tail
from nightjar.evaluation.yardsticks import comparable, draw_down, fit_yardstick
from oracles import nulls as oracle


@pytest.fixture(scope="module")
def reference(counts):
    return {name: one[:200].sum(axis=0) for name, one in counts.items()}


def judge(null, reference, tonight, *, night=FIRST + timedelta(210), lag_days=11, history=None, **options):
    return null.judge(night, lag_days, tonight, reference, history or {}, **options)


def test_a_yardstick_is_that_of_the_oracle(counts):
    dates = dates_of(120)
    days = np.array(dates, "datetime64[D]")
    stack = np.stack([counts[name][:120] for name in NAMES])

    result = fit_yardstick(days, stack, 14, 10**6, jensen_shannon_of, np.ones(len(NAMES), bool))

    by_column = [
        oracle.studentised_of(oracle.distances_of(dates, column, 14, jensen_shannon)) for column in stack.tolist()
    ]
    assert result.nights == len(by_column[0])
    maxima = oracle.maxima(by_column, lambda values, share: fit_tail(np.array(values), 2.0).reach(share))
    np.testing.assert_allclose(result.tail.values, np.sort(np.maximum(list(maxima.values()), 2.0)))


def test_tonight_is_studentised_like_the_night_after_the_nulls(counts, null, reference):
    """By the mean of its weekday, and the deviation around the means."""
    tonight = {name: one[210] for name, one in counts.items()}
    distances = oracle.distances_of(dates_of(200), counts["speed"][:200].tolist(), 14, jensen_shannon)
    means, deviation = oracle.usual_of(distances)

    speed = judge(null, reference, tonight).columns["speed"]

    assert speed.distance == pytest.approx(jensen_shannon(reference["speed"], tonight["speed"]))
    assert speed.studentised == pytest.approx((speed.distance - means[(FIRST + timedelta(210)).weekday()]) / deviation)


def test_a_night_like_the_others_is_ok_and_one_of_other_values_is_not(counts, null, reference):
    tonight = {name: one[210] for name, one in counts.items()}
    other = tonight | {"wind": tonight["wind"][::-1] * np.array([0] * 3 + [1] * 7 + [0] * 3)}

    usual, unusual = judge(null, reference, tonight), judge(null, reference, other)

    assert usual.state == "ok"
    assert unusual.state == "act"
    assert {name: one.state for name, one in unusual.columns.items()} == dict.fromkeys(NAMES, "ok") | {"wind": "act"}
    assert unusual.p <= ACT
    assert unusual.maximum == unusual.columns["wind"].greatest >= unusual.act > unusual.watch
    assert unusual.p_of_30_nights == pytest.approx(1 - (1 - unusual.p) ** 30)


def test_small_changes_that_last_are_found_by_the_means_over_nights(counts, null, reference):
    """No night alone is rare enough to watch."""
    tonight = {name: one[210] for name, one in counts.items()}
    watch = judge(null, reference, tonight).watch
    history = {name: [0.6 * watch] * 4 for name in NAMES}
    lasting = tonight | {"wind": counts["wind"][int(np.argmax(_studentised(null, reference, counts, watch)))]}

    alone, after = judge(null, reference, lasting), judge(null, reference, lasting, history=history)

    assert alone.columns["wind"].state == "ok"
    assert after.columns["wind"].state in ("watch", "act")
    assert after.columns["wind"].span > 1
    assert after.columns["wind"].studentised == alone.columns["wind"].studentised


def _studentised(null, reference, counts, watch):
    """Of `wind` on each night; nothing for those that are watched by themselves."""
    values = [judge(null, reference, {"wind": one}).columns["wind"].studentised for one in counts["wind"][200:]]
    return [-np.inf] * 200 + [one if one < watch else -np.inf for one in values]


def test_one_night_that_is_far_off_is_no_trend(null, reference, counts):
    tonight = {name: one[210] for name, one in counts.items()}

    after = judge(null, reference, tonight, history={name: [0, 0, 0, 1000] for name in NAMES})

    assert after.state == "ok"


@pytest.mark.parametrize("rows", [50, 100_000_000])
def test_the_number_of_rows_alone_is_no_alarm(null, reference, rows):
    """Nights drawn from the reference itself: few rows differ by chance, many show any nothing."""
    random = np.random.default_rng(7)
    states = []
    for _ in range(40):
        tonight = {name: random.multinomial(rows, one / one.sum()) for name, one in reference.items()}
        states.append(judge(null, reference, tonight).state)

    assert states.count("act") == 0
    assert states.count("watch") <= 5  # of 40 nights at 5%: more in 1% of cases


def test_no_alarm_on_a_hundred_million_rows_each_night():
    """Nights that do not differ at all: the least differences are far from chance, and do not matter."""
    random = np.random.default_rng(0)
    nights = random.multinomial(10**8, np.full(10, 0.1), size=120)
    null = fit_null(dates_of(120), {"speed": nights}, gap_days=7, oldest_days=30)
    tilted = np.linspace(0.1005, 0.0995, 10) * 10**8

    result = judge(null, {"speed": nights.sum(axis=0)}, {"speed": tilted.astype(int)}, lag_days=1)

    assert result.state == "ok"
    assert result.columns["speed"].distance > 5 * jensen_shannon(nights.sum(axis=0), nights[0])


def test_rows_beyond_those_of_the_nights_prove_nothing_more(null, reference, counts):
    """The same shares of a thousand times the rows."""
    tonight = {name: one[210] for name, one in counts.items()}
    many = {name: 1000 * one for name, one in tonight.items()}

    assert judge(null, reference, many).maximum == pytest.approx(judge(null, reference, tonight).maximum, abs=0.25)


def test_a_null_survives_being_stored(null, reference, counts):
    tonight = {name: one[210] for name, one in counts.items()}
    text = null.to_json()

    assert len(text) / len(NAMES) < 5000
    assert judge(Null.from_json(text), reference, tonight) == judge(null, reference, tonight)
    with pytest.raises(LearningError, match="not a null"):
        Null.from_json('{"dates": []}')


def test_new_values_and_nulls_are_seen_where_values_differ_from_night_to_night():
    """A twentieth of the rows, where the shares of the others move by more."""
    counts = nights_of(np.random.default_rng(3), 201, 1000, ("wind",), deviation=0.5)["wind"]
    null = fit_null(dates_of(200), {"wind": counts[:200]}, gap_days=14, oldest_days=60)
    reference = {"wind": counts[:200].sum(axis=0)}
    by_aspect = {}
    for aspect, place in (("new", -1), ("nulls", 0)):
        tonight = counts[200] * 95 // 100
        tonight[place] += 50
        by_aspect[aspect] = judge(null, reference, {"wind": tonight}).columns["wind"]

    assert judge(null, reference, {"wind": counts[200]}).state == "ok"
    assert {aspect: one.aspect for aspect, one in by_aspect.items()} == {"new": "new", "nulls": "nulls"}
    assert {one.state for one in by_aspect.values()} == {"act"}
    assert all(one.studentised < one.greatest for one in by_aspect.values())


def test_numbers_beyond_all_of_the_reference_s_are_no_more_than_far_where_whole_nights_move():
    """A rate that takes few values a night, and falls slowly to where no night was: its distance is as usual.

    The reference cannot show how usual that is, as its least values share a group: its own nights were beyond all
    nights before them, too.
    """
    level = np.abs(np.arange(200) % 40 - 20) // 2
    counts = np.zeros((200, 13), int)
    for apart in (0, 2, 4):  # three rates a night, each of a third of the rows, on some nights the same
        np.add.at(counts, (np.arange(200), 2 + np.minimum(level + apart * (np.arange(200) % 5 < 3), 9)), 333)
    tonight = np.zeros(13, int)
    tonight[1] = 999
    judged = {}
    for numbers in ((), ("rate",)):
        null = fit_null(dates_of(200), {"rate": counts}, gap_days=14, oldest_days=60, numbers=numbers)
        stored = Null.from_json(null.to_json(), numbers)
        judged[numbers], again = (
            judge(one, {"rate": counts.sum(axis=0)}, {"rate": tonight}).columns["rate"] for one in (null, stored)
        )
        assert again == judged[numbers]

    assert (judged[()].state, judged[()].aspect) == ("act", "new")
    # All rows, over the least deviation: 50, in the unit of nulls and new levels, 0.78 for this column.
    assert judged[()].greatest == pytest.approx(63.94518, abs=1e-5)
    assert (judged["rate",].state, judged["rate",].aspect) == ("ok", "values")
    assert judged["rate",].greatest < 3


def test_values_that_nights_of_the_reference_had_not_seen_before_them_either_are_less_new():
    """A column that moves slowly: most nights of the reference are beyond all nights before them."""
    counts = np.zeros((200, 13), int)
    counts[np.arange(200), 2 + np.arange(200) // 20] = 1000
    tonight = np.zeros(13, int)
    tonight[-1] = 1000
    null = fit_null(dates_of(200), {"age": counts}, gap_days=14, oldest_days=60)

    assert judge(null, {"age": counts.sum(axis=0)}, {"age": tonight}).columns["age"].state != "act"


def test_the_order_of_columns_changes_nothing(null, reference, counts):
    tonight = {name: one[210] for name, one in counts.items()}
    turned = Null.from_json(null.to_json())
    turned = Null(
        turned.dates,
        turned.gap_days,
        turned.oldest_days,
        turned.measure,
        turned.groups,
        dict(reversed(turned.counts.items())),
    )

    assert judge(turned, reference, tonight).p == judge(null, reference, tonight).p


def test_nights_are_compared_no_nearer_than_the_longest_window_and_no_further_than_there_are_nights(null, reference):
    tonight = {"wind": reference["wind"]}

    lags = {lag: judge(null, reference, tonight, lag_days=lag) for lag in (1, 14, 30, 60, 400)}

    assert {lag: one.lag_days for lag, one in lags.items()} == {1: 14, 14: 14, 30: 35, 60: 60, 400: 60}
    assert [one.nights for one in lags.values()] == [147, 147, 126, 101, 101]


def test_too_few_nights_are_unknown(counts):
    short = fit_null(dates_of(70), {"wind": counts["wind"][:70]}, gap_days=14, oldest_days=60)

    result = judge(short, {"wind": counts["wind"][:70].sum(axis=0)}, {"wind": counts["wind"][80]})

    assert result.state == result.columns["wind"].state == "unknown"
    assert result.p is None
    assert result.columns["wind"].distance > 0


def test_columns_without_rows_are_unknown_and_the_others_judged(null, reference, counts):
    tonight = {name: one[210] for name, one in counts.items()}

    result = judge(null, reference, tonight | {"wind": np.zeros(13, int)})

    assert result.columns["wind"].state == "unknown"
    assert result.columns["speed"].state == "ok"
    assert judge(null, reference, {}).state == "unknown"


def test_two_nulls_share_the_false_alarms(null, reference, counts):
    tonight = {name: one[210] for name, one in counts.items()}

    whole, half = judge(null, reference, tonight), judge(null, reference, tonight, share=0.5)

    assert half.watch > whole.watch
    assert half.p == whole.p


def test_what_cannot_be_counted_is_refused(null, reference):
    with pytest.raises(LearningError, match="13 bins"):
        judge(null, reference, {"wind": [1, 2, 3]})
    with pytest.raises(LearningError, match="ascend"):
        fit_null([FIRST, FIRST], {}, gap_days=1, oldest_days=2)
    with pytest.raises(LearningError, match="measure"):
        fit_null([FIRST], {}, gap_days=1, oldest_days=2, measure="euclid")
    with pytest.raises(LearningError, match="of 1"):
        fit_null([FIRST], {"wind": [[1, 2], [3, 4]]}, gap_days=1, oldest_days=2)


def test_wide_columns_are_merged_to_groups_and_a_new_level_stays_apart():
    random = np.random.default_rng(1)
    share = random.dirichlet(np.full(100, 5))
    nights = np.pad(np.sort(random.multinomial(2000, share, size=120), axis=1)[:, ::-1], ((0, 0), (1, 1)))
    null = fit_null(dates_of(120), {"route": nights}, gap_days=7, oldest_days=30)
    reference = {"route": nights.sum(axis=0)}
    new = nights[100].copy()
    new[-1] += 100

    assert null.counts["route"].shape[1] <= 13
    assert judge(null, reference, {"route": nights[100]}).state == "ok"
    assert judge(null, reference, {"route": new}).state == "act"


def test_nights_without_rows_are_no_part_of_a_null(counts):
    nights = counts["wind"][:150].copy()
    nights[40:50] = 0

    null = fit_null(dates_of(150), {"wind": nights}, gap_days=14, oldest_days=60)

    assert len(null.dates) == 140
    assert judge(null, {"wind": nights.sum(axis=0)}, {"wind": counts["wind"][200]}).state == "ok"


def test_rows_are_drawn_down_without_replacement():
    """As many as are due, never more of a group than there are; on average in proportion."""
    random = np.random.default_rng(2)
    counts = random.integers(0, 50, size=(2, 500, 6))
    counts[..., 0] = 3

    drawn = draw_down(counts, 60)

    assert (drawn <= counts).all()
    np.testing.assert_array_equal(drawn.sum(axis=-1), np.minimum(counts.sum(axis=-1), 60))
    expected = counts * np.minimum(60 / counts.sum(axis=-1, keepdims=True), 1)
    assert drawn.mean(axis=(0, 1)) == pytest.approx(expected.mean(axis=(0, 1)), rel=0.05)
    np.testing.assert_array_equal(draw_down(counts, 60), drawn)
    huge = draw_down(np.array([[3 * 10**9, 10**9, 0]]), 1000)[0]
    assert huge.sum() == 1000
    assert huge[0] == pytest.approx(750, abs=70)


def test_only_nights_with_a_past_are_compared():
    days = np.array(dates_of(100), "datetime64[D]")

    nights, before = comparable(days, 10)

    assert nights[0] == 37  # 28 nights lie at least 10 days before it
    assert before[0] == 28
    assert WATCH > ACT
