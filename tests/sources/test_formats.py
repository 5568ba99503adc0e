"""Raw files of all formats, many at once: each row as another library reads it, with its file; or its place is told."""

import csv
import gzip
import io
import json
import zipfile
from dataclasses import replace
from datetime import date, time
from decimal import Decimal

import fastavro
import pytest
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType, StructField

import builders
from builders import rows_of
from nightjar.errors import SourceError
from nightjar.settings.files import Dialect, File, FileFormat
from nightjar.settings.sources import Column, ColumnType
from nightjar.sources import values
from nightjar.sources.formats import raw
from sources.forms import utc
from sources.reading import read_raw


def write(folder, contents):
    """Files of a folder, packed as their names say."""
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("inside.csv", content)
        else:
            path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)


def rows_in(frame, folder):
    """Rows of a frame, sorted by file and place within it, with files as they are named below the folder."""
    rows = [row.asDict() for row in frame.collect()]
    return [row | {raw.FILE: row[raw.FILE].removeprefix(f"{folder}/")} for row in rows]


GERMAN = Dialect(delimiter=";", quote="'", encoding="cp1252", comment="#", decimal=",", thousands=".")
IN_GERMAN = {
    "day=2024-03-30/a b+c%20#1.csv": "Ort;Wert\n#Ort;x\nK\u00f6ln;1,5\n'a;''b';\nNA;-\n",
    "day=2024-03-30/b.csv": "Wert;more;Ort\r\n1.234,5;x;'K\u00f6\nln'\r\n",
    "day=__HIVE_DEFAULT_PARTITION__/c.csv.gz": "# nothing ' yet\nWert;Ort\n2;\u20ac\n",
    "day=a%2Fb/d.csv.zip": 'Ort;Wert\n"x;-\n',
    "day=a%2Fb/header.csv": "Ort;Wert\n",
}


def test_csv_of_a_dialect_is_read_as_python_reads_it(spark, tmp_path):
    """In folders, packed, with columns in different orders and further ones, in one encoding, with several nulls."""
    write(tmp_path / "files", {name: text.encode("cp1252") for name, text in IN_GERMAN.items()})
    file = File(str(tmp_path / "files"), null_text=["-", "NA"], dialect=GERMAN)
    expected = []
    for name, text in IN_GERMAN.items():
        lines = io.StringIO("".join(line for line in io.StringIO(text, newline="") if line[0] != "#"), newline="")
        day = {"day=2024-03-30": "2024-03-30", "day=a%2Fb": "a/b"}.get(name.split("/")[0])
        expected += [
            {"Ort": row["Ort"], "Wert": row["Wert"], "day": day, raw.MALFORMED: None, raw.FILE: name}
            for row in csv.DictReader(lines, delimiter=";", quotechar="'")
        ]
    expected = [{key: None if text in ("", "-", "NA") else text for key, text in row.items()} for row in expected]
    read = rows_in(read_raw(spark, file, ["Ort", "day", "Wert"], tmp_path), tmp_path / "files")
    assert sorted(read, key=repr) == sorted(({key: row[key] for key in read[0]} for row in expected), key=repr)
    rows = read_raw(spark, replace(file, dialect=replace(GERMAN, date_formats=["dd.MM.yyyy"])), ["day"], tmp_path)
    days = rows.select(values.value(rows.schema["day"], ColumnType.DATE, FORMS)).distinct().collect()
    assert {day for (day,) in days} == {date(2024, 3, 30), None}  # names of folders have forms of their own
    assert read_raw(spark, File(f"{tmp_path}/none*"), ["Ort", "day"], tmp_path).collect() == []


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        (Dialect(delimiter="\t", quote="", encoding="utf-16", names=["k", "v"]), 'a "b\t\\\r\n"\t2\r\n \t\t3\r\n'),
        (Dialect(names=["k", "v"]), '\ufeff"a\nb",1\nb,"2"\n\nc,2,3\nd'),
    ],
)
def test_without_a_header_the_names_are_declared_and_every_row_has_as_many_fields(spark, tmp_path, dialect, text):
    write(tmp_path, {"x.csv": text.encode(dialect.encoding)})
    file = File(str(tmp_path / "x.csv"), dialect=dialect)
    rows = list(
        csv.reader(
            io.StringIO(text.removeprefix("\ufeff"), newline=""),
            delimiter=dialect.delimiter,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        )
    )
    whole = [tuple(row) for row in rows if len(row) == 2]
    read = read_raw(spark, file, ["k", "v"], tmp_path).collect()
    assert [tuple(row)[:2] for row in read if row[raw.MALFORMED] is None] == whole
    broken = sorted(row[raw.MALFORMED] for row in read if row[raw.MALFORMED])
    assert len(broken) == len([row for row in rows if len(row) not in (0, 2)])
    message = rf"{len(broken)} rows of the files do not .* such as line 3 of {tmp_path}/x.csv: ' \\t\\t3'"
    if not dialect.quote:
        with pytest.raises(SourceError, match=message):
            raw.refuse_malformed(len(broken), broken[0], "readings", "the files")


def test_a_row_that_is_broken_is_told_with_its_file_and_line(spark, tmp_path):
    """Of several files, of an archive, and of one in another encoding."""
    write(tmp_path, {f"{n}.csv.zip": "k,v\n\u00e9,1\nb\n".encode("cp1252") for n in range(2)})
    file = File(str(tmp_path / "*.zip"), dialect=Dialect(encoding="cp1252"))
    rows = read_raw(spark, file, ["k"], tmp_path)
    *broken, _ = rows.agg(F.count(raw.MALFORMED), F.max(raw.MALFORMED), F.max("k")).first()
    with pytest.raises(SourceError, match=rf"readings: 2 rows of x do not .* line 3 of {tmp_path}/1.csv.zip: 'b'"):
        raw.refuse_malformed(*broken, "readings", "x")


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"a.csv": b"k,v\n", "b.csv": b"k\n"}, r"/b.csv lacks the column v; it has k"),
        ({"a.csv": b"k,v,v\n"}, r"/a.csv has the column v more than once"),
        ({"a.csv": b"k,v\n", "b.csv": b""}, r"/b.csv is empty, expected a header line"),
        ({"a.csv": b"k,v\n", "p/b.csv.gz": b""}, r"/p/b.csv.gz is empty, expected a header line"),
        ({"a.csv": b"k,v\n", "b.csv": b"K\xf6,v\n"}, r"/b.csv is not UTF-8: line 1 holds the byte 0xf6"),
        ({"k=1/a.csv": b"v\n", "b.csv": b"k,v\n"}, r"/b.csv lacks the column k; it has "),
        ({"a.csv.zip": b"k\n"}, r"/a.csv.zip lacks the column v; it has k"),
    ],
)
def test_of_several_files_the_one_at_fault_is_named(tmp_path, contents, message):
    """Before Spark reads any: there is no session here."""
    write(tmp_path / "files", contents)
    with pytest.raises(SourceError, match=f"Source readings: {tmp_path}/files{message}"):
        read_raw(None, File(str(tmp_path / "files")), ["k", "v"], tmp_path)


def test_ten_thousand_columns_are_read(spark, tmp_path):
    names = [f"c{number}" for number in range(10_000)]
    rows = [[f"{row}.{number}" for number in range(10_000)] for row in range(2)]
    write(tmp_path, {"x.csv": "\n".join(map(",".join, [names, *rows])).encode()})
    read = read_raw(spark, File(str(tmp_path / "x.csv")), ["c9999", "c0"], tmp_path).collect()
    assert [tuple(row) for row in read] == [(f"{n}.9999", f"{n}.0", None, f"{tmp_path}/x.csv") for n in range(2)]


FORMS = Dialect(
    decimal=",",
    thousands=".",
    date_formats=["dd.MM.yyyy", "d MMM yy", "yyyyMMdd"],
    timestamp_formats=["dd.MM.yyyy HH:mm:ss.SSS", "d/M/yyyy h:mm a", "yyyy-MM-dd'T'HH:mmXXX"],
)
TEXTS = {
    ColumnType.LONG: {"1.234": 1234, "-1.234.567": -1234567, "12345": 12345, " 7 ": 7, "1.5": None, "12.34.567": None,
                      "1,0": None, ".123": None, "1234.567": None, "9.223.372.036.854.775.808": None},
    ColumnType.DOUBLE: {"1.234,5": 1234.5, "-,5": -0.5, "1,": 1.0, "1,5e-3": 0.0015, "1.5": None, "1,234.5": None,
                        "Infinity": float("inf"), "1.234": 1234.0, "1,5,5": None, "1e999": None},
    ColumnType.DATE: {"31.03.2024": date(2024, 3, 31), "1 mar 24": date(2024, 3, 1), "20240229": date(2024, 2, 29),
                      "01.01.0001": date(1, 1, 1), "31.12.9999": date(9999, 12, 31), "30.02.2024": None,
                      "2024-03-31": None, "1.3.2024": None, "01.01.0000": None, "31.03.2024 x": None},
    ColumnType.TIMESTAMP: {"31.03.2024 06:07:08.009": utc(2024, 3, 31, 6, 7, 8, 9000),
                           "1/3/2024 12:30 am": utc(2024, 3, 1, 0, 30), "1/3/2024 13:30 PM": None,
                           "2024-03-31T06:00+02:00": utc(2024, 3, 31, 4), "2024-03-31T06:00Z": utc(2024, 3, 31, 6),
                           "31.03.2024 24:00:00.000": None, "2024-03-31 06:00:00": None,
                           "31.12.9999 23:59:59.999": utc(9999, 12, 31, 23, 59, 59, 999_000)},
}  # fmt: skip


def test_texts_are_read_in_the_forms_of_the_dialect_alone(spark):
    texts = sorted({text for of_type in TEXTS.values() for text in of_type})
    read = [values.value(StructField("text", StringType()), kind, FORMS).alias(kind.name) for kind in TEXTS]
    frame = spark.createDataFrame([(text,) for text in texts], "text string").coalesce(1)
    row_of = {row["text"]: row for row in frame.select("text", *read).toArrow().to_pylist()}
    assert {kind: {text: row_of[text][kind.name] for text in of_type} for kind, of_type in TEXTS.items()} == TEXTS


def test_json_lines_are_read_as_python_reads_them_and_broken_ones_are_told(spark, tmp_path):
    objects = [
        {"k": "a", "v": 2**70, "more": [1]},
        {"v": 1.5, "k": "\u00e9\n\U0001f600"},
        {"k": None, "v": {"x": [True]}},
    ]
    lines = [json.dumps(one, ensure_ascii=len(one) > 2) for one in objects]
    broken = ['{"k":"cut', '{"k":1}{"k":2}', '{"k":1,"k":2}', "null", '{"k":"\\ud83d"}']
    write(
        tmp_path / "json",
        {
            "day=1/a.jsonl": ("\ufeff" + "\r\n".join(lines) + "\r\n\r\n").encode(),
            "day=2/b.json.gz": "\n \n".join([*lines, *broken, '{"v":true}']).encode() + b'\n{"k":"K\xf6ln"}',
            "day=3/empty.json": b"",
        },
    )
    file = File(str(tmp_path / "json"), format=FileFormat.JSON)
    frame = read_raw(spark, file, ["k", "v", "day"], tmp_path).cache()
    read = [(*row[:3], row[raw.FILE].rpartition("/")[2]) for row in frame.collect() if row[raw.MALFORMED] is None]
    texts = [("a", str(2**70)), ("\u00e9\n\U0001f600", "1.5"), (None, '{"x": [true]}')]
    assert sorted(read, key=repr) == sorted(
        [(*text, "1", "a.jsonl") for text in texts] + [(*text, "2", "b.json.gz") for text in [*texts, (None, "true")]],
        key=repr,
    )
    malformed = [text for (text,) in frame.select(raw.MALFORMED).dropna().collect()]
    frame.unpersist()
    assert sorted(text.split("\0")[-1] for text in malformed) == sorted([*broken, '{"k":"K\\xf6ln"}'])
    with pytest.raises(SourceError, match=rf"such as line 18 of {tmp_path}/json/day=2/b.json.gz: .*K\\\\xf6ln"):
        raw.refuse_malformed(6, malformed[-1], "readings", file.path)
    with pytest.raises(
        SourceError, match=rf"Source readings: {tmp_path}/json/day=1/a.jsonl lacks the column w; it has k"
    ):
        read_raw(None, file, ["k", "w"], tmp_path)


def test_mixed_types_nulls_in_keys_and_the_ends_of_the_calendar_in_json(night, warehouse, tmp_path):
    """Row by row: what is of the declared type is stored, whether it was written as a text or as itself."""
    objects = [
        {"machine": "m1", "at": "0001-01-01", "temperature": 1.5, "load": {"a": 1}},
        {"machine": 2, "at": "9999-12-31 23:59:59.999999", "seen": "2024-03-31", "temperature": "2.5"},
        {"machine": None, "at": "2024-03-31", "temperature": 3},
        {"machine": "m4", "at": "2024-03-31", "seen": None, "temperature": [4]},
        {"machine": "m5", "at": 1711864800, "temperature": True, "load": ""},
    ]
    columns = builders.readings("").columns | {"load": Column(ColumnType.STRING)}
    night(
        "\n".join(map(json.dumps, objects)),
        file=File(str(tmp_path / "readings.csv"), format=FileFormat.JSON),
        columns=columns,
        keep=["temperature", "load"],
    )
    assert rows_of(warehouse, "source_readings", "machine", "event_time", "temperature", "load") == [
        ("2", utc(9999, 12, 31, 23, 59, 59, 999_999), 2.5, None),
        ("m1", utc(1, 1, 1), 1.5, '{"a": 1}'),
    ]
    assert sorted(reasons for (reasons,) in rows_of(warehouse, "quarantine", "reasons")) == [
        ["at: not a timestamp", "temperature: not a double"],
        ["machine: missing"],
        ["temperature: not a double"],
    ]


def logical(kind, logical_type, **more):
    return {"type": kind, "logicalType": logical_type, **more}


AVRO = {
    "k": (ColumnType.STRING, "string", ["a", "\u00e9"]),
    "long": (ColumnType.LONG, ["null", "long"], [None, 2**62]),
    "date": (ColumnType.DATE, logical("int", "date"), [date(1, 1, 1), date(9999, 12, 31)]),
    "micros": (ColumnType.TIMESTAMP, logical("long", "timestamp-micros"), [utc(1, 1, 1), utc(2024, 3, 31)]),
    "millis": (ColumnType.TIMESTAMP, ["null", logical("long", "timestamp-millis")], [utc(9999, 12, 31), None]),
    "local": (ColumnType.TIMESTAMP, logical("long", "local-timestamp-millis"), [utc(2024, 3, 31), utc(1, 1, 1)]),
    "tiny": (ColumnType.TIMESTAMP, logical("long", "timestamp-nanos"), [1000, 1001]),
    "decimal": (
        ColumnType.DOUBLE,
        logical("bytes", "decimal", precision=20, scale=2),
        [Decimal("-1.25"), Decimal(7)],
    ),
    "fixed": (ColumnType.LONG, logical("fixed", "decimal", name="f", size=3, precision=5), [Decimal(5), Decimal(-5)]),
    "again": (ColumnType.LONG, "f", [Decimal(1), Decimal(2)]),
    "enum": (ColumnType.STRING, {"type": "enum", "name": "e", "symbols": ["A", "B"]}, ["B", "A"]),
    "float": (ColumnType.DOUBLE, "float", [1.5, -0.5]),
    "flag": (ColumnType.BOOLEAN, ["boolean", "null"], [True, None]),
}
NOT_READ = {
    "list": {"type": "array", "items": "int"},
    "either": ["int", "string"],
    "time": logical("int", "time-millis"),
}


def write_avro(path, types, rows, codec="deflate"):
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = [{"name": name, "type": kind} for name, kind in types.items()]
    schema = {"type": "record", "name": path.stem, "namespace": "of.it", "fields": fields}
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows, codec=codec)


def test_avro_is_read_as_another_library_writes_it(spark, tmp_path):
    """With types that Arrow and Spark have as well; what a file lacks is null."""
    types = {name: kind for name, (_, kind, _) in AVRO.items()}
    rows = [{name: column[row] for name, (_, _, column) in AVRO.items()} for row in range(2)]
    others = {"list": [1], "either": "x", "time": time(10)}
    write_avro(tmp_path / "avro" / "a.avro", types | NOT_READ, [row | others for row in rows])
    write_avro(tmp_path / "avro" / "b.avro", {"long": ["long", "null"], "k": "string"}, [{"k": "b", "long": 3}], "null")
    file = File(str(tmp_path / "avro"), format=FileFormat.AVRO)
    frame = read_raw(spark, file, list(AVRO), tmp_path)
    typed = [values.value(frame.schema[name], kind).alias(name) for name, (kind, _, _) in AVRO.items()]
    read = frame.select(*typed, raw.FILE).toArrow().sort_by([(raw.FILE, "ascending"), ("k", "ascending")]).to_pylist()
    expected = [row | {"tiny": None, "decimal": float(row["decimal"])} for row in rows]
    expected[0]["tiny"] = utc(1970, 1, 1, 0, 0, 0, 1)
    expected.append(dict.fromkeys(AVRO) | {"k": "b", "long": 3})
    assert read == [row | {raw.FILE: f"{tmp_path}/avro/{name}.avro"} for row, name in zip(expected, "aab", strict=True)]
    for name, kind in {"list": "list<", "either": "dense_union<", "time": "time32"}.items():
        with pytest.raises(
            SourceError, match=rf"the column {name} of {tmp_path}/avro/a.avro is {kind}.*, which is not read"
        ):
            read_raw(spark, file, [name], tmp_path)


def test_what_is_no_avro_or_is_cut_off_is_told(spark, tmp_path):
    write_avro(tmp_path / "whole.avro", {"k": "string"}, [{"k": "x" * 20} for _ in range(5_000)])
    whole = (tmp_path / "whole.avro").read_bytes()
    write_avro(tmp_path / "other.avro", {"k": "long"}, [{"k": 1}])
    for content, message in (
        (b"k\nx\n", "is no Avro: it does not begin with Obj. Correct file.format"),
        (b"", "is no Avro"),
        (whole[:30], "cannot be read: it ends within its header"),
        (whole[:-500], "cannot be read: .*looks damaged"),
    ):
        (tmp_path / "x.avro").write_bytes(content)
        with (
            pytest.raises(
                SourceError, match=f"Source readings: .*/x.avro {message or 'cannot be read: .*looks damaged'}"
            ),
            raw.translate_read_errors("readings", "/nowhere"),
        ):
            read_raw(spark, File(str(tmp_path / "x.avro"), format=FileFormat.AVRO), ["k"], tmp_path).count()
    for columns, message in (
        (["k"], "the column k is .* in .*/other.avro and .* in .*/whole.avro"),
        (["v"], "lacks the"),
    ):
        with pytest.raises(SourceError, match=message):
            read_raw(spark, File(str(tmp_path / "[ow]*.avro"), format=FileFormat.AVRO), columns, tmp_path)
