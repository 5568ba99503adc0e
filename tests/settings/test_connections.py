"""Settings of tables and databases that name too little or too much are refused, and no secret is repeated."""

import pytest

import builders
from nightjar.settings.connections import Database, Watermark
from nightjar.settings.sources import ColumnType

PLACE = {"url": "jdbc:postgresql://db:5432/shop", "user": "reader", "table": "public.orders"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "postgresql://db/shop"}, "url: found 'postgresql://db/shop', expected jdbc:postgresql://HOST"),
        ({"url": "jdbc:postgresql://reader:geheim@db/shop"}, "url: found 'jdbc:postgresql://', expected"),
        ({"url": "jdbc:postgresql://db/shop?ssl=true&Password=geheim"}, "found 'jdbc:postgresql://db/shop', expected"),
        ({"query": "SELECT 1"}, "table: found 'public.orders', expected either a table or a query"),
        ({"table": None}, "table: found None, expected either a table or a query"),
        ({"table": "public.orders; DROP"}, "table: found 'public.orders; DROP', expected a name"),
        ({"table": None, "query": "SELECT 1; SELECT 2"}, "query: found 'SELECT 1; SELECT 2', expected one SELECT"),
        ({"partitions": 2}, "partitions: found 2, expected partition_column and partitions together"),
        ({"partition_column": "id"}, "partitions: found 1, expected partition_column and partitions together"),
        (
            {"watermark": {"column": "at", "overlap": "soon"}},
            "watermark.overlap: found 'soon', expected a duration such as 2h, or a whole",
        ),
        ({"password": {}}, "password.env: found None, expected either env or file"),
        ({"password": {"env": "A", "file": "/b"}}, "password.env: found 'A', expected either env or file"),
        (
            {"password": {"env": "geheim!"}},
            "password.env: found '********', expected the name of an environment variable",
        ),
    ],
)
def test_a_database_is_one_place_without_secrets(settings, message):
    with pytest.raises(ValueError, match="expected") as refused:
        Database(**PLACE | settings)
    assert message in str(refused.value)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "overlap", "expected"),
    [
        (ColumnType.TIMESTAMP, "2h", None),
        (ColumnType.DATE, None, None),
        (ColumnType.LONG, "100", None),
        (ColumnType.LONG, "2h", "watermark.overlap: found '2h', expected a whole number"),
        (ColumnType.DATE, "100", "watermark.overlap: found '100', expected a duration such as 2h"),
        (
            ColumnType.STRING,
            None,
            "watermark.column: found 'mark', expected one of the source's columns that is a TIMES",
        ),
        (None, None, "watermark.column: found 'mark', expected one of the source's columns that is a TIMES"),
    ],
)
def test_a_watermark_is_a_column_in_order_with_an_overlap_of_its_kind(kind, overlap, expected):
    columns = builders.readings("").columns
    columns |= {} if kind is None else {"mark": builders.Column(kind)}
    settings = {"file": None, "columns": columns, "database": Database(**PLACE, watermark=Watermark("mark", overlap))}
    if expected is None:
        assert builders.readings("", **settings).origin.watermark == Watermark("mark", overlap)
        return
    with pytest.raises(ValueError, match="expected") as refused:
        builders.readings("", **settings)
    assert expected in str(refused.value)
