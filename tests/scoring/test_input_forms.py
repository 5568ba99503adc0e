"""The night's features in another form than the champion was trained on: the same scores, or an error that says it."""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import write_deltalake

from nightjar.errors import TableError
from nightjar.registry import events, verified
from nightjar.registry.signature import Subject
from nightjar.scoring.score import score
from nightjar.tables import arrow

D1 = date(2024, 4, 1)


@pytest.fixture
def rescored(copied, spark):
    """Store the features of all nights in another form, and score one again; its rows, by machine."""

    def run(reform):
        changed = reform(arrow.read(copied.warehouse, "features"))
        path = copied.warehouse.path("features")
        write_deltalake(path, changed, mode="overwrite", schema_mode="overwrite", partition_by=["run_date"])
        score(lambda: spark, copied.warehouse, copied.project, D1, "again", copied.environment, retrospective=False)
        return of_night(copied)

    return run


def of_night(nights):
    columns = ["machine", "prediction_id", "prediction_time", "score", "tier"]
    rows = arrow.read(nights.warehouse, "scores", columns, pc.field("run_date") == D1).sort_by("machine").to_pylist()
    return [tuple(row.values()) for row in rows]


def with_column(rows, name, values):
    return rows.set_column(rows.column_names.index(name), name, values)


def as_nullable_floats(rows):
    return with_column(rows, "built", rows["built"].cast(pa.float64()))


def with_ten_thousand_columns_in_another_order(rows):
    others = {f"other_{n}": pa.nulls(len(rows), pa.float32()) for n in range(10_000)}
    return pa.table({**others, **{name: rows[name] for name in reversed(rows.column_names)}})


@pytest.mark.parametrize("reform", [as_nullable_floats, with_ten_thousand_columns_in_another_order])
def test_columns_are_bound_by_name_whatever_their_order_number_and_exact_numeric_type(rescored, copied, reform):
    before = of_night(copied)
    assert rescored(reform) == before


def test_times_without_a_zone_are_refused_and_not_taken_for_instants_in_silence(rescored, copied):
    """The ids of the rows hold the time: with another reading of it they would be those of other predictions."""
    before = of_night(copied)

    def without_zone(rows):
        return with_column(rows, "prediction_time", rows["prediction_time"].cast(pa.timestamp("us")))

    with pytest.raises(TableError, match=r"prediction_time of table features is .*, without a time zone: expected"):
        rescored(without_zone)
    assert of_night(copied) == before


def test_a_category_that_training_has_not_seen_is_scored_as_the_predictor_scores_it_alone(rescored, copied):
    def elsewhere(rows):
        return with_column(rows, "site", pa.array(["at sea"] * len(rows)))

    after = rescored(elsewhere)
    champion = events.champion(copied.warehouse, D1)
    predictor = verified.load(copied.environment, Subject("machines", champion.model_name, champion.number)).open()
    features = arrow.read(copied.warehouse, "features", where=pc.field("run_date") == D1).sort_by("machine")
    each = [predictor.predict(features.slice(place, 1))[0] for place in range(len(features))]
    assert np.array_equal([row[3] for row in after], each)
