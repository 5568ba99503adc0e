"""The search on Ray: the same figures as one after another, and a failure that names its candidate and fold."""

from datetime import date, timedelta

import pytest

import builders
from nightjar.errors import LearningError
from nightjar.learning import search
from nightjar.learning.candidates import Candidate, expand
from nightjar.learning.rows import read
from nightjar.learning.search import FoldResult, best, fit_and_measure, means
from nightjar.learning.splits import walk_forward
from nightjar.settings.learning import Estimator, Metric, Model

MAJORITY, LOGISTIC = Candidate("majority", Model(Estimator.MAJORITY)), Candidate("logistic", Model(Estimator.LOGISTIC))


@pytest.fixture(scope="module")
def rows(nights):
    return read(nights.warehouse, nights.project, builders.HISTORY)


@pytest.fixture(scope="module")
def folds(nights, rows):
    return walk_forward(rows, date(2024, 3, 28), 2, 2, nights.project.zone, timedelta())


def test_ray_gives_what_one_after_another_gives_in_the_order_asked(rows, folds, ray_started, tmp_path):
    candidates = expand(builders.search())
    found = search.run(rows, folds, candidates, 0, tmp_path)
    assert [(one.candidate, one.fold, one.measures) for one in found] == [
        (candidate.name, fold.name, fit_and_measure(rows, fold, candidate, 0)["measures"])
        for candidate in candidates
        for fold in folds
    ]


def test_a_candidate_that_fails_is_named_with_its_fold_and_why(rows, folds, ray_started, tmp_path):
    wrong = Candidate("wrong", Model(Estimator.LOGISTIC, parameters={"C": -1}))
    with pytest.raises(LearningError, match=r"(?s)Candidate wrong failed on fold 1 \(2024-03-24 to 2024-03-25\): .*C"):
        search.run(rows, folds, [MAJORITY, wrong], 0, tmp_path)


def result(candidate, fold, auc, loss=0.5):
    return FoldResult(candidate, fold, {"roc_auc": auc, "log_loss": loss}, 1.0)


def test_a_candidate_is_rated_by_its_mean_and_left_out_where_a_fold_is_undefined():
    found = [result("majority", "1", 0.5), result("majority", "2", 0.5), result("logistic", "1", 0.9)]
    found += [result("logistic", "2", None)]
    assert means(found, Metric.ROC_AUC) == {"majority": 0.5}
    assert means(found, Metric.LOG_LOSS) == {"majority": 0.5, "logistic": 0.5}


def test_the_best_has_the_greatest_auc_or_the_least_loss_and_the_earlier_of_equals_wins():
    candidates = [MAJORITY, LOGISTIC]
    assert best(candidates, {"majority": 0.4, "logistic": 0.6}, Metric.ROC_AUC) is LOGISTIC
    assert best(candidates, {"majority": 0.4, "logistic": 0.6}, Metric.LOG_LOSS) is MAJORITY
    assert best(candidates, {"majority": 0.5, "logistic": 0.5}, Metric.ROC_AUC) is MAJORITY
    assert best(candidates, {"logistic": 0.1}, Metric.ROC_AUC) is LOGISTIC


def test_no_rated_candidate_is_no_best_one():
    with pytest.raises(LearningError, match="roc_auc is undefined on some fold of each of majority, logistic"):
        best([MAJORITY, LOGISTIC], {}, Metric.ROC_AUC)
