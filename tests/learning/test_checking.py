"""What a search refuses before any row is fitted, naming the candidate."""

import pytest

from learning import problems
from nightjar.errors import LearningError
from nightjar.learning.search.checking import require_learnable
from nightjar.models.columns import FeatureColumn
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Metric, Task

FEATURES = (FeatureColumn("x", "number"), FeatureColumn("noise", "number"))


def search(**candidates):
    return problems.search(candidates={"majority": problems.MAJORITY, **candidates})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model(Estimator.LOGISTIC, space={"depth": [1, 2]}), r"candidates\.new: .*depth"),
        (
            Model(Estimator.BOOSTING, space={"max_depth": [3, 5], "learning_rate": [0.1, -1.0]}),
            r"candidates\.new: .*-1",
        ),
        (Model(Estimator.BOOSTING, space={"learning_rate": {"low": -1.0, "high": 1.0}}), r"candidates\.new: .*-1"),
        (Model(Estimator.LOGISTIC, drop=["x", "noise"]), r"candidates\.new: .*no feature"),
        (Model(Estimator.LINEAR), r"candidates\.new: .*(?i:classification)"),
    ],
)
def test_a_candidate_that_cannot_be_fitted_is_named(model, message):
    with pytest.raises(LearningError, match=message):
        require_learnable(search(new=model), FEATURES, Task.CLASSIFICATION)


def test_a_metric_that_does_not_judge_the_task_is_refused_with_those_that_do():
    settings = problems.search(metric=Metric.RMSE)
    with pytest.raises(LearningError, match=r"metric is RMSE, which judges a regression; .* choose one of ROC_AUC, AV"):
        require_learnable(settings, FEATURES, Task.CLASSIFICATION)


def test_what_fits_is_let_through():
    require_learnable(problems.search(), FEATURES, Task.CLASSIFICATION)
