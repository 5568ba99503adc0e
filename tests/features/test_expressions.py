"""Expressions after the join: what they give, what is refused before anything runs, and how a bad row is told."""

import math
from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StructType

import builders
from builders import rows_of
from nightjar.errors import TableError, UsageError
from nightjar.expressions import failing_expressions
from nightjar.features.build import build
from nightjar.features.column_checks import require_fit
from nightjar.settings.features import Aggregate, Feature, FeatureGroup, FeatureKind
from nightjar.tables import arrow
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import INSTANT
from nightjar.timeline import cutoff

DAY = date(2024, 4, 1)
AT = cutoff(DAY, "Europe/Paris")
EXPRESSIONS = {
    "per_year": "try_divide(load, 2024 - built)",
    "drift": "temperature__last - temperature__mean_3d",
    "heat": "load * temperature__last",
    "log_load": "ln(1 + load)",
    "weekday_sin": "sin(2 * pi() * weekday(from_utc_timestamp(prediction_time, 'Europe/Paris')) / 7)",
    "hours_since": "timestampdiff(MINUTE, temperature__event_time, prediction_time) / 60",
    "load_bin": "CASE WHEN load < 40 THEN 'low' ELSE 'high' END",
    "is_drifting": "abs(drift) > 1",
}


@pytest.fixture
def project(warehouse, tmp_path):
    """Two machines on one morning; the second has no reading and was built this year."""
    clocks = {"known_at": AT - timedelta(hours=30), "stated_known_at": AT - timedelta(hours=30)}
    common = {"ingested_on": DAY, "run_id": "i"} | clocks
    plan = [
        {"machine": "m1", "site": "s", "load": 30.0, "built": 2014, "prediction_time": AT},
        {"machine": "m2", "site": "s", "load": 60.0, "built": 2024, "prediction_time": AT},
    ]
    seen = [
        {"machine": "m1", "at": AT - timedelta(hours=hours), "temperature": temperature}
        | {"event_time": AT - timedelta(hours=hours), "known_at": AT - timedelta(hours=hours)}
        for hours, temperature in ((50, 10.0), (1.5, 14.0))
    ]
    kinds = {"machine": pa.string(), "site": pa.string(), "load": pa.float64(), "built": pa.int64()}
    schedule = pa.schema([*kinds.items(), ("prediction_time", INSTANT)])
    readings = pa.schema([("machine", pa.string()), ("at", INSTANT), ("temperature", pa.float64())])
    outcomes = pa.schema([("machine", pa.string()), ("prediction_time", INSTANT), ("failed", pa.bool_())])
    rows = [common | {"event_time": common["known_at"]} | row for row in plan]
    arrow.append(warehouse, source_table("schedule", ["machine", "prediction_time"], schedule), rows, "i")
    arrow.append(warehouse, source_table("readings", ["machine", "at"], readings), [common | row for row in seen], "i")
    arrow.append(warehouse, source_table("outcomes", ["machine", "prediction_time"], outcomes), [], "i")
    return builders.machines(tmp_path)


def test_expressions_are_features_over_the_spine_the_joined_features_and_each_other(spark, warehouse, project):
    project = replace(project, expressions=EXPRESSIONS)
    assert project.feature_names()[-len(EXPRESSIONS) :] == list(EXPRESSIONS)
    build(spark, warehouse, project, DAY, DAY, None, "run")
    first, second = rows_of(warehouse, "features", "machine", *EXPRESSIONS)
    assert first == ("m1", 3.0, 2.0, 420.0, pytest.approx(math.log(31)), pytest.approx(0), 1.5, "low", True)
    assert second == ("m2", None, None, None, pytest.approx(math.log(61)), pytest.approx(0), None, "high", None)


def test_a_decimal_is_stored_as_a_double_so_that_its_digits_can_be_edited(spark, warehouse, project):
    """To Spark a constant 0.5 is a DECIMAL(1,1), and half of a BIGINT a DECIMAL(22,1)."""
    for sql, expected in (("built * 0.5", [1007.0, 1012.0]), ("built * 0.125", [251.75, 253.0])):
        build(spark, warehouse, replace(project, expressions={"share": sql}), DAY, DAY, None, "run")
        assert arrow.read(warehouse, "features")["share"].type == pa.float64()
        assert [row[0] for row in rows_of(warehouse, "features", "share")] == expected


def test_a_feature_of_a_type_that_no_model_takes_is_refused_before_anything_is_written(spark, warehouse, project):
    seen = FeatureGroup("readings", {"machine": "machine"}, {"seen": Feature(FeatureKind.LATEST, "at")})
    before = builders.versions(warehouse)
    with pytest.raises(UsageError) as refused:
        build(spark, warehouse, replace(project, features={"last": seen}), DAY, DAY, None, "run")
    assert str(refused.value) == (
        "project: The column last__seen is of type timestamp[us, tz=UTC], which is no feature: expected integers, "
        "floats, decimals, booleans or strings. Derive one of these from it, or leave it out of the features. "
        "Nothing was written."
    )
    assert builders.versions(warehouse) == before


@pytest.mark.parametrize("kind", ["INTERVAL DAY TO SECOND", "INTERVAL YEAR TO MONTH"])
def test_a_column_of_a_source_that_no_table_stores_is_refused_by_name(spark, project, kind):
    machine = "machine STRING, prediction_time TIMESTAMP"
    columns = {
        "schedule": f"{machine}, site STRING, load DOUBLE, built BIGINT",
        "outcomes": f"{machine}, failed BOOLEAN",
        "readings": f"machine STRING, at TIMESTAMP, temperature DOUBLE, took {kind}",
    }
    stored = {name: StructType.fromDDL(text) for name, text in columns.items()}
    with pytest.raises(
        UsageError, match=rf"project.sources.readings: the column took is an (?i:{kind}), which no table"
    ):
        require_fit(spark, project, stored)


@pytest.mark.usefixtures("however_many")
def test_a_range_gives_the_expressions_of_its_nights(spark, warehouse, project):
    project = replace(project, expressions=EXPRESSIONS)
    build(spark, warehouse, project, DAY, DAY, None, "night")
    night = rows_of(warehouse, "features")
    build(spark, warehouse, project, DAY - timedelta(days=3), DAY, None, "range")
    assert rows_of(warehouse, "features") == night


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("laod / 2", "does not fit: [UNRESOLVED_COLUMN.WITH_SUGGESTION]"),
        ("load +", "does not fit: [PARSE_SYNTAX_ERROR]"),
        ("load + array(1)", "does not fit: [DATATYPE_MISMATCH"),
        ("max(load)", "holds the function max. "),
        ("load + rand()", "holds the function rand. "),
        ("prediction_time < current_date", "holds current_date(), which is no column. "),
        ("prediction_time < 'now'", "holds 'now' taken for a timestamp, "),
        ("prediction_time", "gives a timestamp, expected one of: numeric, boolean, string. Convert it"),
        ("array(load)", "gives a array<double>, expected one of: numeric, boolean, string. Convert it"),
    ],
)
def test_what_does_not_fit_or_repeat_is_refused_before_anything_is_written(spark, warehouse, project, sql, message):
    before = builders.versions(warehouse)
    with pytest.raises(UsageError) as refused:
        build(spark, warehouse, replace(project, expressions={"x": sql}), DAY, DAY, None, "run")
    assert str(refused.value).startswith(f"project.expressions.x: the expression {sql!r} {message}")
    assert str(refused.value).endswith("Nothing was written.")
    assert builders.versions(warehouse) == before


def test_what_does_not_fit_is_told_before_spark_runs_anything_and_before_a_repeated_key(spark, warehouse, project):
    """Of the features, and of the label; looking for repeated keys is the first job there is."""
    repeated = replace(project, spine=replace(project.spine, key=["site"], keep=["machine"]))
    misspelt = replace(repeated, expressions={"x": "laod / 2"})
    label = {"aggregate": Aggregate.COUNT, "condition": "valeu > 0"}
    unasked = replace(repeated, label=replace(project.label, **label))
    jobs = spark.sparkContext.statusTracker()
    before = set(jobs.getJobIdsForGroup())
    for wrong in (misspelt, unasked):
        with pytest.raises(UsageError, match="does not fit"):
            build(spark, warehouse, wrong, DAY, DAY, None, "run")
    assert set(jobs.getJobIdsForGroup()) == before
    with pytest.raises(TableError, match="key is not unique: 2 rows of source_schedule have site=s"):
        build(spark, warehouse, repeated, DAY, DAY, None, "run")
    assert set(jobs.getJobIdsForGroup()) > before


def test_an_unknown_column_is_told_with_those_there_are(spark, warehouse, project):
    with pytest.raises(UsageError) as refused:
        build(spark, warehouse, replace(project, expressions={"x": "1", "y": "z"}), DAY, DAY, None, "run")
    assert "built, site, run_date, temperature__last, temperature__mean_1d, temperature__mean_3d, temperature__eve" in (
        str(refused.value)
    )
    assert "temperature__known_at, x. Nothing was written." in str(refused.value)


@pytest.mark.usefixtures("however_many")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"expressions": {"half": "load / 2", "age": "load / (2024 - built)"}},
            "project.expressions.age: the expression 'load / (2024 - built)' cannot be computed for a row: [DIVIDE_BY",
        ),
        (
            {"expressions": {"number": "CAST(site AS INT)"}},
            "project.expressions.number: the expression 'CAST(site AS INT)' cannot be computed for a row: [CAST_",
        ),
        (
            {"spine": {"derived": {"age": "load / (2024 - built)"}}},
            "project.spine.derived.age: the expression 'load / (2024 - built)' cannot be computed for a row",
        ),
        (
            {"expressions": {"one": "1", "day": "day(make_date(built, load, 1))"}},
            "project.expressions.one: the expression '1', or project.expressions.day: the expression",
        ),
    ],
)
def test_a_row_that_breaks_an_expression_names_it_and_nothing_is_written(spark, warehouse, project, changes, told):
    if "spine" in changes:
        changes = {"spine": replace(project.spine, **changes["spine"])}
    before = builders.versions(warehouse)
    with pytest.raises(TableError) as refused:
        build(spark, warehouse, replace(project, **changes), DAY, DAY, None, "run")
    assert str(refused.value).startswith(told)
    assert "ansi" not in str(refused.value)
    assert "try_divide, try_cast, nullif or a condition. Nothing was written." in str(refused.value)
    assert builders.versions(warehouse) == before


def test_a_failure_that_is_no_expression_s_stays_what_it_is(spark):
    with pytest.raises(Exception, match="DIVIDE_BY_ZERO") as raised, failing_expressions.translate_errors({}):
        spark.range(1).select(F.expr("1 / id")).collect()
    assert not isinstance(raised.value, TableError)
