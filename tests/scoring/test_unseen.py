"""What a night tells of levels that its model has not seen."""

from datetime import UTC, date, datetime

import pyarrow as pa

import builders
from models.rows import FEATURES, MEMBERS, examples
from nightjar.evaluation.histograms import Bins
from nightjar.models.fitting import fit
from nightjar.models.serialization.predictor_files import dump
from nightjar.models.unseen import reads_native_categories
from nightjar.registry import events
from nightjar.scoring import inputs
from nightjar.scoring.unseen import log_unseen
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import REFERENCES
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.table import RUN_DATE, Column, Table
from nightjar.tables.warehouse import Warehouse

NIGHT = date(2024, 4, 1)


def test_each_column_with_unseen_levels_is_told_of_this_night_and_role(tmp_path, caplog):
    warehouse = Warehouse(str(tmp_path), "machines")
    definition = scores_table(builders.machines(tmp_path), pa.schema([("machine", pa.string())]))
    rows = [
        {
            "prediction_id": f"{number}",
            "prediction_time": datetime(2024, 4, 1, tzinfo=UTC),
            "machine": f"m{number}",
            "score": 0.5,
            "model_version": "1",
            "model_name": "native",
            "unseen_levels": unseen,
            "run_date": night,
            "role": role,
            "run_id": "r",
        }
        for number, (unseen, night, role) in enumerate(
            [
                *[("site", NIGHT, "champion"), ("kind, site", NIGHT, "champion"), (None, NIGHT, "champion")],
                *[("site", date(2024, 4, 2), "champion"), ("site", NIGHT, "retrospective")],
            ]
        )
    ]
    arrow.append(warehouse, definition, rows, "r")

    log_unseen(warehouse, arrow.version(warehouse, "scores"), NIGHT, "champion")

    assert [record.getMessage() for record in caplog.records] == [
        "2 scores: the model has not seen their level of site, and takes it for missing",
        "1 scores: the model has not seen their level of kind, and takes it for missing",
    ]


def test_the_stored_structure_says_whether_there_can_be_any():
    native = Model(
        Estimator.XGBOOST, parameters={"n_estimators": 2}, preparation=Preparation(category=Category(Encoding.NATIVE))
    )
    members = {**MEMBERS, "native": native}
    voting = Model(Estimator.VOTING, members=["tree", "native"])
    plain = Model(Estimator.VOTING, members=["tree", "boosting"])

    stored = [dump(fit(one, examples(), features=FEATURES, seed=0, members=members))[0] for one in (voting, plain)]

    assert [reads_native_categories(one) for one in stored] == [True, False]


def test_inputs_of_a_night_that_a_rule_scored_are_summed_up_by_the_champions_bins(tmp_path):
    """As `drift` compares them: no reference is the rule's."""
    warehouse = Warehouse(str(tmp_path), "machines")
    scores = scores_table(builders.machines(tmp_path), pa.schema([("machine", pa.string())]))
    row = {"prediction_id": "1", "prediction_time": datetime(2024, 4, 1, tzinfo=UTC), "machine": "m1", "score": 0.5}
    row |= {"model_version": "rule", "model_name": "rule", "run_date": NIGHT, "role": "champion", "run_id": "r"}
    arrow.append(warehouse, scores, [row], "r")
    features = Table(
        "features", "Of a test.", ("load",), ("run_date",), "test", (Column("load", pa.float64(), "a"), RUN_DATE)
    )
    arrow.append(warehouse, features, [{"load": load, "run_date": NIGHT} for load in (1.0, 3.0)], "r")
    bins = Bins("numeric", (0.0, 2.0, 4.0), ()).to_json()
    arrow.append(warehouse, REFERENCES, [{"model_version": "7", "column": "load", "bins": bins, "run_id": "r"}], "r")
    events.record(warehouse, "promoted", events.Version("7", "linear", NIGHT, {}), "r", events.CHAMPION)
    inputs.store(lambda: None, warehouse, NIGHT, arrow.version(warehouse, "features"), "r")
    ((name, mean, version),) = [
        (r["column"], r["mean"], r["model_version"]) for r in arrow.read(warehouse, "inputs").to_pylist()
    ]
    assert (name, mean, version) == ("load", 2.0, "rule")
