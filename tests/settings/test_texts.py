"""Texts in settings are read by the rules of raw files, with the same values."""

from dataclasses import replace
from pathlib import Path

import pytest

import builders
from nightjar.settings.sources import Column, ColumnType
from nightjar.settings.texts import parse
from sources.forms import READ, REFUSED


def test_a_text_of_settings_is_read_as_one_of_a_raw_file():
    assert {kind: {text: parse(text, kind) for text in texts} for kind, texts in READ.items()} == READ
    assert parse(" NA", ColumnType.STRING) == " NA"


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in REFUSED for text in REFUSED[kind].split("|")])
def test_what_a_raw_file_may_not_hold_is_no_value_of_a_setting(kind, text):
    with pytest.raises((ValueError, OverflowError)):
        parse(text, kind)


def project_of(kind, missing, column=None):
    project = builders.machines(Path("files"))
    schedule = project.sources["schedule"]
    lookup = replace(schedule.lookups["models"], types={"built": kind}, missing=missing)
    columns = schedule.columns | ({"machine": column} if column else {})
    schedule = replace(schedule, columns=columns, lookups={"models": lookup})
    return replace(project, sources=project.sources | {"schedule": schedule})


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (ColumnType.LONG, "1.0", "a whole number of 64 bits, as in -12: the column is a long"),
        (ColumnType.LONG, "9223372036854775808", "a whole number of 64 bits"),
        (ColumnType.LONG, "", "a whole number of 64 bits"),
        (ColumnType.DOUBLE, "1.5d", "a number, as in -1.5e3: the column is a double"),
        (ColumnType.BOOLEAN, "on", "true or false: the column is a boolean"),
        (ColumnType.DATE, "2024-02-30", "a day of the calendar, as in 2024-01-31: the column is a date"),
        (ColumnType.DATE, "2024-01-31 06:00:00", "a day of the calendar"),
        (
            ColumnType.TIMESTAMP,
            "06:00",
            "an instant with its day, as in 2024-01-31 06:00:00: the column is a timestamp",
        ),
    ],
)
def test_a_value_for_keys_that_a_lookup_lacks_has_the_form_of_its_column(kind, text, expected):
    with pytest.raises(ValueError, match=r"sources\.schedule\.lookups\.models\.missing\.m5\.built: ") as refused:
        project_of(kind, {"m4": {"built": next(iter(READ[kind]))}, "m5": {"built": text}})
    assert f"missing.m5.built: found {text!r}, expected {expected}" in str(refused.value)


def test_a_key_that_a_lookup_lacks_has_the_form_of_the_source_s_column_and_comes_once():
    long = replace(builders.machines(Path("files")).sources["schedule"].columns["machine"], type=ColumnType.LONG)
    with pytest.raises(ValueError, match=r"models\.missing\.m5: found 'm5', expected a whole number .* is a long"):
        project_of(ColumnType.LONG, {"m5": {"built": "2005"}}, long)
    with pytest.raises(
        ValueError, match=r"models\.missing: found '007', expected another key: as a long it equals '7'"
    ):
        project_of(ColumnType.LONG, {"7": {"built": "1"}, "007": {"built": "2"}}, long)
    project_of(ColumnType.LONG, {"7": {"built": "1"}, "8": {"built": "2"}}, long)


def test_a_level_has_the_form_of_its_column():
    project = builders.machines(Path("files"))
    readings = project.sources["readings"]
    readings = replace(readings, columns=readings.columns | {"seen": Column(ColumnType.LONG, levels=["1", "2.0"])})
    with pytest.raises(ValueError, match=r"sources\.readings\.columns\.seen\.levels: found '2.0', expected a whole"):
        replace(project, sources=project.sources | {"readings": readings})
