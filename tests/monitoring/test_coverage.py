"""How often sets of classes have the true one: of a night, by class, and over the nights whose labels are final."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

import builders
from builders import rows_of
from nightjar.monitoring import performance
from nightjar.settings.serving.abstention import Abstention
from nightjar.settings.serving.serving import Serving
from nightjar.tables import arrow
from nightjar.tables.definitions import features_table, labels_table
from nightjar.tables.score_definitions import scores_table

FIRST = date(2024, 4, 1)
PROJECT = replace(builders.machines(Path("files")), serving=Serving(abstention=Abstention(error=0.2)))
KEY = pa.schema([("machine", pa.string())])
NOTHING, BOTH, NO, YES = [], ["False", "True"], ["False"], ["True"]


def midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=2)


def store(warehouse, day, rows, known_after=1):
    """Predictions of a night, each with its set and what came of it; labels are final after a day."""
    key = [{"machine": f"m{number}", "prediction_time": midnight(day)} for number in range(len(rows))]
    of_run = {"run_date": day, "run_id": "s", "model_version": "1", "model_name": "m"}
    scores = [
        one
        | of_run
        | {"prediction_id": f"{one['machine']}-{day}", "score": 0.5, "role": "champion", "prediction_set": classes}
        | {"abstained": None if classes is not None and len(classes) == 1 else "conformal set", "tier": None}
        for one, (classes, _) in zip(key, rows, strict=True)
    ]
    labels = [
        one | {"label": label, "label_known_at": midnight(day + timedelta(days=known_after)), "label_hash": None}
        for one, (_, label) in zip(key, rows, strict=True)
    ]
    arrow.append(warehouse, scores_table(PROJECT, KEY), scores, "s")
    of_labels = [one | {"run_date": day + timedelta(days=1), "run_id": "l"} for one in labels]
    arrow.append(warehouse, labels_table(PROJECT, KEY), of_labels, "l")


def measured(warehouse, run_date):
    """(evaluated date, slice, measure) -> value and rows, of what a run date says of coverage."""
    performance.measure(warehouse, PROJECT, run_date, "run")
    names = ("run_date", "evaluated_date", "slice", "measure", "value", "rows", "reason")
    return {
        (str(day), of, measure): (value, rows, reason)
        for on, day, of, measure, value, rows, reason in rows_of(warehouse, "performance", *names)
        if on == run_date and measure in ("abstained_share", "set_coverage", "rolling_coverage")
    }


@pytest.fixture
def judged(warehouse):
    arrow.ensure(warehouse, features_table(PROJECT, KEY, pa.schema([])))
    store(warehouse, FIRST, [(NO, False), (BOTH, False), (YES, False), (NOTHING, True), (YES, True)])
    return warehouse


def test_coverage_counts_sets_that_have_the_class_of_the_outcome_and_all_rows_may_abstain(judged):
    figures = measured(judged, FIRST + timedelta(days=1))
    assert {name: (pytest.approx(value), rows) for name, (value, rows, _) in figures.items()} == {
        ("2024-04-01", "all", "abstained_share"): (2 / 5, 5),
        ("2024-04-01", "class False", "set_coverage"): (2 / 3, 3),
        ("2024-04-01", "class True", "set_coverage"): (1 / 2, 2),
        ("2024-04-01", "class False", "rolling_coverage"): (2 / 3, 3),
        ("2024-04-01", "class True", "rolling_coverage"): (1 / 2, 2),
    }


def test_it_rolls_over_nights_whose_labels_are_final_and_no_longer_than_four_weeks(judged):
    """The night after the first has one row more of each; the last one is not final yet, and much later all is new."""
    second, third = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
    measured(judged, second)
    store(judged, second, [(NO, False), (NO, True)])
    store(judged, third, [(NO, True)], known_after=9)
    figures = measured(judged, third)
    assert figures["2024-04-02", "class False", "rolling_coverage"][:2] == (pytest.approx(3 / 4), 4)
    assert figures["2024-04-02", "class True", "rolling_coverage"][:2] == (pytest.approx(1 / 3), 3)
    late = FIRST + timedelta(days=40)
    store(judged, late, [(YES, True)])
    figures = measured(judged, late + timedelta(days=1))
    assert figures["2024-05-11", "class True", "rolling_coverage"][:2] == (1.0, 1)
    assert ("2024-05-11", "class False", "rolling_coverage") not in figures


def test_where_nothing_is_known_of_sets_coverage_is_unknown(warehouse):
    arrow.ensure(warehouse, features_table(PROJECT, KEY, pa.schema([])))
    store(warehouse, FIRST, [(None, False), (None, True)])
    figures = measured(warehouse, FIRST + timedelta(days=1))
    assert figures["2024-04-01", "all", "abstained_share"][0] == 1.0
    value, rows, reason = figures["2024-04-01", "class True", "set_coverage"]
    assert (value, rows) == (None, 0)
    assert reason.startswith("UNKNOWN")
    assert not [name for name in figures if name[2] == "rolling_coverage"]
