from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from models.preparations import FEATURES, PREPARATIONS, frame_of, preparation_of
from models.rows import inner_splits
from nightjar.errors import LearningError, ModelError
from nightjar.models.columns import FeatureColumn
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.categories import MIN_FREQUENCY, MOST_CATEGORIES
from nightjar.models.preprocessing.preparation import preparation
from nightjar.models.serialization.skops_allowlist import dump, open_preparation
from nightjar.settings.columns import (
    Category,
    ColumnPreparation,
    Encoding,
    FeatureType,
    Missing,
    Number,
    Scale,
    Shape,
    Text,
)
from nightjar.settings.preparation import Preparation, Selection, SelectionKind
from nightjar.settings.task import Task

DELAY, CARRIER = FeatureColumn("delay", "number"), FeatureColumn("carrier", "category")
ALL = pytest.mark.parametrize("name", PREPARATIONS)
BOTH = pytest.mark.parametrize(
    "requirement", [InputRequirement.COMPLETE, InputRequirement.ORDERED], ids=lambda one: one.value
)


def delays_and_carriers(delay, carrier):
    return pd.DataFrame({"delay": np.array(delay, dtype=float), "carrier": np.array(carrier, dtype=object)})


def pipeline_of(features, requirement, settings=None, task=Task.CLASSIFICATION, **options):
    return preparation(features, settings or Preparation(), requirement, task=task, seed=0, **options)


def fit_preparation(name, requirement):
    frame, label = frame_of(120)
    pipeline = pipeline_of(FEATURES, requirement, PREPARATIONS[name], inner=inner_splits(120, depth=1))
    pipeline.fit_transform(frame, label)
    return pipeline


fitted_preparation = cache(fit_preparation)


def as_scored(pipeline, frame):
    """As a predictor does it: filled up to a multiple of 64 rows."""
    rows = len(frame)
    return pipeline.transform(frame.take(np.minimum(np.arange(rows + -rows % 64), rows - 1)))[:rows]


# What estimators get where settings are silent


def test_trees_take_numbers_as_they_are_and_categories_as_places():
    pipeline = pipeline_of([DELAY, CARRIER], InputRequirement.ORDERED).fit(
        delays_and_carriers([1, 2, 3], ["UA", "AA", np.nan])
    )

    prepared = pipeline.transform(delays_and_carriers([7, np.nan, 9, 9], ["AA", "UA", np.nan, "unseen"]))

    assert pipeline.get_feature_names_out().tolist() == ["number__delay", "category__carrier"]
    np.testing.assert_array_equal(prepared, [[7, 0], [np.nan, 1], [9, np.nan], [9, np.nan]])


def test_linear_models_get_complete_numbers_of_unit_size():
    pipeline = pipeline_of([DELAY], InputRequirement.COMPLETE).fit(
        delays_and_carriers([-1, 1, -1, 1, np.nan], ["AA"] * 5)
    )

    delay, was_missing = pipeline.transform(delays_and_carriers([-1, 0, np.nan], ["AA"] * 3)).T

    assert np.allclose(delay, np.array([-1, 0, 0]) / np.sqrt(0.8))  # the median is 0, so the mean is 0 with it
    assert np.allclose(was_missing, [-0.5, -0.5, 2])


@pytest.mark.parametrize(("missing", "tolerance"), [(Missing.KNN, 1e-12), (Missing.ITERATIVE, 1e-3)])
def test_a_null_that_is_told_from_the_other_columns_leaves_its_indicator_too(missing, tolerance):
    """The delay is always ten times the seats. Only a column that had nulls in training has an indicator."""
    frame = pd.DataFrame({"delay": [0, np.nan, 20, 30, 40], "seats": [0.0, 1, 2, 3, 4]})
    tonight = pd.DataFrame({"delay": [np.nan, 25, 15], "seats": [2.5, np.nan, 1.5]})
    number = Number(missing=missing, neighbours=2, scale=Scale.NONE)

    with_it, without = (
        pipeline_of([DELAY, FeatureColumn("seats", "number")], InputRequirement.COMPLETE, Preparation(number=settings))
        for settings in (number, replace(number, indicator=False))
    )

    fitted_on = np.array([[0, 0, 0], [10, 1, 1], [20, 2, 0], [30, 3, 0], [40, 4, 0]])
    assert with_it.fit_transform(frame) == pytest.approx(fitted_on, abs=tolerance)
    scored = np.array([[25, 2.5, 1], [25, 2.5, 0], [15, 1.5, 0]])
    assert with_it.transform(tonight) == pytest.approx(scored, abs=tolerance)
    names = ["number__delay", "number__seats", "number__missingindicator_delay"]
    assert with_it.get_feature_names_out().tolist() == names
    assert without.fit(frame).get_feature_names_out().tolist() == names[:2]


def test_rare_and_unseen_categories_share_a_column():
    carriers = ["AA"] * MIN_FREQUENCY + ["UA"] * MIN_FREQUENCY + ["HA", "YV"]
    pipeline = pipeline_of([CARRIER], InputRequirement.COMPLETE).fit(delays_and_carriers([0] * len(carriers), carriers))

    assert pipeline.transform(delays_and_carriers([0] * 4, ["AA", "UA", "YV", "unseen"])).tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
    ]


def test_a_category_of_thousands_of_values_stays_narrow():
    tails = [f"N{number:04}" for number in range(2000) for _ in range(MIN_FREQUENCY)]
    frame = delays_and_carriers([0] * len(tails), tails)

    assert pipeline_of([CARRIER], InputRequirement.COMPLETE).fit_transform(frame).shape == (len(tails), MOST_CATEGORIES)


def test_a_column_without_a_training_value_is_dropped_for_trees_and_constant_for_others():
    frame, then = delays_and_carriers([np.nan] * 2, ["AA", "UA"]), delays_and_carriers([5], ["AA"])

    trees, others = (
        pipeline_of([DELAY, CARRIER], InputRequirement.ORDERED),
        pipeline_of([DELAY], InputRequirement.COMPLETE),
    )

    assert trees.fit(frame).get_feature_names_out().tolist() == ["category__carrier"]
    assert others.fit_transform(frame).tolist() == [[0]] * 2
    assert others.transform(then).tolist() == [[0]]


@BOTH
def test_no_feature_with_a_value_is_an_error_for_trees_only(requirement):
    frame = delays_and_carriers([np.nan] * 3, [np.nan] * 3)
    if requirement is InputRequirement.COMPLETE:
        assert not pipeline_of([DELAY], requirement).fit_transform(frame).any()
        return
    with pytest.raises(LearningError, match="No feature has a value in any of the 3 training rows"):
        pipeline_of([DELAY, CARRIER], requirement).fit(frame)


# Declared by type or column


def test_a_column_has_its_own_settings_or_type():
    """A number as a category, a string column as a text, one number with a shape of its own."""
    settings = preparation_of(
        columns={
            "seats": ColumnPreparation(number=Number(shape=Shape.LOG)),
            "weekday": ColumnPreparation(FeatureType.CATEGORY),
            "carrier": ColumnPreparation(category=Category(Encoding.FREQUENCY)),
            "note": ColumnPreparation(text=Text(terms=2)),
        }
    )
    features = [column for column in FEATURES if column.name not in ("empty", "nothing", "silence")]
    frame = pd.DataFrame(
        {
            "delay": [1.0, 2.0],
            "seats": [0.0, np.e - 1],
            "weekday": [2.0, 11.0],
            "carrier": ["AA", "AA"],
            "note": ["late late crew", np.nan],
        }
    )

    pipeline = pipeline_of(features, InputRequirement.ORDERED, settings)

    np.testing.assert_allclose(
        pipeline.fit_transform(frame),
        [[1, 0, 1, 1, np.sqrt(0.2), np.sqrt(0.8)], [2, 1, 0, 1, 0, 0]],  # as texts, "11" comes before "2"
    )
    assert pipeline.get_feature_names_out().tolist() == [
        "number__delay",
        "number_1__seats",
        "category__weekday",
        "category_1__carrier",
        "text__note_crew",
        "text__note_late",
    ]


def test_columns_of_equal_settings_are_prepared_together():
    """What imputes by neighbours looks at all numbers, though one of them repeats the settings as its own."""
    knn = Number(missing=Missing.KNN)
    settings = Preparation(number=knn, columns={"delay": ColumnPreparation(number=Number(missing=Missing.KNN))})

    names = (
        pipeline_of([DELAY, FeatureColumn("seats", "number")], InputRequirement.COMPLETE, settings)
        .steps[0][1]
        .transformers
    )

    assert [(name, columns) for name, _, columns in names] == [("number", ["delay", "seats"])]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"columns": {"wings": ColumnPreparation(FeatureType.TEXT)}}, "columns names wings, not among the features"),
        ({"columns": {"note": ColumnPreparation(number=Number())}}, r"columns\.note is declared number"),
        ({"columns": {"note": ColumnPreparation(FeatureType.NUMBER)}}, r"columns\.note is declared number"),
        ({"columns": {"delay": ColumnPreparation(FeatureType.TEXT)}}, r"columns\.delay is declared text"),
        ({"number": Number(missing=Missing.KEEP)}, "missing=keep leaves the nulls of delay"),
        (
            {"columns": {"seats": ColumnPreparation(number=Number(missing=Missing.KEEP))}},
            "missing=keep leaves the nulls of seats",
        ),
    ],
)
def test_settings_that_do_not_fit_the_features_are_refused(settings, message):
    with pytest.raises(LearningError, match=message):
        pipeline_of(FEATURES, InputRequirement.COMPLETE, Preparation(**settings))


def test_what_needs_classes_or_complete_numbers_is_refused_without():
    chi = Preparation(select=[Selection(SelectionKind.CHI_SQUARED, keep=1)])
    with pytest.raises(LearningError, match="CHI_SQUARED selects by classes, and a ranking has none"):
        pipeline_of(FEATURES, InputRequirement.COMPLETE, chi, Task.RANKING)
    with pytest.raises(LearningError, match="`components` needs complete"):
        pipeline_of(FEATURES, InputRequirement.ORDERED, Preparation(number=Number(missing=Missing.KEEP), components=1))
    with pytest.raises(LearningError, match="no features to prepare"):
        pipeline_of([], InputRequirement.COMPLETE)


def test_a_negative_number_has_no_logarithm():
    """The error names column and value: in training as a training error, when scoring as the model's."""
    pipeline = pipeline_of([DELAY], InputRequirement.COMPLETE, Preparation(number=Number(shape=Shape.LOG)))

    with pytest.raises(LearningError, match="The column delay holds -3, and LOG takes numbers of 0 or more"):
        pipeline.fit(delays_and_carriers([1, -3], ["AA"] * 2))
    pipeline.fit(delays_and_carriers([1, np.nan], ["AA"] * 2))
    with pytest.raises(ModelError, match=r"The column delay holds -0\.5"):
        pipeline.transform(delays_and_carriers([-0.5], ["AA"]))


# What holds for every kind


@pytest.mark.slow
@ALL
@BOTH
def test_every_preparation_is_named_finite_and_the_same_from_a_file(name, requirement):
    """To the last bit. Only what trees may have is NaN, and nothing is infinite."""
    pipeline, (frame, _) = fitted_preparation(name, requirement), frame_of(70, seed=1)

    prepared = as_scored(pipeline, frame)
    opened = open_preparation(dump(pipeline), name)

    assert prepared.dtype == np.float64
    assert prepared.shape == (70, len(set(pipeline.get_feature_names_out())))
    assert not np.isinf(prepared).any()
    assert requirement is InputRequirement.ORDERED or not np.isnan(prepared).any()
    np.testing.assert_array_equal(as_scored(opened, frame), prepared)
    assert opened.get_feature_names_out().tolist() == pipeline.get_feature_names_out().tolist()


@pytest.mark.slow
@ALL
@BOTH
def test_a_row_is_prepared_alike_alone_among_others_and_in_another_order(name, requirement):
    pipeline, (frame, _) = fitted_preparation(name, requirement), frame_of(70, seed=1)
    prepared, order = as_scored(pipeline, frame), np.random.default_rng(0).permutation(70)

    np.testing.assert_array_equal(as_scored(pipeline, frame.iloc[[5]])[0], prepared[5])
    np.testing.assert_array_equal(as_scored(pipeline, frame.iloc[order]), prepared[order])


@pytest.mark.slow
@ALL
def test_the_same_rows_and_seed_prepare_alike(name):
    frame, _ = frame_of(70, seed=1)

    once, again = (
        fit(name, InputRequirement.COMPLETE).transform(frame) for fit in (fitted_preparation, fit_preparation)
    )

    np.testing.assert_array_equal(once, again)


@pytest.mark.slow
@ALL
@BOTH
def test_anything_may_come_when_scoring(name, requirement):
    """Unseen levels, nulls where training had none, values beyond those of training: never an error."""
    odd = pd.DataFrame(
        {
            "delay": [1e6, np.nan],
            "seats": [np.nan, 1e6],
            "empty": [3.0, np.nan],
            "weekday": [99.0, np.nan],
            "carrier": ["unseen", np.nan],
            "nothing": ["unseen", np.nan],
            "note": ["words never seen", np.nan],
            "silence": ["words never seen", np.nan],
        }
    ).astype(dict.fromkeys(("carrier", "nothing", "note", "silence"), object))

    prepared = as_scored(fitted_preparation(name, requirement), odd)

    assert not np.isinf(prepared).any()
    assert requirement is InputRequirement.ORDERED or not np.isnan(prepared).any()


@pytest.mark.parametrize(
    "name", sorted(set(PREPARATIONS) - {"encoding_target"} - {n for n in PREPARATIONS if "make" in n})
)
def test_three_rows_are_enough(name):
    frame, _ = frame_of(3)

    assert (
        len(
            pipeline_of(FEATURES, InputRequirement.COMPLETE, PREPARATIONS[name]).fit_transform(
                frame, np.array([True, False, True])
            )
        )
        == 3
    )
