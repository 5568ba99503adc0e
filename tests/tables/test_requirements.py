"""What others have asked of a table is honoured or refused by its name, by every reader and writer, before it writes.

Most tables here get their properties by an entry in the log, as it stands there after an ALTER TABLE of Spark.
"""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from builders import machines
from nightjar.errors import TableError
from nightjar.tables import arrow, maintenance, scan, sink
from nightjar.tables.definitions import RUNS
from nightjar.tables.source_definitions import QUALITY
from nightjar.tables.table import Column
from tables.things import THINGS, TYPES, ids, of, store, things


def altered(warehouse, *features, table="things", versions=None, columns=None, schema=None, **properties):
    """Someone else changes protocol and properties of a table; of things, there are two before.

    `a__b` stands for the property delta.a.b; `columns` gives metadata to columns, and `schema` changes them.
    """
    if table == "things":
        store(warehouse, things(id=[1, 2], x=[1.5, 2.5], place=["p", "p"]))
    log = Path(warehouse.path(table)) / "_delta_log"
    created = (log / f"{0:020}.json").read_text().splitlines()
    metadata = next(entry["metaData"] for entry in map(json.loads, created) if "metaData" in entry)
    metadata["configuration"] |= {f"delta.{name.replace('__', '.')}": value for name, value in properties.items()}
    described = json.loads(metadata["schemaString"])
    for field in described["fields"]:
        field["metadata"] |= (columns or {}).get(field["name"], {})
        field.update((schema or {}).get(field["name"], {}))
    metadata["schemaString"] = json.dumps(described)
    read = [name for name in features if name in OF_READERS]
    least, most = versions or (3 if read else 1, 7)
    protocol = {"minReaderVersion": least, "minWriterVersion": most}
    protocol |= {"readerFeatures": read} if read else {}
    protocol |= {"writerFeatures": list(features)} if most == 7 else {}
    entries = [{"commitInfo": {"operation": "ALTER"}}, {"protocol": protocol}, {"metaData": metadata}]
    (log / f"{arrow.version(warehouse, table) + 1:020}.json").write_text("\n".join(map(json.dumps, entries)))


OF_READERS = {
    "deletionVectors",
    "columnMapping",
    "timestampNtz",
    "v2Checkpoint",
    "typeWidening",
    "vacuumProtocolCheck",
    "tomorrow",
}
DEFAULT = {"CURRENT_DEFAULT": "7"}
GENERATED = {"delta.generationExpression": "id * 2"}
IDENTITY = {"delta.identity.start": 1, "delta.identity.step": 1, "delta.identity.allowExplicitInsert": False}
INVARIANT = {"delta.invariants": '{"expression":{"expression":"x > 3"}}'}
INNER = {"type": "array", "elementType": "string", "containsNull": False}
BY_ID = {
    name: {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": name}
    for number, name in enumerate(TYPES)
}
RENAMED = BY_ID | {"place": {"delta.columnMapping.id": 1, "delta.columnMapping.physicalName": "was_place"}}
REFUSED = {
    "columns by id": ((), {"versions": (2, 5), "columns": BY_ID, "columnMapping__mode": "id"}, "feature columnMapping"),
    "constraint": (("checkConstraints",), {"constraints__pos": "x < 10"}, r"constraint pos CHECK \(x < 10\)"),
    "constraint of several columns": (
        ("checkConstraints",),
        {"constraints__both": "x < id OR place = 'p'"},
        r"constraint both CHECK \(x < id OR place = 'p'\)",
    ),
    "constraint of an old protocol": (
        (),
        {"versions": (1, 3), "constraints__pos": "x < 10"},
        r"constraint pos CHECK \(x < 10\)",
    ),
    "generated": (("generatedColumns",), {"columns": {"x": GENERATED}}, r"generated values in column x \(id \* 2\)"),
    "identity": (("identityColumns",), {"columns": {"id": IDENTITY}}, "feature identityColumns.*values in column id"),
    "identity of an old protocol": ((), {"versions": (1, 6)}, "feature identityColumns"),
    "default": (("allowColumnDefaults",), {"columns": {"x": DEFAULT}}, r"a default value in column x \(7\)"),
    "invariant": ((), {"versions": (1, 2), "columns": {"x": INVARIANT}}, r"an invariant in column x \(.*x > 3"),
    "NOT NULL within": ((), {"versions": (1, 2), "schema": {"tags": {"type": INNER}}}, "NOT NULL within column tags"),
    "in-commit timestamps": (
        ("inCommitTimestamp",),
        {"enableInCommitTimestamps": "true"},
        "feature inCommitTimestamp",
    ),
    "row tracking": (
        ("rowTracking", "domainMetadata"),
        {"enableRowTracking": "true"},
        "feature rowTracking; feature domainMetadata",
    ),
    "clustering": (("clustering", "domainMetadata"), {}, "feature clustering"),
    "type widening": (("typeWidening",), {"enableTypeWidening": "true"}, "feature typeWidening"),
    "checkpoint protection": (("checkpointProtection",), {}, "feature checkpointProtection"),
    "vacuum check": (("vacuumProtocolCheck",), {}, "feature vacuumProtocolCheck"),
    "of the future": (("inventedTomorrow",), {}, "feature inventedTomorrow"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_honoured_is_refused_by_its_name_before_anything_is_written(warehouse, name):
    """A new row, a rerun, a row of a ledger and a new column alike; whose work began before is told at the commit."""
    features, properties, named = REFUSED[name]
    begun = sink.target(warehouse, THINGS)
    altered(warehouse, *features, **properties)
    before = sorted(Path(warehouse.path("things")).rglob("*"))
    wider = replace(THINGS, columns=(*THINGS.columns, Column("n", pa.int32(), "new")))
    for write in (
        lambda: sink.target(warehouse, THINGS),
        lambda: sink.commit(warehouse, begun, [], of("q"), "run-2"),
        lambda: arrow.append(warehouse, THINGS, [{"id": 3, "place": "p"}], "run-2"),
        lambda: arrow.replace(warehouse, THINGS, [{"id": 3, "place": "p"}], {"place": "p"}, "run-2"),
        lambda: arrow.ensure(warehouse, wider),
    ):
        with pytest.raises(TableError, match=rf"Table things at .*/things has .*{named}.*Nothing was written"):
            write()
    assert sorted(Path(warehouse.path("things")).rglob("*")) == before


@pytest.mark.parametrize("name", ["columns by id", "type widening"])
def test_files_that_do_not_tell_the_rows_are_not_read(warehouse, name):
    """Both readers ask: one goes to Spark, the other refuses."""
    features, properties, named = REFUSED[name]
    altered(warehouse, *features, **properties)
    feature = named.removeprefix("feature ")
    assert scan.snapshot(warehouse, "things").unreadable == f"table things uses {feature}"
    with pytest.raises(TableError, match=rf"Table things at .* uses {feature}, which is read by Spark only"):
        ids(warehouse)
    assert arrow.read(warehouse, "things", ["id"], at_version=1)["id"].to_pylist() == [1, 2]


@pytest.mark.parametrize(
    ("features", "properties", "feature"),
    [
        ((), {"versions": (2, 5), "columns": RENAMED, "columnMapping__mode": "name"}, "columnMapping"),
        (("tomorrow",), {}, "tomorrow"),
    ],
    ids=["a renamed partition column", "a reader feature of the future"],
)
def test_a_table_that_cannot_even_be_opened_is_refused_by_the_name_of_its_feature(
    warehouse, features, properties, feature
):
    altered(warehouse, *features, **properties)
    for use in (ids, lambda one: sink.target(one, THINGS), lambda one: scan.snapshot(one, "things")):
        message = rf"Table things at .* cannot be opened: .*Nothing was written. It has feature {feature}. To be rid of"
        with pytest.raises(TableError, match=message):
            use(warehouse)


HARMLESS = {
    "deletion vectors, none yet": (("deletionVectors",), {"enableDeletionVectors": "true"}),
    "column mapping, off": (("columnMapping",), {"columnMapping__mode": "none"}),
    "checkpoints of version 2": (("v2Checkpoint",), {"checkpointPolicy": "v2"}),
    "a change feed": (("changeDataFeed",), {"enableChangeDataFeed": "true"}),
    "times without zone": (("timestampNtz",), {}),
    "rules that could be": (("checkConstraints", "generatedColumns", "invariants", "appendOnly"), {}),
    "an old protocol": ((), {"versions": (2, 5)}),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_a_table_could_have_but_has_not_is_no_reason_to_refuse(warehouse, name):
    features, properties = HARMLESS[name]
    altered(warehouse, *features, **properties)
    store(warehouse, things(id=[3], place=["q"]))
    store(warehouse, things(id=[4], place=["p"]), replaces=of("p"), run="run-2")
    arrow.append(warehouse, THINGS, [{"id": 5, "place": "q"}], "run-3")
    assert ids(warehouse) == [3, 4, 5]
    assert scan.snapshot(warehouse, "things").unreadable is None


def test_rows_are_added_to_an_append_only_table_and_never_replaced(warehouse):
    altered(warehouse, versions=(1, 2), appendOnly="true")
    store(warehouse, things(id=[3], place=["q"]), replaces=of("q"))
    refused = r"things at .* has delta.appendOnly=true, and this run replaces rows of it. Nothing was written"
    with pytest.raises(TableError, match=refused):
        store(warehouse, things(id=[4], place=["p"]), replaces=of("p"))
    with pytest.raises(TableError, match=refused):
        arrow.replace(warehouse, THINGS, [], {"id": 1}, "run-2")
    into = sink.target(warehouse, THINGS, run_id="upkeep")
    again = sink.write(things(id=[1, 2], place=["p", "p"]), into)
    sink.commit(warehouse, into, again, of("p"), "upkeep", rearranged=True)
    assert ids(warehouse) == [1, 2, 3]


@pytest.mark.parametrize(
    ("column", "row"), [("x", {"id": 3, "place": "p"}), ("place", {"id": 3}), ("place", {"id": 3, "place": ""})]
)
def test_a_null_where_the_table_declares_that_there_is_none_is_refused(warehouse, column, row):
    """In a partition column, an empty text is null to Delta."""
    altered(warehouse, versions=(1, 2), schema={column: {"nullable": False}})
    store(warehouse, things(id=[3], x=[3.5], place=["q"]))
    before = sorted(Path(warehouse.path("things")).rglob("*"))
    message = rf"Table things at .* declares columns NOT NULL .*: {column} is null in 1 of 1 rows"
    with pytest.raises(TableError, match=message):
        store(warehouse, things(**{name: [value] for name, value in row.items()}))
    with pytest.raises(TableError, match=message):
        arrow.append(warehouse, THINGS, [row], "run-2")
    assert sorted(Path(warehouse.path("things")).rglob("*")) == before
    assert ids(warehouse) == [1, 2, 3]


def test_a_table_that_is_partitioned_otherwise_is_refused(warehouse):
    store(warehouse, things(id=[1], place=["p"]))
    with pytest.raises(TableError, match=r"things at .* is partitioned by place, expected place, id. Move the table"):
        sink.target(warehouse, replace(THINGS, partition_by=("place", "id")))


def test_upkeep_leaves_a_table_alone_that_asks_for_more_than_it_can_and_says_so(warehouse, tmp_path, caplog):
    """A ledger gets the treatment of any table."""
    arrow.append(warehouse, RUNS, [{"run_id": "a", "run_date": date(2024, 4, 1)}], "a")
    altered(warehouse, "deletionVectors", table="runs", enableDeletionVectors="true")
    arrow.append(warehouse, QUALITY, [{"source": "a", "run_date": date(2024, 4, 1)}], "a")
    altered(warehouse, "clustering", "domainMetadata", table="quality")
    no_session: Any = None
    done = maintenance.maintain(no_session, warehouse, machines(tmp_path), {}, date(2024, 4, 5), "upkeep")
    assert done.outputs == {}
    message = r"left as it is: Table {} at .* has feature {}"
    for line, (table, feature) in zip(
        caplog.messages[-2:], [("quality", "clustering"), ("runs", "deletionV")], strict=True
    ):
        assert re.match(message.format(table, feature), line)
    arrow.append(warehouse, RUNS, [{"run_id": "b"}], "b")
    assert arrow.read(warehouse, "runs").num_rows == 2
