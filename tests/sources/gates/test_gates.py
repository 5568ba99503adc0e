"""Gates on nights: each finds its planted fault and names the rows; what is good beside them passes."""

import json
from datetime import date, timedelta

import pytest

import builders
from builders import rows_of
from nightjar.errors import SourceError
from nightjar.settings.gates import Gate, GateCheck, GateSeverity, OutlierMethod
from nightjar.settings.sources import Column, ColumnType
from nightjar.tables import quality

HEADER = "machine,at,seen,temperature,site,serial,note,partner"
COLUMNS = builders.readings("").columns | {
    "site": Column(ColumnType.STRING),
    "serial": Column(ColumnType.LONG),
    "note": Column(ColumnType.STRING),
    "partner": Column(ColumnType.STRING),
}
KEEP = ["temperature", "site", "serial", "partner"]
FIRST, NIGHT = date(2024, 4, 1), date(2024, 4, 2)
MACHINES = range(20)
REFUSE, WARN, STOP = GateSeverity.REFUSE, GateSeverity.WARN, GateSeverity.STOP


def row(day, machine, temperature=None, site=None, serial=None, note="ok", partner="m0", hour=None):
    """A good reading of a day, seen half an hour later; 20 of them follow each other within the hour."""
    degrees = 20 + (machine * 7 + day.toordinal() * 3) % 10 if temperature is None else temperature
    hour = f"{6 + machine // 2:02}:{30 * (machine % 2):02}" if hour is None else hour
    number = day.toordinal() * 100 + machine if serial is None else serial
    place = ("north", "south")[machine % 2] if site is None else site
    return f"m{machine},{day} {hour}:00,{day} {hour}:30,{degrees},{place},{number},{note},{partner}"


def good(day):
    return [row(day, machine) for machine in MACHINES]


def text(*parts):
    return "\n".join([HEADER, *(line for part in parts for line in part), ""])


HISTORY = [line for ago in range(40, 0, -1) for line in good(FIRST - timedelta(days=ago))]


def options(**gates):
    return {"columns": COLUMNS, "keep": KEEP, "gates": gates}


def results(warehouse, day):
    """Gate -> its row of `quality`."""
    columns = ("check", "run_date", "status", "rows", "of", "message", "value", "lowest", "highest", "history")
    rows = (dict(zip(columns, one, strict=True)) for one in rows_of(warehouse, "quality", *columns))
    own = [one for one in rows if one["run_date"] == day and one["check"].startswith(quality.GATE)]
    return {one["check"].removeprefix(quality.GATE): one for one in own}


def refusals(warehouse):
    return {json.loads(row)["machine"]: reasons for row, reasons in rows_of(warehouse, "quarantine", "row", "reasons")}


def gates_of_rows(severity):
    return {
        "noted": Gate(GateCheck.NOT_NULL, severity, column="note"),
        "placed": Gate(GateCheck.ACCEPTED_VALUES, severity, column="site", values=["north", "south"]),
        "warm": Gate(GateCheck.BETWEEN, severity, column="temperature", minimum=0, maximum=60),
        "named": Gate(GateCheck.MATCHES, severity, column="machine", pattern=r"^m\d+\z"),
        "seen": Gate(GateCheck.EXPRESSION, severity, expression="seen > at AND\n note <> 'bad'"),
        "serials": Gate(GateCheck.UNIQUE, severity, columns=["serial"]),
        "paired": Gate(GateCheck.RELATIONSHIPS, severity, columns=["partner"], to="readings", fields=["machine"]),
        "usual": Gate(GateCheck.OUTLIERS, severity, column="temperature", method=OutlierMethod.IQR),
    }


DAY = NIGHT - timedelta(days=1)
TWIN = (DAY - timedelta(days=7)).toordinal() * 100 + 5
FAULTS = [
    row(DAY, 101, note=""),
    row(DAY, 102, site="west"),
    row(DAY, 103, temperature=-1),
    row(DAY, 104).replace("m104", "x104"),
    row(DAY, 105, note="bad"),
    row(DAY, 106, serial=7),
    row(DAY, 107, serial=7),
    row(DAY, 108, serial=TWIN),
    row(DAY, 109, temperature=59),
    row(DAY, 112, partner="m999"),
    row(DAY, 110, temperature=61, site="east", note=""),
    row(DAY, 111, temperature="warm", site="east", note=""),
]
for place, line in enumerate(FAULTS):  # they happen within the day
    FAULTS[place] = line.replace(line.split(",")[1], f"{DAY} 18:00:00").replace(line.split(",")[2], f"{DAY} 18:30:00")


def test_each_gate_of_rows_refuses_the_rows_planted_for_it_with_all_their_reasons(night, warehouse):
    gates = gates_of_rows(REFUSE)
    night(text(HISTORY), FIRST, **options(**gates))
    night(text(HISTORY, good(DAY), FAULTS), NIGHT, previous=FIRST, **options(**gates))
    several = "gate serials: another fact has the same serial"
    far = "gate usual: temperature is far from its history (iqr)"
    placed = "gate placed: site is not one of north, south"
    assert refusals(warehouse) == {
        "m101": ["gate noted: note has no value"],
        "m102": [placed],
        "m103": ["gate warm: temperature is not from 0 to 60", far],
        "x104": [r"gate named: machine does not match ^m\d+\z"],
        "m105": ["gate seen: not seen > at AND note <> 'bad'"],
        "m106": [several],
        "m107": [several],
        "m108": [several],
        "m109": [far],
        "m112": ["gate paired: no fact of readings has this machine"],
        "m110": ["gate noted: note has no value", placed, "gate warm: temperature is not from 0 to 60", far],
        "m111": ["temperature: not a double", "gate noted: note has no value", placed],
    }
    counted = {name: (one["rows"], one["of"], one["status"]) for name, one in results(warehouse, NIGHT).items()}
    assert counted == {
        "noted": (3, 32, "refused"),
        "placed": (3, 32, "refused"),
        "warm": (2, 32, "refused"),
        "named": (1, 32, "refused"),
        "seen": (1, 32, "refused"),
        "serials": (3, 32, "refused"),
        "paired": (1, 32, "refused"),
        "usual": (3, 32, "refused"),
    }
    assert {one["status"] for one in results(warehouse, FIRST).values()} == {"pass", "learning"}
    stored = rows_of(warehouse, "source_readings", "machine", "ingested_on")
    assert sorted(machine for machine, day in stored if day == NIGHT) == sorted(f"m{machine}" for machine in MACHINES)


BULK = [
    row(DAY, 200 + number, temperature=("", 41)[number % 2], site="south", hour=f"17:{number:02}")
    for number in range(60)
]
POPULATION = {"north": 0.5, "south": 0.5}


def gates_of_nights(severity):
    return {
        "volume": Gate(GateCheck.VOLUME, severity),
        "few_nulls": Gate(GateCheck.NULL_SHARE, severity, column="temperature"),
        "warmth": Gate(GateCheck.MEAN, severity, column="temperature"),
        "places": Gate(GateCheck.REPRESENTATIVE, severity, column="site", population=POPULATION),
        "fresh": Gate(GateCheck.FRESHNESS, severity, max_age="3h"),
        "gaps": Gate(GateCheck.FRESHNESS, severity, max_gap="1h"),
        "many": Gate(GateCheck.VOLUME, severity, maximum=50),
        "filled": Gate(GateCheck.NULL_SHARE, severity, column="temperature", maximum=0.1),
        "cold": Gate(GateCheck.MEAN, severity, column="temperature", maximum=20),
    }


def test_gates_that_warn_name_rows_and_numbers_and_those_that_stop_leave_all_tables_untouched(night, warehouse):
    gates = gates_of_rows(WARN) | gates_of_nights(WARN)
    content = text(HISTORY, good(DAY), FAULTS, BULK)
    night(text(HISTORY), FIRST, **options(**gates))
    before = builders.versions(warehouse)
    stops = gates_of_rows(STOP) | gates_of_nights(STOP)
    with pytest.raises(SourceError, match="The night of 2024-04-02 stops at its gates") as stopped:
        night(content, NIGHT, previous=FIRST, **options(**stops))
    assert builders.versions(warehouse) == before
    night(content, NIGHT, previous=FIRST, **options(**gates))
    by_gate = results(warehouse, NIGHT)
    assert {name: one["status"] for name, one in by_gate.items()} == dict.fromkeys(gates, "warn")
    rows = {name: (one["rows"], one["of"]) for name, one in by_gate.items()}
    assert {name: rows[name] for name in gates_of_rows(WARN)} == {
        "noted": (2, 91),  # the third is refused for its type
        "placed": (2, 91),
        "warm": (2, 91),
        "named": (1, 91),
        "seen": (1, 91),
        "serials": (3, 91),
        "paired": (1, 91),
        "usual": (3, 91),
    }
    for name, one in by_gate.items():
        assert one["message"] in str(stopped.value)
        assert f"project.sources.readings.gates.{name}.severity=warn" in str(stopped.value)
    message = by_gate["warm"]["message"]
    assert message.startswith("gate warm: temperature is not from 0 to 60: 2 of 91 new rows, such as ")
    assert '{"machine":"m103","at":"2024-04-01T18:00:00.000Z","temperature":-1.0}' in message
    assert '"serial":7' in by_gate["serials"]["message"]
    assert by_gate["volume"]["value"] == 91
    assert by_gate["volume"]["highest"] < 50
    assert "the number of facts of 2024-04-01 is 91, expected " in by_gate["volume"]["message"]
    assert by_gate["volume"]["message"].endswith("by 40 days before")
    assert by_gate["few_nulls"]["value"] == pytest.approx(30 / 91)
    assert by_gate["many"]["message"] == "gate many: the number of facts of the night is 91, expected at most 50"
    assert "south: 82.4% of 91 rows, expected 50.0% within 5.0%" in by_gate["places"]["message"]
    assert by_gate["fresh"]["message"] == (
        "gate fresh: the newest fact is of 2024-04-01 18:00 UTC, 4.0 h before the night, expected 3h at most"
    )
    assert quality.warnings(warehouse, NIGHT)["readings"].count("gate ") == len(gates)
    assert quality.nights_with_warnings(warehouse, "readings") == set()
