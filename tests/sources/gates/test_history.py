"""Gates judge by the nights before alone, whenever and in whatever order these were run."""

import json
from dataclasses import replace
from datetime import date, timedelta

import builders
from builders import rows_of
from nightjar.settings.gates import Gate, GateCheck, GateSeverity, OutlierMethod
from nightjar.settings.sources import Column, ColumnType
from nightjar.sources.ingest import ingest
from nightjar.tables import quality
from nightjar.tables.warehouse import Warehouse

FIRST = date(2024, 4, 1)
NIGHTS = [FIRST, *(FIRST + timedelta(days=number) for number in (1, 2))]
GATES = {
    "volume": Gate(GateCheck.VOLUME),
    "warmth": Gate(GateCheck.MEAN, column="temperature"),
    "nulls": Gate(GateCheck.NULL_SHARE, column="temperature"),
    "usual": Gate(GateCheck.OUTLIERS, column="temperature", method=OutlierMethod.QUANTILES),
    "once": Gate(GateCheck.UNIQUE, columns=["temperature", "at"]),
}
COLUMNS = ("check", "rows", "of", "status", "message", "value", "lowest", "highest", "history", "days")


def readings_of(day):
    """Of one local day of Paris: some more each week, none on Sundays; the last is seen just before midnight."""
    count = 0 if day.weekday() == 6 else 3 + day.weekday() + (day - FIRST).days // 14
    times = [f"{day} {6 + number:02}:00:00,{day} {6 + number:02}:30:00" for number in range(count)]
    times += [f"{day} 21:00:00,{day} 21:59:59.999999"] if count else []
    return [f"m1,{time},{20 + (number * 7 + day.day) % 5 if number % 4 else ''}" for number, time in enumerate(times)]


def outcomes(warehouse):
    """Run date -> the rows of gates; numbers to twelve digits, as a sum depends on the order of its rows."""
    nights = {}
    for day, *columns, history in rows_of(warehouse, "quality", "run_date", *COLUMNS):
        if columns[0].startswith(quality.GATE):
            rounded = history and json.dumps(json.loads(history, parse_float=lambda text: float(f"{float(text):.12g}")))
            nights.setdefault(day, []).append((*columns, rounded))
    return nights


def test_a_rerun_and_a_backfill_say_what_the_nights_in_order_said(spark, warehouse, project_of, tmp_path):
    path = tmp_path / "readings.csv"
    lines = [line for ago in range(-50, 3) for line in readings_of(FIRST + timedelta(days=ago))]
    path.write_text("\n".join(["machine,at,seen,temperature", *lines, ""]))
    project = project_of(builders.readings(path, key=["machine", "at"], gates=GATES))
    project = replace(project, zone="Europe/Paris")

    def run(into, number, previous):
        before = None if previous is None else NIGHTS[previous]
        ingest(spark, into, project, NIGHTS[number], before, "run", tmp_path / "raw", builders.unchecked)

    for number, previous in ((0, None), (1, 0), (2, 1)):
        run(warehouse, number, previous)
    in_order = outcomes(warehouse)
    assert {row[3] for row in in_order[NIGHTS[0]]} == {"pass", "learning"}
    assert {row[3] for row in in_order[NIGHTS[2]]} == {"pass"}
    volume = next(row for row in in_order[NIGHTS[2]] if row[0] == "gate volume")
    days = json.loads(volume[-1])["days"]
    assert days == {"2024-04-02": [len(readings_of(date(2024, 4, 2))), len(readings_of(date(2024, 4, 2))), 0.0, []]}
    first = json.loads(next(row for row in in_order[NIGHTS[0]] if row[0] == "gate volume")[-1])["days"]
    assert {text: numbers[0] for text, numbers in first.items()} == {
        day.isoformat(): len(readings_of(day)) for day in (FIRST - timedelta(days=ago) for ago in range(49, 0, -1))
    }
    run(warehouse, 1, 0)
    assert outcomes(warehouse) == in_order
    other = Warehouse(str(tmp_path / "other"), "machines")
    for number, previous in ((0, None), (2, 0), (1, 0)):
        run(other, number, previous)
    backfilled = outcomes(other)
    assert backfilled[NIGHTS[0]] == in_order[NIGHTS[0]]
    by_days = [row for row in in_order[NIGHTS[1]] if row[0] != "gate once"]
    assert [row for row in backfilled[NIGHTS[1]] if row[0] != "gate once"] == by_days


def test_a_relation_is_to_the_facts_that_the_other_source_has_as_of_the_night(spark, warehouse, project_of, tmp_path):
    """Stored ones and those of this night, in the version of the night; not those that are deleted, or known later."""
    own, others = tmp_path / "own.csv", tmp_path / "others.csv"
    gone = {"columns": builders.readings("").columns | {"gone": Column(ColumnType.BOOLEAN)}, "deleted": "gone"}
    gate = Gate(GateCheck.RELATIONSHIPS, GateSeverity.REFUSE, columns=["machine"], to="others")
    header, yesterday = "machine,at,seen,temperature", FIRST - timedelta(days=1)
    others_before = [f"{name},{yesterday} 06:00:00,{yesterday} 07:00:00,20,false" for name in ("m1", "m2")]
    of_night = [
        f"m2,{yesterday} 06:00:00,{FIRST} 07:00:00,20,true",
        f"m3,{FIRST} 06:00:00,{FIRST} 07:00:00,20,false",
        f"m4,{FIRST} 06:00:00,{NIGHTS[1]} 07:00:00,20,false",
    ]
    rows = [f"m{number},{FIRST} 06:00:00,{FIRST} 07:00:00,20" for number in (1, 2, 3, 4)]
    sources = {
        "readings": builders.readings(own, gates={"there": gate}, refuse_above=1),
        "others": builders.readings(others, **gone),
    }
    project = replace(project_of(builders.readings(own)), sources=sources)
    for night, previous, own_rows, other_rows in (
        (FIRST, None, [], others_before),
        (NIGHTS[1], FIRST, rows, [*others_before, *of_night]),
    ):
        own.write_text("\n".join([header, *own_rows, ""]))
        others.write_text("\n".join([f"{header},gone", *other_rows, ""]))
        ingest(spark, warehouse, project, night, previous, "run", tmp_path / "raw", builders.unchecked)
    assert [machine for (machine,) in rows_of(warehouse, "source_readings", "machine")] == ["m1", "m3"]
    refused = [
        (json.loads(row)["machine"], reasons) for row, reasons in rows_of(warehouse, "quarantine", "row", "reasons")
    ]
    reason = ["gate there: no fact of others has this machine"]
    assert refused == [("m2", reason), ("m4", reason)]
