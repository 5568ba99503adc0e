"""The explanation of a row: of the class that was predicted."""

import numpy as np
import pytest

from models.rows import FEATURES, MEMBERS, MODELS, SEVERAL, examples
from nightjar.explanation.of_row import explain_row
from nightjar.models.fitting import fit
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

MEAN = Model(Estimator.BAGGING, parameters={"count": 3}, members=["tree"])


@pytest.mark.parametrize("model", [MODELS[Estimator.TREE], MEAN], ids=["tree", "mean of trees"])
def test_of_several_classes_the_predicted_one_is_explained_which_need_not_be_the_most_likely(model):
    rows = examples(Task.MULTICLASS)
    predictor = fit(model, rows, features=FEATURES, task=Task.MULTICLASS, seed=0, members=MEMBERS)
    row, unseen = rows.table.slice(0, 1), "never"
    scores = predictor.predict(row)[0]

    for name, score in zip(SEVERAL, scores, strict=True):
        explanation = explain_row(predictor, row, rows.table.slice(0, 50), {}, predicted=name)

        assert (explanation.output, explanation.score) == (name, pytest.approx(score))
        assert explanation.base + sum(one.added for one in explanation.effects) == pytest.approx(score, abs=1e-9)
        assert bool(explanation.effects) == (name != unseen)
    assert np.count_nonzero(scores) > 1
