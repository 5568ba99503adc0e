"""What a night tells of levels that its model has not seen."""

from datetime import UTC, date, datetime

import pyarrow as pa

import builders
from models.rows import FEATURES, MEMBERS, examples
from nightjar.models.fitting import fit
from nightjar.models.serialization.predictor_files import dump
from nightjar.models.unseen import reads_native_categories
from nightjar.scoring.unseen import log_unseen
from nightjar.settings.columns import Category, Encoding
from nightjar.settings.model import Estimator, Model
from nightjar.settings.preparation import Preparation
from nightjar.tables import arrow
from nightjar.tables.score_definitions import scores_table
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
