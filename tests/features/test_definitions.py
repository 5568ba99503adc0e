"""What a project's features are asked as, and the hash that names their definitions."""

from dataclasses import replace
from pathlib import Path

import pytest

import builders
from nightjar.asof import Latest, Windowed
from nightjar.features.definitions import definitions_hash, feature_facts, label_facts, label_hash
from nightjar.settings.features import Aggregate, Feature, FeatureGroup, FeatureKind
from nightjar.settings.label import Label
from nightjar.settings.labelling import Annotators
from nightjar.settings.sources import Column, ColumnType
from nightjar.settings.spine import Sample, SampleBy, Weekday
from nightjar.settings.task import Task

PROJECT = builders.machines(Path("files"))
VERSIONS = {"source_readings": 4, "source_outcomes": 2}


def test_a_group_asks_its_pinned_source_for_one_feature_per_window():
    (facts,) = feature_facts(PROJECT, VERSIONS)
    assert (facts.name, facts.table, facts.version) == ("temperature", "source_readings", 4)
    assert facts.keys == {"machine": "machine"}
    assert facts.fact_id == ("machine", "at")
    assert facts.features == (
        Latest("temperature", "2d", name="last"),
        Windowed("temperature", "mean", "1d", name="mean_1d"),
        Windowed("temperature", "mean", "3d", name="mean_3d"),
    )


def test_the_label_is_the_last_outcome_within_the_horizon():
    facts = label_facts(PROJECT, VERSIONS)
    assert (facts.table, facts.version, facts.features) == (
        "source_outcomes",
        2,
        (Windowed("failed", "last", "1d", name="value"),),
    )


def test_a_label_of_an_aggregate_asks_for_it_over_the_horizon_and_reads_nothing_older():
    label = Label("readings", {"machine": "machine"}, "temperature", "7d", Aggregate.MAX, condition="value > 30")
    facts = label_facts(replace(PROJECT, label=label), VERSIONS)
    assert facts.features == (Windowed("temperature", "max", "7d", name="value"),)
    assert str(facts.history) == "7d"


def with_source(name, **changes):
    return replace(PROJECT, sources=PROJECT.sources | {name: replace(PROJECT.sources[name], **changes)})


def with_group(**changes):
    return replace(PROJECT, features={"temperature": replace(builders.temperature(), **changes)})


LAST = Feature(FeatureKind.LATEST, "temperature", lookback="3d")
SCHEDULE = PROJECT.sources["schedule"]


def test_what_orders_facts_and_what_deletes_them_is_asked_of_their_source():
    columns = PROJECT.sources["readings"].columns | {"gone": Column(ColumnType.BOOLEAN)}
    (facts,) = feature_facts(with_source("readings", columns=columns, sequence=["seen"], deleted="gone"), VERSIONS)
    assert (facts.sequence, facts.deleted) == (("seen",), "gone")
    assert facts.columns() == {"machine", "at", "seen", "gone", "temperature", "event_time", "known_at"}


@pytest.mark.parametrize(
    "changed",
    [
        with_group(features=builders.temperature().features | {"last": LAST}),
        with_group(source="outcomes", features={"last": Feature(FeatureKind.LATEST, "failed")}),
        replace(PROJECT, spine=replace(PROJECT.spine, features=["built", "site"])),
        replace(PROJECT, expressions={"ratio": "load / 2"}),
        replace(PROJECT, spine=replace(PROJECT.spine, derived={"half": "load / 2"})),
        replace(PROJECT, spine=replace(PROJECT.spine, sample=Sample(SampleBy.DAY, fraction=0.5))),
        replace(PROJECT, spine=replace(PROJECT.spine, weekdays=[Weekday.MONDAY])),
        with_source("readings", where="temperature > 0"),
        with_source("readings", known_at="at"),
        with_source("readings", sequence=["temperature"]),
        with_source("readings", derived={"gone": "temperature > 80"}, deleted="gone"),
        with_source("readings", derived={"x": "1"}),
        with_source("schedule", lookups={"models": replace(SCHEDULE.lookups["models"], missing={})}),
    ],
)
def test_a_change_of_what_a_feature_means_changes_the_hash(changed):
    assert definitions_hash(changed) != definitions_hash(PROJECT)


@pytest.mark.parametrize(
    "same",
    [
        builders.machines(Path("files")),
        replace(PROJECT, title="Another title"),
        replace(PROJECT, nights=1),
        replace(PROJECT, label=replace(PROJECT.label, horizon="2d")),
        replace(PROJECT, sources=dict(reversed(PROJECT.sources.items()))),
        with_source("outcomes", where="failed IS NOT NULL"),
        with_source("readings", refuse_above=0.5),
        with_group(features=dict(reversed(builders.temperature().features.items()))),
    ],
)
def test_what_does_not_decide_a_value_leaves_the_hash_alone(same):
    """The label, what people read, and the order of mappings."""
    assert definitions_hash(same) == definitions_hash(PROJECT)


def test_a_key_that_came_later_leaves_what_was_stored_before_it_current():
    """Where this hash changes, everybody's features are built again and every champion trained again."""
    assert definitions_hash(PROJECT) == "2f4ed0818a401907e5275ef627bfb74aac6223211394909b95c0e1f225b1ec2b"


def with_label(project=PROJECT, **changes):
    return replace(project, label=replace(project.label, **changes))


HOT = replace(
    PROJECT,
    label=Label("readings", {"machine": "machine"}, "temperature", "1d", Aggregate.SUM, condition="value > 30"),
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PROJECT, with_label(horizon="2d")),
        (PROJECT, with_label(horizon="24h")),
        (PROJECT, with_label(allowed_lateness="1d")),
        (PROJECT, with_label(keys={"machine": "machine"})),
        (PROJECT, with_label(annotators=Annotators("machine"))),
        (PROJECT, HOT),
        (PROJECT, replace(PROJECT, zone="Europe/London")),
        (PROJECT, replace(PROJECT, spine=replace(PROJECT.spine, derived={"half": "load / 2"}))),
        (PROJECT, with_source("outcomes", where="failed IS NOT NULL")),
        (PROJECT, with_source("outcomes", known_at="ended")),
        (PROJECT, with_source("schedule", derived=SCHEDULE.derived | {"load": "load + 1"})),
        (HOT, with_label(HOT, condition="value > 31")),
        (HOT, with_label(HOT, empty=None)),
        (HOT, with_label(HOT, column="at")),
        (HOT, with_label(HOT, aggregate=Aggregate.MAX)),
        (HOT, with_label(HOT, condition=None, rules={"hot": "value > 30"})),
        (
            with_label(HOT, condition=None, rules={"hot": "value > 30"}),
            with_label(HOT, condition=None, rules={"hot": "value > 31"}),
        ),
        (
            with_label(HOT, aggregate=Aggregate.COUNT),
            with_label(HOT, aggregate=Aggregate.COUNT, settled_early=True),
        ),
    ],
)
def test_a_change_of_what_a_label_is_or_of_when_it_is_known_changes_its_hash(before, after):
    assert label_hash(before) != label_hash(after)


@pytest.mark.parametrize(
    "same",
    [
        builders.machines(Path("files")),
        replace(PROJECT, title="Another title"),
        with_group(features=builders.temperature().features | {"last": LAST}),
        replace(PROJECT, expressions={"ratio": "load / 2"}),
        replace(PROJECT, spine=replace(PROJECT.spine, features=["built", "site"])),
        replace(PROJECT, spine=replace(PROJECT.spine, sample=Sample(SampleBy.DAY, fraction=0.5))),
        replace(PROJECT, spine=replace(PROJECT.spine, weekdays=[Weekday.MONDAY])),
        with_source("readings", where="temperature > 0"),
        with_source("outcomes", refuse_above=0.5),
    ],
)
def test_features_and_the_choice_of_rows_leave_the_label_s_hash_alone(same):
    assert label_hash(same) == label_hash(PROJECT)


def test_the_lists_of_a_ranking_are_no_part_of_the_label():
    one, other = (with_label(task=Task.RANKING, query=[column]) for column in ("site", "run_date"))
    assert label_hash(one) == label_hash(other) != label_hash(PROJECT)


def test_a_whole_number_is_the_same_empty_value_as_its_double():
    assert label_hash(with_label(HOT, empty=2)) == label_hash(with_label(HOT, empty=2.0)) != label_hash(HOT)


def test_a_key_of_the_label_that_came_later_leaves_stored_labels_current():
    """Where this hash changes, everybody's labels are built again and every champion trained again."""
    assert label_hash(PROJECT) == "4961c80c99fc549717cf107f187f3676725066a465c4a61befc97fff80d2e4df"


def test_the_classes_of_a_label_and_their_order_are_part_of_it_and_their_names_are_not():
    def digest(**classes):
        changes = {"task": Task.MULTICLASS, "classes": classes} if classes else {}
        return label_hash(replace(PROJECT, label=replace(PROJECT.label, **changes)))

    first = digest(early="Early", late="Late", usual="Usual")
    assert first == digest(early="Before", late="After", usual="As planned")
    others = [
        digest(),
        digest(late="Late", early="Early", usual="Usual"),
        digest(early="E", late="L", usual="U", never="N"),
    ]
    assert len({first, *others}) == 4


def test_days_of_the_week_have_no_order():
    days = [Weekday.MONDAY, Weekday.FRIDAY]
    one, other = (replace(PROJECT, spine=replace(PROJECT.spine, weekdays=list(way))) for way in (days, days[::-1]))
    assert definitions_hash(one) == definitions_hash(other)


def test_the_group_s_name_and_its_features_have_their_order_in_the_table():
    both = {"b": FeatureGroup("readings", {"machine": "machine"}, {"last": LAST}), "a": builders.temperature()}
    names = replace(PROJECT, features=both).feature_names()
    assert names[-4:] == ["b__last", "a__last", "a__mean_1d", "a__mean_3d"]
