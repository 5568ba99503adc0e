"""What settings of groups and mitigations are refused for, and what follows from them."""

from dataclasses import replace
from pathlib import Path

import pytest

import builders
from nightjar.settings.fairness import GroupFairness, Mitigation, MitigationKind
from nightjar.settings.promotion import Fairness, Promotion
from nightjar.settings.task import Task
from nightjar.settings.tiers import Tier, TierKind

PROJECT = builders.machines(Path("files"))
PROJECT = replace(PROJECT, spine=replace(PROJECT.spine, features=["load"], keep=["site", "built"]))
THRESHOLDS = Mitigation(MitigationKind.THRESHOLDS, ["site"])


def test_groups_are_named_once_wherever_that_is():
    gate = Promotion(fairness=Fairness(["site"], selection_rate=0.1))
    fairness = GroupFairness([["site", "built"]], mitigation=Mitigation(columns=["built"], compare=True))
    project = replace(PROJECT, promotion=gate, fairness=fairness)
    assert project.judged_groups() == [("site",), ("site", "built"), ("built",)]
    assert project.slice_columns() == ["site", "built"]
    both = replace(project, promotion=Promotion(fairness=Fairness([["built", "site"]], selection_rate=0.1)))
    assert both.judged_groups() == [("built", "site"), ("built",)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"groups": [["site", "site"]]}, "groups: .*each column once"),
        ({"groups": [["site", "built"], ["built", "site"]]}, "groups: .*each group of columns once"),
        ({"groups": [["site"]]}, "groups"),
        ({"groups": [3]}, "a column, or a list of two or more"),
        ({"mitigation": {"kind": "reweighing"}}, "columns that tell groups apart"),
        ({"mitigation": {"kind": "reweighing", "columns": ["site", "site"]}}, "each column once"),
        ({"mitigation": {"columns": ["site"]}}, "none where nothing is mitigated or compared"),
        ({"mitigation": {"kind": "reduction", "columns": ["site"], "fits": 1}}, "fits"),
    ],
)
def test_settings_are_refused_by_themselves(options, expected):
    with pytest.raises(ValueError, match=expected):
        GroupFairness(**options)


@pytest.mark.parametrize(
    ("fairness", "options", "expected"),
    [
        (GroupFairness(["sight"]), {}, "fairness.groups: found 'sight'.*did you mean"),
        (GroupFairness(["site"], allow_as_feature=["load"]), {}, "fairness.allow_as_feature: found 'load'"),
        (GroupFairness(["load"]), {}, r"fairness\.allow_as_feature: \[load\]"),
        (
            GroupFairness(),
            {"promotion": Promotion(fairness=Fairness([["site", "load"]], recall=0.1))},
            r"promotion\.fairness\.columns: .*load is a feature",
        ),
        (
            GroupFairness(),
            {"promotion": Promotion(fairness=Fairness([["site", "sight"]], recall=0.1))},
            r"promotion\.fairness\.columns: found 'sight'.*did you mean",
        ),
        (
            GroupFairness(mitigation=Mitigation(columns=["load"], compare=True)),
            {},
            r"mitigation\.columns: .*load is a feature",
        ),
        (GroupFairness(mitigation=THRESHOLDS), {}, "fairness.mitigation.kind: .*project.tiers or costs"),
    ],
)
def test_settings_are_refused_beside_those_of_the_project(fairness, options, expected):
    with pytest.raises(ValueError, match=expected):
        replace(PROJECT, fairness=fairness, **options)


def test_groups_are_for_classes_mitigations_for_two_and_thresholds_for_tiers():
    amounts = replace(PROJECT.label, task=Task.REGRESSION)
    classes = {"a": "first", "b": "second", "c": "third"}
    several = replace(PROJECT.label, task=Task.MULTICLASS, classes=classes)
    with pytest.raises(ValueError, match=r"fairness\.groups: .*none for label\.task=regression"):
        replace(PROJECT, label=amounts, fairness=GroupFairness(["site"]))
    assert replace(PROJECT, label=several, fairness=GroupFairness(["site"])).judged_groups() == [("site",)]
    for label in (amounts, several):
        mitigated = GroupFairness(mitigation=Mitigation(MitigationKind.REWEIGHING, ["site"]))
        with pytest.raises(ValueError, match=rf"mitigation\.columns: .*none for label\.task={label.task}"):
            replace(PROJECT, label=label, fairness=mitigated)
    tiers = {"act": Tier(TierKind.CAPACITY, at_most=3)}
    assert replace(PROJECT, tiers=tiers, fairness=GroupFairness(mitigation=THRESHOLDS)).slice_columns() == ["site"]
