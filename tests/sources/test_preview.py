"""A look at a source before a night: facts as they would be stored, and each refused row under all its reasons."""

from datetime import UTC, date, datetime

import pytest

import builders
from builders import READINGS as HEADER
from builders import reading as row
from nightjar.errors import SourceError
from nightjar.sources.preview import SHOWN, RefusalReason, preview
from nightjar.sources.storing import Night

UNTIL = datetime(2024, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def seen(spark, tmp_path):
    def run(text, **options):
        path = tmp_path / "readings.csv"
        path.write_text(text)
        source = builders.readings(path, **options)
        night = Night(date(2024, 3, 31), UNTIL, None, "preview")
        return preview(spark, "readings", source, "Europe/Paris", night, tmp_path / "raw", str(tmp_path / "warehouse"))

    return run


def test_each_row_is_judged_by_itself_as_of_the_night(seen):
    facts = [row(f"m{n}", "03-31 07:00", n) for n in range(SHOWN + 5)]
    others = [
        row("m91", "03-31 07:00", 95),
        row("m90", "03-31 07:00", 99),
        ",2024-03-30 06:00:00,2024-03-31 07:00:00,100\n",
        row("m93", "04-02 07:00", 99),
        row("none", "03-31 07:00", 20),
        row("m94", "04-02 07:00"),
    ]
    preview_of = seen("".join([HEADER, *facts, *others]), where="machine <> 'none'")
    assert preview_of.states == {"fact": SHOWN + 5, "refused": 3, "not_a_fact": 1, "not_yet_known": 2}
    assert [(one.reason, one.rows) for one in preview_of.reasons] == [
        ("temperature: above 90", 3),
        ("machine: missing", 1),
    ]
    example = '{"machine":"m90","at":"2024-03-30 06:00:00","seen":"2024-03-31 07:00:00","temperature":"99"}'
    nameless = '{"machine":null,"at":"2024-03-30 06:00:00","seen":"2024-03-31 07:00:00","temperature":"100"}'
    assert preview_of.reasons[1] == RefusalReason("machine: missing", 1, nameless)
    assert preview_of.reasons[0].example in (example, nameless)
    assert list(preview_of.types.items()) == [
        ("event_time", "timestamp"),
        ("known_at", "timestamp"),
        ("machine", "string"),
        ("at", "timestamp"),
        ("temperature", "double"),
    ]
    at = "2024-03-30 06:00:00"
    assert preview_of.rows == [(at, "2024-03-31 07:00:00", f"m{n}", at, float(n)) for n in range(SHOWN)]


def test_what_stops_an_ingest_stops_it(seen, tmp_path):
    with pytest.raises(SourceError, match=r"1 rows of .*readings\.csv do not have as many fields"):
        seen(HEADER + row("m1", "03-31 07:00") + "m2,2024-03-30 06:00:00\n")
    with pytest.raises(SourceError, match="one of its expressions fails on some row"):
        seen(HEADER + row("m1", "03-31 07:00", 0), derived={"x": "1 / temperature"}, keep=["x"])
    assert not (tmp_path / "warehouse").exists()
