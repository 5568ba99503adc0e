"""Which night trains because triggers call for it, and what it trains."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import builders
from nightjar.errors import UsageError
from nightjar.learning.champion import recipe_of
from nightjar.learning.fitting.candidates import Candidate
from nightjar.monitoring import triggers
from nightjar.monitoring.triggers import Decision
from nightjar.pipeline import retraining
from nightjar.registry import events
from nightjar.registry.events import Version
from nightjar.settings.model import Estimator, Model
from nightjar.settings.monitoring.monitoring import Monitoring
from nightjar.settings.monitoring.retraining import Retraining, RetrainingKind
from nightjar.settings.split import Split, SplitKind

D1, D2, D3, D4 = (date(2024, 4, day) for day in (1, 2, 3, 4))


def project(**options):
    return replace(
        builders.machines(Path("files")), monitoring=Monitoring(retraining=Retraining(**{"automatic": True} | options))
    )


def decide(warehouse, day, *decisions):
    rules = [Decision(rule, decision, "It is so.", "less of it") for rule, decision in decisions]
    triggers.store(warehouse, rules, day, "m", "1")


def test_the_night_after_one_that_calls_for_it_trains_once(warehouse):
    decide(warehouse, D1, ("time", "no"), ("performance", "train"))
    assert retraining.call(warehouse, project(), D1) is None  # that night itself has been scored
    assert retraining.call(warehouse, project(), D2) == (
        "the night of 2024-04-01 calls for it, by performance (project.monitoring.retraining)"
    )
    assert retraining.call(warehouse, project(), D3) is not None  # the night between was not run
    assert retraining.call(warehouse, project(automatic=False), D2) is None
    events.record(warehouse, "registered", Version("2", "m", D2, {}), "t")
    assert retraining.call(warehouse, project(), D2) is None
    assert retraining.call(warehouse, project(), D3) is None
    decide(warehouse, D2, ("performance", "postponed"))
    assert retraining.call(warehouse, project(), D3) is None


def test_a_version_that_was_trained_and_not_decided_about_is_open(warehouse):
    assert not retraining.is_undecided(warehouse, D2)
    events.record(warehouse, "registered", Version("2", "m", D2, {}), "t")
    events.record(warehouse, "registered", Version("3", "rate", D2, {}), "t", events.STAND_IN)
    assert retraining.is_undecided(warehouse, D2)
    assert not retraining.is_undecided(warehouse, D3)
    events.record(warehouse, "refused", Version("2", "m", D2, {}), "p")
    assert not retraining.is_undecided(warehouse, D2)


def test_a_window_slides_over_folds_that_walk_forward(warehouse):
    sliding = project(kind=RetrainingKind.SLIDING_WINDOW, window=30)
    search = retraining.search_of(warehouse, sliding, builders.search(), D2)
    assert search.split == replace(builders.search().split, train_days=30)
    by_group = builders.search(split=Split(SplitKind.GROUPED, folds=2, group=["machine"]))
    with pytest.raises(UsageError, match=r"sliding_window needs search\.split\.kind=walk_forward"):
        retraining.search_of(warehouse, sliding, by_group, D2)
    assert retraining.search_of(warehouse, project(), by_group, D2) is by_group


def test_a_warm_start_tries_the_champions_candidate_and_the_baselines_alone(warehouse):
    warm, search = project(kind=RetrainingKind.WARM_START), builders.search()
    assert retraining.search_of(warehouse, warm, search, D2) is search  # there is no champion
    won = Candidate("logistic-2", Model(Estimator.LOGISTIC, parameters={"C": 0.1}))
    version = Version("1", "logistic-2", D1, {"recipe": recipe_of(won)})
    events.record(warehouse, "promoted", version, "p", events.CHAMPION)
    candidates = retraining.search_of(warehouse, warm, search, D2).candidates
    assert set(candidates) == {"majority", "logistic"}
    assert (candidates["logistic"].parameters, candidates["logistic"].space) == ({"C": 0.1}, {})
