"""Every placement gives what the oracle gives: late, corrected and moved facts, ties, nulls, any instant and order."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from joins.visits import (
    SECOND,
    US,
    expected_of,
    facts_over,
    frame_of,
    instants,
    joined,
    spine_of,
    stored,
    visit,
)
from nightjar.asof import Clocks, Latest, Windowed
from nightjar.joins.join import as_of_join
from nightjar.settings.environment import Placement
from nightjar.tables import footers, scan
from nightjar.tables.file_splits import read_by_tasks
from nightjar.tables.warehouse import Warehouse

BASES = instants(
    spring="2024-04-01T00:00:00",
    new_york_skips_an_hour="2024-03-10T06:59:59.999995",
    before_1970="1938-04-24T22:13:20",
    around_1970="1969-12-31T23:59:59.999995",
    year_1="0001-01-02T00:00:00",
    end_of_the_calendar="9999-12-31T23:59:59.999990",
) | {"year_12000": 316_516_982_400_000_000}
MACHINES = ["a", "a|", "|a", "a\x1f", "", None]
NUMBERS = [None, 1.0, -2.5, 1e15, 0.1, float("nan"), -0.0, float("inf")]


def drawn_of(random, world, base, facts, rows):
    """Facts of one world, versions of half as many, around an instant; and rows that ask for them."""
    versions = {}
    for _ in range(facts):
        night, number = random.randrange(3), random.randrange(facts // 2 + 1)
        known_day = base + random.randrange(14) + 20 * night
        place_and_days = (random.choice(MACHINES), random.choice([1, 11]), base + random.randrange(12), known_day)
        versions[number, known_day] = visit(world, number, *place_and_days, random.choice(NUMBERS), night)
    questions = [
        (world, random.choice([*MACHINES, "z"]), random.choice([1, 11]), base + random.randrange(60))
        for _ in range(rows)
    ]
    return list(versions.values()), questions


@pytest.fixture(scope="module")
def worlds():
    """One world for each base instant: its facts, and what is asked."""
    random = Random(7)  # noqa: S311  (data, not secrets)
    return {name: drawn_of(random, place, base, 50, 30) for place, (name, base) in enumerate(BASES.items())}


@pytest.fixture(scope="module")
def placed(spark, tmp_path_factory, worlds):
    """All worlds in one table; its version, and the facts."""
    warehouse = Warehouse(str(tmp_path_factory.mktemp("placed")), "machines")
    rows = [row for facts, _ in worlds.values() for row in facts]
    Random(1).shuffle(rows)  # noqa: S311  (data, not secrets)
    return warehouse, stored(spark, warehouse, rows), rows


@pytest.fixture
def zone(spark, request):
    before = spark.conf.get("spark.sql.session.timeZone")
    spark.conf.set("spark.sql.session.timeZone", request.param)
    yield request.param
    spark.conf.set("spark.sql.session.timeZone", before)


CASES = [
    ("spring", "UTC", 1),
    ("spring", "Asia/Tokyo", 64),
    ("new_york_skips_an_hour", "America/New_York", 2),
    ("before_1970", "Asia/Tokyo", 3),
    ("around_1970", "UTC", 2),
    ("year_1", "America/New_York", 2),
    ("end_of_the_calendar", "UTC", 2),
    ("year_12000", "Asia/Tokyo", 2),
]


@pytest.mark.usefixtures("however_many")
@pytest.mark.parametrize("placement", Placement)
@pytest.mark.parametrize(("base", "zone", "partitions"), CASES, indirect=["zone"])
def test_no_instant_zone_or_partitioning_matters(spark, placed, worlds, base, zone, partitions, placement):
    warehouse, version, rows = placed
    spine = spine_of(worlds[base][1])
    facts = facts_over(version)
    result = joined(frame_of(spark, spine, partitions), warehouse, facts, placement=placement)
    assert result == expected_of(spine, rows, facts)


@pytest.mark.usefixtures("however_many")
@pytest.mark.parametrize("placement", Placement)
@pytest.mark.parametrize("rows", [0, 1], ids=["no row", "one row"])
def test_no_row_and_one_row(spark, placed, worlds, rows, placement):
    warehouse, version, facts = placed
    spine = spine_of(worlds["spring"][1][:rows])
    stored_facts = facts_over(version)
    result = joined(frame_of(spark, spine, 2), warehouse, stored_facts, placement=placement)
    assert result == expected_of(spine, facts, stored_facts)
    assert len(result) == rows


@pytest.mark.usefixtures("however_many")
@pytest.mark.parametrize("facts", [0, 1], ids=["no fact", "one fact"])
def test_no_fact_and_one_fact(spark, tmp_path, facts):
    rows = [visit(0, 1, "a", 1, 5, 6, 1.5)][:facts]
    warehouse = Warehouse(str(tmp_path), "machines")
    stored_facts = facts_over(stored(spark, warehouse, rows))
    spine = spine_of([(0, "a", 1, 6), (0, "a", 1, 5), (0, None, 1, 6)])
    expected = expected_of(spine, rows, stored_facts)
    for placement in Placement:
        assert joined(frame_of(spark, spine, 2), warehouse, stored_facts, placement=placement) == expected, placement


moments = st.integers(0, 9)
machines = st.sampled_from(MACHINES)
WORLDS = 20
fact = st.tuples(
    st.integers(0, WORLDS - 1), st.integers(0, 3), machines, st.integers(1, 2), moments, moments,
    st.sampled_from(NUMBERS), st.integers(0, 2),
)  # fmt: skip
question = st.tuples(st.integers(0, WORLDS), machines, st.integers(1, 2), moments)


def base_of(world):
    return [*BASES.values()][world % len(BASES)]


def versions_of(drawn):
    """One for each world, id and known_at; what a later night stores became known later."""
    versions = {}
    for world, number, m, n, event, known_day, x, night in drawn:
        known_at, event_time = base_of(world) + known_day + 20 * night, base_of(world) + event + 7 * night
        versions[world, number, known_at] = visit(world, number, m, n, event_time, known_at, x, night)
    return list(versions.values())


# Each example is twenty small worlds of all instants in a handful of Spark jobs; shrinking would take an hour.
@pytest.mark.usefixtures("however_many")
@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(fact, min_size=100, max_size=200), st.lists(question, min_size=60, max_size=100))
def test_every_placement_gives_what_the_oracle_gives(spark, tmp_path_factory, drawn, questions):
    """Facts are laid out night by night; the spine comes in 1, 64 or 3 partitions, or in files."""
    warehouse = Warehouse(str(tmp_path_factory.mktemp("placed")), "machines")
    rows = versions_of(drawn)
    spine = spine_of(
        [(world, m, n, base_of(world) + at + 17 * (row % 4)) for row, (world, m, n, at) in enumerate(questions)]
    )
    facts = facts_over(stored(spark, warehouse, rows))
    expected = expected_of(spine, rows, facts)
    for placement, partitions in zip(Placement, (1, 64, 3), strict=True):
        assert joined(frame_of(spark, spine, partitions), warehouse, facts, placement=placement) == expected, placement
    files = in_files(spark, spine, tmp_path_factory.mktemp("spine"))
    for placement in (Placement.CO_BUCKETED, Placement.SHUFFLE):
        assert joined(files, warehouse, facts, placement=placement) == expected, placement


def in_files(spark, spine, folder):
    """The spine in two Parquet files, which tasks read themselves."""
    pq.write_table(spine.slice(0, 40), folder / "0.parquet")
    pq.write_table(spine.slice(40), folder / "1.parquet")
    return read_by_tasks(spark, footers.parquet_files(str(folder)), spine.column_names)


@pytest.mark.usefixtures("however_many")
def test_facts_older_than_their_history_give_neither_features_nor_clocks(spark, placed):
    """The oracle's row keeps its clocks where the latest fact is young enough, and is empty where it is not."""
    warehouse, version, rows = placed
    entities = [(m, n) for m in MACHINES for n in (1, 11)]
    spine = spine_of([(0, *entity, BASES["spring"] + at) for entity in entities for at in range(8, 20, 2)])
    facts = facts_over(version, history=8 * US, features=(Latest("x"),))
    bounded = replace(facts, features=(Latest("x", lookback=8 * US),), history=None)
    expected = [aged(row, 8) for row in expected_of(spine, rows, bounded)]
    assert sum(one != other for one, other in zip(expected, expected_of(spine, rows, bounded), strict=True)) > 5
    assert sum("v__event_time=None" not in row for row in expected) > 5
    for placement in Placement:
        assert joined(frame_of(spark, spine, 2), warehouse, facts, placement=placement) == expected, placement


def aged(row, history):
    """Without clocks where the event is older than the history."""
    cells = dict(cell.split("=") for cell in row.split(" "))
    if cells["v__event_time"] != "None" and int(cells["t"]) - int(cells["v__event_time"]) > history:
        cells |= {"v__event_time": "None", "v__known_at": "None"}
    return " ".join("=".join(cell) for cell in cells.items())


AGES = {"year_1": 0, "spring": 1, "end_of_the_calendar": 2}


@pytest.mark.parametrize("place", [*AGES, "year_12000"])
def test_files_of_facts_older_than_their_history_are_not_read(spark, warehouse, place):
    """Each night's facts lie centuries from the others'; of all files but those of one night nobody misses any."""
    facts = [visit(1, night, "a", 1, BASES[name], BASES[name], 1.5, night) for name, night in AGES.items()]
    stored_facts = facts_over(stored(spark, warehouse, facts), history=60 * SECOND * US)
    folder = Path(warehouse.path("source_visits__by_world_m_n"))
    for file in scan.snapshot(warehouse, "source_visits__by_world_m_n").files:
        if file.least["ingested_on"] != facts[AGES.get(place, 2)]["ingested_on"]:
            (folder / file.path).unlink()
    spine = spine_of([(1, "a", 1, BASES[place] + 5)])
    result = joined(frame_of(spark, spine, 1), warehouse, stored_facts, placement=Placement.CO_BUCKETED)
    if place in AGES:
        assert result == expected_of(spine, facts, stored_facts)
        assert f"v__event_time={BASES[place]}" in result[0]
    else:
        assert result[0].endswith("v__event_time=None v__known_at=None")


def test_facts_of_one_key_set_are_shuffled_with_one_move_of_the_spine(spark, placed, worlds):
    """Three feature groups of two key sets: two moves. A table that is asked twice by one key set is moved once."""
    warehouse, version, rows = placed
    spine = spine_of(worlds["spring"][1])
    by_id = {"world": "world", "n": "n"}
    facts = [
        facts_over(version, "v"),
        facts_over(version, "w", features=(Windowed("x", "count", 2 * US),)),
        facts_over(version, "u", keys=by_id, features=(Latest("id"), Latest("m"))),
    ]
    result = joined(frame_of(spark, spine, 3), warehouse, *facts, placement=Placement.SHUFFLE)
    assert result == expected_of(spine, rows, *facts)
    placements = {one.name: Placement.SHUFFLE for one in facts}
    unversioned = [replace(one, fact_id=()) for one in facts]  # whose versions need no move of their own
    once = frame_of(spark, spine, 3)
    plan = as_of_join(once, warehouse, unversioned, Clocks("t"), placements=placements).frame()
    moves = plan._jdf.queryExecution().executedPlan().toString().count("Exchange")
    assert moves - once.task_input._jdf.queryExecution().executedPlan().toString().count("Exchange") == 2
