"""Dialects of CSV, and patterns of dates: what is read in one way alone, or refused with its key."""

import re
from datetime import UTC, datetime

import pytest

import builders
from nightjar.settings import patterns
from nightjar.settings.files import Dialect, File
from nightjar.settings.filling import fill
from nightjar.settings.sources import Column, ColumnType


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delimiter": ";;"}, "delimiter: found ';;', expected one sign"),
        ({"delimiter": ""}, "delimiter: found '', expected one sign"),
        ({"delimiter": "\\"}, "and no backslash"),
        ({"delimiter": " "}, "expected a sign that is no blank"),
        ({"quote": "\n"}, "quote: found '\\n', expected one sign"),
        ({"comment": "//"}, "comment: found '//', expected one sign"),
        ({"delimiter": "'", "quote": "'"}, "expected different signs as delimiter, quote and comment"),
        ({"encoding": "rot13"}, "encoding: found 'rot13', expected one that Python knows"),
        ({"encoding": "utf-99"}, "encoding: found 'utf-99'"),
        ({"names": ["k", "K"]}, "names: found 'K', expected another name"),
        ({"names": ["k", "k"]}, "names: found ['k'], expected each name once"),
        ({"decimal": ";"}, "decimal: found ';', expected a point or a comma"),
        ({"decimal": ",", "thousands": ","}, "thousands: found ',', expected another sign than decimal"),
        ({"thousands": "#"}, "thousands: found '#'"),
        ({"date_formats": ["EEE d"]}, "date_formats: found 'EEE d', expected parts that are read, not EEE"),
        ({"date_formats": ["dd.MM."]}, "expected a pattern with year, month and day"),
        ({"date_formats": ["dd.dd.MM.yyyy"]}, "expected each part once"),
        ({"date_formats": ["yyyy-MM-dd HH:mm"]}, "one with a time belongs to timestamp_formats"),
        ({"date_formats": ["[dd]MMyyyy"]}, "expected a pattern without [ outside quotes"),
        ({"date_formats": ["dMyyyy"]}, "expected two digits (MM, dd, HH, hh) where no other sign stands"),
        ({"timestamp_formats": ["yyyy-MM-dd HH:ss"]}, "with nothing left out between"),
        ({"timestamp_formats": ["yyyy-MM-dd hh:mm"]}, "or hh:mm:ss with a for AM and PM"),
        ({"timestamp_formats": ["yyyy-MM-dd HH:mm a"]}, "or hh:mm:ss with a for AM and PM"),
        (
            {"date_formats": ["dd/MM/yyyy", "M/d/yyyy"]},
            "found 'M/d/yyyy', expected another form: some texts could be",
        ),
        ({"date_formats": ["yyyyMMdd", "ddMMyyyy"]}, "found 'ddMMyyyy', expected another form"),
    ],
)
def test_what_could_be_read_otherwise_than_it_is_meant_is_refused(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Dialect(**settings)


def test_forms_that_no_text_can_have_both_stand_side_by_side():
    assert Dialect(date_formats=["dd/MM/yyyy", "d/M/yy", "yyyy/MM/dd", "yyyyMMdd", "d MMM yyyy", "dd.MM.yyyy"])


@pytest.mark.parametrize("file_format", ["json", "parquet", "avro"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"dialect": Dialect(delimiter=";")},
            "dialect: found",
        ),
        ({"null_text": "-"}, "null_text: found '-'"),
    ],
)
def test_what_only_csv_has_is_refused_of_other_formats(file_format, settings, message):
    assert File("readings", format=file_format, null_text="NA", dialect=Dialect())
    with pytest.raises(ValueError, match=f"{message}.*only CSV has it, and the format is {file_format}"):
        File("readings", format=file_format, **settings)


def test_one_text_or_several_stand_for_no_value():
    assert [File("x").null_texts, File("x", null_text="-").null_texts] == [["NA"], ["-"]]
    altered = {}
    filled = fill(File, {"path": "x", "null_text": [9, "NA", False]}, altered)
    assert File(**(filled | {"format": "csv", "dialect": Dialect()})).null_texts == ["9", "NA", "False"]
    assert altered == {("null_text", 0): "9", ("null_text", 2): "False"}
    with pytest.raises(ValueError, match="null_text: found 3, expected a text, or a list of texts"):
        File("x", null_text=3)


@pytest.mark.parametrize(
    ("pattern", "in_python", "others"),
    [
        ("dd.MM.yyyy", "%d.%m.%Y", ["3.2.2024", "03.02.24", "03-02-2024", "03.02.0000", "03.02.12024"]),
        ("d/M/yy", "%d/%m/%y", ["123/2/24", "3/2/2024"]),
        ("yyyyMMdd'T'HHmmss", "%Y%m%dT%H%M%S", ["20240203 040506", "20240203T0405"]),
        ("d MMM yyyy hh:mm a", "%d %b %Y %I:%M %p", ["3 XYZ 2024 04:05 AM", "3 Feb 2024 4:05 AM"]),
        ("yyyy-MM-dd HH:mm:ss.SSSSSS", "%Y-%m-%d %H:%M:%S.%f", ["2024-02-03 04:05:06.5"]),
        ("dd 'o''clock' MM yyyy", "%d o'clock %m %Y", ["03 clock 02 2024"]),
    ],
)
def test_the_texts_of_a_pattern_are_those_that_python_writes_by_it(pattern, in_python, others):
    form = patterns.form(pattern)
    for moment in (datetime(2024, 2, 3, 4, 5, 6, 7, UTC), datetime(2099, 12, 31, 23, 59, 59, 999_999, UTC)):
        assert re.fullmatch(form, moment.strftime(in_python))
    assert [other for other in others if re.fullmatch(form, other)] == []


@pytest.mark.parametrize("name", ["_file", "_Malformed", "_place"])
def test_a_column_is_not_called_as_those_that_raw_rows_have(name):
    with pytest.raises(ValueError, match=f"columns: found '{name}', expected another name: raw rows have it"):
        builders.readings("", columns=builders.readings("").columns | {name: Column(ColumnType.LONG)})
