"""Repairs that a column does not take, or that could be read in two ways, are refused before anything starts."""

from dataclasses import replace

import pytest

import builders
from nightjar.settings.files import File
from nightjar.settings.repairs import LetterCase, Numbers, Repair, Winsorising
from nightjar.settings.sources import Column, ColumnType
from nightjar.settings.validation import dump

LONG, DOUBLE, STRING, TIMESTAMP = ColumnType.LONG, ColumnType.DOUBLE, ColumnType.STRING, ColumnType.TIMESTAMP


@pytest.mark.parametrize(
    ("cls", "options", "expected"),
    [
        (Numbers, {}, "thousands: found None, expected a sign, or a comma as decimal"),
        (Numbers, {"decimal": ";"}, "decimal: found ';', expected a point or a comma"),
        (Numbers, {"decimal": ",", "thousands": ","}, "thousands: found ',', expected another sign than decimal"),
        (Numbers, {"thousands": "."}, "thousands: found '.', expected another sign than decimal"),
        (Winsorising, {}, "minimum: found None, expected a minimum or a maximum"),
        (Winsorising, {"minimum": 2, "maximum": 2}, "minimum: found 2, expected less than maximum=2"),
        (Winsorising, {"maximum": float("nan")}, "maximum: found nan, expected a finite number"),
        (Repair, {"zone": "Mars/Base"}, "zone: found 'Mars/Base', expected an IANA time zone"),
        (Repair, {"synonyms": {"A": []}}, "synonyms: found 'A', expected texts that stand for it"),
        (Repair, {"synonyms": {"A": [" b"]}}, "synonyms: found ' b', expected a text without white space at its ends"),
        (Repair, {"synonyms": {"A": ["b"], "C": ["b"]}}, "synonyms: found 'b', expected another text: it stands for"),
        (Repair, {"synonyms": {"A": ["B"], "B": ["C"]}}, "synonyms: found 'B', expected another text: it stands for"),
        (Repair, {"case": LetterCase.UPPER, "synonyms": {"A": ["b"], "C": ["B"]}}, "it stands for 'C' too"),
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused(cls, options, expected):
    with pytest.raises(ValueError, match="expected") as refused:
        cls(**options)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ((LONG, Repair(trim=True)), "repair.trim: found 'long', expected a column of type string"),
        ((LONG, Repair(case=LetterCase.LOWER)), "repair.case: found 'long'"),
        ((STRING, Repair(numbers=Numbers(","))), "repair.numbers: found 'string', expected a column of type long or"),
        ((STRING, Repair(winsorise=Winsorising(1))), "repair.winsorise: found 'string'"),
        ((ColumnType.DATE, Repair(zone="UTC")), "repair.zone: found 'date', expected a column of type timestamp"),
        ((LONG, Repair(winsorise=Winsorising(0.5))), "repair.winsorise.minimum: found 0.5, expected a whole number"),
        ((LONG, Repair(winsorise=Winsorising(2**63))), "expected a whole number of 64 bits"),
        ((DOUBLE, Repair(winsorise=Winsorising(0, 11))), "maximum: found 11, expected a number within the column's"),
        ((DOUBLE, Repair(winsorise=Winsorising(-1))), "minimum: found -1, expected a number within the column's own"),
    ],
)
def test_a_repair_is_one_for_the_type_and_within_the_bounds_of_its_column(column, expected):
    kind, repair = column
    bounds = {"minimum": 0, "maximum": 10} if kind is DOUBLE else {}
    with pytest.raises(ValueError, match="expected") as refused:
        Column(kind, repair=repair, **bounds)
    assert expected in str(refused.value)


def test_a_source_repairs_texts_that_its_file_can_hold_and_compares_what_it_stores(tmp_path):
    project = builders.machines(tmp_path)

    def with_source(repair, **options):
        source = project.sources["readings"]
        columns = source.columns | {"temperature": Column(DOUBLE, repair=repair)}
        return replace(project, sources=project.sources | {"readings": replace(source, columns=columns, **options)})

    numbers = Repair(synonyms={"0": ["none", "-"]})
    with_source(numbers)
    at = r"sources\.readings\.columns\.temperature\.repair\.synonyms: "
    with pytest.raises(ValueError, match=f"{at}found '-', expected another text: this one stands for a missing value"):
        with_source(numbers, file=File("x.csv", null_text=["-"]))
    with pytest.raises(ValueError, match=f"{at}found 'zero', expected a number"):
        with_source(Repair(synonyms={"zero": ["none"]}))
    with pytest.raises(ValueError, match="near_duplicates: found 'seen', expected one of the source's stored columns"):
        with_source(numbers, near_duplicates=["seen"])


def test_what_decides_how_rows_become_facts_is_what_it_was_without_repairs():
    """The hash of it is stored: another one lets the next night read everything again."""
    source = builders.readings("x.csv")
    plain = dump(source, {})
    assert "near_duplicates" not in plain
    assert plain["columns"]["temperature"] == {"type": "double", "minimum": -40.0, "maximum": 90.0}
    repaired = replace(source, columns=source.columns | {"machine": Column(STRING, repair=Repair(trim=True))})
    assert dump(repaired, {})["columns"]["machine"] == {"type": "string", "repair": {"trim": True}}
