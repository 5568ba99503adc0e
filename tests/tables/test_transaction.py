"""Commits: what they say is what the log says, and a refusal is told at once while contention is tried again."""

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from builders import rows_of
from nightjar.errors import TableError
from nightjar.tables import arrow, commits, opening, sink, transaction
from nightjar.tables.table import Column, Table
from nightjar.tables.transaction import Change, MovedError, Note
from tables.things import THINGS, ids, store, things, utc

ODD = 'a/b%20=ü"\\'
COUNTS = Table(
    "counts",
    "One count.",
    ("day", "source", "check"),
    ("day",),
    "tests",
    tuple(Column(name, pa.int64() if name == "n" else pa.string(), name) for name in ("day", "source", "check", "n")),
)


def count(day, source, n):
    return {"day": day, "source": source, "check": "read", "n": n}


def counted(warehouse):
    return rows_of(warehouse, "counts", "day", "source", "n")


def test_the_digest_of_a_commit_is_that_of_its_entries_in_the_log(warehouse):
    """Of what is added and removed, with odd partition values, texts, instants and marks; any change of it shows."""
    store(warehouse, things(id=[1, 2], text=[ODD, "é"], place=[ODD, None], at=[utc("2024-01-01T00:00:00"), None]))
    into = sink.target(warehouse, THINGS)
    written = sink.write(things(id=[3], place=[ODD]), into)
    sink.commit(warehouse, into, written, lambda _: True, "run-2", inputs={"a": 1}, marks={"m": 4}, rearranged=True)
    folder = warehouse.path("things")
    for version in (1, 2):
        entries = commits.entries(folder, version)
        assert commits.digest(reversed(entries)) == commits.info(folder, version)[commits.DIGEST]
    for kind, name, value in [
        ("add", "size", 1),
        ("add", "stats", "{}"),
        ("add", "partitionValues", {"place": "x"}),
        ("remove", "path", "x"),
        ("txn", "version", 5),
        ("commitInfo", "rearranged", "false"),
        ("metaData", "id", "x"),
    ]:
        changed = [
            {key: action | ({name: value} if key == kind else {})} for one in entries for key, action in one.items()
        ]
        if kind == "metaData":
            changed.append({kind: {name: value}})
        assert commits.digest(changed) != commits.digest(entries), kind


class Refusing(DeltaTable):
    def create_write_transaction(self, *_args, **_options):
        raise CommitFailedError("Unsupported table features required: [Tomorrow]")


class Forgetful(DeltaTable):
    def create_write_transaction(self, *args, **options):
        super().create_write_transaction(*args, **options)
        raise CommitFailedError("the connection was closed")


def test_a_refusal_of_delta_rs_is_told_at_once_by_its_words(warehouse):
    """Nobody else has committed: it is no contention, and to try again for eleven seconds would not help."""
    store(warehouse, things(id=[1], place=["p"]))
    folder = warehouse.path("things")
    message = r"things at .*: delta-rs refuses the commit: Unsupported .*Tomorrow.*\. Nothing was written"
    with pytest.raises(TableError, match=message):
        transaction._try_commit(Refusing(folder), "things", folder, Change(), Note("run-2"))


def test_a_commit_that_is_there_although_it_was_said_to_have_failed_is_not_made_again(warehouse):
    """Whoever commits to an object store may lose the answer."""
    store(warehouse, things(id=[1], place=["p"]))
    files = sink.write(things(id=[2], place=["p"]), sink.target(warehouse, THINGS))
    folder = warehouse.path("things")
    assert transaction._try_commit(Forgetful(folder), "things", folder, Change(files), Note("run-2"))
    assert ids(warehouse) == [1, 2]


def test_a_commit_on_a_version_is_refused_once_there_is_another(warehouse):
    store(warehouse, things(id=[1], place=["p"]))
    delta_table = opening.open_table(warehouse, "things")
    folder = warehouse.path("things")
    store(warehouse, things(id=[2], place=["q"]))
    assert not transaction._try_commit(delta_table, "things", folder, Change(), Note("run-3"))
    with pytest.raises(MovedError, match=r"Table things at .* is at version 2, no longer at 1"):
        transaction.commit(warehouse, "things", lambda _: Change(), Note("run-3"), expected_version=1)
    assert transaction.commit(warehouse, "things", lambda _: Change(), Note("run-3"), expected_version=2) == 3


def test_rows_that_share_a_file_with_replaced_ones_stay(warehouse):
    """One night's counts of two sources and of nobody lie in one file, and another night's in another."""
    rows = [count("1", "a", 1), count("1", "b", 2), count("1", None, 3), count("2", "a", 4)]
    arrow.append(warehouse, COUNTS, rows, "run-1")
    arrow.replace(warehouse, COUNTS, [count("1", "a", 5)], {"day": "1", "source": "a"}, "run-2")
    assert counted(warehouse) == [("1", "a", 5), ("1", "b", 2), ("1", None, 3), ("2", "a", 4)]
    before = arrow.version(warehouse, "counts")
    arrow.replace(warehouse, COUNTS, [], {"day": "1", "source": "nobody"}, "run-3")
    assert len(commits.entries(warehouse.path("counts"), before + 1)) == 1
    arrow.replace(warehouse, COUNTS, [count("1", "a", 6)], {"day": "1"}, "run-4")
    arrow.replace(warehouse, COUNTS, [count("3", "c", 7)], {"source": "a", "n": 4}, "run-5")
    assert counted(warehouse) == [("1", "a", 6), ("3", "c", 7)]
