"""The spine: what is scheduled or active on each night, derived columns, and samples with their weights."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame

import builders
from builders import rows_of
from nightjar.errors import TableError, UsageError
from nightjar.features.build import build
from nightjar.features.sampling import sample_rows
from nightjar.features.spine import spine_rows
from nightjar.settings.features import Aggregate
from nightjar.settings.files import File
from nightjar.settings.label import Label
from nightjar.settings.sources import Column, ColumnType, Source
from nightjar.settings.spine import Sample, SampleBy, Spine, SpineKind, Weekday
from nightjar.tables import arrow
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import INSTANT
from nightjar.timeline import cutoff
from oracles import spine as oracle

PARIS = "Europe/Paris"
SPRING = [date(2024, 3, 29) + timedelta(days=n) for n in range(5)]  # clocks go forward on the 31st
AUTUMN = [date(2024, 10, 25) + timedelta(days=n) for n in range(5)]  # and back on the 27th
SIGNALS = {"id": pa.int64(), "machine": pa.string(), "level": pa.float64()}
SOURCE = Source(
    File("signals.csv"),
    columns={
        "id": Column(ColumnType.LONG),
        "machine": Column(ColumnType.STRING),
        "level": Column(ColumnType.DOUBLE),
        "at": Column(ColumnType.TIMESTAMP),
    },
    key=["id"],
    event_time="at",
    keep=["machine", "level"],
)


def signal(fact_id, machine, event, known=None, level=1.0):
    clocks = {"event_time": event, "known_at": known or event, "stated_known_at": known or event}
    return {"id": fact_id, "machine": machine, "level": level, "ingested_on": event.date(), "run_id": "i"} | clocks


def project_of(folder, **changes):
    """Machines that were heard of within a day, and whether they are heard of on the next."""
    project = builders.machines(folder)
    spine = {"kind": SpineKind.ACTIVE, "prediction_time": None, "active_within": "24h", "features": ["level"]}
    label = {"aggregate": Aggregate.COUNT, "condition": "value > 0"}
    return replace(
        project,
        sources={"signals": SOURCE, "readings": project.sources["readings"]},
        spine=Spine(**{"source": "signals", "key": ["machine"]} | spine | changes),
        label=Label("signals", {"machine": "machine"}, "id", "1d", **label),
    )


@pytest.fixture
def stored(warehouse):
    def store(signals, readings=()):
        seen = pa.schema([("machine", pa.string()), ("at", INSTANT), ("temperature", pa.float64())])
        arrow.append(warehouse, source_table("signals", ["id"], pa.schema(SIGNALS)), signals, "i")
        arrow.append(warehouse, source_table("readings", ["machine", "at"], seen), readings, "i")
        return {name: arrow.version(warehouse, name) for name in ("source_signals", "source_readings")}

    return store


def asked(spark, warehouse, project, versions, since, until):
    return spine_rows(spark, warehouse, project, versions, since, until).toArrow().to_pylist()


def test_a_machine_is_active_for_as_long_as_it_says_whatever_the_clocks_do(spark, warehouse, tmp_path, stored):
    """24 hours reach back to 1 o'clock (23 o'clock) from the midnight after clocks went forward (back)."""
    for days, offsets in ((SPRING, (1, 2)), (AUTUMN, (2, 1))):
        after = days[3]
        midnight = datetime(after.year, after.month, after.day, tzinfo=UTC) - timedelta(hours=offsets[1])
        assert cutoff(after, PARIS) == midnight
        edge = midnight - timedelta(hours=24)
        versions = stored([
            signal(1, "edge", edge),
            signal(2, "in", edge + timedelta(microseconds=1)),
            signal(3, "now", midnight),
            signal(4, "late", midnight, known=midnight + timedelta(microseconds=1)),
            signal(5, None, midnight),
        ])  # fmt: skip
        found = asked(spark, warehouse, project_of(tmp_path), versions, days[0], days[-1])
        by_night = Counter((row["machine"], row["run_date"], row["prediction_time"]) for row in found)
        of_night = {machine for machine, day, at in by_night if day == after and at == midnight}
        assert of_night == {"in", "now"}
        assert all(at == cutoff(day, PARIS) for _, day, at in by_night)
        assert set(by_night.values()) == {1}


HOURS = st.integers(0, 24 * 6).map(lambda hour: cutoff(SPRING[0], PARIS) + timedelta(hours=hour - 30))
FACTS = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["a", "b", "c", None]), HOURS, HOURS, st.integers(0, 9)),
    max_size=30,
    unique_by=lambda fact: (fact[0], fact[3]),
)

WEEKDAYS = st.none() | st.lists(st.sampled_from(Weekday), min_size=1, max_size=3, unique=True)


@pytest.mark.usefixtures("however_many")
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(FACTS, st.sampled_from(["1h", "24h", "1d", "3d"]), WEEKDAYS)
def test_active_rows_are_the_oracle_s(spark, tmp_path_factory, facts, within, weekdays):
    """Corrected, late and moved signals; the latest one says the level; a range is its nights, of some weekdays."""
    folder = tmp_path_factory.mktemp("spine")
    warehouse = builders.Warehouse(str(folder / "warehouse"), "machines")
    warehouse.check_writable()
    rows = [signal(fact_id, machine, event, known, float(level)) for fact_id, machine, event, known, level in facts]
    arrow.append(warehouse, source_table("signals", ["id"], pa.schema(SIGNALS)), rows, "i")
    plain = [dict(zip(("id", "key", "event", "known", "value"), fact, strict=True)) for fact in facts]
    project = project_of(folder, active_within=within, weekdays=weekdays)
    found = asked(spark, warehouse, project, {"source_signals": 1}, SPRING[0], SPRING[-1])
    told = sorted(((row["machine"], row["prediction_time"], row["level"]) for row in found), key=repr)
    assert told == oracle.active(plain, [cutoff(day, PARIS) for day in oracle.due(SPRING, weekdays)], within, PARIS)


def dates_of(first, count=4):
    return [first + timedelta(days=n) for n in range(count)]


@pytest.mark.usefixtures("however_many")
@pytest.mark.parametrize(
    ("zone", "days", "turn"),
    [
        # A minute after midnight clocks go back to 23:01 of the day before.
        ("America/St_Johns", dates_of(date(2006, 10, 27)), datetime(2006, 10, 29, 2, 30, tzinfo=UTC)),
        ("America/Havana", dates_of(date(2024, 11, 1)), datetime(2024, 11, 3, 4, tzinfo=UTC)),  # at 1 back to 0 o'clock
        ("Pacific/Apia", dates_of(date(2011, 12, 28), 5), datetime(2011, 12, 30, 10, tzinfo=UTC)),  # without the 30th
    ],
)
def test_around_a_midnight_that_comes_twice_or_never_each_row_belongs_to_one_night(
    spark, warehouse, tmp_path, stored, zone, days, turn
):
    """A date's scheduled rows lie between its first midnight and that of the next date; nights add up to ranges."""
    around = [turn + timedelta(minutes=minutes) for minutes in (1, *range(-600, 615, 15))]
    instants = sorted({instant - back for instant in around for back in (timedelta(0), timedelta.resolution)})
    signals = [signal(n, f"m{n % 3}", at, level=float(n)) for n, at in enumerate(instants)]
    versions = stored(signals) | store_plan(warehouse, instants, turn - timedelta(days=9))
    midnights = {day: cutoff(day, zone) for day in dates_of(days[0], len(days) + 1)}
    ends = {day: midnights[day + timedelta(days=1)] for day in days}
    real = [day for day in days if midnights[day] < ends[day]]
    due = [(n, day, at) for n, at in enumerate(instants) for day in real if midnights[day] <= at < ends[day]]
    assert [n for n, _, _ in due] == list(range(len(instants)))
    plain = [{"id": n, "key": f"m{n % 3}", "event": at, "known": at, "value": n} for n, at in enumerate(instants)]
    day_of = {midnights[day]: day for day in real}
    heard = [(key, day_of[at], at) for key, at, _ in oracle.active(plain, [*day_of], "1d", zone)]
    active = replace(project_of(tmp_path, active_within="1d"), zone=zone)
    for project, expected in ((active, heard), (scheduled(active), due)):
        whole = spine_rows(spark, warehouse, project, versions, days[0], days[-1])
        nights = [spine_rows(spark, warehouse, project, versions, day, day) for day in days]
        for rows in (whole, reduce(DataFrame.unionByName, nights)):
            values = rows.select(project.spine.key[0], "run_date", "prediction_time").toArrow().to_pylist()
            assert sorted(tuple(row.values()) for row in values) == sorted(expected)


def store_plan(warehouse, instants, known):
    """Things that are due at these instants, as is known long before."""
    clocks = {"event_time": known, "known_at": known, "stated_known_at": known, "ingested_on": known.date()}
    rows = [{"id": n, "due": at, "run_id": "i"} | clocks for n, at in enumerate(instants)]
    schema = pa.schema([("id", pa.int64()), ("due", INSTANT)])
    arrow.append(warehouse, source_table("plan", ["id"], schema), rows, "i")
    return {"source_plan": arrow.version(warehouse, "source_plan")}


def scheduled(project):
    """The project with rows for what is due, instead of what is active."""
    columns = {"id": Column(ColumnType.LONG), "due": Column(ColumnType.TIMESTAMP)}
    plan = replace(SOURCE, columns=columns, key=["id"], event_time="due", keep=["due"])
    label = replace(project.label, keys={"id": "id"})
    sources = project.sources | {"plan": plan}
    return replace(project, sources=sources, spine=Spine("plan", ["id"], "due"), label=label, features={})


def test_a_date_that_the_zone_has_left_out_has_no_rows_and_says_so(spark, warehouse, tmp_path, stored):
    left_out = date(2011, 12, 30)
    stored([signal(1, "m1", cutoff(left_out, "Pacific/Apia"))])
    project = replace(project_of(tmp_path), zone="Pacific/Apia")
    with pytest.raises(
        TableError, match="Nothing was active from 2011-12-30 to 2011-12-30: Pacific/Apia has left this"
    ):
        build(spark, warehouse, project, left_out, left_out, None, "night")


@pytest.mark.usefixtures("however_many")
def test_features_and_labels_of_what_is_active(spark, warehouse, tmp_path, stored):
    """A night by itself, then three in one pass; the label is whether the machine is heard of on the next day."""
    at = {day: cutoff(day, PARIS) for day in SPRING}
    hour = timedelta(hours=1)
    first, second, third, fourth, fifth = SPRING
    stored(
        [signal(1, "m1", at[first] - hour, level=5.0), signal(2, "m1", at[third] - hour), signal(3, "m2", at[third])],
        [
            {"machine": "m1", "at": at[first] - hour, "temperature": 20.0, "event_time": at[first] - hour}
            | {"known_at": at[first], "stated_known_at": at[first], "ingested_on": first, "run_id": "i"}
        ],
    )
    project = project_of(tmp_path, derived={"weekday": "weekday(from_utc_timestamp(prediction_time, 'Europe/Paris'))"})
    build(spark, warehouse, project, first, first, None, "night")
    columns = ("machine", "prediction_time", "level", "weekday", "temperature__last", "run_date")
    night = [("m1", at[first], 5.0, 4, 20.0, first)]
    assert rows_of(warehouse, "features", *columns) == night
    with pytest.raises(
        TableError, match="Nothing was active from 2024-03-30 to 2024-03-30: source_signals has no fact"
    ):
        build(spark, warehouse, project, second, second, first, "night")
    build(spark, warehouse, project, first, fourth, None, "range")
    later = [("m1", at[third], 1.0, 6, None, third), ("m2", at[third], 1.0, 6, None, third)]
    later += [("m2", at[fourth], 1.0, 0, None, fourth)]  # 23 hours later
    assert rows_of(warehouse, "features", *columns) == sorted([*night, *later], key=repr)
    labels = rows_of(warehouse, "labels", "machine", "prediction_time", "label", "label_known_at")
    assert labels == [
        ("m1", at[first], False, at[second]),
        ("m1", at[third], False, at[fourth]),  # a day later, of 23 hours
        ("m2", at[third], False, at[fourth]),
    ]
    of_mondays = replace(project, spine=replace(project.spine, weekdays=[Weekday.MONDAY]))
    build(spark, warehouse, of_mondays, fifth, fifth, fourth, "a Tuesday")  # nothing was active, and nothing had to be
    assert rows_of(warehouse, "features", *columns) == sorted([*night, *later], key=repr)
    known = rows_of(warehouse, "labels", "machine", "prediction_time", "label", "label_known_at")
    assert known == [*labels, ("m2", at[fourth], False, at[fifth])]


ROWS = [
    {
        "machine": machine,
        "unit": unit,
        "site": [None, "north", "south"][unit % 3],
        "prediction_time": cutoff(day, PARIS) + timedelta(hours=hour),
        "run_date": day,
    }
    for machine in ("a", 'b"', "c c")
    for unit in range(4)
    for day in SPRING[:3]
    for hour in (0, 5)
]
KEY = ["machine", "unit"]


@pytest.mark.parametrize(
    "sample",
    [
        Sample(SampleBy.ENTITY, fraction=0.4),
        Sample(SampleBy.DAY, fraction=0.3, until=str(SPRING[1])),
        Sample(SampleBy.STRATUM, "site", fraction=0.2, fractions={"north": 1.0, "south": 0.6}),
        Sample(SampleBy.ENTITY, maximum=1),
        Sample(SampleBy.DAY, maximum=7, until=str(SPRING[0])),
        Sample(SampleBy.STRATUM, "site", maximum=3),
    ],
    ids=lambda sample: f"{sample.by.value}-{sample.fraction or sample.maximum}",
)
def test_a_sample_keeps_the_oracle_s_rows_with_their_weights(spark, sample):
    """In any order and partitioning of the rows; of every night by itself what the range keeps of it."""
    spine = spark.createDataFrame(pa.Table.from_pylist(ROWS))
    expected = sorted((repr(row), weight) for row, weight in oracle.sampled(ROWS, KEY, sample))
    assert 0 < len(expected) < len(ROWS)

    def kept(rows):
        found = sample_rows(rows, KEY, sample).toArrow().to_pylist()
        return [(repr({name: utc(row[name]) for name in ROWS[0]}), row["sampling_weight"]) for row in found]

    assert sorted(kept(spine.repartition(3, "site").orderBy("unit"))) == expected
    by_night = [row for day in SPRING[:3] for row in kept(spine.where(f"run_date = DATE '{day}'"))]
    assert sorted(by_night) == expected
    if sample.maximum is not None:
        assert sum(weight for _, weight in expected) == pytest.approx(len(ROWS))


def utc(value):
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def test_the_weight_stands_in_the_features_and_a_derived_column_can_be_the_stratum(spark, warehouse, tmp_path, stored):
    at = cutoff(SPRING[0], PARIS)
    stored([signal(n, f"m{n}", at - timedelta(minutes=n), level=float(n)) for n in range(9)])
    sample = Sample(SampleBy.STRATUM, "high", maximum=2)
    project = project_of(tmp_path, derived={"high": "level > 2"}, sample=sample)
    kept: set[str] = set()
    for run_id in ("once", "again"):
        build(spark, warehouse, project, SPRING[0], SPRING[0], None, run_id)
        rows = rows_of(warehouse, "features", "high", "sampling_weight", "machine")
        assert Counter(row[:2] for row in rows) == {(True, 3.0): 2, (False, 1.5): 2}
        assert {row[2] for row in rows} == kept or run_id == "once"
        kept = {row[2] for row in rows}


def test_a_derived_column_that_does_not_fit_is_refused_with_its_key_path(spark, warehouse, tmp_path, stored):
    versions = stored([signal(1, "m", cutoff(SPRING[0], PARIS))])
    project = project_of(tmp_path, derived={"half": "levle / 2"})
    with pytest.raises(UsageError) as refused:
        asked(spark, warehouse, project, versions, SPRING[0], SPRING[0])
    assert str(refused.value).startswith("project.spine.derived.half: the expression 'levle / 2' does not fit: [UNRES")
    assert "Columns are prediction_time, machine, level, run_date." in str(refused.value)
