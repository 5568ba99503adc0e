"""Texts of raw files with the values that they are read as, and others that are refused, by type."""

from datetime import UTC, date, datetime

from nightjar.settings.sources import ColumnType


def utc(*when):
    return datetime(*when, tzinfo=UTC)


INF, NAN = float("inf"), float("nan")
READ = {
    ColumnType.LONG: {"12": 12, "+5": 5, "-007": -7, " 1 ": 1, "9223372036854775807": 2**63 - 1},
    ColumnType.DOUBLE: {
        "1": 1.0,
        "1.": 1.0,
        "-.5": -0.5,
        "+1.5e-3": 0.0015,
        "1E3": 1000.0,
        " 2\t": 2.0,
        "-inf": -INF,
        "Infinity": INF,
        "INF": INF,
    },
    ColumnType.BOOLEAN: {
        "true": True,
        "T": True,
        "YES": True,
        "y": True,
        "1": True,
        "False": False,
        "f": False,
        "no": False,
        "N": False,
        " 0": False,
    },
    ColumnType.DATE: {"2024-03-01": date(2024, 3, 1), " 2024-02-29 ": date(2024, 2, 29)},
    ColumnType.TIMESTAMP: {
        "2024-03-01 10:30:00": utc(2024, 3, 1, 10, 30),
        "2024-03-01T10:30": utc(2024, 3, 1, 10, 30),
        "2024-03-01": utc(2024, 3, 1),
        "2024-03-01 10:30:00.5": utc(2024, 3, 1, 10, 30, 0, 500_000),
        "2024-03-01T10:30:00.123456000Z": utc(2024, 3, 1, 10, 30, 0, 123_456),
        "2024-03-01 10:30:00 UTC": utc(2024, 3, 1, 10, 30),
        "2024-03-01 10:30:00+02:00": utc(2024, 3, 1, 8, 30),
        "2024-03-01 10:30:00-0330": utc(2024, 3, 1, 14),
        " 2024-03-01 10:30:00 +02": utc(2024, 3, 1, 8, 30),
    },
}
REFUSED = {
    ColumnType.LONG: "9223372036854775808|1.0|1e3|1L|1_000|1,000|0x10|\u0661|NaN|true| |\x1f7",
    ColumnType.DOUBLE: "1.5d|1f|1F|0x1p3|0x10|1,5|1e999|-1e999|--1|e3|.|1 2|infinite|-nan|1\u00a0|",
    ColumnType.BOOLEAN: "on|2|1.0|tru|\x01yes|",
    ColumnType.DATE: (
        "2023-02-29|2024-3-1|2024-03|2024|2024-03-01T|2024-03-01 00:00:00|2024-03-01x|12024-03-01|0000-01-01|20240301|"
        "01.03.2024|today|epoch|"
    ),
    ColumnType.TIMESTAMP: (
        "10:30:00|T10:30|12:00|2024|2024-03|2024-3-1|2024-03-01T|2024-03-01 10|2024-03-01x|2024-03-01 10:30:00 UTC+1|"
        "2024-03-01 10:30:00 Europe/Paris|2024-03-01 10:30:00+2:00|2024-03-01 10:30:00+25:00|2024-03-01 10:30+02:00|"
        "2024-03-01 24:00:00|2024-03-01 10:30:60|2024-02-30 10:30:00|12024-03-01 10:30:00|+2024-03-01 10:30:00|"
        "0000-03-01 10:30:00|-0001-03-01 10:30:00|2024-03-01 10:30:00,5|1709289000|now|epoch|"
        "2024-03-01 10:30:00.1234567|2024-03-01 10:30:00.000000001Z|"
    ),
}
