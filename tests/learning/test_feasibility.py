"""What settings alone tell of a search, before anything is read: no table, no session."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import builders
from nightjar.errors import UsageError
from nightjar.learning.search.feasibility import require_feasible
from nightjar.settings.columns import ColumnPreparation, FeatureType, Number, Text
from nightjar.settings.label import Label
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.settings.sampling import TrainingSample
from nightjar.settings.spine import Sample, SampleBy, Weekday
from nightjar.settings.split import Split, SplitKind
from nightjar.settings.task import Metric, Task

PROJECT = replace(
    builders.machines(Path("data")),
    expressions={"drift": "temperature__last - temperature__mean_3d", "who": "concat(site, machine)"},
)
"""Its features: load, built, site, temperature__last, temperature__mean_1d, temperature__mean_3d, drift and who."""
MAJORITY = Model(Estimator.MAJORITY, baseline=True)
DAYS = "search.split.folds=2 of test_days=6 and search.final_days=1 are 13 days, and between project.first_date=2024-03"


def search_of(model, **options):
    return builders.search(candidates={"majority": MAJORITY, "mine": model}, **options)


def with_columns(**columns):
    return Model(Estimator.LOGISTIC, preparation=Preparation(columns=columns))


def rule(expression):
    return Model(Estimator.RULE, parameters={"expression": expression})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            Model(Estimator.RATE, parameters={"column": "departure_hour"}),
            "mine: rate .column: 'departure_hour'. has no",
        ),
        (Model(Estimator.LOGISTIC, drop=["seats"]), "mine: drop names seats, not among the features load, built"),
        (with_columns(seats=ColumnPreparation(FeatureType.CATEGORY)), "mine: columns names seats"),
        (rule("seats > 3"), "mine: .*seats"),
        (rule("load == 'a'"), "mine: .*load"),
        (rule("load +"), "mine: .*load +"),
        (Model(Estimator.LOGISTIC, parameters={"depth": 3}), "mine: logistic has no parameter depth here"),
        (Model(Estimator.BOOSTING, parameters={"max_iter": -1}), "mine: boosting with .* cannot be fitted"),
        (Model(Estimator.LINEAR), "mine: linear is for regression, ranking, and the task is classification"),
        (with_columns(site=ColumnPreparation(number=Number())), "mine: columns.site is declared number"),
        (with_columns(load=ColumnPreparation(text=Text())), "mine: columns.load is declared text"),
    ],
)
def test_a_candidate_that_no_rows_of_the_project_could_fit_is_named(model, message):
    with pytest.raises(UsageError, match=rf"search\.candidates\.{message}.*Nothing was run\.$"):
        require_feasible(search_of(model), PROJECT, builders.HISTORY)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"metric": Metric.RMSE},
            "search.metric is rmse, which judges a regression; project.label.task is classification",
        ),
        ({"split": Split(SplitKind.GROUPED, 2, group=["owner"])}, "Rows are to be grouped by owner, which"),
        ({"sample": TrainingSample(0.5, "owner")}, "search.sample.stratify: there is no column 'owner'"),
        ({"split": Split(folds=2, test_days=6), "final_days": 1}, DAYS),
    ],
)
def test_so_is_what_all_candidates_share(options, message):
    with pytest.raises(UsageError, match=rf"{message}.*Nothing was run\.$"):
        require_feasible(search_of(Model(Estimator.TREE), **options), PROJECT, builders.HISTORY)


@pytest.mark.parametrize(
    "model",
    [
        with_columns(who=ColumnPreparation(text=Text()), drift=ColumnPreparation(number=Number(winsorise=0.1))),
        rule("who == 'a' or drift > 1 and load > 50 or site == 'north'"),
        Model(Estimator.RATE, parameters={"column": "who"}),
        Model(Estimator.RATE, parameters={"column": "temperature__mean_3d"}),
        Model(Estimator.BOOSTING, space={"max_iter": {"low": 10, "high": 20, "whole": True}}),
    ],
)
def test_what_may_fit_is_let_through_whatever_an_expression_turns_out_to_be(model):
    grouped = Split(SplitKind.GROUPED, 2, group=["machine", "temperature__event_time"])
    require_feasible(search_of(model, split=grouped), PROJECT, builders.HISTORY)


def test_a_sampled_spine_weighs_its_rows():
    sampled = replace(PROJECT, spine=replace(PROJECT.spine, sample=Sample(SampleBy.DAY, fraction=0.5)))
    near = search_of(Model(Estimator.NEIGHBOURS))
    require_feasible(near, PROJECT, builders.HISTORY)
    with pytest.raises(UsageError, match="neighbours takes no weights"):
        require_feasible(near, sampled, builders.HISTORY)


def test_test_periods_of_which_some_would_have_none_of_the_spine_s_weekdays_are_refused():
    """Two periods of four days, one after the other, hold a Monday each if these are in the right places."""
    weekly = replace(PROJECT, spine=replace(PROJECT.spine, weekdays=[Weekday.MONDAY]))
    one = search_of(Model(Estimator.TREE), final_days=1)
    for folds, test_days in ((1, 1), (1, 7), (2, 4)):
        require_feasible(replace(one, split=Split(folds=folds, test_days=test_days)), weekly, builders.HISTORY)
    for folds, test_days in ((2, 1), (2, 3), (3, 3)):
        short = replace(one, split=Split(folds=folds, test_days=test_days))
        with pytest.raises(
            UsageError, match=rf"test_days={test_days}: of {folds} .* no Mondays, .*7 days or more\. Not"
        ):
            require_feasible(short, weekly, builders.HISTORY)


def test_the_days_of_random_folds_are_not_counted_and_a_later_date_has_more():
    stratified = search_of(Model(Estimator.TREE), split=Split(SplitKind.STRATIFIED, 9), final_days=1)
    require_feasible(stratified, PROJECT, builders.HISTORY)
    walks = search_of(Model(Estimator.TREE), split=Split(folds=2, test_days=6), final_days=1)
    require_feasible(walks, PROJECT, date(2024, 4, 1))


def test_a_regression_s_search_is_judged_by_its_task():
    label = Label("outcomes", PROJECT.label.keys, "failed", "1d", task=Task.REGRESSION)
    amounts = replace(PROJECT, label=label)
    mean = Model(Estimator.MEAN, baseline=True)
    search = builders.search(candidates={"mean": mean, "ridge": Model(Estimator.LINEAR)}, metric=Metric.RMSE)
    require_feasible(search, amounts, builders.HISTORY)
    with pytest.raises(UsageError, match=r"(?s)metric is log_loss.*choose one of rmse, mae, .*\.\n.*Nothing was run"):
        require_feasible(builders.search(), amounts, builders.HISTORY)
