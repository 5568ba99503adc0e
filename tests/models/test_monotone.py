"""Monotone models: their scores follow the declared direction, whatever the training rows say."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rows import FEATURES, examples, training_rows
from nightjar.errors import LearningError
from nightjar.models.checking import check_model
from nightjar.models.fitting import fit
from nightjar.settings.columns import (
    Bins,
    Category,
    ColumnPreparation,
    Encoding,
    FeatureType,
    Missing,
    Number,
    Scale,
    Shape,
)
from nightjar.settings.model import Direction, Estimator, Model
from nightjar.settings.preparation import Maker, MakerKind, Preparation, Selection, SelectionKind
from nightjar.settings.task import Task

E = Estimator
PARAMETERS = {
    E.BOOSTING: {"max_iter": 20, "min_samples_leaf": 5},
    E.LIGHTGBM: {"n_estimators": 20, "min_child_samples": 5},
    E.XGBOOST: {"n_estimators": 20, "max_depth": 4},
}
NATIVE = Category(Encoding.NATIVE)
PREPARATIONS = [
    Preparation(),
    Preparation(select=[Selection(SelectionKind.VARIANCE)]),
    Preparation(columns={"hour": ColumnPreparation(type=FeatureType.CATEGORY)}),
    Preparation(number=Number(bins=Bins.QUANTILE, bin_count=9)),
    Preparation(number=Number(shape=Shape.SIGNED_LOG, missing=Missing.MEDIAN, indicator=False, scale=Scale.STANDARD)),
]


def scores_by_delay(predictor):
    """The scores of 20 rows with each of 41 delays, which rise from row to row."""
    others, delays = training_rows(20, 9)[0], np.linspace(-100, 100, 41)
    rows = pa.concat_tables([others] * len(delays)).set_column(2, "delay", pa.array(np.repeat(delays, 20)))
    return predictor.predict(rows).reshape(len(delays), 20)


@given(
    st.sampled_from(sorted(PARAMETERS, key=str)),
    st.sampled_from([Task.CLASSIFICATION, Task.REGRESSION]),
    st.sampled_from(PREPARATIONS),
    st.sampled_from([*Direction]),
    st.integers(0, 3),
)
@settings(max_examples=20, deadline=None)
def test_scores_follow_the_direction(estimator, task, prepared, direction, seed):
    """Longer delays are late more often in these rows, so decreasing is against what they say."""
    model = Model(estimator, parameters=PARAMETERS[estimator], preparation=prepared, monotone={"delay": direction})
    predictor = fit(model, examples(task, 300, seed), features=FEATURES, task=task, seed=seed)

    scores = scores_by_delay(predictor)

    sign = 1 if direction is Direction.INCREASING else -1
    assert (sign * np.diff(scores, axis=0) >= 0).all()


@pytest.mark.parametrize("estimator", PARAMETERS)
def test_they_would_not_by_themselves(estimator):
    predictor = fit(Model(estimator, parameters=PARAMETERS[estimator]), examples(), features=FEATURES, seed=0)
    assert (np.diff(scores_by_delay(predictor), axis=0) < 0).any()


def test_several_classes_have_no_direction():
    with pytest.raises(LearningError, match="monotone binds one score, and of several classes there are as many"):
        check_model(bound(), FEATURES, Task.MULTICLASS)


def bound(estimator=E.LIGHTGBM, column="delay", **preparation):
    return Model(estimator, monotone={column: Direction.INCREASING}, preparation=Preparation(**preparation))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (bound(E.FOREST), "forest cannot be bound by `monotone`: only boosting, lightgbm, xgboost can"),
        (bound(E.LOGISTIC), "logistic cannot be bound"),
        (bound(column="delya"), r"monotone names delya \(did you mean 'delay'\?\), not among hour, delay"),
        (bound(column="carrier"), "monotone names carrier, a category: only numbers rise and fall"),
        (
            bound(columns={"delay": ColumnPreparation(type=FeatureType.CATEGORY)}),
            "monotone names delay, a category",
        ),
        (bound(number=Number(missing=Missing.MEDIAN)), "missing=median adds an indicator; set indicator: false"),
        (bound(number=Number(missing=Missing.KNN)), "missing=knn fills other columns by it"),
        (bound(make=[Maker(MakerKind.CLUSTER)]), "`make` and `components` make inputs of all columns"),
        (bound(components=2), "`make` and `components` make inputs of all columns"),
    ],
)
def test_what_cannot_be_monotone_is_refused_before_any_row(model, message):
    with pytest.raises(LearningError, match=message):
        check_model(model, FEATURES)
