"""Features for a spine of the user's own: the night's values, whatever rows ask for them."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import functions as F  # noqa: N812

import builders
from nightjar.errors import JoinError, TableError
from nightjar.features.at import features_at
from nightjar.tables import delta, scan
from nightjar.tables.warehouse import Warehouse

FEATURES = ("temperature__last", "temperature__mean_1d", "temperature__mean_3d", "temperature__event_time")


def rows_of(frame, *columns):
    return sorted((tuple(row) for row in frame.select(*columns).collect()), key=repr)


def test_any_spine_gets_what_its_nights_got_row_by_row(nights, spark):
    """Each row of two dates, asked for twice; a machine that nobody has heard of; and an instant between two nights."""
    logged = delta.read(spark, nights.warehouse, "features").where("run_date >= '2024-04-01'")
    plain_rows = logged.select(F.col("machine"), "prediction_time", F.lit("mine").alias("note"))
    other = plain_rows.limit(1).select(F.lit("m99").alias("machine"), "prediction_time", F.lit("unheard").alias("note"))
    result = features_at(nights.warehouse, nights.project, plain_rows.unionByName(plain_rows).unionByName(other))
    expected = rows_of(logged, "machine", "prediction_time", *FEATURES)
    assert len(expected) == 10
    mine = result.where("note = 'mine'")
    assert rows_of(mine, "machine", "prediction_time", *FEATURES) == sorted(2 * expected, key=repr)
    assert rows_of(result.where("note = 'unheard'"), *FEATURES) == [(None, None, None, None)]
    assert result.columns[:3] == ["machine", "prediction_time", "note"]


def test_a_spine_that_cannot_be_joined_is_refused_with_what_it_lacks(nights, spark):
    def join_spine(text):
        return features_at(nights.warehouse, nights.project, spark.sql(f"SELECT {text}"))

    at = "TIMESTAMP '2024-04-01 00:00:00' AS prediction_time"
    with pytest.raises(JoinError, match="key of facts 'temperature', column 'machine': no such column; there are site"):
        join_spine(f"'north' AS site, {at}")
    with pytest.raises(JoinError, match="no column 'prediction_time'; there are machine, at"):
        join_spine("'m1' AS machine, TIMESTAMP '2024-04-01 00:00:00' AS at")
    with pytest.raises(JoinError, match=r"'prediction_time' is TIMESTAMP_NTZ, .* of Europe/Paris: to_utc_timestamp\("):
        join_spine("'m1' AS machine, TIMESTAMP_NTZ '2024-04-01 00:00:00' AS prediction_time")
    with pytest.raises(
        JoinError, match=r"'prediction_time' is BIGINT, .* timestamp_micros\(prediction_time DIV 1000\)"
    ):
        join_spine("'m1' AS machine, 1709272800123456000 AS prediction_time")
    with pytest.raises(JoinError, match="'prediction_time' is STRING"):
        join_spine("'m1' AS machine, '2024-04-01' AS prediction_time")
    with pytest.raises(JoinError, match="'temperature__last' is made already by the spine"):
        join_spine(f"'m1' AS machine, {at}, 1.0 AS temperature__last")


def test_a_spine_that_is_no_frame_of_spark_is_refused_before_any_table_is_looked_for(tmp_path):
    table = pa.table({"machine": ["m1"]})
    for spine, kind in [(table, "pyarrow.Table"), (table.to_pandas(), "pandas.DataFrame")]:
        with pytest.raises(JoinError, match=rf"The spine is a {kind}, expected .*: session.createDataFrame\("):
            features_at(Warehouse(str(tmp_path), "machines"), builders.machines(tmp_path), spine)


def test_a_plain_time_from_python_is_read_in_the_session_s_zone_which_is_utc(nights, spark):
    midnight_in_paris = datetime(2024, 4, 1, 22)  # noqa: DTZ001  (without a zone on purpose)
    spine = spark.createDataFrame([("m1", midnight_in_paris)], "machine string, prediction_time timestamp")
    logged = delta.read(spark, nights.warehouse, "features").where("run_date = '2024-04-02' AND machine = 'm1'")
    result = features_at(nights.warehouse, nights.project, spine)
    assert rows_of(result, *FEATURES) == rows_of(logged, *FEATURES)


def test_groups_of_the_project_are_what_is_asked(nights, spark):
    spine = delta.read(spark, nights.warehouse, "features").select("machine", "prediction_time").limit(1)
    group = replace(nights.project.features["temperature"], history="3d")
    project = replace(nights.project, features={"heat": group})
    names = ["last", "mean_1d", "mean_3d", "event_time", "known_at"]
    assert features_at(nights.warehouse, project, spine).columns[2:] == [f"heat__{name}" for name in names]


@pytest.mark.parametrize("small", [scan.SMALL, 0], ids=["broadcast", "shuffled"])
def test_a_data_file_that_is_gone_is_told_before_anything_runs(copied, spark, monkeypatch, small):
    monkeypatch.setattr(scan, "SMALL", small)
    spine = delta.read(spark, copied.warehouse, "features").select("machine", "prediction_time")
    readings = scan.snapshot(copied.warehouse, "source_readings")
    (Path(readings.folder) / readings.files[0].path).unlink()
    message = (
        f"^Table source_readings at .*, version {readings.version}: the data file .*{readings.files[0].path} is gone"
    )
    with pytest.raises(TableError, match=message):
        features_at(copied.warehouse, copied.project, spine)
