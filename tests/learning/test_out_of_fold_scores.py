"""Scores of rows by fits that have not seen them: what the search measured, and what labels are looked at by."""

from dataclasses import replace

import numpy as np
import pytest

from learning import problems
from nightjar.errors import LearningError
from nightjar.evaluation.metrics import measures
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.labels.label_review import label_review
from nightjar.learning.search.fold_tasks import FoldTask
from nightjar.learning.search.out_of_fold_scores import out_of_fold_scores
from nightjar.learning.search.problem import fit_and_measure
from nightjar.settings.model import Estimator, Model
from nightjar.settings.task import Task

BOOSTING = Candidate("boosting", Model(Estimator.BOOSTING, parameters={"max_iter": 5, "min_samples_leaf": 5}))


def test_every_tested_row_has_the_score_that_the_search_has_measured(ray_started):
    problem = problems.problem()
    scores = out_of_fold_scores(problem, BOOSTING)
    for place, fold in enumerate(problem.folds):
        searched = fit_and_measure(problem, FoldTask(BOOSTING, place))
        assert searched.measures == measures(
            Task.CLASSIFICATION, problem.rows.label[fold.test], scores[fold.test], None
        )
    tested = np.concatenate([fold.test for fold in problem.folds])
    assert np.isnan(np.delete(scores, tested)).all()


def test_a_candidate_that_cannot_be_fitted_is_a_stated_error(ray_started):
    crowd = Candidate("crowd", Model(Estimator.NEIGHBOURS, parameters={"n_neighbors": -1}))
    with pytest.raises(LearningError, match="n_neighbors"):
        out_of_fold_scores(problems.problem(), crowd)


def test_labels_of_every_fold_are_looked_at_with_their_keys_and_features():
    """Rows 3 and 790 are labelled against a sure score; row 5 has none."""
    rows = problems.rows()
    scores = np.where(rows.label, 0.9, 0.1)
    scores[[3, 790]] = np.where(rows.label[[3, 790]], [0.02, 0.01], [0.98, 0.99])
    scores[5] = np.nan
    review = label_review(rows, scores, seed=0)
    suspects, checks = review["label_suspects.csv"], review["label_spot_checks.csv"]
    assert suspects["row"].to_pylist() == [790, 3]
    assert suspects["x"].to_pylist() == rows.features["x"].take([790, 3]).to_pylist()
    assert suspects["label"].to_pylist() == rows.label[[790, 3]].tolist()
    assert suspects["margin"].to_pylist() == pytest.approx([0.98, 0.96])
    assert suspects.column_names == ["row", "prediction_time", "margin", "probability", "label", "x", "noise"]
    assert checks.num_rows == 50
    assert checks["label"].to_pylist() == [False] * 25 + [True] * 25
    assert 5 not in checks["row"].to_pylist()


def test_features_that_are_called_as_our_own_columns_are_shown_beside_them():
    rows = problems.rows()
    named = rows.features.rename_columns(["label", "margin"])
    review = label_review(replace(rows, features=named), np.where(rows.label, 0.9, 0.1), seed=0)
    checks = review["label_spot_checks.csv"]
    assert checks.column_names == ["row", "prediction_time", "label", "feature label", "feature margin"]
    assert checks["label"].to_pylist() == [False] * 25 + [True] * 25
    assert checks["feature label"].to_pylist() == rows.features["x"].take(checks["row"].combine_chunks()).to_pylist()


def test_labels_of_one_class_only_cannot_be_looked_at():
    rows = problems.rows()
    scores = np.where(rows.label, 0.9, np.nan)
    assert label_review(rows, scores, seed=0) == {}
