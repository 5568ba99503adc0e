import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.preparations import PLAIN
from nightjar.errors import LearningError
from nightjar.models.checking import check_model
from nightjar.models.columns import FeatureColumn
from nightjar.models.examples import Examples
from nightjar.models.fitting import fit
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.preparation import preparation
from nightjar.models.preprocessing.resampling import resample
from nightjar.models.preprocessing.synthetic_rows import Pairs, draw_pairs, interpolate
from nightjar.settings.columns import Category, ColumnPreparation, Encoding, FeatureType
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Imbalance, ImbalanceKind, Preparation
from nightjar.settings.task import Task

CHANGES_ROWS = [kind for kind in ImbalanceKind if kind not in (ImbalanceKind.NONE, ImbalanceKind.CLASS_WEIGHT)]


def rows_of(positives, negatives, seed=0):
    """Inputs of two columns, two mixed clouds; labels in any order."""
    random = np.random.default_rng(seed)
    label = random.permutation(np.arange(positives + negatives) < positives)
    return random.normal(size=(len(label), 2)) + label[:, None], label


def rebalance(inputs, label, weight, settings, seed):
    """Of inputs that no preparation has changed."""
    return resample(inputs, label, weight, settings, seed, lambda at: interpolate(pd.DataFrame(inputs), at).to_numpy())


def test_nothing_is_done_unless_asked_for():
    inputs, label = rows_of(2, 8)
    weight = np.arange(10.0)

    assert rebalance(inputs, label, weight, Imbalance(), 0) == (inputs, label, weight)


@pytest.mark.parametrize(
    ("label", "weight", "ratio", "expected"),
    [
        ([1, 0, 0, 0], None, 1.0, [2, 2 / 3, 2 / 3, 2 / 3]),
        ([0, 1, 1, 1], None, 1.0, [2, 2 / 3, 2 / 3, 2 / 3]),
        ([1, 0, 0, 0, 0], None, 0.5, [5 / 3, 5 / 6, 5 / 6, 5 / 6, 5 / 6]),
        ([1, 0, 0], [2.0, 4.0, 4.0], 1.0, [5, 2.5, 2.5]),
        ([1, 0, 0], [4.0, 1.0, 1.0], 0.1, [4, 1, 1]),
    ],
)
def test_class_weights_reach_the_ratio_and_keep_the_sum(label, weight, ratio, expected):
    """The lighter class by weight, not by rows; classes nearer than the ratio stay."""
    settings = Imbalance(ImbalanceKind.CLASS_WEIGHT, ratio)
    weights = None if weight is None else np.array(weight)

    _, _, actual = rebalance(np.zeros((len(label), 1)), np.array(label, bool), weights, settings, 0)

    np.testing.assert_allclose(actual, expected)


@pytest.mark.parametrize("kind", CHANGES_ROWS, ids=lambda one: one.value)
@settings(deadline=None, max_examples=20)
@given(rarer=st.integers(8, 12), other=st.integers(40, 60), ratio=st.sampled_from([0.5, 1.0]), turned=st.booleans())
def test_classes_come_as_near_as_asked_and_given_rows_keep_order_and_weight(kind, rarer, other, ratio, turned):
    """Which class is the rarer one is seen from the rows."""
    inputs, label = rows_of(rarer, other)
    label = ~label if turned else label
    weight = np.arange(1.0, len(label) + 1)

    more, labels, weights = rebalance(inputs, label, weight, Imbalance(kind, ratio), seed=3)

    counts = np.sort(np.bincount(labels))
    assert len(more) == len(labels) == len(weights)
    assert counts[0] / counts[1] == pytest.approx(ratio, abs=0.03)
    numbers = {tuple(row): number for number, row in enumerate(inputs)}
    origin = [numbers.get(tuple(row)) for row in more]
    if kind is ImbalanceKind.UNDER:
        assert origin == sorted(set(origin))
    else:
        assert origin[: len(label)] == list(range(len(label)))
        assert set(labels[len(label) :]) == {labels[len(label)]} == {not turned}
    for row, number in enumerate(origin):
        if number is None:
            assert weights[row] == pytest.approx(weight[label == labels[row]].mean())
        else:
            assert (weights[row], labels[row]) == (weight[number], label[number])


@pytest.mark.parametrize("kind", CHANGES_ROWS, ids=lambda one: one.value)
def test_the_seed_decides(kind):
    inputs, label = rows_of(12, 60)

    once, again, other = (rebalance(inputs, label, None, Imbalance(kind), seed)[0] for seed in (1, 1, 2))

    np.testing.assert_array_equal(once, again)
    assert once.shape != other.shape or not np.array_equal(once, other)


@pytest.mark.parametrize("kind", CHANGES_ROWS, ids=lambda one: one.value)
def test_classes_that_are_near_already_are_left_alone(kind):
    inputs, label = rows_of(30, 40)

    assert rebalance(inputs, label, None, Imbalance(kind, ratio=0.5), 0) == (inputs, label, None)


def test_synthetic_rows_lie_between_rows_of_the_rarer_class():
    """Two of them, so one neighbour rather than five: what is made lies on the line between the two."""
    inputs = np.array([[0.0, 0.0], [4.0, 8.0], *[[9.0, 9.0]] * 10])
    label = np.arange(12) < 2

    synthetic = rebalance(inputs, label, None, Imbalance(ImbalanceKind.SMOTE), 0)[0][12:]

    assert len(synthetic) == 8
    np.testing.assert_allclose(synthetic[:, 1], synthetic[:, 0] * 2)
    assert ((synthetic[:, 0] >= 0) & (synthetic[:, 0] <= 4)).all()


@pytest.mark.parametrize(
    ("kind", "inputs", "label", "message"),
    [
        ("SMOTE", [[0.0]] * 4, [True, False, False, False], "the rarer class has 1 row only"),
        ("ADASYN", [[0.0]] * 4, [True, False, False, False], "the rarer class has 1 row only"),
        ("SMOTE", [[0.0], [np.nan], [1.0], [1.0], [1.0]], [True, True, False, False, False], "nulls: found some in 1"),
        (
            "ADASYN",
            [[0.0], [1.0], [2.0], *[[99.0]] * 9],
            [True] * 3 + [False] * 9,
            r"near none of the 3 rows of the rarer class: all of their 2 nearest .* Raise imbalance.neighbours, or use",
        ),
        ("OVER", [[0.0]] * 3, [False] * 3, "All 3 training rows are of one class"),
        ("UNDER", [[0.0]] * 2, [0.5, 1.5], "the labels are float64, expected booleans"),
    ],
)
def test_rows_that_cannot_be_evened_out_are_refused(kind, inputs, label, message):
    with pytest.raises(LearningError, match=message):
        rebalance(np.array(inputs), np.array(label), None, Imbalance(ImbalanceKind[kind], neighbours=2), 0)


@pytest.mark.parametrize("kind", [ImbalanceKind.SMOTE, ImbalanceKind.ADASYN], ids=lambda one: one.value)
@pytest.mark.parametrize(
    ("rarer", "other", "ratio"), [(2, 3, 1.0), (2, 400, 1.0), (9, 10, 0.95), (100, 104, 1.0), (180, 200, 1.0)]
)
def test_as_many_rows_are_made_as_the_ratio_says(kind, rarer, other, ratio):
    """Also fewer than there are rows to make them at, and of a class with fewer rows than neighbours are to be."""
    inputs, label = rows_of(rarer, other)

    labels = rebalance(inputs, label, None, Imbalance(kind, ratio, neighbours=50), 0)[1]

    assert labels.sum() == max(rarer, int(ratio * other))


FEATURES = (
    FeatureColumn("measured", "number"),
    FeatureColumn("count", "number"),
    FeatureColumn("flag", "number"),
    FeatureColumn("gappy", "number"),
    FeatureColumn("level", "category"),
    FeatureColumn("other", "category"),
)
MEASURED = st.floats(-1e6, 1e6).map(lambda value: value + 0.25)
RARE = st.fixed_dictionaries(
    {
        "measured": MEASURED,
        "count": st.integers(0, 30).map(float),
        "flag": st.sampled_from([0.0, 1.0]),
        "gappy": st.just(np.nan) | MEASURED,
        "level": st.sampled_from(["a", "b", "c", np.nan]),
        "other": st.sampled_from(["x", "y"]),
    }
)


@pytest.mark.slow
@settings(max_examples=30)
@given(
    rows=st.lists(RARE, min_size=3, max_size=12),
    encoding=st.sampled_from([one for one in PLAIN if one is not Encoding.TARGET]),
)
def test_synthetic_rows_hold_no_impossible_values(rows, encoding):
    """Levels, counts, flags and nulls are those of one of the two rows, all together; what is measured lies between.

    The estimator's inputs, also the marks of nulls and the columns of levels, are those of such a row.
    """
    frame = pd.DataFrame(rows + rows[:1] * 30).astype({"level": object, "other": object})
    label = np.arange(len(frame)) < len(rows)
    encoded = Preparation(category=Category(encoding))
    pipeline = preparation(FEATURES, encoded, InputRequirement.COMPLETE, task=Task.CLASSIFICATION, seed=0)
    inputs = pipeline.fit_transform(frame, label)
    calls = []

    def record(at):
        calls.append((at, interpolate(frame, at)))
        return pipeline.transform(calls[-1][1])

    inputs_after, labels, _ = resample(inputs, label, None, Imbalance(ImbalanceKind.SMOTE, neighbours=2), 0, record)

    assert labels[len(label) :].all()
    (at, result), ends = (
        calls[0],
        [frame.iloc[at].reset_index(drop=True) for at in (calls[0][0].base, calls[0][0].neighbour)],
    )
    assert (label[at.base] & label[at.neighbour]).all()
    assert (at.base != at.neighbour).all()
    copied = ["count", "flag", "level", "other"]
    for row in range(len(result)):
        near = ends[int(at.part[row] >= 0.5)]
        pd.testing.assert_series_equal(result.loc[row, copied], near.loc[row, copied])
        first, second = (end.loc[row, ["measured", "gappy"]] for end in ends)
        for name in ("measured", "gappy"):
            if np.isnan(first[name]) or np.isnan(second[name]):
                assert result.loc[row, name] == near.loc[row, name] or np.isnan(near.loc[row, name])
            else:
                assert min(first[name], second[name]) <= result.loc[row, name] <= max(first[name], second[name])
    np.testing.assert_array_equal(inputs_after[len(label) :], pipeline.transform(result))


def test_one_hot_codes_of_synthetic_rows_are_whole():
    """Of 40 made rows, as many as are asked for, each has one level."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"level": random.choice(["a", "b"], 60), "x": random.normal(size=60)}).astype(
        {"level": object}
    )
    features = (FeatureColumn("level", "category"), FeatureColumn("x", "number"))
    pipeline = preparation(features, Preparation(), InputRequirement.COMPLETE, task=Task.CLASSIFICATION, seed=0)
    label = np.arange(60) < 10
    inputs = pipeline.fit_transform(frame, label)
    more, _, _ = resample(
        inputs, label, None, Imbalance(ImbalanceKind.SMOTE), 0, lambda at: pipeline.transform(interpolate(frame, at))
    )
    names = [name.startswith("category") for name in pipeline.get_feature_names_out()]
    codes = more[60:, names]
    assert len(codes) == 40
    assert sorted(map(tuple, np.unique(codes, axis=0).tolist())) == [(0.0, 1.0), (1.0, 0.0)]


def test_neighbours_are_the_nearest_of_the_rarer_class():
    """One neighbour each: of 0, 1, 5 and 7 on a line, whatever of the other class lies between."""
    inputs = np.array([[0.0], [1.0], [5.0], [7.0], *[[value] for value in np.linspace(0.1, 6.9, 30)]])
    label = np.arange(34) < 4
    options = {"rarer": True, "count": 40, "neighbours": 1, "seed": 0}
    result = draw_pairs(inputs, label, ImbalanceKind.SMOTE, **options)
    assert {*zip(result.base.tolist(), result.neighbour.tolist(), strict=True)} == {(0, 1), (1, 0), (2, 3), (3, 2)}
    whole, measured = pd.DataFrame({"x": [0.0, 4.0]}), pd.DataFrame({"x": [0.5, 4.0]})
    at = Pairs(np.array([0, 0]), np.array([1, 1]), np.array([0.25, 0.75]))
    assert interpolate(whole, at)["x"].tolist() == [0.0, 4.0]
    assert interpolate(measured, at)["x"].tolist() == [1.375, 3.125]
    assert interpolate(measured, at, levels=["x"])["x"].tolist() == [0.5, 4.0]


def test_a_number_that_is_taken_for_a_category_keeps_its_levels():
    """Sizes 0.5 and 1.5 of shoes: a fit whose one-hot codes are of no other."""
    random = np.random.default_rng(0)
    rare = np.arange(80) < 10
    size = random.choice([0.5, 1.5], 80)
    columns = {"size": ColumnPreparation(FeatureType.CATEGORY, category=Category(min_frequency=1))}
    model = Model(Estimator.TREE, imbalance=Imbalance(ImbalanceKind.SMOTE), preparation=Preparation(columns=columns))
    table = pa.table({"size": size, "x": random.normal(size=80)})
    features = (FeatureColumn("size", "number"), FeatureColumn("x", "number"))
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "nightjar.models.single_estimator.interpolate", lambda *args: seen.append(interpolate(*args)) or seen[-1]
        )
        fit(model, Examples(table, rare), features=features, seed=0)
    assert set(seen[0]["size"]) == {0.5, 1.5}
    assert not set(seen[0]["x"]) <= set(table["x"].to_pylist())


def test_rows_cannot_be_made_where_levels_are_encoded_by_labels():
    model = Model(
        Estimator.LOGISTIC,
        imbalance=Imbalance(ImbalanceKind.SMOTE),
        preparation=Preparation(category=Category(Encoding.TARGET)),
    )
    with pytest.raises(LearningError, match=r"imbalance is smote: .* encoding=target .* Choose another encoding, over"):
        check_model(model, features=FEATURES)
