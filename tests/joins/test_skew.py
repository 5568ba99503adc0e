"""An entity that holds half of everything, or all of tonight's rows: several tasks share it, and no row knows."""

from dataclasses import replace
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from joins.visits import US, by_row, facts_of, facts_over, frame_of, joined, spine_of, stored, visit
from nightjar.asof import Clocks, Latest, Windowed
from nightjar.joins import reading, shares, slices
from nightjar.joins.join import as_of_join
from nightjar.joins.keys import Key
from nightjar.joins.planner import JoinPlan
from nightjar.joins.reading import Share
from nightjar.joins.shares import Slices, shares_of
from nightjar.settings.environment import Placement
from nightjar.tables import footers
from nightjar.tables.file_splits import read_by_tasks
from nightjar.tables.warehouse import Warehouse

START = 1_711_929_600_000_000  # microseconds: 1 April 2024


@pytest.fixture(scope="module")
def drawn():
    """Facts and rows of which one machine of one world holds half."""
    random = Random(7)  # noqa: S311  (data, not secrets)

    def entity():
        return (0, "a", 1) if random.random() < 0.5 else (random.randrange(30), random.choice(["a", "a|", "|a"]), 1)

    versions = {}
    for _ in range(300):
        world, machine, n = entity()
        number, night = random.randrange(90), random.randrange(3)
        event, known_day = START + random.randrange(10) + 7 * night, START + random.randrange(10) + 20 * night
        x = random.randrange(99) / 4
        versions[world, number, known_day] = visit(world, number, machine, n, event, known_day, x, night)
    return list(versions.values()), [entity() for _ in range(150)]


@pytest.fixture(scope="module")
def placed(spark, tmp_path_factory, drawn):
    warehouse = Warehouse(str(tmp_path_factory.mktemp("placed")), "machines")
    return warehouse, stored(spark, warehouse, drawn[0])


@pytest.fixture
def little(monkeypatch):
    """What is no burden to a task is very little."""
    monkeypatch.setattr(slices, "WORTH_A_TASK", 20)
    monkeypatch.setattr(shares, "WORTH_A_TASK", 20)


def tasks_that_join(rows):
    """For each row the task that joins it."""
    make = rows.make

    def describe(batches):
        for place, table in enumerate(make(batches)):
            yield pa.RecordBatch.from_pydict({"place": [place] * len(table), "row": table["row"].combine_chunks()})

    frame = rows.task_input.mapInArrow(describe, "place long, row long").selectExpr(
        "row", "spark_partition_id() AS task"
    )
    return {row["row"]: row["task"] for row in frame.collect()}


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("in_files", [False, True], ids=["a DataFrame", "files"])
@pytest.mark.parametrize("history", [None, 8 * US], ids=["carried", "history"])
@pytest.mark.parametrize("night", [False, True], ids=["any time", "one night"])
@pytest.mark.parametrize("most", [60, slices.MOST], ids=["several slices", "two slices"])
def test_a_heavy_bucket_is_shared_by_tasks(spark, placed, drawn, tmp_path, monkeypatch, most, night, history, in_files):
    """By slices of prediction time, and where all rows are of one, by pieces of it."""
    monkeypatch.setattr(slices, "MOST", most)
    warehouse, version = placed
    times = [START + (40 if night else row % 40) for row in range(len(drawn[1]))]
    spine = spine_of([(*entity, at) for entity, at in zip(drawn[1], times, strict=True)])
    facts = facts_over(version, history=history)
    expected = joined(frame_of(spark, spine, 3), warehouse, facts, placement=Placement.SHUFFLE)
    rows = frame_of(spark, spine, 3)
    if in_files:
        pq.write_table(spine, tmp_path / "0.parquet")
        rows = read_by_tasks(spark, footers.parquet_files(str(tmp_path)), spine.column_names)
    spark.conf.set("spark.sql.shuffle.partitions", 8)
    try:
        cut = as_of_join(rows, warehouse, [facts], Clocks("t"), placements={"v": Placement.CO_BUCKETED})
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", 2)
    assert by_row(cut.frame().toArrow()) == expected
    hot = [row for row, entity in enumerate(drawn[1]) if entity == (0, "a", 1)]
    task_of = tasks_that_join(cut)
    assert sorted(task_of) == list(range(len(spine)))
    assert len({task_of[row] for row in hot}) > 1


def test_a_row_goes_to_one_piece_whatever_comes_before_it():
    """A task that is run again may be handed its rows in another order."""
    rows = spine_of([(0, "a", 1, START)] * 500)
    five = shares.Shares(Slices({"machine": Key(pa.string(), "")}, 1, (), "t"), np.array([5]), np.arange(5), 5)
    number = five.number_of(rows)
    assert min(np.bincount(number, minlength=5)) > 50
    shuffled = np.random.default_rng(1).permutation(500)
    assert five.number_of(rows.take(shuffled)).tolist() == number[shuffled].tolist()


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize(
    ("rows", "pieces"),
    [
        ([0, 0, 0], [1, 1, 1]),
        ([100, 100, 100], [1, 1, 1]),
        ([1000, 100, 100], [4, 1, 1]),  # four of 250, where a fair share is 300
        ([100_000, 1, 1], [4, 1, 1]),
        ([40, 0, 0], [1, 1, 1]),
        ([41, 0, 0], [3, 1, 1]),
    ],
)
def test_a_slice_with_more_than_twice_its_share_of_rows_has_pieces_in_different_tasks(rows, pieces):
    result = shares_of(Slices({}, 2, ((1, START),), "t"), [10, 10, 10], np.array(rows), 4)
    assert result.pieces.tolist() == pieces
    assert len(set(result.number.tolist())) == sum(pieces)
    assert len({number % result.tasks for number in result.numbers_of(0)}) == pieces[0]


@pytest.fixture
def bucket_with(tmp_path):
    """One bucket's files: so many facts, one a microsecond, in row groups of 100."""

    def make(count):
        folder = tmp_path / str(count)
        if not folder.exists():
            folder.mkdir()
            facts = facts_of([visit(1, number, "a", 1, START + number, START + number, 1.0) for number in range(count)])
            marked = facts.append_column("retraction", pa.array([False] * count))
            pq.write_table(marked, folder / "0.parquet", row_group_size=100)
        files = footers.parquet_files(str(folder))
        return {files.table: files}

    return make


@pytest.mark.parametrize(
    ("counts", "tasks", "slices_of"),
    [
        ([200, 200, 200, 200], 8, {}),
        ([500], 8, {}),
        ([2000], 8, {0: 4}),  # more than a task may hold: however fair a share that is
        ([700, 700, 600], 8, {0: 2, 1: 2, 2: 2}),
        ([400, 20, 20, 20], 8, {0: 2}),
        ([1000, *[20] * 9], 8, {0: 4}),
        ([400, *[20] * 9], 8, {0: 3}),
        ([400, *[20] * 9], 2, {0: 2}),
        ([400, *[20] * 20], 2, {}),  # the other task has as much to do
    ],
)
def test_buckets_are_cut_where_they_hold_more_than_their_share_or_than_a_task_may(
    bucket_with, monkeypatch, counts, tasks, slices_of
):
    monkeypatch.setattr(slices, "WORTH_A_TASK", 20)
    monkeypatch.setattr(slices, "MOST", 500)
    cuts = slices.cuts([bucket_with(count) for count in counts], tasks)
    assert {bucket: 1 + sum(one == bucket for one, _ in cuts) for bucket, _ in cuts} == slices_of


def test_a_slice_reads_the_facts_of_its_time_and_of_the_longest_window_before_it(bucket_with):
    """Whole row groups are left out, and the rest to the microsecond."""
    files = bucket_with(2000)
    (layout,) = files
    stored_facts = replace(facts_over(0), fact_id=(), features=(Latest("x"), Windowed("x", "mean", 50 * US)))
    join_plan = JoinPlan(stored_facts, Placement.CO_BUCKETED, files[layout], None, "")
    spine = spine_of([(1, "a", 1, START + 1000), (1, "a", 1, START + 1199)])
    ((_, facts),) = reading.read_layouts([join_plan], spine, Share(files, START + 900), {}, Clocks("t"))
    times = facts.table["event_time"].cast(pa.int64()).to_pylist()
    assert sorted(times) == list(range(START + 850, START + 1200))
