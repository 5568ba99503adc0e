"""Sources that are tables and queries of PostgreSQL: of a real one, which is stopped and changed meanwhile."""

import struct
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType, StructField

import builders
from builders import rows_of, versions
from nightjar.errors import SourceError
from nightjar.pipeline.execution import perform
from nightjar.pipeline.sessions import Sessions
from nightjar.pipeline.step import Step
from nightjar.settings.arrival import Arrival
from nightjar.settings.connections import SecretReference, Watermark
from nightjar.settings.jobs import Ingest, JobName
from nightjar.settings.sources import Column, ColumnType
from nightjar.sources import values
from nightjar.sources.connectors.database import DatabaseConnector
from nightjar.sources.connectors.watermarks import Table
from nightjar.sources.items import Portion
from sources.postgres import PASSWORD, READER
from sources.worlds import DAYS, STORED, World, moment, ten_nights
from waiting import wait_until

MICROSECONDS = "(extract(epoch FROM {0}) * 1000000)::bigint::text"
KINDS = {
    "int2": (ColumnType.LONG, "{0}::text", int, ["-32768", "32767"]),
    "int8": (ColumnType.LONG, "{0}::text", int, ["-9223372036854775808", "9223372036854775807"]),
    "numeric": (
        ColumnType.DOUBLE,
        "{0}::text",
        float,
        ["1e-20", "-0.10", "98765432109876543210.12", "NaN", "-Infinity"],
    ),
    "float4": (ColumnType.DOUBLE, "{0}::text", float, ["0.1", "1e-20", "16777216", "NaN", "Infinity"]),
    "float8": (
        ColumnType.DOUBLE,
        "encode(float8send({0}), 'hex')",
        lambda text: struct.unpack(">d", bytes.fromhex(text))[0],
        ["0.1", "1e-20", "1e300", "4.94e-324", "-0", "123456789012345678", "NaN", "Infinity"],
    ),
    "boolean": (ColumnType.BOOLEAN, "{0}::int::text", lambda text: text == "1", ["true", "false"]),
    "date": (ColumnType.DATE, "({0} - date '1970-01-01')::text", int, ["0001-01-01", "1582-10-10", "9999-12-31"]),
    "timestamp": (ColumnType.TIMESTAMP, MICROSECONDS, int, ["0001-01-01", "1582-10-10 23:59:59.999999", "9999-12-31"]),
    "timestamptz": (
        ColumnType.TIMESTAMP,
        MICROSECONDS,
        int,
        ["1883-11-18 12:03:58+01:02:03", "2024-03-31 02:30:00.123456+02", "2024-01-01 00:00:00.1-05"],
    ),
    "text": (
        ColumnType.STRING,
        "encode({0}::bytea, 'hex')",
        lambda text: bytes.fromhex(text).decode(),
        ["", " a ", "null", 'é"\n\t', "NA"],
    ),
    "jsonb": (ColumnType.STRING, "{0}::text", str, ['{"b": 1.10, "a": [null, "x"]}']),
    "uuid": (ColumnType.STRING, "{0}::text", str, ["3294599f-42c1-4a16-aeb2-1b816facb05d"]),
}
"""Type in PostgreSQL -> the declared one, another way to show a value, what that means, and values."""
REFUSED = {
    "numeric": ["1e400"],
    "date": ["infinity", "0044-03-15 BC", "10000-01-01"],
    "timestamp": ["-infinity", "12024-01-01 00:00:00"],
    "timestamptz": ["infinity", "0044-03-15 00:00:00 BC", "10000-01-01 00:00:00+00"],
}
AS_NUMBERS = {ColumnType.DATE: F.unix_date, ColumnType.TIMESTAMP: F.unix_micros}


@pytest.fixture
def connect(spark):
    """A connector of a source `orders`, which is closed in the end."""
    opened = []

    def make(database, columns, kind=None):
        table = Table("orders", database.place, database.watermark, kind, "Europe/Paris", "run")
        opened.append(DatabaseConnector(spark, database, table, columns))
        return opened[-1]

    yield make
    for connector in opened:
        connector.close()


def read(connector):
    (item,) = connector.discover("d", {}).new
    (rows,) = connector.read([Portion(item)])
    return rows


def test_each_value_is_read_as_postgresql_means_it(shop, connect):
    """Whatever a role has for its texts; what a type of ours does not hold is null, and so refused with its row."""
    shop.run(f"CREATE TABLE kinds (id int, {', '.join(f'{kind}_ {kind}' for kind in KINDS)})")
    shop.run(f"ALTER ROLE {READER} SET extra_float_digits = 0; ALTER ROLE {READER} SET TimeZone = 'Asia/Tokyo'")
    expected = {}
    for kind, (_, shown, meaning, texts) in KINDS.items():
        rows = ", ".join(f"({number}, $${text}$$)" for number, text in enumerate([*texts, *REFUSED.get(kind, [])]))
        shop.run(f"INSERT INTO kinds (id, {kind}_) VALUES {rows}")
        cells = shop.run(
            f"SELECT {shown.format(f'{kind}_')} FROM kinds WHERE {kind}_ IS NOT NULL AND id < {len(texts)} ORDER BY id"
        )
        expected[kind] = [*(repr(meaning(cell)) for (cell,) in cells), *["None"] * len(REFUSED.get(kind, []))]
    names = [f"{kind}_" for kind in KINDS]
    rows = read(connect(shop.settings(table="kinds"), ["id", *names]))
    plain = []
    for kind, (declared, *_) in KINDS.items():
        value = values.value(StructField(f"{kind}_", StringType()), declared)
        plain.append(AS_NUMBERS[declared](value) if declared in AS_NUMBERS else value)
    stored = rows.select(F.col("id").cast("int"), F.struct(*names), F.struct(*plain)).collect()
    for place, kind in enumerate(KINDS):
        of_kind = [(number, repr(value[place])) for number, text, value in stored if text[place] is not None]
        assert [value for _, value in sorted(of_kind)] == expected[kind], kind


DIVIDED_BY = ["id", "tenth", "day", "moment", "local", "few", "same", "nothing"]


def test_parts_have_each_row_once_and_are_all_of_the_moment_at_which_the_night_has_looked(shop, connect):
    """By columns with nulls, infinities, three values, one or none; NaN, the greatest of numbers, leaves no range."""
    shop.run("""
        CREATE TABLE orders AS SELECT id, id / 10.0 AS tenth, date '2024-01-01' + id AS day, id % 2 AS few, 7 AS same,
            timestamptz '2024-01-01' + id * interval '1 hour' AS moment, null::bigint AS nothing,
            timestamp '0001-01-01 BC' + id * interval '9 days' AS local FROM generate_series(-20, 20) AS id;
        UPDATE orders SET day = null, tenth = 'NaN' WHERE id = 3;
        UPDATE orders SET moment = 'infinity', day = '-infinity', local = null WHERE id IN (4, 5)""")
    for column in DIVIDED_BY:
        connector = connect(shop.settings(table="public.orders", partition_column=column, partitions=3), ["id"])
        (item,) = connector.discover("d", {}).new
        shop.run("INSERT INTO orders SELECT 1000")
        (rows,) = connector.read([Portion(item)])
        shop.run("DELETE FROM orders WHERE id IN (-20, 1000)")
        part_of = {int(number): part for number, part in rows.select("id", F.spark_partition_id()).collect()}
        assert sorted(part_of) == [*range(-20, 21)], column
        assert rows.rdd.getNumPartitions() == {"tenth": 2, "same": 2, "nothing": 1}.get(column, 3), column
        assert column in ("tenth", "same", "nothing") or max(Counter(part_of.values()).values()) <= 20, column
        connector.close()
        shop.run("INSERT INTO orders (id) VALUES (-20)")


def test_the_password_is_in_no_plan(shop, connect):
    rows = read(connect(shop.settings(query="SELECT 1 AS id -- and no more"), ["id"]))
    assert [row[0] for row in rows.collect()] == ["1"]
    execution = rows._jdf.queryExecution()
    assert PASSWORD not in execution.toString() + execution.logical().toJSON()


def test_a_password_that_postgresql_repeats_is_hidden_in_runs(shop, spark, environment, warehouse, project_of):
    escaped = PASSWORD.replace("'", "''")
    source = builders.readings("", file=None, database=shop.settings(query=f"SELECT '{escaped}'::int AS machine"))
    sessions = Sessions(environment, "tests")
    sessions.spark = spark
    settings = Ingest(replace(environment, warehouse=warehouse.root), project_of(source), str(DAYS[0]))
    step = Step("run", DAYS[0], warehouse, settings, sessions, "revision")
    with pytest.raises(SourceError, match="invalid input syntax for type integer"):
        perform(JobName.INGEST, step, "config")
    ((error,),) = rows_of(warehouse, "runs", "error")
    assert 'invalid input syntax for type integer: "********"' in error


WRONG = {
    "a table of another name": (
        {"table": "public.order"},
        "has no table public.order that reader may see (did you mean",
    ),
    "in capitals": ({"table": "Orders"}, "(did you mean 'orders'?). Correct project.sources.orders.database.table, in"),
    "a hidden table": ({"table": "hidden"}, "permission denied for table hidden. Let an owner GRANT SELECT on it, and"),
    "a wrong query": (
        {"query": "SELECT named FROM orders"},
        'Perhaps you meant to reference the column "orders.name". Correct project.sources.orders.database.query.',
    ),
    "no part": ({"partition_column": "part", "partitions": 2}, "lacks the column part"),
    "a part of texts": ({"partition_column": "name", "partitions": 2}, "expected whole numbers, dates or timestamps."),
    "no password": ({"password": None}, "no password was provided. Correct project.sources.orders.database.user, or"),
    "no variable": ({"password": SecretReference("NOWHERE")}, "the environment variable NOWHERE is not set."),
    "an empty variable": ({"password": SecretReference("EMPTY")}, "the environment variable EMPTY is empty."),
    "no file": ({"password": SecretReference(file="/nowhere")}, "the file /nowhere cannot be read (No such file or"),
    "no server": ({"url": "jdbc:postgresql://127.0.0.1:1/shop"}, "127.0.0.1:1 refused."),
}


def test_what_is_wrong_is_said_with_what_to_do_and_without_the_password(shop, connect, monkeypatch, tmp_path):
    shop.run("CREATE TABLE orders AS SELECT 1 AS order_id, timestamp '2024-01-01' AS changed, 'a' AS name")
    shop.run("CREATE TABLE hidden AS SELECT 1 AS order_id; REVOKE ALL ON hidden FROM reader")
    monkeypatch.setenv("EMPTY", "")
    password = tmp_path / "password"
    password.write_text(f"{PASSWORD}x\n")

    def refusal(options, columns=("order_id",), kind=None):
        named = {} if "query" in options else {"table": "orders"}
        connector = connect(shop.settings(**named | options), columns, kind)
        with pytest.raises(SourceError, match=r"^Source orders: ") as refused:
            connector.discover("d", {})
        assert PASSWORD not in f"{refused.value} {refused.value.__cause__}"
        assert str(refused.value).endswith("Nothing was written.")
        return str(refused.value)

    for what, (options, expected) in WRONG.items():
        assert expected in refusal(options), what
    assert "lacks the column orderid; it has order_id, changed, name" in refusal({}, ["orderid"])
    place = f"orders in {shop.url}"
    for kind, words in (
        (ColumnType.LONG, "whole numbers"),
        (ColumnType.DATE, "dates"),
        (ColumnType.TIMESTAMP, "timestamps"),
    ):
        text = refusal({"watermark": Watermark("name")}, ["name"], kind)
        assert f"watermark.column: the column name of {place} is of another type, expected {words}." in text
    assert refusal({"password": SecretReference(file=str(password))}) == (
        f'Source orders: {place} cannot be read by reader: password authentication failed for user "reader". '
        f"Correct project.sources.orders.database.user, or the password: that of {password}. Nothing was written."
    )
    assert refusal({"url": f"{shop.url}s"}) == (
        f'Source orders: {place}s cannot be read by reader: database "{shop.name}s" does not exist. '
        "Correct project.sources.orders.database.url. Nothing was written."
    )


class Readings(World):
    """Readings in a table."""

    def __init__(self, shop):
        super().__init__()
        self.shop = shop
        moments = ", ".join(f"{name} timestamptz" for name in ("at", "seen", "written"))
        shop.run(f"CREATE TABLE readings (machine text PRIMARY KEY, temperature float8, note text, {moments})")

    def sources(self):
        columns = builders.readings("").columns | {"written": Column(ColumnType.TIMESTAMP)}
        database = self.shop.settings(
            table="readings", watermark=Watermark("written", "12h"), partition_column="written", partitions=2
        )
        return {"readings": builders.readings("", file=None, database=database, columns=columns, arrival=Arrival(0))}

    def write(self, row):
        super().write(row)
        values = ", ".join(f"{name} = '{value}'" for name, value in row.items())
        columns = ", ".join(row)
        self.shop.run(f"""
            INSERT INTO readings ({columns}) VALUES ({", ".join(f"'{value}'" for value in row.values())})
            ON CONFLICT (machine) DO UPDATE SET {values}""")

    def remove(self, machine):
        super().remove(machine)
        self.shop.run(f"DELETE FROM readings WHERE machine = '{machine}'")


@pytest.mark.usefixtures("few")
def test_ten_nights_store_what_an_oracle_does_that_reads_everything_each_night(shop, run, warehouse, tmp_path):
    """With a night without news, rows that come late, change or vanish; three nights run after a later one; a rerun."""
    expected = ten_nights(Readings(shop), run)
    assert sorted(rows_of(warehouse, "source_readings", *STORED)) == expected
    assert set(rows_of(warehouse, "intake", "undeclared")) == {('["note"]',)}
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if PASSWORD.encode() in file.read_bytes()] == []


def test_a_database_that_stops_in_the_middle_of_a_read_and_comes_back_and_one_that_loses_a_column(
    shop, run, warehouse, server
):
    shop.run("""
        CREATE TABLE lasting AS SELECT 'm' || n AS machine, n AS temperature,
            timestamp '2024-03-30 06:00' AS at, timestamp '2024-03-30 07:00' AS seen FROM generate_series(1, 2) n""")
    shop.run("CREATE VIEW readings AS SELECT * FROM lasting WHERE machine = 'm1' OR pg_sleep(600) IS NOT NULL")
    database = shop.settings(table="readings", fetch_size=1)
    sources = {"readings": builders.readings("", file=None, database=database)}
    with ThreadPoolExecutor(1) as threads:
        night = threads.submit(run, sources, DAYS[0])
        sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        wait_until(lambda: shop.run(sleeping) or night.done(), "the night does not read")
        server.stop()
        try:
            with pytest.raises(SourceError, match=r"readings in .* cannot be read by reader: .* run the night again\."):
                night.result()
        finally:
            server.start()
    assert versions(warehouse) == {}
    shop.run("CREATE OR REPLACE VIEW readings AS SELECT * FROM lasting")
    run(sources, DAYS[0])
    stored = rows_of(warehouse, "source_readings", *STORED)
    seen = moment(date(2024, 3, 31))
    assert stored == [("m1", seen, 1.0, seen, DAYS[0]), ("m2", seen, 2.0, seen, DAYS[0])]
    shop.run("ALTER VIEW readings RENAME temperature TO degrees")
    before = versions(warehouse)
    with pytest.raises(SourceError, match=r"readings in .* lacks the column temperature; it has machine, degrees, at"):
        run(sources, DAYS[1], DAYS[0])
    assert versions(warehouse) == before
    shop.run("ALTER VIEW readings RENAME degrees TO temperature")
    run(sources, DAYS[1], DAYS[0])
    assert rows_of(warehouse, "source_readings", *STORED) == stored
