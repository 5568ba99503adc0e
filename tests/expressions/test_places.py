"""Every place in a project's settings that holds SQL is guarded, and nothing is written before all of them are."""

import re
from dataclasses import replace
from datetime import date

import pytest
from pyspark.sql.types import StructType

import builders
from nightjar.errors import UsageError
from nightjar.expressions.columns import unknown_columns
from nightjar.features.build import build
from nightjar.features.column_checks import require_fit
from nightjar.settings.features import Aggregate
from nightjar.settings.spine import Sample, SampleBy
from nightjar.sources.facts import candidates
from nightjar.sources.formats import files, raw
from nightjar.sources.ingest import ingest

D1 = date(2024, 4, 1)


def candidates_of(spark, project, cache):
    source = project.sources["readings"]
    paths = [one.path for one in files.list_files(source.file, "readings")]
    rows = raw.read(spark, source.file, paths, list(source.columns), "readings", cache).rows
    return candidates(rows, "readings", source, cache, project.zone)


@pytest.fixture
def project(tmp_path):
    builders.write_files(tmp_path)
    return builders.machines(tmp_path)


def of_readings(project, **options):
    readings = replace(project.sources["readings"], **options)
    return replace(project, sources=project.sources | {"readings": readings})


def of_label(project, **options):
    return replace(project, label=replace(project.label, aggregate=Aggregate.COUNT, **options))


PLACES = {
    "project.sources.readings.derived.x": lambda project, sql: of_readings(project, derived={"x": sql}),
    "project.sources.readings.where": lambda project, sql: of_readings(project, where=sql),
    "project.sources.readings.checks.x": lambda project, sql: of_readings(project, checks={"x": sql}),
    "project.spine.derived.x": lambda project, sql: replace(project, spine=replace(project.spine, derived={"x": sql})),
    "project.expressions.x": lambda project, sql: replace(project, expressions={"x": sql}),
    "project.label.condition": lambda project, sql: of_label(project, condition=sql),
    "project.label.rules.x": lambda project, sql: of_label(project, rules={"x": sql}),
}
CHANCE, CLOCK = "rand() > 0.5", "current_date > DATE '2024-01-01'"
"""The first is told by its text alone, the second by the columns that it meets."""
STORED = {
    "schedule": "machine STRING, prediction_time TIMESTAMP, site STRING, load DOUBLE, built BIGINT",
    "outcomes": "machine STRING, prediction_time TIMESTAMP, failed BOOLEAN",
    "readings": "machine STRING, at TIMESTAMP, temperature DOUBLE",
}


@pytest.mark.parametrize("place", PLACES)
def test_an_ingest_refuses_it_wherever_it_stands(spark, warehouse, project, tmp_path, place):
    with pytest.raises(UsageError) as refused:
        ingest(spark, warehouse, PLACES[place](project, CHANCE), D1, None, "run", tmp_path / "raw", builders.unchecked)
    assert str(refused.value).startswith(f"{place}: the expression {CHANCE!r} holds the function rand. ")
    assert builders.versions(warehouse) == {}


def met(spark, project, place, cache):
    """The part of an ingest that brings together the place's expression and the columns it is over."""
    if "sources" in place:
        return candidates_of(spark, project, cache)
    return require_fit(spark, project, {name: StructType.fromDDL(columns) for name, columns in STORED.items()})


@pytest.mark.parametrize("place", PLACES)
def test_each_place_looks_at_the_columns_too(spark, project, tmp_path, place):
    changed = PLACES[place](project, CLOCK)
    with pytest.raises(UsageError) as refused:
        met(spark, changed, place, tmp_path)
    assert str(refused.value).startswith(
        f"{place}: the expression {CLOCK!r} holds current_date(), which is no column. "
    )


@pytest.mark.parametrize("place", PLACES)
def test_a_name_that_is_no_column_is_refused_by_settings_alone_as_by_an_ingest(spark, project, tmp_path, place):
    """Both name the same columns, which are all that the expression may use."""
    sampled = replace(project, spine=replace(project.spine, sample=Sample(SampleBy.ENTITY, fraction=0.5)))
    changed = PLACES[place](sampled, "nowhere > 1")
    with pytest.raises(UsageError) as refused:
        met(spark, changed, place, tmp_path)
    start, columns = re.fullmatch(
        r"(.*) does not fit: .* (Columns are .*) Nothing was written.", str(refused.value)
    ).groups()
    assert list(unknown_columns(changed)) == [f"{start} names nowhere, which is no column there. {columns}"]


def test_names_are_those_of_columns_before_an_expression_in_any_case(project):
    chained = of_readings(project, derived={"b": "a + SEEN", "a": "at", "c": "B + _malformed + temprature"})
    assert [line.split(", which is no column there")[0] for line in unknown_columns(chained)] == [
        "project.sources.readings.derived.b: the expression 'a + SEEN' names a",
        "project.sources.readings.derived.c: the expression 'B + _malformed + temprature' names temprature",
    ]
    assert list(unknown_columns(chained))[1].endswith(
        "(did you mean 'temperature'?). Columns are machine, at, seen, temperature, b, a."
    )


@pytest.mark.parametrize("place", [place for place in PLACES if "sources" not in place])
def test_a_build_refuses_it_before_it_looks_for_tables(spark, warehouse, project, place):
    changed = PLACES[place](project, CHANCE)
    with pytest.raises(UsageError, match=f"^{place}: the expression 'rand"):
        build(spark, warehouse, changed, D1, D1, None, "run")
    assert builders.versions(warehouse) == {}


def test_an_ingest_tells_all_of_a_project_at_once(spark, warehouse, project, tmp_path):
    changed = PLACES["project.sources.readings.where"](project, "uuid() > machine")
    changed = PLACES["project.expressions.x"](changed, "rand()")
    with pytest.raises(UsageError) as refused:
        ingest(spark, warehouse, changed, D1, None, "run", tmp_path / "raw", builders.unchecked)
    where, expression = str(refused.value).splitlines()
    assert where == "project.sources.readings.where: the expression 'uuid() > machine' holds the function uuid."
    assert expression.startswith(
        "project.expressions.x: the expression 'rand()' holds the function rand. An expression"
    )


@pytest.mark.parametrize("part", ["where", "checks"])
def test_a_condition_of_a_source_is_a_boolean(spark, project, tmp_path, part):
    changed = of_readings(project, **{part: "temperature" if part == "where" else {"x": "temperature"}})
    with pytest.raises(UsageError, match=f"readings.{part}.*'temperature' gives a double, expected one of: boolean"):
        candidates_of(spark, changed, tmp_path)
