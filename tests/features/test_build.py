"""Features and labels by the point-in-time contract: a night by itself, and a range of nights in one pass."""

import logging
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

import builders
from builders import rows_of
from nightjar.errors import JoinError, TableError
from nightjar.features.build import build
from nightjar.features.definitions import definitions_hash, label_hash
from nightjar.settings.environment import Placement
from nightjar.settings.features import Aggregate, Feature, FeatureGroup, FeatureKind
from nightjar.settings.layouts import Layout
from nightjar.settings.sources import Column, ColumnType
from nightjar.settings.spine import Weekday
from nightjar.sources import layouts
from nightjar.sources.storing import Night
from nightjar.tables import arrow
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse

D1, D2, D3, D4 = (date(2024, 4, n) for n in (1, 2, 3, 4))
PLAN = {"site": pa.string(), "load": pa.float64(), "built": pa.int64(), "prediction_time": INSTANT}


def at(day, hour=0):
    """An instant by its local time in Paris (summer time)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - 2)


def planned(machine, when, known, load=1.0):
    return {"machine": machine, "prediction_time": when, "load": load, "site": "s", "event_time": known} | clocks(known)


def outcome(machine, when, ended, failed, known=None):
    row = {"machine": machine, "prediction_time": when, "failed": failed, "event_time": ended}
    return row | clocks(known or ended)


def reading(machine, when, temperature, known=None):
    return {"machine": machine, "at": when, "temperature": temperature, "event_time": when} | clocks(known or when)


def clocks(known):
    return {"known_at": known, "stated_known_at": known, "ingested_on": D1, "run_id": "ingest"}


class Facts:
    """Facts written straight into the sources' tables, and builds on them."""

    def __init__(self, spark, warehouse, project):
        self.spark, self.warehouse, self.project = spark, warehouse, project

    def store(self, schedule=(), outcomes=(), readings=(), key=("machine", "prediction_time"), plan=PLAN):
        moment = [("machine", pa.string()), ("prediction_time", INSTANT)]
        plan = pa.schema([("machine", pa.string()), *plan.items()])
        ended = pa.schema([*moment, ("failed", pa.bool_())])
        seen = pa.schema([("machine", pa.string()), ("at", INSTANT), ("temperature", pa.float64())])
        self.append("schedule", source_table("schedule", list(key), plan), schedule)
        self.append("outcomes", source_table("outcomes", ["machine", "prediction_time"], ended), outcomes)
        self.append("readings", source_table("readings", ["machine", "at"], seen), readings)

    def append(self, source, table, rows):
        """Some facts of a source, and its layouts of all of them."""
        version = arrow.append(self.warehouse, table, rows, "i")
        night = Night(D1, at(D1), None, "i")
        layouts.store(self.spark, self.warehouse, self.project.sources[source], table, night, None, version)

    def build(self, run_date, since=None, previous=None, run_id="run", placements=None):
        return build(
            self.spark, self.warehouse, self.project, since or run_date, run_date, previous, run_id, placements
        )

    def labels(self):
        return rows_of(self.warehouse, "labels", "machine", "prediction_time", "label", "label_known_at", "run_date")


@pytest.fixture
def facts(spark, warehouse, tmp_path):
    return Facts(spark, warehouse, builders.machines(tmp_path))


def test_a_row_holds_what_was_known_at_its_prediction_time(facts):
    """m1's plan is corrected before midnight and again after it; its reading of 23:30 is known only at 0:30."""
    facts.store(
        schedule=[
            planned("m1", at(D1), at(D1, -24), load=10),
            planned("m1", at(D1), at(D1, -1), load=20),
            planned("m1", at(D1), at(D1, 1), load=30),
            planned("m2", at(D1), at(D1, 1)),
        ],
        readings=[
            reading("m1", at(D1, -10), 5.0),
            reading("m1", at(D1, -20), 7.0),
            reading("m1", at(D1, -0.5), 99.0, known=at(D1, 0.5)),
            reading("m1", at(D1, 2), 99.0),
        ],
    )
    facts.build(D1)
    names = ("machine", "load", "temperature__last", "temperature__mean_1d", "temperature__event_time", "run_date")
    assert rows_of(facts.warehouse, "features", *names) == [("m1", 20.0, 5.0, 6.0, at(D1, -10), D1)]


LAID_OUT = {"by_machine": Layout(["machine"], buckets=2)}
OF_ALL_KINDS = {
    "readings": {
        "latest": Feature(FeatureKind.LATEST, "temperature"),
        "latest_known": Feature(FeatureKind.LATEST, "temperature", skip_nulls=True),
    }
    | {
        one.value: Feature(FeatureKind.WINDOW, "temperature", aggregate=one, windows=["1d"])
        for one in Aggregate
        if one is not Aggregate.RATE
    },
    "outcomes": {"rate": Feature(FeatureKind.WINDOW, "failed", aggregate=Aggregate.RATE, windows=["1d"])},
}


@pytest.mark.usefixtures("however_many")
@pytest.mark.parametrize("placement", Placement)
def test_a_fact_counts_from_the_microsecond_in_which_it_is_known_in_every_feature_wherever_it_is_joined(
    facts, placement
):
    """Two readings and an outcome are known to all; the first, the last and the extreme ones only to who is in time."""
    groups = {name: FeatureGroup(name, {"machine": "machine"}, of) for name, of in OF_ALL_KINDS.items()}
    laid_out = {name: replace(facts.project.sources[name], layouts=LAID_OUT) for name in groups}
    facts.project = replace(facts.project, features=groups, sources=facts.project.sources | laid_out)
    readings, outcomes = [], []
    known_at_of = {"in time": at(D1), "late": at(D1) + timedelta(microseconds=1), "without": None}
    for machine, when in known_at_of.items():
        readings += [reading(machine, at(D1, -4), 10.0), reading(machine, at(D1, -3), 20.0)]
        outcomes.append(outcome(machine, at(D1, -48), at(D1, -3), failed=False))
        if when is not None:
            readings += [reading(machine, at(D1, -5), 5.0, known=when), reading(machine, at(D1, -1), 99.0, known=when)]
            outcomes.append(outcome(machine, at(D1, -24), at(D1, -1), failed=True, known=when))
    facts.store([planned(machine, at(D1), at(D1, -24)) for machine in known_at_of], outcomes, readings)
    facts.build(D1, placements=dict.fromkeys(groups, placement))
    rows = {row.pop("machine"): row for row in arrow.read(facts.warehouse, "features").to_pylist()}
    assert rows["late"] == rows["without"]
    names = {name for name in facts.project.feature_names() if "__" in name}
    assert len(names) == len(Aggregate) + 2
    assert {name for name in names if rows["in time"][name] == rows["without"][name]} == set()


@pytest.mark.usefixtures("however_many")
def test_a_plan_moved_to_another_night_stands_only_in_that_one(facts):
    """The whole plan decides which version holds, not only the part of it that lies in the range."""
    plan = facts.project.sources["schedule"]
    plan = replace(plan, key=["machine"], keep=[*plan.keep, "prediction_time"])
    facts.project = replace(facts.project, sources=facts.project.sources | {"schedule": plan})
    moved_in_time, moved_late = at(D1, -1), at(D1, 1)
    facts.store(
        schedule=[
            planned("m1", at(D1), at(D1, -24)),
            planned("m1", at(D2), moved_in_time),
            planned("m2", at(D1), at(D1, -24)),
            planned("m2", at(D2), moved_late),
        ],
        key=["machine"],
    )
    facts.build(D1)
    facts.build(D2, previous=D1)
    by_night = rows_of(facts.warehouse, "features", "machine", "run_date")
    assert by_night == [("m1", D2), ("m2", D1), ("m2", D2)]
    facts.build(D2, since=D1)
    assert rows_of(facts.warehouse, "features", "machine", "run_date") == by_night


@pytest.mark.usefixtures("however_many")
def test_a_plan_that_was_cancelled_by_its_prediction_time_is_no_row(facts):
    plan = facts.project.sources["schedule"]
    plan = replace(plan, columns=plan.columns | {"cancelled": Column(ColumnType.BOOLEAN)}, deleted="cancelled")
    facts.project = replace(facts.project, sources=facts.project.sources | {"schedule": plan})
    facts.store(
        schedule=[
            planned("in time", at(D1), at(D1, -24)) | {"cancelled": False},
            planned("in time", at(D1), at(D1, -1)) | {"cancelled": True},
            planned("late", at(D1), at(D1, -24)) | {"cancelled": None},
            planned("late", at(D1), at(D1, 1)) | {"cancelled": True},
        ],
        plan=PLAN | {"cancelled": pa.bool_()},
    )
    facts.build(D1)
    assert rows_of(facts.warehouse, "features", "machine") == [("late",)]


def test_a_feature_that_cannot_be_made_of_its_column_is_refused_with_its_group_column_and_table(facts):
    mean = Feature(FeatureKind.WINDOW, "machine", aggregate=Aggregate.MEAN, windows=["1d"])
    group = FeatureGroup("readings", {"machine": "machine"}, {"mean": mean})
    facts.project = replace(facts.project, features=facts.project.features | {"odd": group})
    facts.store(schedule=[planned("m1", at(D1), at(D1, -24))])
    before = builders.versions(facts.warehouse)
    with pytest.raises(JoinError) as refused:
        facts.build(D1)
    assert str(refused.value) == (
        "mean of a string: facts 'odd', column 'machine'; mean takes numbers. The facts 'odd' are those of table "
        "source_readings."
    )
    assert builders.versions(facts.warehouse) == before


@pytest.mark.usefixtures("however_many")
def test_a_repeated_spine_key_is_refused_by_its_values_and_nothing_is_written(facts):
    """The source tells two shifts apart, the spine does not."""
    schedule = replace(facts.project.sources["schedule"], key=["machine", "site", "prediction_time"])
    facts.project = replace(facts.project, sources=facts.project.sources | {"schedule": schedule})
    twice = planned("m1", at(D1), at(D1, -24))
    facts.store(schedule=[twice, twice | {"site": "other"}], key=["machine", "site", "prediction_time"])
    before = builders.versions(facts.warehouse)
    with pytest.raises(TableError, match="key is not unique: 2 rows of source_schedule have machine=m1, prediction_ti"):
        facts.build(D1)
    assert builders.versions(facts.warehouse) == before


def test_a_night_without_a_plan_is_refused(facts):
    facts.store(schedule=[planned("m1", at(D2), at(D1))])
    with pytest.raises(TableError, match="Nothing is scheduled from 2024-04-01 to 2024-04-01: source_schedule has no"):
        facts.build(D1)
    with pytest.raises(TableError, match="There is no Delta table source_schedule"):
        Facts(facts.spark, Warehouse(facts.warehouse.root, "other"), facts.project).build(D1)


def of_weekdays(project, *days):
    return replace(project, spine=replace(project.spine, weekdays=list(days)))


def test_a_spine_of_some_weekdays_has_rows_of_their_local_dates_and_labels_come_every_night(facts):
    """1 April is a Monday; in UTC the midnights of Paris are of the day before. What an edit rules out goes."""
    plain, weekday = facts.project, Weekday
    plan = [planned("m1", at(day, hour), at(D1, -24)) for day in (D1, D2, D3) for hour in (0, 23)]
    facts.store(plan, [outcome("m1", at(D2), at(D2, 10), failed=True)])
    facts.project = of_weekdays(plain, weekday.TUESDAY, weekday.SUNDAY)
    built = [facts.build(day, previous=before).rows for day, before in ((D1, None), (D2, D1), (D3, D2))]
    assert [(rows["features"], rows["labels"]) for rows in built] == [(0, 0), (2, 0), (0, 1)]
    assert rows_of(facts.warehouse, "features", "prediction_time", "run_date") == [(at(D2), D2), (at(D2, 23), D2)]
    assert facts.labels() == [("m1", at(D2), True, at(D2, 10), D3)]

    facts.project = of_weekdays(plain, weekday.WEDNESDAY, weekday.MONDAY)
    facts.build(D3, since=D1)
    assert {day for (day,) in rows_of(facts.warehouse, "features", "run_date")} == {D1, D3}
    facts.project = of_weekdays(plain, weekday.SUNDAY)
    with pytest.raises(TableError, match="Nothing is scheduled on Sundays from 2024-04-01 to 2024-04-07: source_sched"):
        facts.build(date(2024, 4, 7), since=D1)


def test_a_label_comes_once_with_its_outcome_or_is_settled_as_null(facts, caplog):
    """Null once the day has passed without one that was known by then. The next runs add only what is new."""
    logger = logging.getLogger("nightjar.features")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    facts.store(
        schedule=[planned(machine, at(D1), at(D1, -24)) for machine in ("soon", "edge", "late", "never", "unheard")]
        + [planned("soon", at(day), at(D1, -24)) for day in (D2, D3)],
        outcomes=[
            outcome("soon", at(D1), at(D1, 10), failed=True),
            outcome("edge", at(D1), at(D2), failed=False),
            outcome("late", at(D1), at(D2, 1), failed=True),
            outcome("unheard", at(D1), at(D1, 10), failed=True, known=at(D2, 1)),
            outcome("soon", at(D2), at(D3, -1), failed=False),
        ],
    )
    facts.build(D1)
    assert facts.labels() == []
    facts.build(D2, previous=D1)
    second = [
        ("edge", at(D1), False, at(D2), D2),
        ("late", at(D1), None, at(D2), D2),
        ("never", at(D1), None, at(D2), D2),
        ("soon", at(D1), True, at(D1, 10), D2),
        ("unheard", at(D1), None, at(D2), D2),
    ]
    assert facts.labels() == second
    logger.removeHandler(caplog.handler)
    assert "labels: 3 of 5 are null (60.0%): settled without an outcome" in caplog.messages
    facts.build(D3, previous=D2)
    third = sorted([*second, ("soon", at(D2), False, at(D3, -1), D3)], key=repr)
    assert facts.labels() == third
    facts.build(D3, previous=D2, run_id="again")
    facts.build(D2, previous=D1, run_id="again")
    assert facts.labels() == third


def test_an_outcome_known_before_its_horizon_has_passed_is_not_waited_for(facts):
    facts.project = replace(facts.project, label=replace(facts.project.label, horizon="3d"))
    facts.store(
        schedule=[planned(machine, at(D1), at(D1, -24)) for machine in ("m1", "m2")] + [planned("m1", at(D2), at(D1))],
        outcomes=[outcome("m1", at(D1), at(D1, 10), failed=True)],
    )
    facts.build(D2, since=D1)
    assert facts.labels() == [("m1", at(D1), True, at(D1, 10), D2)]


@pytest.mark.usefixtures("however_many")
def test_a_corrected_outcome_is_a_second_version_of_the_label(facts):
    facts.project = replace(facts.project, label=replace(facts.project.label, horizon="3d"))
    first = outcome("m1", at(D1), at(D1, 10), failed=True)
    facts.store(
        schedule=[planned("m1", at(day), at(D1, -24)) for day in (D1, D2, D3)],
        outcomes=[first, first | {"failed": False} | clocks(at(D2, 5))],
    )
    facts.build(D2, since=D1)
    facts.build(D3, previous=D2)
    assert facts.labels() == [("m1", at(D1), False, at(D2, 5), D3), ("m1", at(D1), True, at(D1, 10), D2)]


def test_a_range_has_the_labels_of_its_nights_though_an_outcome_was_corrected_between_them(facts):
    facts.project = replace(facts.project, label=replace(facts.project.label, horizon="3d"))
    first = outcome("m1", at(D1), at(D1, 10), failed=True)
    facts.store(
        schedule=[planned("m1", at(day), at(D1, -24)) for day in (D1, D2, D3)],
        outcomes=[first, first | {"failed": False} | clocks(at(D2, 5)), first | clocks(at(D3, 5))],
    )
    versions = ("label", "label_known_at")
    for day, previous in ((D1, None), (D2, D1), (D3, D2)):
        facts.build(day, previous=previous)
    of_nights = rows_of(facts.warehouse, "labels", *versions)
    shutil.rmtree(facts.warehouse.path("labels"))
    facts.build(D3, since=D1)
    assert rows_of(facts.warehouse, "labels", *versions) == of_nights
    assert of_nights == [(False, at(D2, 5)), (True, at(D1, 10))]


def test_the_last_date_of_a_range_built_again_by_itself_keeps_the_labels_of_the_range(facts):
    """They are stored with that date, and are final long before it: what a run of it replaces, it asks for again."""
    facts.project = replace(facts.project, label=replace(facts.project.label, horizon="1d"))
    days = [D1 - timedelta(days=number) for number in range(5)]
    outcomes = [outcome("m1", at(day), at(day, 10), failed=day == days[2]) for day in days]
    facts.store([planned("m1", at(day), at(days[-1], -24)) for day in days], outcomes)
    facts.build(D1, since=days[-1])
    of_range = facts.labels()
    assert len(of_range) == 4
    facts.build(D1, run_id="again")
    assert facts.labels() == of_range
    facts.build(D1, since=days[1], previous=days[1], run_id="again")
    assert facts.labels() == of_range


def test_an_edited_label_is_built_again_from_the_first_row_on_by_whichever_run_comes_first(facts):
    """By the run of 3 April, though 4 April has been built: else labels of two definitions would lie side by side.

    One of the old labels is of before there were hashes. The new ones are those that a first build would give.
    """
    days = builders.days(D1, D4)
    outcomes = [outcome("m1", at(day), at(day, 10), failed=day.day % 2 == 0) for day in days]
    facts.store([planned("m1", at(day), at(days[0], -24)) for day in days], outcomes)
    facts.build(D2, since=D1)
    for day in (D3, D4):
        facts.build(day, previous=day - timedelta(days=1))
    before, path = facts.labels(), facts.warehouse.path("labels")
    DeltaTable(path).update({"label_hash": "null"}, predicate="run_date = '2024-04-02'")
    facts.build(D4, previous=D3, run_id="again")
    assert facts.labels() == before
    assert [run for (run,) in rows_of(facts.warehouse, "labels", "run_id")].count("again") == 1

    early = {"aggregate": Aggregate.COUNT, "condition": "value > 0", "horizon": "8h"}
    facts.project = replace(facts.project, label=replace(facts.project.label, **early))
    facts.build(D3, previous=D2, run_id="edited")
    edited = facts.labels()
    assert set(rows_of(facts.warehouse, "labels", "label_hash", "run_id")) == {(label_hash(facts.project), "edited")}
    assert edited == [("m1", at(day), False, at(day, 8), D4) for day in days[:-1]]
    facts.build(D4, previous=D3)
    assert facts.labels() == edited
    shutil.rmtree(path)
    facts.build(D4, since=D1)
    assert facts.labels() == edited


def test_an_edited_label_reaches_rows_that_had_none_by_the_label_before_the_edit(facts):
    """With 30 days none had one at first, then that of 2 April alone, by its outcome. With 12 hours all have one."""
    long, short = (replace(facts.project.label, horizon=horizon) for horizon in ("30d", "12h"))
    plan = [planned("m1", at(day), at(D1, -24)) for day in (D1, D2, D3, D4)]
    facts.store(plan, [outcome("m1", at(D2), at(D2, 10), failed=True)])
    on_the_first, on_the_second = ("m1", at(D1), None, at(D1, 12)), ("m1", at(D2), True, at(D2, 10))

    facts.project = replace(facts.project, label=long)
    facts.build(D2, since=D1)
    assert facts.labels() == []
    facts.project = replace(facts.project, label=short)
    facts.build(D3, previous=D2)
    assert facts.labels() == [(*on_the_first, D3), (*on_the_second, D3)]

    facts.project = replace(facts.project, label=long)
    facts.build(D3, previous=D2)
    assert facts.labels() == [(*on_the_second, D3)]
    facts.project = replace(facts.project, label=short)
    facts.build(D4, previous=D3)
    assert facts.labels() == [(*on_the_first, D4), (*on_the_second, D4), ("m1", at(D3), None, at(D3, 12), D4)]


def test_one_build_of_a_range_gives_the_rows_of_its_nights(nights, copied, spark, tmp_path):
    """The history was built in one pass, the nights one by one; all again in one pass, and all again night by night."""
    first, last = builders.HISTORY - timedelta(days=2), D2
    in_nights = [row for row in rows_of(nights.warehouse, "features") if row[-1] >= first]
    project, other = nights.project, Warehouse(str(tmp_path / "by_night"), "machines")
    shutil.copytree(copied.warehouse.root, other.root)
    build(spark, copied.warehouse, project, builders.FIRST, last, None, "range")
    for day in builders.days(first, last):
        build(spark, other, project, day, day, day - timedelta(days=1), "night")
    for warehouse in (copied.warehouse, other):
        assert rows_of(warehouse, "features") == rows_of(nights.warehouse, "features")
    assert len(in_nights) == 5 * 5
    assert {run for (run,) in rows_of(copied.warehouse, "features", "run_id")} == {"range"}
    assert set(rows_of(copied.warehouse, "features", "definitions_hash")) == {(definitions_hash(project),)}


def test_a_feature_that_does_not_fit_its_source_is_refused_before_anything_is_written(nights, copied, spark):
    group = FeatureGroup("readings", {"machine": "machine"}, {"m": Feature(FeatureKind.LATEST, "temperature")})
    project = replace(nights.project, features={"x": group})
    before = builders.versions(copied.warehouse)
    with pytest.raises(TableError, match="Nothing is scheduled"):
        build(spark, copied.warehouse, project, D4, D4, D2, "run")
    assert builders.versions(copied.warehouse) == before


@pytest.mark.parametrize("source", ["schedule", "outcomes", "readings"])
def test_a_source_whose_file_is_gone_is_named_and_nothing_is_written(facts, source):
    plan = [planned("m1", at(day), at(D1, -24)) for day in (D1, D2)]
    facts.store(plan, [outcome("m1", at(D1), at(D1, 10), failed=True)], [reading("m1", at(D1, -1), 5.0)])
    (file,) = Path(facts.warehouse.path(f"source_{source}")).rglob("*.parquet")
    file.unlink()
    before = builders.versions(facts.warehouse)
    with pytest.raises(TableError, match=rf"source_{source}.*is gone: removed by hand, or vacuumed"):
        facts.build(D2, since=D1)
    assert builders.versions(facts.warehouse) == before
