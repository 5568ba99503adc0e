"""Values of raw files: read exactly as they are written, or refused."""

import csv
from datetime import date, time
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql.types import StringType, StructField

import builders
from builders import rows_of
from nightjar.errors import SourceError, TableError
from nightjar.settings.files import File, FileFormat
from nightjar.settings.sources import Column, ColumnType
from nightjar.sources import values
from nightjar.sources.formats import csv_rows
from sources.forms import INF, NAN, READ, REFUSED, utc
from sources.reading import read_raw

D2 = date(2024, 4, 2)
AT = "2024-03-31 06:00:00"
INSTANT = pa.timestamp("us", "UTC")


def test_a_text_is_read_only_in_the_forms_of_its_type(spark):
    """Spark's own casts take `12:00` for today's noon, `2024` for the first of January, `1.5d` for 1.5."""
    expected = {kind: read | dict.fromkeys(REFUSED[kind].split("|")) for kind, read in READ.items()}
    texts = sorted({text for of_type in expected.values() for text in of_type})
    read = [values.value(StructField("text", StringType()), kind).alias(kind.name) for kind in expected]
    frame = spark.createDataFrame([(text,) for text in texts], "text string").coalesce(1)
    row_of = {row["text"]: row for row in frame.select("text", *read).toArrow().to_pylist()}
    assert {kind: {text: row_of[text][kind.name] for text in of_type} for kind, of_type in expected.items()} == expected


def test_csv_is_read_as_python_writes_it(spark, tmp_path, monkeypatch):
    """Whatever signs fields are made of, quoted all or only where they must be, whatever rows end with; wide, too."""
    chance = np.random.default_rng(20)
    for signs, end, quoting, wide in (
        ('ab",\\ \n', "\n", csv.QUOTE_MINIMAL, 1_000),
        ('ab",\\ \n\r', "\r\n", csv.QUOTE_ALL, 2),
        ('ab",\\ ', "\r\n", csv.QUOTE_MINIMAL, 1_000),
        ('ab",\\ \u00e9', "\r", csv.QUOTE_ALL, 2),
    ):
        monkeypatch.setattr(csv_rows, "WIDE", wide)
        rows = [["".join(chance.choice(list(signs), chance.integers(7))) for _ in range(3)] for _ in range(300)]
        with (tmp_path / "readings.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator=end, quoting=quoting).writerows([["a", "b", "c"], *rows])
        result = (
            read_raw(spark, File(str(tmp_path / "readings.csv")), ["a", "b", "c"], tmp_path).drop("_file").collect()
        )
        assert [tuple(row) for row in result] == [(*(field or None for field in row), None) for row in rows]


def test_quotes_and_columns_that_nobody_asks_for(night, warehouse):
    """An index that pandas has written, a trailing comma, names that stand twice or differ in capitals."""
    night(
        ",machine,At,at,x,x,seen,temperature,\n"
        f'0,"5"" pipe",,{AT},,,NA,1,\n'
        f'1,"C:\\data\\",,{AT},,,"",2,\n'
        f'2,"5"", pipe",,"{AT}",,,,"3",\n'
        f'3,"two\nlines",,{AT},,,,4,\n'
    )
    readings = rows_of(warehouse, "source_readings", "temperature", "machine")
    assert readings == [(1.0, '5" pipe'), (2.0, "C:\\data\\"), (3.0, '5", pipe'), (4.0, "two\nlines")]


def test_a_file_in_another_encoding_is_refused(night, warehouse):
    """Otherwise two towns would be two versions of one."""
    text = f"machine,at,seen,temperature\nK\xf6ln,{AT},NA,1\nK\xfcln,{AT},NA,2\n"
    with pytest.raises(SourceError, match=r"Source readings: .*readings.csv is not UTF-8: line 2 holds the byte 0xf6"):
        night(text.encode("latin-1"))
    assert builders.versions(warehouse) == {}


def test_nan_and_infinity_lie_within_no_bound_and_are_no_value_where_one_is_required(night, warehouse):
    number = ColumnType.DOUBLE
    columns = builders.readings("").columns | {
        "low": Column(number, minimum=0), "high": Column(number, maximum=10),
        "must": Column(number, required=True), "free": Column(number),
    }  # fmt: skip
    night(
        "machine,at,seen,temperature,low,high,must,free\n"
        f"nan,{AT},NA,1,NaN,nan,NaN,NaN\ninf,{AT},NA,1,inf,-inf,Infinity,-inf\nok,{AT},NA,1,NA,,0,NaN\nover,{AT},NA,1,-1,11,0,inf\n",
        columns=columns,
        keep=["temperature", "free"],
    )
    bounded = ("low", "high", "must")
    reasons = sorted(reasons for (reasons,) in rows_of(warehouse, "quarantine", "reasons"))
    assert reasons == [
        ["low: below 0", "high: above 10"],
        [f"{name}: infinite" for name in bounded],
        [f"{name}: not a number" for name in bounded],
    ]
    assert [str(row) for row in rows_of(warehouse, "source_readings", "machine", "free")] == ["('ok', nan)"]


HALVES = pa.array([0, 86_400_000_000, 1, None], INSTANT)
FIRST, SECOND = date(1970, 1, 1), date(1970, 1, 2)
IN_PARQUET = [
    (ColumnType.LONG, pa.array([1.7, 2.0, NAN, 2.0**63, -(2.0**63)]), [None, 2, None, None, -(2**63)]),
    (ColumnType.LONG, pa.array(map(Decimal, ["1.70", "-2.70", "3.00"])), [None, None, 3]),
    (ColumnType.LONG, pa.array(map(Decimal, ["1", "1." + "0" * 29 + "1"]), pa.decimal128(38, 30)), [1, None]),
    (ColumnType.LONG, pa.array([2**63, 2**63 - 1], pa.uint64()), [None, 2**63 - 1]),
    (ColumnType.LONG, pa.array([2**32 - 1], pa.uint32()), [2**32 - 1]),
    (ColumnType.LONG, pa.array(["1.7", "2"], pa.string_view()), [None, 2]),
    (ColumnType.DOUBLE, pa.array([2**53 + 1, 2**53, 2**63 - 1]), [None, 2.0**53, None]),
    (ColumnType.DOUBLE, pa.array(map(Decimal, ["0.333333333333333333"]), pa.decimal128(38, 18)), [1 / 3]),
    (ColumnType.DOUBLE, pa.array([1.5, INF], pa.float32()), [1.5, INF]),
    (ColumnType.DOUBLE, pa.nulls(2), [None, None]),
    (ColumnType.BOOLEAN, pa.array([0.5, 1.0, 0.0, 2.0, NAN]), [None, True, False, None, None]),
    (ColumnType.BOOLEAN, pa.array([1, 0, 2], pa.int8()), [True, False, None]),
    (ColumnType.DATE, HALVES, [FIRST, SECOND, None]),
    (ColumnType.DATE, HALVES.cast(pa.timestamp("ns")), [FIRST, SECOND, None]),
    (ColumnType.TIMESTAMP, pa.array([FIRST]), [utc(1970, 1, 1)]),
    (
        ColumnType.TIMESTAMP,
        HALVES.cast(pa.timestamp("ms"), safe=False),
        [utc(1970, 1, 1), utc(1970, 1, 2), utc(1970, 1, 1)],
    ),
    (ColumnType.TIMESTAMP, pa.array(["10:30:00", "1970-01-02"], pa.large_string()), [None, utc(1970, 1, 2)]),
    (
        ColumnType.TIMESTAMP,
        pa.array([-1000, -1, 1], pa.timestamp("ns", "Asia/Tokyo")),
        [utc(1969, 12, 31, 23, 59, 59, 999_999), None, None],
    ),
    (ColumnType.STRING, pa.array([b"a", b"\xff"]), ["a", None]),
    (ColumnType.STRING, pa.array(["a", None]).dictionary_encode(), ["a", None]),
    (ColumnType.STRING, pa.array([7]), ["7"]),
]


def test_a_value_of_another_type_in_parquet_is_read_where_it_comes_back_equal(spark, tmp_path):
    """Beside columns that Spark does not read at all, which nobody asks for."""
    rows = max(len(column) for _, column, _ in IN_PARQUET)
    names = [f"c{place}" for place in range(len(IN_PARQUET))]
    columns = [pa.concat_arrays([column, pa.nulls(rows - len(column), column.type)]) for _, column, _ in IN_PARQUET]
    other = [
        pa.nulls(rows, pa.float16()),
        pa.array([time(10)] * rows, pa.time32("ms")),
        *([pa.nulls(rows)] * 2),
        columns[0],
    ]
    table = pa.Table.from_arrays([*columns, *other], [*names, "half", "clock", "twice", "twice", "C"])
    pq.write_table(table, tmp_path / "readings.parquet")
    frame = read_raw(spark, File(str(tmp_path / "readings.parquet"), format=FileFormat.PARQUET), names, tmp_path)
    kinds = [kind for kind, _, _ in IN_PARQUET]
    assert all(values.fits(frame.schema[name], kind) for name, kind in zip(names, kinds, strict=True))
    read = [values.value(frame.schema[name], kind).alias(name) for name, kind in zip(names, kinds, strict=True)]
    result = frame.coalesce(1).select(*read).toArrow().to_pydict()
    assert result == {
        name: expected + [None] * (rows - len(expected))
        for name, (_, _, expected) in zip(names, IN_PARQUET, strict=True)
    }


def in_parquet(**columns):
    """Readings of 31 March as pandas writes them, one machine for each value of the columns given."""
    rows = max(map(len, columns.values()))
    machines = pa.array([f"m{n}" for n in range(rows)]).dictionary_encode()
    at = pa.array([utc(2024, 3, 31, 6)] * rows, pa.timestamp("ns"))
    return pa.table({"machine": machines, "at": at, "seen": at, "temperature": pa.nulls(rows)} | columns)


def declared(**kinds):
    columns = builders.readings("").columns | {name: Column(kind) for name, kind in kinds.items()}
    return {"columns": columns, "keep": ["machine", "temperature", *kinds]}


def test_what_parquet_does_not_hold_as_declared_is_refused_row_by_row(night, warehouse):
    fine = pa.array([None, None, utc(2024, 3, 1), None, 1], pa.timestamp("ns"))
    table = in_parquet(
        count=pa.array([1.7, None, 2.0, -2.7, None]),
        is_on=pa.array([None, 0.5, 1.0, None, None]),
        when=fine,
        list=[[1]] * 5,
    )
    night(table, **declared(count=ColumnType.LONG, is_on=ColumnType.BOOLEAN, when=ColumnType.TIMESTAMP))
    stored = rows_of(warehouse, "source_readings", "machine", "event_time", "count", "is_on", "when")
    assert stored == [("m2", utc(2024, 3, 31, 6), 2, True, utc(2024, 3, 1))]
    refused = sorted(reasons for (reasons,) in rows_of(warehouse, "quarantine", "reasons"))
    fine = ["when: finer than a microsecond"]
    assert refused == [["count: not a bigint"], ["count: not a bigint"], ["is_on: not a boolean"], fine]


def of_bytes(*texts):
    """A column of strings whose bytes nobody has checked."""
    column = pa.array(texts, pa.binary())
    return pa.Array.from_buffers(pa.string(), len(column), column.buffers())


BEYOND, BEFORE = 253_402_300_800_000_000, -62_135_596_800_000_001
"""The first microsecond after the year 9999, and the last one before the year 1."""


def test_in_parquet_bytes_that_are_no_text_and_years_that_there_are_not_refuse_their_rows(night, warehouse):
    """Also in a key, and where milliseconds overflow microseconds; the last instant and the last day pass."""
    last, last_instant = BEYOND - 1, utc(9999, 12, 31, 23, 59, 59, 999_999)
    table = in_parquet(
        machine=of_bytes(b"m0", b"K\xf6ln", b"m2", b"m3", b"m4", b"m5", b"m6", b"m7", b"m8"),
        note=of_bytes(b"ok", b"ok", b"\xff", b"K\xc3\xb6ln", None, b"", b"", b"", b"\0"),
        us=pa.array([last, 0, 0, BEYOND, BEFORE, 2**63 - 1, 0, 0, BEFORE + 1], INSTANT),
        plain=pa.array([BEYOND - 86_400_000_000, 0, 0, 0, -(2**63), 0, 0, 0, None], pa.timestamp("us")),
        ms=pa.array([last // 1000, 0, 0, 0, 2**63 - 1, -(2**63), 0, 0, BEFORE // 1000 + 1], pa.timestamp("ms")),
        day=pa.array([2_932_896, 0, 0, 0, 0, 0, 2_932_897, 2**31 - 1, -719_162], pa.int32()).cast(pa.date32()),
        at_day=pa.array([0, 0, 0, 0, 0, 0, 0, -(2**31), None], pa.int32()).cast(pa.date32()),
    )
    instant, text = ColumnType.TIMESTAMP, ColumnType.STRING
    night(
        table,
        **declared(note=text, us=instant, plain=ColumnType.DATE, ms=instant, day=ColumnType.DATE, at_day=instant),
    )
    names = ("machine", "note", "us", "ms", "day")
    assert rows_of(warehouse, "source_readings", *names) == [
        (
            "m0",
            "ok",
            last_instant,
            last_instant.replace(microsecond=999_000),
            date(9999, 12, 31),
        ),
        ("m8", "\0", utc(1, 1, 1), utc(1, 1, 1), date(1, 1, 1)),
    ]
    outside = "outside the years 1 to 9999"
    refused = sorted(reasons for (reasons,) in rows_of(warehouse, "quarantine", "reasons"))
    assert refused == sorted([
        ["machine: not a string"],
        ["note: not a string"],
        [f"us: {outside}"],
        [f"us: {outside}", f"plain: {outside}", f"ms: {outside}"],
        [f"us: {outside}", f"ms: {outside}"],
        [f"day: {outside}"],
        [f"day: {outside}", f"at_day: {outside}"],
    ])  # fmt: skip


def test_no_fact_has_an_instant_that_there_is_not(night, warehouse):
    """Written with an offset, or derived."""
    columns = builders.readings("").columns | {"ms": Column(ColumnType.LONG)}
    night(
        "machine,at,seen,temperature,ms\n"
        "m1,0001-01-01 00:00:00+00:01,NA,1,0\nm2,9999-12-31 23:59:59-00:01,NA,1,0\nm3,0001-01-01,NA,1,0\n"
        f"m4,{AT},NA,1,{BEFORE // 1000}\nm5,{AT},NA,1,{BEYOND // 1000}\nm6,{AT},NA,1,{BEYOND // 1000 - 1}\n",
        columns=columns,
        derived={"moment": "timestamp_millis(ms)", "day": "CAST(moment AS DATE)"},
        keep=["temperature", "moment", "day"],
    )
    assert rows_of(warehouse, "source_readings", "machine", "day") == [
        ("m3", date(1970, 1, 1)),
        ("m6", date(9999, 12, 31)),
    ]
    reasons = [f"{name}: outside the years 1 to 9999" for name in ("moment", "day")]
    refused = sorted(reasons for (reasons,) in rows_of(warehouse, "quarantine", "reasons"))
    assert refused == [["at: not a timestamp"], ["at: not a timestamp"], reasons, reasons]


def test_levels_are_values_of_the_column_s_type(night, warehouse):
    columns = builders.readings("").columns | {"code": Column(ColumnType.LONG, levels=["1", "+02", "3"])}
    night(
        f"machine,at,seen,temperature,code\nm1,{AT},NA,1,01\nm2,{AT},NA,1,2\nm3,{AT},NA,1,4\n",
        columns=columns,
        keep=["temperature", "code"],
    )
    assert rows_of(warehouse, "source_readings", "machine", "code") == [("m1", 1), ("m2", 2)]
    assert rows_of(warehouse, "quarantine", "reasons") == [(["code: not one of 1, +02, 3"],)]


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        (
            pa.array([1711864800]),
            ColumnType.TIMESTAMP,
            r"the column x of .* is BIGINT, which is not read as the timestamp",
        ),
        (pa.array([1.5]), ColumnType.DATE, r"the column x of .* is DOUBLE, which is not read as the date"),
        (
            pa.array([1], pa.timestamp("ns")),
            ColumnType.LONG,
            r"the column x of .* is TIMESTAMP, which is not read as the",
        ),
        (pa.array([True]), ColumnType.LONG, r"the column x of .* is BOOLEAN, which is not read as the long"),
        (
            pa.array([utc(2024, 3, 1)]),
            ColumnType.DOUBLE,
            r"the column x of .* is TIMESTAMP, which is not read as the double",
        ),
        (
            pa.array([[1]]),
            ColumnType.LONG,
            r"the column x of .*readings.csv is list<.*int64>, which is not read; expected",
        ),
        (
            pa.array([time(10)], pa.time32("ms")),
            ColumnType.TIMESTAMP,
            r"x of .* is time32\[ms\], which is not read; expected",
        ),
        (pa.array([1], pa.duration("us")), ColumnType.LONG, r"x of .* is duration\[us\], which is not read; expected"),
    ],
)
def test_a_column_of_another_kind_is_refused_with_its_file(night, warehouse, column, kind, message):
    with pytest.raises(SourceError, match=f"Source readings: .*{message}"):
        night(in_parquet(x=column), **declared(x=kind))
    assert builders.versions(warehouse) == {}


def test_names_of_folders_are_texts(night, warehouse, tmp_path):
    """Spark would make numbers of them, 1 of `001`, and null of all where one is none."""
    for code, at in (("001", "2024-03-30"), ("1e3", "2024-03-31"), ("a%20b", "T10:30")):
        (tmp_path / "files" / f"code={code}" / f"on={at}").mkdir(parents=True)
        pq.write_table(in_parquet(other=[1]), tmp_path / "files" / f"code={code}" / f"on={at}" / "part.parquet")
    file = File(str(tmp_path / "files"), format=FileFormat.PARQUET)
    night("", file=file, **declared(code=ColumnType.STRING, on=ColumnType.DATE) | {"key": ["code", "at"]})
    assert rows_of(warehouse, "source_readings", "code", "on") == [
        ("001", date(2024, 3, 30)),
        ("1e3", date(2024, 3, 31)),
    ]
    assert rows_of(warehouse, "quarantine", "reasons") == [(["on: not a date"],)]


def test_files_of_one_folder_have_a_column_with_one_type_or_not_at_all(spark, tmp_path):
    def read(*tables):
        for place, table in enumerate(tables):
            pq.write_table(table, tmp_path / f"{place}.parquet")
        rows = read_raw(spark, File(str(tmp_path), format=FileFormat.PARQUET), ["k", "v"], tmp_path)
        return sorted(rows.select("k", "v").toArrow().to_pylist(), key=str)

    short, whole = pa.table({"k": ["a"]}), pa.table({"k": ["b"], "v": [1.5]})
    assert read(short, whole) == [{"k": "a", "v": None}, {"k": "b", "v": 1.5}]
    with pytest.raises(SourceError, match=r"the column v is null in .*0.parquet and double in .*1.parquet. Write all"):
        read(pa.table({"k": ["a"], "v": pa.nulls(1)}), whole)  # as pandas writes a column of None
    with pytest.raises(SourceError, match=r"the column v is int64 in .*0.parquet and double in .*1.parquet. Write all"):
        read(pa.table({"k": ["a"], "v": [1]}), whole)
    with pytest.raises(SourceError, match=r"the column v is timestamp\[ns\] in .* and int64 in"):
        read(pa.table({"k": ["a"], "v": pa.array([1], pa.timestamp("ns"))}), pa.table({"k": ["a"], "v": [1]}))
    with pytest.raises(SourceError, match=r"1.parquet has the columns v, V, which Spark does not tell apart"):
        read(short, pa.table({"v": [1], "V": [2]}))


TWO = f"machine,at,seen,temperature,load\nm1,{AT},NA,20,1\n"


def test_settings_that_no_longer_store_a_column_are_refused_before_anything_is_written(night, warehouse):
    """Dropped, renamed, or of another type: one stated error, whatever tonight's file holds."""
    columns = builders.readings("").columns | {"load": Column(ColumnType.LONG)}
    night(TWO, columns=columns, keep=["temperature", "load"])
    before = builders.versions(warehouse)
    with pytest.raises(
        TableError, match=r"source_readings at .* differs from its definition: it has load, which the sour"
    ):
        night(TWO, D2, columns=columns)
    with pytest.raises(
        TableError, match="differs from its definition: it has load, which the source's settings do not"
    ):
        night(TWO, D2, columns=columns, derived={"weight": "load"}, keep=["temperature", "weight"])
    with pytest.raises(TableError, match=r"differs from its definition: at is timestamp.*, expected date32"):
        night(
            TWO.replace(" 06:00:00", ""),
            D2,
            columns=columns | {"at": Column(ColumnType.DATE)},
            derived={"moment": "CAST(at AS TIMESTAMP)"},
            event_time="moment",
            keep=["temperature", "load"],
        )
    with pytest.raises(TableError, match="differs from its definition: load is int64, expected string"):
        night(TWO, D2, columns=columns | {"load": Column(ColumnType.STRING)}, keep=["temperature", "load"])
    assert builders.versions(warehouse) == before
