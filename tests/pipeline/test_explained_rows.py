"""The stored rows that an explanation needs, of few nights."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake

import builders
from nightjar.models.columns import FeatureColumn
from nightjar.pipeline import explained_rows
from nightjar.pipeline.explain import deciding_threshold
from nightjar.pipeline.explained_rows import read_background, read_features, read_others, read_prediction
from nightjar.registry.tiers import GroupThreshold, TierThreshold
from nightjar.scoring.identity import prediction_ids
from nightjar.tables.warehouse import Warehouse
from registry.made import ABOUT

NIGHT = date(2024, 4, 2)
MACHINES = 40
TIER = TierThreshold("act", 0.6, ("sex",), (GroupThreshold(("F",), 0.4),), 0.6)
MANIFEST = replace(
    ABOUT,
    thresholds=(TIER,),
    features=(FeatureColumn("load", "number"), FeatureColumn("night", "number"), FeatureColumn("price", "number")),
)


def features_of(night, definitions=MANIFEST.definitions_hash):
    """A row for each machine; those with an even number are F."""
    time = datetime(night.year, night.month, night.day, 4, tzinfo=UTC)
    numbers = range(MACHINES)
    return pa.table(
        {
            "machine": [f"m{number:02}" for number in numbers],
            "prediction_time": pa.array([time] * MACHINES, pa.timestamp("us", "UTC")),
            "load": np.arange(float(MACHINES)),
            "night": pa.array(numbers, pa.int32()),
            "price": pa.array([Decimal(number) / 4 for number in numbers], pa.decimal128(10, 2)),
            "sex": ["M" if number % 2 else "F" for number in numbers],
            "run_date": pa.array([night] * MACHINES, pa.date32()),
            "definitions_hash": [definitions] * MACHINES,
        }
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return builders.machines(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory, project):
    stored = Warehouse(str(tmp_path_factory.mktemp("lake")), project.name)
    nights = [features_of(NIGHT - timedelta(days=back)) for back in range(2)]
    nights.append(features_of(NIGHT - timedelta(days=2), "other definitions"))
    write_deltalake(stored.path("features"), pa.concat_tables(nights), partition_by=["run_date"])
    key = nights[0].select(["machine", "prediction_time", "run_date"])
    ids = prediction_ids(project.name, key.drop_columns(["run_date"]))
    champion = key.append_column("prediction_id", pa.array(ids)).append_column("model_version", [["3"] * MACHINES])
    later = champion.append_column("role", [["retrospective"] * MACHINES])
    scores = pa.concat_tables([later, champion.append_column("role", [["champion"] * MACHINES])])
    write_deltalake(stored.path("scores"), scores)
    return stored


@pytest.fixture(scope="module")
def prediction(warehouse, project):
    return read_prediction(warehouse, NIGHT, prediction_ids(project.name, _key(3))[0])


def _key(machine):
    return features_of(NIGHT).select(["machine", "prediction_time"]).slice(machine, 1)


@pytest.fixture
def rows_read(monkeypatch):
    """How many rows each call of `arrow.read` has returned, of more than one column."""
    counts, read = [], explained_rows.arrow.read

    def counting(warehouse, table, columns=None, *rest, **others):
        result = read(warehouse, table, columns, *rest, **others)
        counts.append(0 if columns is not None and len(columns) == 1 else result.num_rows)
        return result

    monkeypatch.setattr(explained_rows.arrow, "read", counting)
    return counts


def test_of_a_night_only_the_row_is_read_and_the_prediction_that_was_served(warehouse, project, rows_read):
    prediction = read_prediction(warehouse, NIGHT, prediction_ids(project.name, _key(3))[0])

    row = read_features(warehouse, project, NIGHT, prediction, MANIFEST)

    assert (prediction.row["machine"], prediction.row["role"]) == ("m03", "champion")
    assert row.select(["machine", "load", "price"]).to_pylist() == [{"machine": "m03", "load": 3.0, "price": 0.75}]
    assert rows_read == [2, 1]


@pytest.mark.parametrize(("machine", "score", "threshold"), [(2, 0.5, 0.4), (3, 0.5, 0.6), (3, 0.7, 0.6)])
def test_a_row_is_beside_the_threshold_of_its_group(warehouse, project, machine, score, threshold):
    prediction = read_prediction(warehouse, NIGHT, prediction_ids(project.name, _key(machine))[0])
    row = read_features(warehouse, project, NIGHT, prediction, MANIFEST)

    assert deciding_threshold([tier.of_rows(row)[0] for tier in MANIFEST.thresholds], score) == threshold


def test_the_threshold_that_decides_is_the_greatest_that_is_reached_or_else_the_least():
    assert [deciding_threshold([0.3, 0.6], score) for score in (0.2, 0.3, 0.5, 0.9)] == [0.3, 0.3, 0.3, 0.6]
    assert deciding_threshold([], 0.5) is None


def test_other_rows_are_drawn_at_random_from_all_of_a_night_but_the_row_itself(warehouse, project, prediction):
    others = read_others(warehouse, project, NIGHT, prediction, MANIFEST, most=20)
    all_others = read_others(warehouse, project, NIGHT, prediction, MANIFEST, most=1000)

    assert others.num_rows == 20
    assert others["load"].to_pylist() != list(np.delete(np.arange(40.0), 3)[:20])
    assert all_others.num_rows == 2 * MACHINES - 1
    assert _key(3).to_pylist()[0] not in all_others.select(["machine", "prediction_time"]).to_pylist()


def test_rows_of_a_model_are_in_the_order_of_nights_whose_numbers_are_no_column(warehouse, project, monkeypatch):
    background = read_background(warehouse, project, NIGHT, MANIFEST)

    assert background.night.tolist() == [0] * MACHINES + [1] * MACHINES
    assert background.rows["prediction_time"].to_pylist() == sorted(background.rows["prediction_time"].to_pylist())
    assert background.rows["night"].to_pylist() == [*range(MACHINES)] * 2

    monkeypatch.setattr(explained_rows, "ROWS_OF_NIGHT", 25)
    drawn = read_background(warehouse, project, NIGHT, MANIFEST)

    assert np.bincount(drawn.night).tolist() == [25, 25]
    assert len(set(drawn.rows.slice(0, 25)["load"].to_pylist())) == 25
    assert max(drawn.rows["load"].to_pylist()) > 25
