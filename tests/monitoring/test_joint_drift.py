"""Columns together, where a project asks for it: figures in `drift`, and a signal of its own."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from nightjar.evaluation.joint_reference import MISSED, SEPARABILITY, fit_joint_reference
from nightjar.monitoring import joint_drift
from nightjar.monitoring.drift_references import References
from nightjar.monitoring.night_counts import Sight
from nightjar.monitoring.signals import Kind, State
from nightjar.tables import arrow
from nightjar.tables.definitions import features_table
from nightjar.tables.references import TOGETHER
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff
from review import loans

FIRST, NIGHT, NIGHTS, ROWS = date(2024, 1, 1), date(2024, 4, 1), 60, 100


def rows_of(random, correlation):
    first, second = random.normal(size=(2, ROWS))
    return {"income": first, "amount": correlation * first + (1 - correlation**2) ** 0.5 * second}


@pytest.fixture(scope="module")
def references():
    random = np.random.default_rng(0)
    rows = pa.concat_tables([pa.table(rows_of(random, 0.9)) for _ in range(NIGHTS)])
    days = np.repeat(np.datetime64(FIRST) + np.arange(NIGHTS), ROWS)
    fitted = fit_joint_reference(rows, days, dict.fromkeys(rows.column_names), 1)
    return References("1", {}, {TOGETHER: fitted.to_json()})


def compared(folder, references, correlation, names=("income", "amount")):
    """What is said of a night whose columns go together so."""
    warehouse, columns = Warehouse(str(folder), "loans"), [("borrower", pa.string())]
    table = features_table(loans.project(), pa.schema(columns), pa.schema([(name, pa.float64()) for name in names]))
    stamps = {"prediction_time": cutoff(NIGHT, "UTC"), "definitions_hash": "d", "run_id": "f"}
    for day in (NIGHT, NIGHT - timedelta(1)):  # the night before is no part of it
        values = rows_of(np.random.default_rng(1), correlation if day == NIGHT else -0.9)
        rows = [
            {"borrower": f"b{place}", "run_date": day, **stamps, **{name: values[name][place] for name in names}}
            for place in range(ROWS)
        ]
        arrow.append(warehouse, table, rows, "f")
    sight = Sight(None, warehouse, arrow.versions(warehouse, ["features"]), NIGHT)
    return joint_drift.compare(sight, references, "jobs/train.py")


@pytest.mark.parametrize(("correlation", "state"), [(0.9, State.OK), (0.0, State.WATCH)])
def test_a_night_is_watched_where_both_figures_are_beyond_all_nights_of_training(
    tmp_path, references, correlation, state
):
    result = compared(tmp_path, references, correlation)
    assert (result.signal.kind, result.signal.subject, result.signal.state) == (Kind.COVARIATE, TOGETHER, state)
    assert {row["measure"]: (row["subject"], row["rows"], row["state"]) for row in result.rows} == dict.fromkeys(
        (SEPARABILITY, MISSED), (TOGETHER, ROWS, state.value)
    )
    assert ("unlike in training" in result.signal.sentence) == (state is State.WATCH)
    assert result.signal.evidence[MISSED]["value"] == result.rows[1]["value"]


def test_who_cannot_say_says_why(tmp_path, references):
    lacking = compared(tmp_path, references, 0.9, names=["income"])
    assert (lacking.signal.state, lacking.rows) == (State.UNKNOWN, [])
    assert "has no column amount" in lacking.signal.sentence
    before = joint_drift.compare(None, References("1", {}), "jobs/train.py")
    assert (before.signal.state, before.signal.command) == (State.UNKNOWN, "jobs/train.py")
