"""Which training rows are fitted on, and what each stands for."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learning import problems
from nightjar.errors import LearningError
from nightjar.learning.data.other_rows import UnlabelledRows
from nightjar.learning.data.row_order import row_order
from nightjar.learning.data.sampling import draw_sample, strata_of
from nightjar.learning.fitting.fit_sets import FitSet, make_fit_set
from nightjar.settings.sampling import TrainingSample
from oracles import sampling as oracle

DAY = np.full(8, "2024-04-01", dtype="datetime64[D]")
NEVER, LATER = np.datetime64("1970-01-01", "us"), problems.FIRST + timedelta(days=problems.DAYS)
ORDER = np.array([7, 1, 5, 3, 0, 2, 6, 4], dtype=np.uint64)


def weights_by_row(sample):
    return dict(zip(sample.rows.tolist(), sample.weight.tolist(), strict=True))


def test_a_share_is_of_the_rows_that_come_first_in_the_order():
    """Each of the two kept rows stands for four."""
    assert weights_by_row(draw_sample(ORDER, DAY, None, TrainingSample(0.25))) == {1: 4.0, 4: 4.0}


def test_the_newest_days_are_kept_in_full():
    """Days are of the calendar: one without rows counts."""
    day = np.array(["2024-04-01"] * 4 + ["2024-04-02"] * 2 + ["2024-04-04"] * 2, dtype="datetime64[D]")
    sample = TrainingSample(0.5, newest_days=2)
    assert weights_by_row(draw_sample(ORDER, day, None, sample)) == {1: 2.0, 4: 2.0, 5: 2.0, 6: 1.0, 7: 1.0}


def test_each_stratum_has_its_share_and_keeps_a_row():
    """Every true label, a third of the false ones, and a null by the share of all others: less than one row is one."""
    label = pa.array([True, False, False, True, False, False, None, None])
    sample = TrainingSample(0.1, "label", {"true": 1.0, "false": 0.3})
    drawn = draw_sample(ORDER, DAY, strata_of(np.array(label), pa.table({}), sample), sample)
    assert weights_by_row(drawn) == {0: 1.0, 3: 1.0, 4: 4.0, 7: 2.0}


def test_rows_of_one_number_stay_together():
    """The rows of a ranking's list: two of four lists, each standing for two."""
    lists = np.array([9, 9, 9, 4, 4, 8, 6, 6], dtype=np.uint64)
    assert weights_by_row(draw_sample(lists, DAY, None, TrainingSample(0.5))) == {3: 2.0, 4: 2.0, 6: 2.0, 7: 2.0}


def test_everything_is_kept_unless_asked():
    assert weights_by_row(draw_sample(ORDER, DAY, None, TrainingSample())) == dict.fromkeys(range(8), 1.0)
    assert weights_by_row(draw_sample(ORDER[:0], DAY[:0], None, TrainingSample(0.5, newest_days=1))) == {}


@pytest.mark.parametrize(("weight", "expected"), [(None, [4.0, 2.0]), ([1.0, 3.0, 0.5], [4.0, 1.0])])
def test_weights_are_multiplied(weight, expected):
    rows = replace(problems.rows(a_day=1), weight=None if weight is None else np.resize(weight, problems.DAYS))
    examples = FitSet(np.array([0, 2]), np.array([4.0, 2.0]), (), NEVER).examples(rows)
    assert examples.weight is not None
    assert examples.weight.tolist() == expected
    assert examples.table["x"].to_pylist() == [rows.features["x"][number].as_py() for number in (0, 2)]
    assert examples.label.tolist() == rows.label[[0, 2]].tolist()


def test_rows_without_a_label_may_join_whose_horizon_of_12_hours_had_passed():
    time = np.array(["2024-02-29T11:00:00.000002", "2024-02-29T11:00:00.000001", "2024-02-29T11:00"], "datetime64[us]")
    rows = replace(
        problems.rows(), unlabelled=UnlabelledRows(pa.table({}), time), unlabelled_passed_at=time + problems.HORIZON
    )
    for embargo, before in (("0d", time[1]), ("1us", time[2])):
        settings = problems.search(split=replace(problems.SPLIT, embargo=embargo))
        assert make_fit_set(rows, np.arange(400), problems.FIRST, 0, settings, "Europe/Paris").before == before


def test_a_part_of_a_fold_is_the_same_whatever_else_is_in_the_fold():
    rows, settings = problems.rows(), problems.search(sample=TrainingSample(0.25, newest_days=5))
    short, whole = (make_fit_set(rows, np.arange(count), LATER, 0, settings, "UTC") for count in (520, 800))
    assert len(short.rows) == 5 * 40 + 80
    assert len(whole.rows) == 5 * 40 + 150
    assert len(set(whole.rows) & set(short.rows) & set(range(320))) >= 65
    assert short.weight is not None
    assert short.weight.sum() == 520


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12), st.sampled_from(["a", "b", None])), max_size=30),
    st.sampled_from([0.1, 0.5, 0.9]),
    st.sampled_from([None, 1, 3]),
)
def test_a_sample_is_that_of_one_stratum_after_another(rows, fraction, newest_days):
    """With rows that share a number, and strata of which all rows are new; the weights of each add up to its rows."""
    days, order, strata = ([row[column] for row in rows] for column in range(3))
    older = [newest_days is None or day <= max(days) - newest_days for day in days]
    settings = TrainingSample(fraction, "site", {"b": 0.3}, newest_days)
    day = np.array([date(2024, 4, 1 + number) for number in days], dtype="datetime64[D]")
    weights_of_rows = weights_by_row(
        draw_sample(np.array(order, dtype=np.uint64), day, pa.array(strata, pa.string()), settings)
    )
    assert weights_of_rows == oracle.sampled(order, older, strata, lambda value: 0.3 if value == "b" else fraction)
    if len(set(order)) == len(order):
        for value in set(strata):
            weights = [weight for row, weight in weights_of_rows.items() if strata[row] == value]
            assert sum(weights) == pytest.approx(strata.count(value))


def test_a_row_has_its_place_whatever_rows_are_with_it():
    """Its key, the purpose and the seed decide, and nothing else."""
    key = pa.table({"machine": ["m1", "m2", "m3"], "day": pa.array([date(2024, 4, 1)] * 3)})
    order = row_order(key, "train", 1)
    assert row_order(key.take(pa.array([2, 0])), "train", 1).tolist() == order[[2, 0]].tolist()
    assert len({*order, *row_order(key, "train", 2), *row_order(key, "spot check", 1)}) == 9


def test_a_sample_by_key_is_a_random_one():
    """Of 20,000 keys a tenth is kept; the kept share of any thousand neighbours is that of chance (sd 0.0095)."""
    key = pa.table({"id": pa.array(range(20_000))})
    day = np.full(20_000, "2024-04-01", dtype="datetime64[D]")
    drawn = draw_sample(row_order(key, "train", 0), day, None, TrainingSample(0.1))
    assert len(drawn.rows) == 2_000
    of_each = np.bincount(drawn.rows // 1_000, minlength=20) / 1_000
    assert np.abs(of_each - 0.1).max() < 0.04
    assert 0.005 < of_each.std() < 0.015


def test_a_list_s_rows_have_one_place_whatever_lists_are_with_it():
    """Lists of one to five rows: each is kept whole, and as often as any other."""
    rows = problems.rows(a_day=300)
    query = np.repeat(np.arange(2000), np.resize([1, 2, 3, 4, 5], 2000))
    lists = replace(rows, query=query, label=rows.label.astype(float))
    settings = problems.search(sample=TrainingSample(0.3))
    some = make_fit_set(lists, np.arange(3000), LATER, 0, settings, "UTC")
    whole = make_fit_set(lists, np.arange(6000), LATER, 0, settings, "UTC")
    size = np.bincount(query)
    for part in (some, whole):
        numbers, rows_of_each = np.unique(query[part.rows], return_counts=True)
        assert rows_of_each.tolist() == size[numbers].tolist()
    sampled_lists = np.unique(query[whole.rows])
    assert len(sampled_lists) == 600
    assert len(np.setxor1d(np.unique(query[some.rows]), sampled_lists[sampled_lists < 1000])) < 60
    shares = [(size[sampled_lists] == rows_of_list).sum() / 400 for rows_of_list in (1, 2, 3, 4, 5)]
    assert shares == pytest.approx([0.3] * 5, abs=0.08)


def test_a_sample_that_leaves_nothing_to_learn_from_is_refused():
    """A tenth of the labels is true, and three rows of 800 are kept."""
    rows = problems.rows()
    rare = replace(rows, label=np.arange(800) % 10 == 0)
    settings = problems.search(sample=TrainingSample(0.004))
    with pytest.raises(LearningError, match=r"Of the 800 training rows before 2024-03-21 the fit keeps 3, all with"):
        make_fit_set(replace(rows, label=np.full(800, 2.5)), np.arange(800), LATER, 0, settings, "UTC")
    few = replace(settings, sample=TrainingSample(0.001))
    with pytest.raises(LearningError, match="the fit keeps 1, all with the label"):
        make_fit_set(rare, np.arange(800), LATER, 0, few, "UTC")
    both = replace(settings, sample=TrainingSample(0.004, "label"))
    assert len(make_fit_set(rare, np.arange(800), LATER, 0, both, "UTC").rows) == 4


def count_sampled(strata, fraction, **shares):
    """How many rows are kept, in their own order, of one day."""
    rows, settings = len(strata), TrainingSample(fraction, "x", shares)
    order, day = np.arange(rows, dtype=np.uint64), np.full(rows, "2024-04-01", dtype="datetime64[D]")
    return len(draw_sample(order, day, pa.array(strata), settings).rows)


def test_rare_values_keep_their_row_beside_large_ones_of_which_rows_are_left_out():
    assert count_sampled([*range(1_000), *[-1] * 9_000], 0.1) == 1_000 + 900
    assert count_sampled([*range(1_000), *[-1] * 2_000], 0.5) == 1_000 + 1_000
    assert count_sampled(range(20), 0.01) == 20  # however small the share, so few rows are no burden


@pytest.mark.parametrize(
    ("strata", "fraction", "message"),
    [
        (
            np.arange(100) / 7,
            0.5,
            "50 of 100 rows, and 100 would be kept: .* of each of 100 values of x, and one",
        ),
        (np.arange(100) / 7, 0.7, "70 of 100 rows, and 100 would be kept"),
        (np.arange(1_000) // 2, 0.8, "800 of 1,000 rows, and 1,000 would be kept: whole rows .* of each of 500 values"),
        ([*range(1_000), *[-1] * 7_000], 0.1, "800 of 8,000 rows, and 1,700 would be kept"),
        (np.arange(100) // 2, 0.1, "10 of 100 rows, and 50 would be kept: .* of each of 50 values"),
        (np.arange(1_000_000) / 7, 0.5, "500,000 of 1,000,000 rows"),  # as fast as others
    ],
)
def test_strata_of_which_hardly_a_row_is_left_out_are_refused(strata, fraction, message):
    with pytest.raises(LearningError, match=f"search.sample asks for {message}"):
        count_sampled(strata, fraction)


def test_of_newest_days_nothing_is_left_out_and_the_refusal_counts_the_others():
    day = np.repeat(np.array(["2024-04-01", "2024-04-09"], dtype="datetime64[D]"), [100, 300])
    settings = TrainingSample(0.5, "x", newest_days=3)
    with pytest.raises(LearningError, match="asks for 50 of 100 rows older than newest_days, and 100 would be kept"):
        draw_sample(np.arange(400, dtype=np.uint64), day, pa.array(np.arange(400) / 7), settings)


def test_a_share_of_1_is_asked_for_and_not_too_many():
    assert count_sampled([*["a"] * 900, *["b"] * 100], 0.1, a=1.0) == 910


def test_whose_strata_are_too_many_is_told():
    settings = problems.search(sample=TrainingSample(0.5, "x"))
    with pytest.raises(LearningError, match=r"The training rows before 2024-03-21: search.sample asks for 400 of 800"):
        make_fit_set(problems.rows(), np.arange(800), LATER, 0, settings, "UTC")


def test_rows_need_a_day_and_a_stratum_each():
    with pytest.raises(LearningError, match=r"Order, days and strata are of \[8, 1, 8\] rows"):
        draw_sample(ORDER, DAY[:1], None, TrainingSample(0.5))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fraction": 0.0}, "fraction: found 0.0, expected more than 0"),
        ({"fraction": 1.5}, "fraction: found 1.5, expected at most 1"),
        ({"fraction": 0.5, "fractions": {"a": 0.1}}, "fractions: found {'a': 0.1}, expected none without stratify"),
        (
            {"fraction": 0.5, "stratify": "label", "fractions": {"True": 0.1}},
            "fractions: found 'True', expected one of the labels ['false', 'true']",
        ),
        ({"fraction": 0.5, "stratify": "site", "fractions": {"a": 2}}, "fractions.a: found 2, expected at most 1"),
        ({"fraction": 0.5, "newest_days": 0}, "newest_days: found 0, expected at least 1"),
        ({"newest_days": 7}, "fraction: found 1.0, expected a share below 1"),
        ({"stratify": "label"}, "fraction: found 1.0, expected a share below 1"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(values, message):
    with pytest.raises(ValueError) as error:  # noqa: PT011  (the whole beginning is compared)
        TrainingSample(**values)
    assert str(error.value).startswith(message)
