"""The feature that an estimator's inputs come from: that which they change with, and no other."""

import numpy as np
import pytest

from models.preparations import FEATURES, PREPARATIONS, frame_of, preparation_of
from models.rows import inner_splits
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.preprocessing.inputs import inputs_of
from nightjar.models.preprocessing.preparation import preparation
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.task import Task

KINDS = (
    *("default", "types", "missing_median", "missing_knn", "bins_edges", "shape_power", "encoding_hashing"),
    *("encoding_target", "rare_ordinal", "text_components", "make_all", "select_twice", "components"),
)
NATIVE = preparation_of(category=Category(Encoding.NATIVE))
CASES = [
    (name, PREPARATIONS[name], one) for name in KINDS for one in (InputRequirement.COMPLETE, InputRequirement.ORDERED)
]


@pytest.mark.parametrize(
    ("settings", "requirement"),
    [(settings, one) for _, settings, one in CASES] + [(NATIVE, InputRequirement.NATIVE)],
    ids=[f"{name} {one.value}" for name, _, one in CASES] + ["native"],
)
def test_inputs_change_with_their_feature_and_with_no_other(settings, requirement):
    frame, label = frame_of()
    splits = inner_splits(len(frame), 1)
    prepared = preparation(FEATURES, settings, requirement, task=Task.CLASSIFICATION, seed=0, inner=splits)
    prepared.fit_transform(frame, label)

    _assert_from_their_features(prepared, frame)


def test_inputs_of_several_classes_are_of_their_column_class_by_class():
    frame, label = frame_of()
    classes = label.astype(int) + (frame["seats"].to_numpy() > 150)
    settings = preparation_of(category=Category(Encoding.TARGET))
    splits = inner_splits(len(frame), 1)
    prepared = preparation(FEATURES, settings, InputRequirement.NATIVE, task=Task.MULTICLASS, seed=0, inner=splits)
    prepared.fit_transform(frame, classes)

    _assert_from_their_features(prepared, frame)
    columns = [one.column for one in inputs_of(prepared)]
    assert columns[columns.index("weekday") :][:9] == ["weekday", "carrier", "nothing"] * 3


def _assert_from_their_features(prepared, frame):
    before, inputs = prepared.transform(frame), inputs_of(prepared)
    assert len(inputs) == before.shape[1] == len(prepared.get_feature_names_out())
    shuffled = np.random.default_rng(1).permutation(len(frame))
    for name in frame:
        after = prepared.transform(frame.assign(**{name: frame[name].to_numpy()[shuffled]}))
        differs = ~np.isclose(before, after, equal_nan=True, rtol=1e-9, atol=1e-12).all(axis=0)
        own = [one.column == name for one in inputs]
        alone = [one.column is not None for one in inputs]
        assert not (differs & alone & ~np.array(own)).any(), name
        if frame[name].notna().any():
            assert differs[own].any() or not any(own), name


def test_native_categories_have_as_many_levels_as_training_rows_have():
    frame, label = frame_of()
    prepared = preparation(FEATURES, NATIVE, InputRequirement.NATIVE, task=Task.CLASSIFICATION, seed=0)
    prepared.fit_transform(frame, label)

    assert {one.column: one.levels for one in inputs_of(prepared) if one.levels} == {"carrier": 3, "weekday": 7}
