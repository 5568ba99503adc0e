"""Sources that are tables and queries of PostgreSQL: of a real one, which is stopped and changed meanwhile."""

import struct
from datetime import date

import pytest
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType, StructField

from nightjar.errors import SourceError
from nightjar.settings.connections import SecretReference, Watermark
from nightjar.settings.sources import ColumnType
from nightjar.sources import values
from nightjar.sources.connectors.database import DatabaseConnector
from nightjar.sources.connectors.watermarks import Table
from nightjar.sources.items import Portion
from sources.postgres import PASSWORD, READER

MICROSECONDS = "(extract(epoch FROM {0}) * 1000000)::bigint::text"
KINDS = {
    "int2": (ColumnType.LONG, "{0}::text", int, ["-32768", "32767"]),
    "int8": (ColumnType.LONG, "{0}::text", int, ["-9223372036854775808", "9223372036854775807"]),
    "numeric": (ColumnType.DOUBLE, "{0}::text", float, ["1e-20", "-0.10", "98765432109876543210.12", "NaN", "-Infinity"]),
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
"""Type in PostgreSQL -> the declared one, how PostgreSQL shows the value of a column in another way, what that means, and
values."""
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
        table = Table("orders", database.place, database.watermark, kind, "Europe/Paris", date(2024, 4, 1), "run")
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
        rows = ", ".join(f"({id}, $${text}$$)" for id, text in enumerate([*texts, *REFUSED.get(kind, [])]))
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
        of_kind = [(id, repr(value[place])) for id, text, value in stored if text[place] is not None]
        assert [value for _, value in sorted(of_kind)] == expected[kind], kind
