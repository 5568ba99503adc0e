"""What a search refuses before any row is fitted, naming the candidate."""

from dataclasses import replace

import numpy as np
import pytest

from learning import problems
from nightjar.errors import LearningError
from nightjar.learning.search.checking import require_learnable
from nightjar.learning.search.problem import require_measurable
from nightjar.models.columns import FeatureColumn
from nightjar.settings.columns import Number, Scale
from nightjar.settings.labelling import SelfTraining
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation, Selection, SelectionKind
from nightjar.settings.sampling import TrainingSample
from nightjar.settings.split import Split, SplitKind
from nightjar.settings.task import Metric, Task

FEATURES = (FeatureColumn("x", "number"), FeatureColumn("noise", "number"))


CHI = Preparation(select=[Selection(SelectionKind.CHI_SQUARED, keep=1)])


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
        (
            Model(Estimator.LOGISTIC, parameters={"class_weight": {"yes": 2}}),
            r"candidates\.new: .*classes false and true",
        ),
        (
            Model(Estimator.LOGISTIC, preparation=CHI),
            r"candidates\.new: CHI_SQUARED .* STANDARD scaling puts some of x",
        ),
    ],
)
def test_a_candidate_that_cannot_be_fitted_is_named(model, message):
    with pytest.raises(LearningError, match=message):
        require_learnable(search(new=model), FEATURES, Task.CLASSIFICATION, weighted=False)


def test_a_metric_that_does_not_judge_the_task_is_refused_with_those_that_do():
    settings = problems.search(metric=Metric.RMSE)
    with pytest.raises(LearningError, match=r"metric is rmse, which judges a regression; .* choose one of roc_auc, av"):
        require_learnable(settings, FEATURES, Task.CLASSIFICATION, weighted=False)


@pytest.mark.parametrize(("weighted", "sample"), [(True, TrainingSample()), (False, TrainingSample(0.5))])
def test_a_candidate_that_takes_no_weights_is_named_where_rows_have_some(weighted, sample):
    """Rows of a sample have weights, too."""
    settings = search(near=Model(Estimator.NEIGHBOURS))
    require_learnable(settings, FEATURES, Task.CLASSIFICATION, weighted=False)
    with pytest.raises(LearningError, match=r"candidates\.near: neighbours takes no weights"):
        require_learnable(replace(settings, sample=sample), FEATURES, Task.CLASSIFICATION, weighted=weighted)


def test_self_training_needs_folds_with_a_time_before_their_test_rows():
    settings = search(trained=Model(Estimator.LOGISTIC, self_training=SelfTraining(0.9)))
    require_learnable(settings, FEATURES, Task.CLASSIFICATION, weighted=False)
    stratified = replace(settings, split=Split(SplitKind.STRATIFIED, 3))
    with pytest.raises(LearningError, match=r"candidates\.trained: self_training .*split\.kind=stratified have none"):
        require_learnable(stratified, FEATURES, Task.CLASSIFICATION, weighted=False)


def test_a_metric_without_a_value_on_a_fold_is_refused_whatever_is_predicted():
    """R2 of amounts that are all alike, and NDCG of lists without a relevant row, in the second fold only."""
    problem = problems.problem()
    label, query = problem.rows.label.astype(float), np.arange(len(problem.rows.label)) // 4
    label[problem.folds[1].test] = 0.0
    message = "is undefined on the 80 test rows of fold 2"
    amounts = replace(problem, task=Task.REGRESSION, rows=replace(problem.rows, label=label))
    require_measurable(amounts, Metric.RMSE)
    with pytest.raises(LearningError, match=f"r2 {message}"):
        require_measurable(amounts, Metric.R2)
    lists = replace(problem, task=Task.RANKING, rows=replace(problem.rows, label=label, query=query))
    with pytest.raises(LearningError, match=f"ndcg {message}"):
        require_measurable(lists, Metric.NDCG)


@pytest.mark.parametrize(
    ("task", "metric", "column", "message"),
    [
        (
            Task.CLASSIFICATION,
            Metric.ROC_AUC,
            "site",
            r": there is no column 'site'; expected 'label' or one of x, noise",
        ),
        (Task.REGRESSION, Metric.RMSE, "label", r"=label: each amount .* project\.label\.task is regression"),
        (Task.RANKING, Metric.NDCG, "x", r"=x: the rows of a ranking's list stay together"),
    ],
)
def test_a_sample_s_strata_that_there_cannot_be_are_refused(task, metric, column, message):
    settings = problems.search(metric=metric, sample=TrainingSample(0.5, column))
    with pytest.raises(LearningError, match=rf"search\.sample\.stratify{message}"):
        require_learnable(settings, FEATURES, task, weighted=False)


def test_what_fits_is_let_through():
    ranged = replace(CHI, number=Number(scale=Scale.MIN_MAX))
    fine = {"tree": Model(Estimator.TREE, preparation=CHI), "ranged": Model(Estimator.LOGISTIC, preparation=ranged)}
    weighs = Model(Estimator.LOGISTIC, parameters={"class_weight": {False: 1, True: 2}})
    require_learnable(search(**fine, weighs=weighs), FEATURES, Task.CLASSIFICATION, weighted=False)
    require_learnable(problems.search(), FEATURES, Task.CLASSIFICATION, weighted=False)
