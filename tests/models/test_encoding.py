import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st

from nightjar.errors import LearningError
from nightjar.models.examples import InnerSplit
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.categories import category_steps
from nightjar.models.preprocessing.encoding import Hashed, LevelTexts
from nightjar.models.preprocessing.target_encoding import TargetMeans, TargetShares
from nightjar.models.serialization.skops_allowlist import dump
from nightjar.settings.columns import Category, Encoding, MissingLevel
from nightjar.settings.task import Task
from oracles.preparation import cross_fitted, mean_label

NAN = np.nan


def frame_of(*values, name="level"):
    return pd.DataFrame({name: np.array(values, dtype=object)})


def prepare(settings, train, new, requirement=InputRequirement.ORDERED):
    return category_steps(settings, requirement, (), Task.CLASSIFICATION).fit(train).transform(new)


def test_numbers_are_levels_as_people_write_them():
    frame = pd.DataFrame({"a": [2.0, 0.5, -0.0, NAN, 1e17]})

    assert LevelTexts().fit_transform(frame)["a"].tolist()[:3] == ["2", "0.5", "0"]
    assert LevelTexts("unknown").fit_transform(frame)["a"].tolist()[3:] == ["unknown", "100000000000000000"]


@pytest.mark.parametrize(
    ("missing", "places"), [(None, [NAN, 1]), (MissingLevel.MODE, [0, 1]), (MissingLevel.UNKNOWN, [2, 1])]
)
def test_a_null_is_missing_the_most_frequent_level_or_one_of_its_own(missing, places):
    """a and b are as frequent: the first one counts."""
    train = frame_of("b", "a", "b", "a", NAN)

    np.testing.assert_array_equal(prepare(Category(missing=missing), train, frame_of(NAN, "b")).ravel(), places)


def test_a_column_of_nulls_has_no_most_frequent_level():
    assert np.isnan(prepare(Category(missing=MissingLevel.MODE), frame_of(NAN, NAN), frame_of(NAN))).all()


def test_frequencies_are_shares_of_training_rows():
    train = frame_of("a", "a", "b", NAN)

    result = prepare(Category(Encoding.FREQUENCY), train, frame_of("a", "b", NAN, "unseen"))

    assert result.ravel().tolist() == [0.5, 0.25, 0.25, 0]


def test_rare_levels_share_a_place():
    """c and d are rare; so the places are a, b, rare, and unseen is none of them."""
    settings = Category(Encoding.ORDINAL, min_frequency=2)

    result = prepare(settings, frame_of(*"aabbcd"), frame_of(*"abcd", "unseen"))

    np.testing.assert_array_equal(result.ravel(), [0, 1, 2, 2, NAN])


def test_no_more_levels_than_allowed_are_told_apart():
    settings = Category(Encoding.ONE_HOT, min_frequency=1, max_categories=2)

    result = prepare(settings, frame_of(*"aaabc"), frame_of(*"abc", "unseen"))

    assert result.tolist() == [[1, 0], [0, 1], [0, 1], [0, 1]]


def test_places_of_what_must_be_complete_start_before_the_first_one():
    """Null and unseen are -1; then to mean 0 and standard deviation 1, as all that must be complete."""
    result = prepare(
        Category(Encoding.ORDINAL), frame_of("a", "b"), frame_of("a", "b", NAN, "unseen"), InputRequirement.COMPLETE
    )

    assert result.ravel().tolist() == [-1, 1, -3, -3]


def test_hashes_are_the_same_in_every_process_and_null_has_none():
    """MurmurHash3 with seed 0, not Python's salted hash: these buckets stand in files."""
    result = Hashed(8).fit_transform(frame_of("UA", "AA", "UA", NAN))

    assert [np.flatnonzero(row).tolist() for row in result] == [[2], [1], [2], []]


LEVELS = st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), st.booleans()), min_size=4, max_size=30)


@settings(deadline=None, max_examples=60)
@given(rows=LEVELS, pseudo_count=st.sampled_from([0.0, 1.0, 10.0]), data=st.data())
def test_target_means_are_those_of_a_loop_over_rows(rows, pseudo_count, data):
    """Training rows: from the split that tests them, and the mean of all for the others. New rows: from all."""
    levels, labels = [level for level, _ in rows], [label for _, label in rows]
    numbers = st.lists(st.integers(0, len(rows) - 1), unique=True, min_size=2)
    parts = [data.draw(numbers) for _ in range(2)]
    splits = [(part[: len(part) // 2], part[len(part) // 2 :]) for part in parts]
    frame = frame_of(*(NAN if level is None else level for level in levels))
    encoder = TargetMeans(pseudo_count, [InnerSplit(np.array(train), np.array(test)) for train, test in splits])

    actual = encoder.fit_transform(frame, np.array(labels))
    new = encoder.transform(frame_of("a", NAN, "unseen"))

    prior = sum(labels) / len(labels)
    np.testing.assert_allclose(actual.ravel(), cross_fitted(levels, labels, pseudo_count, splits))
    expected = [mean_label(level, levels, labels, pseudo_count, prior) for level in ("a", None, "unseen")]
    np.testing.assert_allclose(new.ravel(), expected)


@settings(deadline=None, max_examples=20)
@given(rows=st.lists(st.tuples(st.sampled_from([None, "a", "b"]), st.sampled_from([0, 2, 5])), min_size=4, max_size=20))
def test_target_shares_are_the_target_means_of_each_class_against_the_rest(rows):
    frame = frame_of(*(NAN if level is None else level for level, _ in rows))
    label, half = np.array([label for _, label in rows]), np.arange(len(rows) // 2)
    encoder = TargetShares(1.0, [InnerSplit(half, half + len(half))])

    actual, new = encoder.fit_transform(frame, label), encoder.transform(frame_of("a", NAN, "unseen"))

    for column, number in enumerate(np.unique(label)):
        one = TargetMeans(1.0, encoder.inner)
        assert np.array_equal(actual[:, [column]], one.fit_transform(frame, label == number))
        assert np.array_equal(new[:, [column]], one.transform(frame_of("a", NAN, "unseen")))
        assert encoder.get_feature_names_out()[column] == f"level_{number}"
    np.testing.assert_allclose(new.sum(axis=1), 1)


def test_a_file_holds_means_and_no_row_numbers():
    """Inner splits are of the training rows: where the file is opened there are none of those."""
    encoder = TargetMeans(inner=[InnerSplit(np.array([0]), np.array([1]))])
    encoder.fit_transform(frame_of("a", "a"), np.array([True, False]))

    opened = skops.io.loads(dump(encoder), trusted=["nightjar.models.stored_types.TargetMeans"])

    assert opened.inner == ()
    assert opened.transform(frame_of("a")).ravel().tolist() == [0.5]


def test_target_means_of_amounts():
    encoder = TargetMeans(pseudo_count=0).fit(frame_of("a", "a", "b"), np.array([1.0, 3.0, 8.0]))

    assert encoder.transform(frame_of("a", "b", NAN)).ravel().tolist() == [2, 8, 4]


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ((), "target encoding of level needs inner splits"),
        ([([0, 1], [2]), ([0, 1], [1, 2])], "row 1 is on both sides of the inner split 1"),
    ],
)
def test_target_encoding_without_honest_splits_is_refused(inner, message):
    splits = [InnerSplit(np.array(train), np.array(test)) for train, test in inner]
    with pytest.raises(LearningError, match=message):
        TargetMeans(inner=splits).fit_transform(frame_of("a", "b", "a"), np.array([True, False, True]))
