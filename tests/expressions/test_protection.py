"""No feature is made of a column by which groups are only told apart, unless the project says so."""

from dataclasses import replace
from pathlib import Path

import pytest

import builders
from nightjar.expressions.protection import features_of_protected_columns
from nightjar.settings.fairness import GroupFairness, Mitigation
from nightjar.settings.features import Feature, FeatureGroup, FeatureKind
from nightjar.settings.promotion import Fairness, Promotion
from nightjar.settings.sources import Column, ColumnType

PROJECT = builders.machines(Path("files"))
SPINE = replace(PROJECT.spine, features=["load", "built"], keep=["site"])
BY_SITE = GroupFairness(["site"])


def judged(spine=None, fairness=BY_SITE, **options):
    own = replace(SPINE, **(spine or {}))
    return replace(PROJECT, spine=own, fairness=fairness, **options)


def columns_of(project, place="fairness.groups"):
    """Feature -> protected column, as the messages name them, for those of one key."""
    found = {}
    for message in features_of_protected_columns(project):
        assert message.startswith(f"project.{place}: models learn from the feature ")
        words = message.split()
        found[words[6].strip(",")] = words[11].strip(".")
        assert message.endswith(f"project.fairness.allow_as_feature: [{words[11].strip('.')}]")
    return found


def test_a_feature_is_followed_to_what_it_is_made_of():
    assert columns_of(judged()) == {}
    derived = {"is_north": "site = 'north'", "half": "load / 2"}
    assert columns_of(judged({"derived": derived})) == {}  # a column that nobody learns from
    assert columns_of(judged({"derived": derived, "features": ["load", "is_north", "half"]})) == {"is_north": "site"}
    expressions = {"both": "load * IF(SITE = 'north', 1, 2)", "more": "both + 1", "other": "load"}
    assert columns_of(judged(expressions=expressions)) == {"both": "site", "more": "site"}
    by_site = FeatureGroup("readings", {"site": "machine"}, {"last": Feature(FeatureKind.LATEST, "temperature")})
    assert columns_of(judged(features={"mean": by_site})) == {"mean__last": "site"}


def test_an_expression_that_is_not_read_counts_by_its_words():
    assert columns_of(judged(expressions={"odd": "count(site) OVER w"})) == {"odd": "site"}
    assert columns_of(judged(expressions={"odd": "count(offsite) OVER w"})) == {}


def test_a_column_of_another_source_is_followed_by_its_name():
    readings = PROJECT.sources["readings"]
    columns = readings.columns | {"site": Column(ColumnType.STRING)}
    sourced = replace(readings, columns=columns, derived={"code": "length(site)"}, keep=["temperature", "code"])
    last = FeatureGroup("readings", {"machine": "machine"}, {"code": Feature(FeatureKind.LATEST, "code")})
    sources = PROJECT.sources | {"readings": sourced}
    assert columns_of(judged(sources=sources, features={"of": last})) == {"of__code": "site"}
    schedule = PROJECT.sources["schedule"]
    looked_up = replace(schedule, lookups={"models": replace(schedule.lookups["models"], key="site")})
    assert columns_of(judged(sources=PROJECT.sources | {"schedule": looked_up})) == {"built": "site"}


def test_what_is_allowed_is_allowed_and_a_feature_by_itself_is_refused_with_the_settings():
    expressions = {"both": "load * IF(site = 'north', 1, 2)"}
    allowed = GroupFairness(["site"], allow_as_feature=["site"])
    assert columns_of(judged(fairness=allowed, expressions=expressions)) == {}
    with pytest.raises(ValueError, match=r"fairness\.allow_as_feature: \[site\]"):
        replace(PROJECT, fairness=BY_SITE)
    gate = Promotion(fairness=Fairness(["site"], selection_rate=0.1))
    with pytest.raises(ValueError, match=r"promotion\.fairness\.columns.*spine\.keep"):
        replace(PROJECT, promotion=gate)
    of_gate = judged(fairness=GroupFairness(), promotion=gate, expressions=expressions)
    assert columns_of(of_gate, "promotion.fairness.columns") == {"both": "site"}
    mitigated = judged(fairness=GroupFairness(mitigation=Mitigation(columns=["site"], compare=True)))
    of_mitigation = replace(mitigated, expressions=expressions)
    assert columns_of(of_mitigation, "fairness.mitigation.columns") == {"both": "site"}
