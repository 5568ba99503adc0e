"""What is served now, entity by entity: equal to the oracle after any nights, reruns, retractions and stops, and so is
its change feed.
"""

import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nightjar.errors import TableError
from nightjar.scoring import latest, newest, retracting
from nightjar.scoring.identity import prediction_ids
from nightjar.scoring.stopping import stop_serving
from nightjar.tables import arrow, datafiles, delta, merging, retractions, row_groups, rows, sink, swapping
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.serving_definitions import latest_table
from nightjar.tables.warehouse import Warehouse
from oracles import latest as oracle
from review import loans

PROJECT = loans.project()
DAY = date(2024, 4, 1)
NIGHTS = st.integers(0, 3)
SCORES = st.sampled_from([0.25, 0.75])
NIGHT = st.tuples(
    st.just("score"),
    NIGHTS,
    st.dictionaries(st.sampled_from("abcd"), st.tuples(SCORES, st.integers(0, 50), st.booleans()), max_size=4),
    st.sampled_from(["1", "2"]),
)
EVENTS = st.one_of(
    NIGHT,
    NIGHT,
    st.tuples(st.just("rerun"), NIGHTS),
    st.tuples(st.just("retract"), NIGHTS),
    st.tuples(st.just("stop"), st.sampled_from(["1", "2"]), NIGHTS),
    st.tuples(st.just("merge"), st.sampled_from(["scores", latest.LATEST])),
)
SEQUENCES = st.lists(st.tuples(EVENTS, st.booleans()), min_size=1, max_size=8)
"""What happens, and whether `scores_latest` is brought up to it, or the run is killed before."""


def night_of(number):
    return DAY + timedelta(days=number)


class World:
    """Scores that change, and the table with what the oracle says of it."""

    def __init__(self, folder):
        self.warehouse = Warehouse(folder, PROJECT.name)
        self.warehouse.check_writable()
        self.runs, self.nights, self.expected, self.feed, self.first = 0, {}, {}, Counter(), None

    def do(self, kind, *what):
        self.runs += 1
        self.run_id = f"run-{self.runs}"
        getattr(self, kind)(*what)

    def score(self, number, rows, version):
        """Rows: entity -> score, hours after midnight, and whether the challenger serves it beside the champion."""
        self.nights[number] = rows, version
        night, stored = night_of(number), []
        for entity, (score, hours, is_challenged) in rows.items():
            begins = datetime(night.year, night.month, night.day, tzinfo=UTC) + timedelta(hours=hours)
            key = {"applicant": entity, "prediction_time": begins}
            names = {"prediction_id": prediction_ids("loans", pa.Table.from_pylist([key]))[0], "model_name": "boosting"}
            own = {"score": score, "model_version": version, "role": "champion", "served": not is_challenged}
            stored.append(key | names | own)
            if is_challenged:
                beside = {"score": 1 - score, "model_version": "9", "role": "challenger", "served": True}
                stored.append(key | names | beside | {"tier": "review"})
        into = sink.target(self.warehouse, self.table(), run_date=night, run_id=self.run_id)
        names = sorted({name for row in stored for name in row})
        schema = pa.schema([into.schema.field(name) for name in names])
        files = sink.write(pa.Table.from_pylist(stored, schema), into) if stored else []
        sink.commit(self.warehouse, into, files, lambda file: file.partition["run_date"] == night, self.run_id)
        if stored:
            retracting.record_served(self.warehouse, night, self.run_id)

    def rerun(self, number):
        if number in self.nights:
            self.score(number, *self.nights[number])

    def retract(self, number):
        try:
            retracting.retract(self.warehouse, PROJECT, night_of(number), self.run_id, reason="wrong input", user="ada")
        except TableError as error:
            assert "no served row" in str(error)  # noqa: PT017
        else:
            self.look()

    def stop(self, version, number):
        stop_serving(self.warehouse, PROJECT, [version], night_of(number), self.run_id)

    def merge(self, table):
        if not arrow.exists(self.warehouse, table):
            return
        if table == latest.LATEST:
            merging.merge_files(self.warehouse, table, self.run_id)
            return
        into = sink.target(self.warehouse, self.table())
        files = sink.write(arrow.read(self.warehouse, table), into)
        sink.commit(self.warehouse, into, files, lambda _: True, self.run_id, rearranged=True)

    def refresh(self):
        latest.refresh(self.warehouse, PROJECT, self.run_id)
        self.look()

    def look(self):
        """Let the oracle see the scores as they are, and compare."""
        if not arrow.exists(self.warehouse, "scores"):
            return
        rows = arrow.read(self.warehouse, "scores").to_pylist()
        self.expected, deleted, inserted = oracle.advance(self.expected, rows, "applicant")
        self.feed.update([("delete", text(row)) for row in deleted] + [("insert", text(row)) for row in inserted])
        stored = arrow.read(self.warehouse, latest.LATEST).to_pylist()
        assert sorted(map(text, stored)) == sorted(map(text, self.expected.values()))

    def feed_of_deltalake(self):
        table = DeltaTable(self.warehouse.path(latest.LATEST))
        return counted(pa.table(table.load_cdf(starting_version=0)).to_pylist())

    @staticmethod
    def table():
        return scores_table(PROJECT, loans.KEY)


def text(row):
    return repr(sorted((name, value) for name, value in row.items() if not name.startswith("_")))


def counted(rows):
    return Counter((row["_change_type"], text(row)) for row in rows)


def happen(world, sequence):
    for event, is_killed in sequence:
        world.do(*event)
        if not is_killed:
            world.refresh()
    world.refresh()


ALL = {"a": (0.25, 0, False), "b": (0.25, 1, True), "c": (0.75, 0, False)}
LONG = [
    (("score", 1, ALL, "1"), False),
    (("score", 2, {"a": (0.75, 0, False), "b": (0.25, 0, False)}, "1"), False),
    (("score", 0, {"a": (0.75, 0, False), "d": (0.25, 0, False)}, "1"), False),
    (("rerun", 2), False),
    (("score", 2, {"a": (0.25, 0, False), "b": (0.25, 0, False)}, "1"), False),
    (("score", 2, {"a": (0.25, 0, False), "b": (0.25, 0, False)}, "2"), False),
    (("score", 3, {"c": (0.25, 0, False)}, "1"), True),
    (("merge", "scores"), True),
    (("stop", "2", 2), False),
    (("merge", latest.LATEST), False),
    (("retract", 1), False),
    (("stop", "9", 0), False),
    (("score", 1, ALL, "1"), False),
]
"""Each kind of change at least once: a backfill, a rerun of equal rows, one of others, a killed run, a stop, a
retraction, and a night that is scored anew after it."""
BOTH = {"a": (0.25, 0, False), "b": (0.25, 0, False)}
DEEP = [
    (("score", 0, BOTH, "1"), False),
    (("score", 1, {"a": (0.75, 0, False)}, "1"), False),
    (("score", 2, BOTH, "1"), False),
    (("retract", 2), False),
    (("score", 0, {**BOTH, "d": (0.25, 50, False)}, "1"), False),
    (("score", 2, BOTH, "1"), False),
    (("retract", 2), False),
]
"""A retracted night's entities have their newest prediction in different nights, once not in the first that has all."""


@settings(max_examples=12, deadline=None)
@given(SEQUENCES)
@example(LONG)
def test_the_table_and_its_feed_equal_the_oracle_whatever_happens_to_scores(sequence):
    with TemporaryDirectory() as folder:
        world = World(folder)
        happen(world, sequence)
        if arrow.exists(world.warehouse, latest.LATEST):
            assert world.feed_of_deltalake() == world.feed


@settings(max_examples=3, deadline=None)
@given(SEQUENCES, st.integers(1, 3))
@example(LONG, 1)
@example(LONG, 3)
@example(DEEP, 1)
@example(DEEP, 3)
def test_rows_that_are_too_many_for_memory_are_compared_part_by_part_to_the_same_end(sequence, most):
    with TemporaryDirectory() as folder, TemporaryDirectory() as temporary, pytest.MonkeyPatch.context() as patched:
        patched.setattr(tempfile, "tempdir", temporary)
        patched.setattr(latest, "MOST", most)
        patched.setattr(datafiles, "ROWS_PER_GROUP", 2)
        for module in (rows, row_groups, swapping):
            patched.setattr(module, "ROWS_AT_ONCE", 2)
        world = World(folder)
        happen(world, sequence)
        if arrow.exists(world.warehouse, latest.LATEST):
            assert world.feed_of_deltalake() == world.feed
        assert not [*Path(temporary).iterdir()]


def test_entities_with_a_key_of_several_columns_are_told_apart_by_a_hash(world, monkeypatch):
    monkeypatch.setattr(newest, "_is_plain", lambda _: False)
    happen(world, LONG)
    assert world.feed_of_deltalake() == world.feed


@pytest.fixture
def world(tmp_path):
    return World(str(tmp_path))


def test_spark_reads_the_same_feed_and_names_comments_and_contract_are_in_the_tables(world, spark):
    happen(world, LONG)
    folder = world.warehouse.path(latest.LATEST)
    last = arrow.version(world.warehouse, latest.LATEST)
    rows = [row.asDict() for row in delta.read_changes(spark, folder, 0, last).collect()]
    assert Counter(row["_change_type"] for row in rows) == Counter(kind for kind, _ in world.feed.elements())
    ours = Counter((row["_change_type"], row["applicant"], row["score"], row["run_id"], row["change"]) for row in rows)
    expected = pa.table(DeltaTable(folder).load_cdf(starting_version=0)).to_pylist()
    names = ("_change_type", "applicant", "score", "run_id", "change")
    assert ours == Counter(tuple(row[name] for name in names) for row in expected)
    assert {row["change"] for row in rows} == {"new", "rescored", "corrected", "restored"}
    comments = {row["col_name"]: row["comment"] for row in spark.sql(f"DESCRIBE delta.`{folder}`").collect()}
    assert comments == {column.name: column.comment for column in latest_table(PROJECT, loans.KEY).columns}
    for table in ("scores", latest.LATEST):
        found = spark.sql(f"SHOW TBLPROPERTIES delta.`{world.warehouse.path(table)}`").collect()
        properties = {row["key"]: row["value"] for row in found}
        assert properties["nightjar.contract.version"] == "1"
        assert properties["delta.enableChangeDataFeed"] == "true"
        assert "only added" in properties["nightjar.contract"]


def test_a_run_that_dies_between_its_commits_or_meets_another_changes_no_row_and_the_next_one_completes_it(
    world, monkeypatch
):
    world.do("score", 1, ALL, "1")
    world.refresh()
    before = arrow.read(world.warehouse, latest.LATEST).sort_by("applicant")
    world.do("score", 1, {**ALL, "a": (0.75, 0, False)}, "1")
    version, commit = arrow.version(world.warehouse, latest.LATEST), swapping._commit

    def dying(*args):
        if not args[2].rearranged:
            raise KeyboardInterrupt
        return commit(*args)

    with monkeypatch.context() as patched:
        patched.setattr(swapping, "_commit", dying)
        with pytest.raises(KeyboardInterrupt):
            latest.refresh(world.warehouse, PROJECT, "killed")
    assert arrow.version(world.warehouse, latest.LATEST) == version + 1
    assert arrow.read(world.warehouse, latest.LATEST).sort_by("applicant").equals(before)

    met = []

    def meeting(*args):
        if not met:
            met.append(1)
            latest.refresh(world.warehouse, PROJECT, "another")
        return commit(*args)

    monkeypatch.setattr(swapping, "_commit", meeting)
    world.do("score", 2, {"a": (0.25, 0, False)}, "1")
    world.refresh()
    world.expected["a"]["run_id"] = "another"
    rows = {row["applicant"]: row for row in arrow.read(world.warehouse, latest.LATEST).to_pylist()}
    assert (rows["a"]["score"], rows["a"]["run_date"], rows["a"]["change"]) == (0.25, night_of(2), "new")
    assert len(rows) == 3


def test_a_retracted_night_leaves_what_is_served_in_one_commit_and_a_stop_does_not_bring_it_back(world):
    world.do("score", 1, ALL, "1")
    world.do("score", 2, ALL, "1")
    world.refresh()
    night, before = night_of(2), arrow.version(world.warehouse, "scores")
    outcome = retracting.retract(
        world.warehouse, PROJECT, night, "r-1", reason="wrong input", user="ada", by="the desk"
    )
    assert outcome.rows == {"rows no longer served": 3}
    assert arrow.version(world.warehouse, "scores") == before + 1
    rows = [row for row in arrow.read(world.warehouse, "scores").to_pylist() if row["run_date"] == night]
    assert [row["served"] for row in rows] == [False] * 4
    assert {row["run_date"] for row in arrow.read(world.warehouse, latest.LATEST).to_pylist()} == {night_of(1)}
    (retraction,) = retractions.retracted(world.warehouse).items()
    assert retraction[0] == night
    assert str(retraction[1]).endswith("by ada on behalf of the desk: wrong input")

    again = retracting.retract(world.warehouse, PROJECT, night, "r-2", reason="again", user="ben")
    assert again.rows == {"rows no longer served": 0}
    assert stop_serving(world.warehouse, PROJECT, ["9"], night, "stop") == (0, None)
    world.do("score", 2, ALL, "1")
    actions = arrow.read(world.warehouse, "retractions").sort_by("recorded_at")
    assert [(row["action"], row["run_id"]) for row in actions.to_pylist()] == [("retract", "r-1"), ("serve", "run-3")]
    assert retractions.retracted(world.warehouse) == {}
    with pytest.raises(TableError, match=f"Table scores of loans has no served row of {night_of(3)}"):
        retracting.retract(world.warehouse, PROJECT, night_of(3), "r-3", reason="x", user="ada")


def test_a_table_of_before_gets_the_contract_and_rows_without_the_column_served_are_the_champions(world):
    table = world.table()
    older = replace(table, properties={}, columns=tuple(one for one in table.columns if one.name != "served"))
    row = {"applicant": "a", "prediction_time": datetime(2024, 4, 1, tzinfo=UTC), "prediction_id": "x", "score": 0.5}
    stamps = {"run_date": DAY, "run_id": "old", "model_version": "1"}
    rows = [row | stamps | {"role": role} for role in ("champion", "retrospective")]
    arrow.append(world.warehouse, older, rows, "old")
    world.run_id = "refresh"
    latest.refresh(world.warehouse, PROJECT, "refresh")
    (stored,) = arrow.read(world.warehouse, latest.LATEST).to_pylist()
    assert (stored["applicant"], stored["role"], stored["run_id"]) == ("a", "champion", "old")
    retracting.retract(world.warehouse, PROJECT, DAY, "r-1", reason="wrong input", user="ada")
    assert arrow.read(world.warehouse, latest.LATEST).num_rows == 0
    configuration = DeltaTable(world.warehouse.path("scores")).metadata().configuration
    assert configuration["nightjar.contract.version"] == "1"
