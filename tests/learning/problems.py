"""A small problem for searches: 20 days of rows in which x decides, four folds of two days."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.fitting.fit_sets import FitSet
from nightjar.learning.search import ledger, tune
from nightjar.learning.search.problem import Problem
from nightjar.learning.search.queue import Callback
from nightjar.learning.search.search_result import SearchResult
from nightjar.learning.splits.folding import folds, inner_splits
from nightjar.models.columns import FeatureColumn
from nightjar.settings.learning import Search
from nightjar.settings.model import Estimator, Model
from nightjar.settings.split import Split
from nightjar.settings.task import Task

FIRST, DAYS = date(2024, 3, 1), 20
HORIZON = np.timedelta64(12, "h")
SPLIT = Split(folds=4, test_days=2)
MAJORITY = Model(Estimator.MAJORITY, baseline=True)


def rows(a_day: int = 40, seed: int = 0) -> TrainingSet:
    random = np.random.default_rng(seed)
    day = np.repeat([np.datetime64(FIRST + timedelta(days=number)) for number in range(DAYS)], a_day)
    x, noise = random.normal(size=len(day)), random.normal(size=len(day))
    table = pa.table({"x": x, "noise": noise})
    columns = (FeatureColumn("x", "number"), FeatureColumn("noise", "number"))
    label = random.random(len(day)) < 1 / (1 + np.exp(-2 * x))
    instant = day.astype("datetime64[us]")
    known_at = instant + np.timedelta64(6, "h")
    key = pa.table({"row": np.arange(len(day)), "prediction_time": instant})
    return TrainingSet(table, columns, key, label, day, instant, known_at, instant + HORIZON, FIRST, {}, "d1")


def run(problem: Problem, settings: Search, folder: Path, callback: Callback | None = None) -> SearchResult:
    """The search, with its ledger in the folder."""
    with ledger.open_ledger(folder, problem.key()) as book:
        return tune.run(problem, settings, book, callback)


def problem(**options) -> Problem:
    training_rows = rows(**options)
    splits = folds(training_rows, SPLIT, FIRST + timedelta(days=DAYS), "UTC", 0)
    fit_sets = [FitSet(fold.train, None, (), np.datetime64(fold.start, "us")) for fold in splits]
    return Problem(training_rows, splits, fit_sets, Task.CLASSIFICATION, 0)


def with_levels(plain: Problem) -> Problem:
    """With a category beside x that tells as much, and splits within each fold, by which its levels can be encoded."""
    level = np.digitize(plain.rows.features["x"].to_numpy(), [-1, 0, 1]).astype(str)
    columns = (*plain.rows.columns, FeatureColumn("level", "category"))
    training_rows = replace(
        plain.rows, features=plain.rows.features.append_column("level", pa.array(level)), columns=columns
    )
    fit_sets = [replace(one, inner=inner_splits(training_rows, one.rows, SPLIT, "UTC", 0)) for one in plain.fit_sets]
    return replace(plain, rows=training_rows, fit_sets=fit_sets)


def search(**options) -> Search:
    candidates = {
        "majority": MAJORITY,
        "logistic": Model(Estimator.LOGISTIC, space={"C": [1e-6, 0.1, 1.0]}),
        "boosting": Model(Estimator.BOOSTING, parameters={"max_iter": 5, "min_samples_leaf": 5}),
    }
    return Search(**{"candidates": candidates, "split": SPLIT} | options)
