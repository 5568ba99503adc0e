"""How a winner treats declared groups and their intersections: planted unfairness on nights with shared shocks."""

import numpy as np
import pyarrow as pa
import pytest

from nightjar.errors import LearningError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.fairness import Decision
from nightjar.evaluation.metric_report import Truth
from nightjar.learning.analysis.fairness import MOST_GROUPS, fairness_figures, groups_of, require_few_groups
from nightjar.learning.class_decisions import class_decisions
from nightjar.report.fairness import read_fairness
from nightjar.settings.task import Task

NIGHTS, A_NIGHT = 40, 150


def figures(seed, harm, by=(("sex",), ("sex", "age")), least_rows=100):
    """Decisions on nights that share shocks; young women are acted on less often by `harm`. The first half of all rows
    is not judged: there is a group in it that the other half lacks."""
    random = np.random.default_rng(seed)
    rows = NIGHTS * A_NIGHT
    night = np.repeat(np.arange(NIGHTS), A_NIGHT)
    woman, young = random.random(rows) < 0.5, random.random(rows) < 0.3
    label = random.random(rows) < np.repeat(random.uniform(0.2, 0.6, NIGHTS), A_NIGHT)
    chance = np.where(label, 0.6, 0.3) + np.repeat(random.uniform(-0.15, 0.15, NIGHTS), A_NIGHT)
    acts = random.random(rows) < chance - harm * (woman & young)
    sex = np.where(woman, "F", "M").astype(object)
    sex[random.random(rows) < 0.05] = None
    sex[-3:] = "X"
    columns = pa.table({"sex": np.concatenate([["absent"], sex]), "age": np.concatenate([[""], young.astype(str)])})
    declared = groups_of(columns, list(by))
    truth = Truth(Task.CLASSIFICATION, label, Clusters(np.arange(rows), night))
    decision = Decision(truth, np.full(rows, 0.4), acts)
    own = fairness_figures([decision], declared, np.arange(1, rows + 1), least_rows)
    return {(*one["group"], one["criterion"]): one for one in own}


def shown(own):
    """The groups and criteria that are shown to differ from the rest."""
    neutral = {"disparate_impact": 1.0}
    return {
        key
        for key, one in own.items()
        if one["against_rest"] and one["against_rest"]["low"] is not None
        if not one["against_rest"]["low"] <= neutral.get(key[-1], 0) <= one["against_rest"]["high"]
    }


def test_a_planted_unfairness_is_found_in_the_intersection():
    own = figures(1, harm=0.2)
    assert {("F", "True", "selection_rate"), ("F", "True", "recall"), ("F", "True", "equalised_odds")} <= shown(own)
    worst = min(own, key=lambda key: (own[key]["against_rest"] or {"low": None})["low"] or 0)
    assert worst[:2] == ("F", "True")
    impact = own["F", "True", "disparate_impact"]["against_rest"]
    assert impact["high"] < 0.8
    assert own["F", "True", "selection_rate"]["columns"] == ["sex", "age"]


def test_without_one_next_to_nothing_is_shown_to_differ():
    assert sum(bool(shown(figures(seed, harm=0))) for seed in range(8)) <= 1


def test_small_and_absent_groups_and_nulls_are_told_and_take_no_confidence():
    own = figures(2, harm=0.0)
    three, absent = own["X", "selection_rate"], own["absent", "selection_rate"]
    assert (three["size"], three["against_rest"]["low"]) == (3, None)
    assert three["value"]["reason"] == "the group has 3 such rows, fewer than 100"
    assert (absent["size"], absent["value"]["estimate"], absent["value"]["reason"]) == (
        0,
        None,
        "the group has no such rows",
    )
    assert own["null", "selection_rate"]["against_rest"]["low"] is not None
    # Compared are three sexes and six of their intersections with two ages; of two groups it is one comparison.
    assert own["F", "recall"]["confidence"] == pytest.approx(1 - 0.05 / (6 * (3 + 6)))
    two = figures(2, harm=0.0, by=[("age",)])
    assert two["True", "recall"]["confidence"] == pytest.approx(1 - 0.05 / 6)


def test_of_several_classes_each_is_compared_against_the_rest():
    """Young women are said to be late less often than they are."""
    random = np.random.default_rng(3)
    rows = NIGHTS * A_NIGHT
    chances = random.dirichlet([2, 2, 2], rows)
    label = np.array([random.choice(3, p=chance) for chance in chances])
    columns = pa.table({"sex": random.choice(["F", "M"], rows), "age": random.choice(["old", "young"], rows)})
    harmed = (np.asarray(columns["sex"]) == "F") & (np.asarray(columns["age"]) == "young")
    chances[harmed] *= [1, 2, 0.3]
    chances /= chances.sum(axis=1, keepdims=True)
    standard = Standard(("early", "on_time", "late"), ((0, 1, 1), (1, 0, 1), (1, 1, 0)))
    clusters = Clusters(np.arange(rows), np.repeat(np.arange(NIGHTS), A_NIGHT))
    decisions = class_decisions(Truth(Task.MULTICLASS, label, clusters, standard=standard), chances)
    own = fairness_figures(decisions, groups_of(columns, [("sex", "age")]), np.arange(rows), 100)

    assert {one["class"] for one in own} == {"early", "on_time", "late"}
    assert {round(one["confidence"], 9) for one in own} == {round(1 - 0.05 / (6 * 3 * 4), 9)}
    by_class = {(one["class"], *one["group"], one["criterion"]): one for one in own}
    assert by_class["late", "F", "young", "recall"]["against_rest"]["high"] < -0.2
    acts = chances.argmax(axis=1) == 2
    assert by_class["late", "F", "young", "recall"]["value"]["estimate"] == acts[harmed & (label == 2)].mean()
    titles = {one.columns: [group.title for group in one.groups] for one in read_fairness({"fairness": own})}
    assert titles["sex and age, predicted late or not"][1] == "sex=F, age=young (class late)"


def test_very_many_groups_are_refused():
    numbers = np.arange(500)
    require_few_groups(pa.table({"a": numbers % 5, "b": numbers // 5 % 10}), [("a", "b")])
    with pytest.raises(LearningError, match=r"groups .*: a and b have 55 values .*, at most 50 are expected"):
        require_few_groups(pa.table({"a": numbers % 5, "b": numbers // 5 % 11}), [("a",), ("a", "b")])
    require_few_groups(None, [])
    assert MOST_GROUPS == 50
