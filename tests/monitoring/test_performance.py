"""Performance: earlier nights' served predictions, on the labels known at the run date's midnight."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

import builders
from builders import rows_of
from nightjar.monitoring import performance
from nightjar.tables import arrow
from nightjar.tables.definitions import labels_table, scores_table

D1, D2, D3, D4 = (date(2024, 4, n) for n in (1, 2, 3, 4))
PROJECT = builders.machines(Path("files"))
KEY = pa.schema([("machine", pa.string())])


def midnight(day, hours=0):
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hours - 2)


def store_scores(warehouse, day, scores, role="champion", version="1"):
    rows = [
        {
            "prediction_id": f"{machine}-{day}-{role}",
            "prediction_time": midnight(day),
            "machine": machine,
            "score": score,
            "model_version": version,
            "model_name": "m",
            "run_date": day,
            "role": role,
            "run_id": "s",
        }
        for machine, score in scores.items()
    ]
    arrow.append(warehouse, scores_table(PROJECT, KEY), rows, "s")


def store_label(warehouse, machine, day, label, known_at):
    key = {"machine": machine, "prediction_time": midnight(day)}
    row = key | {"label": label, "label_known_at": known_at, "run_date": day + timedelta(days=1), "run_id": "l"}
    arrow.append(warehouse, labels_table(PROJECT, KEY), [row], "l")


def measured(warehouse, run_date, project=PROJECT):
    """evaluated date -> measure -> value, and whether it is provisional."""
    performance.measure(warehouse, project, run_date, "run")
    found = {}
    names = ("evaluated_date", "measure", "value", "provisional", "run_date")
    for day, measure, value, provisional, on in rows_of(warehouse, "performance", *names):
        if on == run_date:
            found.setdefault(day, {"provisional": provisional})[measure] = value
    return found


@pytest.fixture
def scored(warehouse):
    """Four predictions of 1 April, four more by the role that nobody was served."""
    scores = {"m1": 0.9, "m2": 0.8, "m3": 0.3, "m4": 0.1}
    store_scores(warehouse, D1, scores)
    store_scores(warehouse, D1, dict.fromkeys(scores, 0.5), role="retrospective")
    return warehouse


def test_only_what_is_known_counts_and_the_matured_share_says_how_much_that_is(scored):
    """m1 true, m2 false, m3 settled without outcome, m4 known only after the run date's midnight."""
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    store_label(scored, "m2", D1, False, midnight(D2))
    store_label(scored, "m3", D1, None, midnight(D2))
    store_label(scored, "m4", D1, True, midnight(D2, 0.5))
    found = measured(scored, D2)
    assert list(found) == [D1]
    day = found[D1]
    assert (day["rows"], day["matured_share"], day["positive_rate"]) == (2, 0.75, 0.5)
    assert day["roc_auc"] == 1.0
    assert day["brier"] == pytest.approx((0.1**2 + 0.8**2) / 2)
    assert measured(scored, D3)[D1]["matured_share"] == 1.0


def test_the_latest_version_of_a_label_known_by_then_counts(scored):
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    store_label(scored, "m1", D1, False, midnight(D2, 9))
    assert measured(scored, D2)[D1]["positive_rate"] == 1.0
    assert measured(scored, D3)[D1]["positive_rate"] == 0.0


def test_a_figure_is_provisional_until_the_horizon_has_passed(scored):
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    slow = replace(PROJECT, label=replace(PROJECT.label, horizon="2d"))
    assert measured(scored, D2, slow)[D1]["provisional"] is True
    assert measured(scored, D3, slow)[D1]["provisional"] is False
    assert measured(scored, D2)[D1]["provisional"] is False


def test_without_any_label_every_figure_is_undefined_and_none_is_matured(scored):
    store_label(scored, "m9", D1, True, midnight(D1, 9))
    day = measured(scored, D2)[D1]
    assert (day["rows"], day["matured_share"]) == (0, 0)
    assert (day["roc_auc"], day["log_loss"]) == (None, None)


def test_a_night_is_followed_until_a_week_after_its_horizon(scored):
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    assert D1 in measured(scored, D1 + timedelta(days=8))
    assert D1 not in measured(scored, D1 + timedelta(days=9))
    assert D1 not in measured(scored, D1)


def test_a_rerun_replaces_its_own_date_alone(scored):
    store_label(scored, "m1", D1, True, midnight(D1, 9))
    measured(scored, D2)
    measured(scored, D3)
    before = rows_of(scored, "performance")
    assert len(before) == 2 * 7
    measured(scored, D2)
    assert rows_of(scored, "performance") == before


def test_the_nights_of_the_tiny_project_were_judged_one_day_later(nights):
    rows = rows_of(nights.warehouse, "performance", "run_date", "evaluated_date", "measure", "value", "provisional")
    found = {measure: (day, on, value, provisional) for day, on, measure, value, provisional in rows}
    assert found["roc_auc"] == (D2, D1, 1.0, False)
    assert found["matured_share"] == (D2, D1, 1.0, False)
