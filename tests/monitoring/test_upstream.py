"""Sources that bring nothing new, by the clocks of features that are stored; units by mean and deviation."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from nightjar.monitoring.signals import State
from nightjar.monitoring.upstream import freshness, source_signals

FIRST = date(2024, 5, 1)


def store(warehouse, newest):
    """Nights of two rows; `newest`: of each night how many hours before its midnight the newest fact is."""
    rows = []
    for number, hours in enumerate(newest):
        day = FIRST + timedelta(days=number)
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        for older in (0, 30):
            instant = None if hours is None else midnight - timedelta(hours=hours + older)
            rows.append({"run_date": day, "plant__event_time": instant})
    schema = pa.schema({"run_date": pa.date32(), "plant__event_time": pa.timestamp("us", "UTC")})
    write_deltalake(warehouse.path("features"), pa.Table.from_pylist(rows, schema), partition_by=["run_date"])
    return FIRST + timedelta(days=len(newest) - 1)


@pytest.mark.parametrize(
    ("newest", "state", "words"),
    [
        ([5, 9, 4, 6, 5, 5, 5, 8], State.OK, "as fresh as usual: readings"),
        (
            [5, 9, 4, 6, 5, 5, 5, 29],
            State.ACT,
            "29 hours old, and was 9 hours at most",
        ),  # nothing since the night before
        ([5, 9, 4, 6, 5, 5, 5, 15], State.WATCH, "15 hours old"),
        ([5, 9, 4, 6, 5, 5, 5, None], State.ACT, "the night has none of its facts"),
    ],
)
def test_a_source_is_late_where_its_newest_fact_is_older_than_on_any_night_before(warehouse, newest, state, words):
    project = SimpleNamespace(features={"plant": SimpleNamespace(source="readings")}, zone="UTC")
    run_date = store(warehouse, newest)
    (one,) = source_signals(freshness(warehouse, project, run_date, 0), "machines", run_date)
    assert one.state is state
    assert words in one.sentence
    assert one.subject == ("all sources" if state is State.OK else "source readings")


def test_of_few_nights_nobody_knows_how_old_facts_usually_are(warehouse):
    project = SimpleNamespace(features={"plant": SimpleNamespace(source="readings")}, zone="UTC")
    run_date = store(warehouse, [5, 5, 5, 60])
    assert list(source_signals(freshness(warehouse, project, run_date, 0), "machines", run_date)) == []
