"""Every place in a project's settings that holds SQL is guarded, and nothing is written before all of them are."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

import builders
from nightjar.errors import UsageError
from nightjar.features.build import build
from nightjar.features.fitting import require_fit
from nightjar.settings.features import Aggregate
from nightjar.sources.ingest import ingest

D1 = date(2024, 4, 1)


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
FOUND = {
    "rand() > 0.5": "holds the function rand. ",
    "current_date > DATE '2024-01-01'": "holds current_date(), which is no column. ",
}


@pytest.mark.parametrize("sql", FOUND)
@pytest.mark.parametrize("place", PLACES)
def test_an_ingest_refuses_it_wherever_it_stands(spark, warehouse, project, tmp_path, place, sql):
    """The first is told by its text alone, the second by the columns that it meets."""
    changed = PLACES[place](project, sql)
    with pytest.raises(UsageError) as refused:
        ingest(spark, warehouse, changed, D1, None, "run", tmp_path / "raw", partial(require_fit, spark, changed))
    assert str(refused.value).startswith(f"{place}: the expression {sql!r} {FOUND[sql]}")
    assert builders.versions(warehouse) == {}


@pytest.mark.parametrize("place", [place for place in PLACES if "sources" not in place])
def test_a_build_refuses_it_before_it_looks_for_tables(spark, warehouse, project, place):
    changed = PLACES[place](project, "rand() > 0.5")
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
def test_a_condition_of_a_source_is_a_boolean(spark, warehouse, project, tmp_path, part):
    changed = of_readings(project, **{part: "temperature" if part == "where" else {"x": "temperature"}})
    with pytest.raises(UsageError, match=f"readings.{part}.*'temperature' gives a double, expected one of: boolean"):
        ingest(spark, warehouse, changed, D1, None, "run", tmp_path / "raw", builders.unchecked)
    assert builders.versions(warehouse) == {}
