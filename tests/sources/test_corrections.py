"""Refused rows that people correct: what a night reads of them, and what is refused before anything is recorded."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

import deltalake
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import builders
from builders import READINGS as HEADER
from builders import reading as row
from builders import rows_of
from nightjar.errors import SourceError
from nightjar.features.at import features_at
from nightjar.settings.arrival import Arrival
from nightjar.settings.connections import DeltaTable
from nightjar.settings.files import Dialect, File, FileFormat
from nightjar.settings.gates import Gate, GateCheck, GateSeverity
from nightjar.settings.repairs import LetterCase, Numbers, Repair
from nightjar.settings.sources import Column, ColumnType
from nightjar.sources.ingest import ingest
from nightjar.sources.quarantine import correcting, table_file
from nightjar.sources.quarantine.correcting import Decision
from nightjar.tables.corrections import RefusedRow, refused_rows
from nightjar.timeline import cutoff

pytestmark = pytest.mark.usefixtures("few")

D1, D2, D3, D4 = (date(2024, 4, day) for day in (1, 2, 3, 4))
ZONE = "Europe/Paris"


class Nights:
    """Nights of readings, and what people do between them."""

    def __init__(self, spark, warehouse, project_of, folder, source):
        self.spark, self.warehouse, self.folder = spark, warehouse, folder
        self.project = project_of(source)

    def run(self, day, previous=None, run_id=None):
        cache, name = self.folder / "raw", run_id or f"of-{day}"
        return ingest(self.spark, self.warehouse, self.project, day, previous, name, cache, builders.unchecked)

    def correct(self, day, edit, run_id="fix", rows=None, source="readings"):
        """Export the open rows, let `edit` change each of them, or of the first few, and take them back."""
        path, columns = self.folder / f"{run_id}.csv", list(self.project.sources[source].columns)
        refused = refused_rows(self.warehouse, pc.field("source") == source)
        path.unlink(missing_ok=True)
        table_file.write(path, columns, [one for one in refused if one.decision is None])
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
        for line in lines:
            edit(line)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, lines[0])
            writer.writeheader()
            writer.writerows(lines[:rows])
        self.take_back(day, run_id, source)

    def take_back(self, day, run_id, source="readings"):
        rows = table_file.read(self.folder / f"{run_id}.csv", list(self.project.sources[source].columns), source)
        refused = refused_rows(self.warehouse, pc.field("source") == source)
        decision = Decision(source, "ADA", "a test", day, run_id)
        correcting.correct(self.spark, self.warehouse, self.project, decision, rows, refused, self.folder / "raw")

    def facts(self, *columns):
        return rows_of(self.warehouse, "source_readings", *(columns or ("machine", "temperature", "ingested_on")))

    def items(self, day):
        rows = rows_of(self.warehouse, "intake", "item", "run_date", "run_id")
        return [item for item, on, _ in rows if on == day and item and item.startswith("corrections:")]


def cool(line):
    line["temperature"] = "25.5"


def warm(degrees, line):
    """Change the lines of some machines."""
    line["temperature"] = degrees.get(line["machine"], line["temperature"])


GATES = {
    "alone": Gate(GateCheck.UNIQUE, GateSeverity.REFUSE, columns=["temperature"]),
    "paired": Gate(GateCheck.RELATIONSHIPS, GateSeverity.REFUSE, columns=["machine"], to="machines"),
}


@pytest.fixture
def nights_of(spark, warehouse, project_of, landing, tmp_path):
    def make(**options):
        options = {"file": File(str(landing)), "arrival": Arrival(0), "refuse_above": 1.0} | options
        return Nights(spark, warehouse, project_of, tmp_path, builders.readings(landing, **options))

    return make


def test_corrected_rows_are_known_from_their_night_on_and_reruns_read_what_their_night_has_read(nights_of, landing):
    """Last night's features do not see them, tonight's do, whenever they are built."""
    nights = nights_of()
    nights.project = replace(nights.project, features={"readings": builders.temperature()})
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00", 20) + row("m2", "03-31 07:00", 200))
    nights.run(D1)
    nights.correct(D2, cool)
    nights.run(D1, run_id="again")  # the last night, run again, is before the corrections' night
    assert nights.facts() == [("m1", 20.0, D1)]
    nights.run(D2, D1)
    corrected = ("m2", 25.5, D2)
    assert nights.facts() == [("m1", 20.0, D1), corrected]
    midnight, seen = cutoff(D2, ZONE), datetime(2024, 3, 31, 7, tzinfo=UTC)
    clocks = nights.facts("machine", "known_at", "stated_known_at", "intake")
    assert clocks[1] == ("m2", midnight, seen, "corrections:fix")
    assert nights.items(D2) == ["corrections:fix"]

    nights.run(D3, D2)
    for day, previous in ((D1, None), (D2, D1)):
        nights.run(day, previous, run_id=f"rerun-{day}")
        assert nights.facts() == [("m1", 20.0, D1), corrected]
    assert set(nights.items(D1) + nights.items(D3)) == set()
    assert nights.facts("machine", "run_id")[1] == ("m2", f"rerun-{D2}")
    refused = rows_of(nights.warehouse, "quarantine", "reasons", "run_date", "run_id")
    assert refused == [(["temperature: above 90"], D1, f"rerun-{D1}")]

    moments = [cutoff(day, ZONE) for day in (D1, D2)]
    spine = nights.spark.createDataFrame([("m2", one) for one in moments], "machine string, prediction_time timestamp")
    features = features_at(nights.warehouse, nights.project, spine).toPandas().sort_values("prediction_time")
    assert features["readings__mean_3d"].fillna("none").tolist() == ["none", 25.5]


def test_a_night_that_is_run_late_reads_corrections_that_no_other_has_read_and_a_first_load_too(nights_of, landing):
    """A skipped night knows what was corrected for it. A first load that is run again takes them at its own cutoff."""
    nights = nights_of()
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00", 200) + row("m2", "04-02 07:00", 200))
    nights.run(D1)
    nights.correct(D1, cool)
    nights.run(D1, run_id="again")
    assert nights.facts("machine", "known_at") == [("m1", cutoff(D1, ZONE))]
    nights.run(D4, D1)
    nights.correct(D4, cool, "second")
    nights.run(D3, D1)
    nights.run(D4, D3, run_id="again")
    assert nights.facts() == [("m1", 25.5, D1), ("m2", 25.5, D4)]


def test_an_edit_of_settings_reads_corrections_again_and_a_correction_comes_after_its_file(nights_of, landing):
    nights = nights_of()
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00", 20) + row("m2", "03-31 07:00", 200))
    nights.run(D1)
    nights.correct(D2, cool)
    nights.run(D2, D1)
    source = nights.project.sources["readings"]
    columns = source.columns | {"temperature": Column(ColumnType.DOUBLE, minimum=-40, maximum=300)}
    nights.project = replace(nights.project, sources={"readings": replace(source, columns=columns)})
    nights.run(D3, D2)
    assert nights.facts() == [("m1", 20.0, D1), ("m2", 25.5, D2)]
    assert nights.items(D3) == ["corrections:fix"]


def test_a_file_is_taken_as_a_whole_or_not_at_all(nights_of, landing):
    """What is wrong is named by its line; a row that is corrected is open no more."""
    nights = nights_of(where="machine <> 'x'")
    (landing / "a.csv").write_text(HEADER + "".join(row(f"m{n}", "03-31 07:00", 200) for n in range(5)))
    nights.run(D2)
    before = builders.versions(nights.warehouse)

    def refused(day, *changes):
        edits = iter(changes)
        with pytest.raises(SourceError, match="Nothing was written") as failure:
            nights.correct(day, lambda line: line.update({"temperature": "20"} | next(edits, {})))
        assert builders.versions(nights.warehouse) == before
        return str(failure.value)

    message = refused(D2, {"_row_hash": "0"}, {}, {"_row_hash": (first := refused_rows(nights.warehouse)[1].row_hash)})
    assert "line 2 (_row_hash '0'): no such row is in quarantine" in message
    assert f"line 4 (_row_hash '{first}'): line 3 corrects the same row" in message
    assert "the night of 2024-04-02 has refused it, expected run_date=2024-04-02 or a later one" in refused(D1)
    later = {"seen": "2024-04-02 07:00:00"}
    message = refused(D2, {}, {"temperature": "91"}, later, {"machine": "NA"}, {"machine": "x"})
    for part in (
        "line 3: temperature: above 90",
        "line 4: it becomes known at 2024-04-02 07:00:00 UTC, after the cutoff of run_date=2024-04-02",
        "line 5: machine: missing",
        "line 6: project.sources.readings.where leaves it out",
    ):
        assert part in message
    assert "line 2" not in message
    nights.correct(D2, cool)
    assert {one.decision for one in refused_rows(nights.warehouse)} == {"corrected"}
    with pytest.raises(SourceError, match=r"line 2 .* that row is corrected already"):
        nights.take_back(D2, "fix")


def test_a_row_that_gates_refuse_beside_other_facts_is_refused_at_once(nights_of, landing):
    """Beside stored facts, rows of the file and corrected ones, also of the source that a gate refers to."""
    nights = nights_of(file=File(str(landing / "*.csv")))
    (landing / "machines").mkdir()
    machines = builders.readings("", file=File(str(landing / "machines")), refuse_above=1.0)
    readings = replace(nights.project.sources["readings"], gates=GATES)
    nights.project = replace(nights.project, sources={"machines": machines, "readings": readings})
    (landing / "machines" / "a.csv").write_text(HEADER + row("m1", "03-31 07:00") + row("m2", "03-31 07:00", 200))
    hot = row("m1", "03-31 07:00", 500).replace("2024-03-30", "2024-03-29")
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00", 20) + row("m2", "03-31 07:00", 30) + hot)
    nights.run(D1)

    def refused(day, degrees):
        with pytest.raises(SourceError) as failure:
            nights.correct(day, partial(warm, {"m1": degrees}))
        return str(failure.value).partition("the file is refused: ")[2].partition(". Correct")[0]

    unpaired, repeated = (
        "gate paired: no fact of machines has this machine",
        "gate alone: another fact has the same temperature",
    )
    assert refused(D2, "20") == f"line 2: {unpaired}; line 3: {repeated}"
    nights.correct(D3, cool, "machines", source="machines")
    assert refused(D2, "21") == f"line 2: {unpaired}"
    nights.correct(D3, dict, rows=1)
    assert refused(D3, "30") == f"line 2: {repeated}"


def test_rows_of_one_fact_that_differ_come_back_as_one_of_them(nights_of, landing):
    nights = nights_of()
    (landing / "a.csv").write_text(HEADER + row("m1", "03-31 07:00", 20) + row("m1", "03-31 07:00", 21))
    nights.run(D1)
    conflict = "several versions with one key and known_at"
    with pytest.raises(SourceError, match=f"line 2: {conflict}; line 3: {conflict}"):
        nights.correct(D2, dict)
    nights.correct(D2, dict, "first", rows=1)
    with pytest.raises(SourceError, match=f"line 2: {conflict}"):
        nights.correct(D2, dict, "second")
    nights.run(D2, D1)
    (fact,) = nights.facts()
    assert fact in (("m1", 20.0, D2), ("m1", 21.0, D2))


def append_to_delta(table, *rows):
    names = ("machine", "at", "seen", "temperature")
    at = datetime(2024, 3, 30, 6, tzinfo=UTC)
    rows = [(machine, at, datetime(2024, *seen, 7, tzinfo=UTC), float(degrees)) for machine, seen, degrees in rows]
    content = pa.Table.from_pylist([dict(zip(names, one, strict=True)) for one in rows])
    deltalake.write_deltalake(table.path, content, mode="append")


def append_to_database(shop, *rows):
    shop.run(
        "CREATE TABLE IF NOT EXISTS readings (machine text, at timestamptz, seen timestamptz, temperature numeric)"
    )
    for machine, (month, day), degrees in rows:
        seen = f"2024-{month}-{day} 07:00Z"
        shop.run(f"INSERT INTO readings VALUES ('{machine}', '2024-03-30 06:00Z', '{seen}', {degrees})")  # noqa: S608


@pytest.mark.parametrize("origin", ["delta", "database"])
def test_a_table_s_nights_read_corrections_too_and_what_waits_of_it_is_not_lost(nights_of, tmp_path, request, origin):
    """Of a table whose versions cannot be read again, all is read from its stage; corrections are not staged."""
    if origin == "delta":
        table = settings = DeltaTable(str(tmp_path / "table"))
    else:
        table = request.getfixturevalue("shop")
        settings = table.settings(table="public.readings")
    append = partial(append_to_delta if origin == "delta" else append_to_database, table)
    append(("m1", (3, 31), 20), ("m2", (3, 31), 200), ("m3", (4, 2), 20))
    nights = nights_of(file=None, **{origin: settings})
    nights.run(D1)
    nights.correct(D2, cool)
    append(("m4", (4, 1), 20))
    nights.run(D2, D1)
    facts = [("m1", 20.0, D1), ("m2", 25.5, D2), ("m4", 20.0, D2)]
    assert nights.facts() == facts
    nights.run(D2, D1, "again")
    nights.run(D3, D2)
    nights.run(D1, run_id="rerun-1")
    nights.run(D2, D1, "rerun-2")
    assert nights.facts() == sorted([*facts, ("m3", 20.0, D3)], key=repr)


TYPED = {
    "machine": Column(ColumnType.STRING, required=True),
    "at": Column(ColumnType.TIMESTAMP, required=True),
    "seen": Column(ColumnType.TIMESTAMP),
    "temperature": Column(ColumnType.DOUBLE, minimum=-40, maximum=90),
    "n": Column(ColumnType.LONG),
    "on": Column(ColumnType.BOOLEAN),
    "day": Column(ColumnType.DATE),
    "x": Column(ColumnType.DOUBLE),
    "note": Column(ColumnType.STRING),
}
KEEP = ["temperature", "n", "on", "day", "x", "note"]


def as_parquet(folder):
    moment = datetime(2024, 3, 30, 6, 0, 0, 123456, tzinfo=UTC)
    columns = {
        "machine": pa.array(["m1", "m2"]),
        "at": pa.array([moment] * 2, pa.timestamp("us", tz="UTC")),
        "seen": pa.array([moment] * 2, pa.timestamp("ns", tz="UTC")),
        "temperature": pa.array([20.0, 200.0]),
        "n": pa.array([2**63 - 1] * 2, pa.uint64()),
        "on": pa.array([1, 1], pa.int8()),
        "day": pa.array([date(1, 1, 1)] * 2),
        "x": pa.array([20.1, 20.1], pa.float32()),
        "note": pa.array(["=1+1", "=1+1"]),
    }
    pq.write_table(pa.table(columns), folder / "a.parquet")
    return File(str(folder), format=FileFormat.PARQUET)


def as_dialect(folder):
    lines = "".join(
        f"{name};30.03.2024 06:00:00;30.03.2024 06:00:00;{temperature};1.234;ja;01.03.2024;1.234,5;'-\n"
        for name, temperature in (("m1", "20,5"), ("m2", "2.000,5"))
    ).replace("ja", "yes")
    (folder / "a.csv").write_text("machine;at;seen;temperature;n;on;day;x;note\n" + lines)
    return File(
        str(folder),
        dialect=Dialect(
            delimiter=";",
            decimal=",",
            thousands=".",
            date_formats=["dd.MM.yyyy"],
            timestamp_formats=["dd.MM.yyyy HH:mm:ss"],
        ),
    )


def as_folders(folder):
    """With columns of folders' names, which are written in no file's dialect."""
    below = folder / "day=2024-03-01" / "x=1234.5" / "note=NA"
    below.mkdir(parents=True)
    file = as_dialect(below)
    lines = (below / "a.csv").read_text().splitlines()
    (below / "a.csv").write_text("".join(";".join(line.split(";")[:6]) + "\n" for line in lines))
    return replace(file, path=str(folder))


def as_repaired(folder):
    lines = "".join(
        f"{name},2024-03-30 08:00:00,2024-03-30 08:00:00,{temperature},seven,yes,2024-03-01,{x}, One \n"
        for name, temperature, x in (("m1", "20,5", "1.234,5"), ("m2", "2.000,5", "1.234,5"))
        for temperature, x in [(f'"{temperature}"', f'"{x}"')]
    )
    (folder / "a.csv").write_text("machine,at,seen,temperature,n,on,day,x,note\n" + lines)
    return File(str(folder))


NUMBERS = Repair(numbers=Numbers(",", "."))
REPAIRED = TYPED | {
    "at": Column(ColumnType.TIMESTAMP, required=True, repair=Repair(zone=ZONE)),
    "temperature": Column(ColumnType.DOUBLE, minimum=-40, maximum=90, repair=NUMBERS),
    "n": Column(ColumnType.LONG, repair=Repair(synonyms={"7": ["seven"]})),
    "x": Column(ColumnType.DOUBLE, repair=NUMBERS),
    "note": Column(ColumnType.STRING, repair=Repair(trim=True, case=LetterCase.LOWER, synonyms={"1": ["One"]})),
}


@pytest.mark.parametrize(
    ("write", "columns"),
    [(as_parquet, TYPED), (as_dialect, TYPED), (as_folders, TYPED), (as_repaired, REPAIRED)],
    ids=["typed", "dialect", "folders", "repaired"],
)
def test_what_is_not_changed_is_read_to_the_same_values(nights_of, landing, write, columns):
    """Of whatever types, dialect or repairs; the good row m1 shows what was in the file."""
    nights = nights_of(file=write(landing), columns=columns, keep=KEEP)
    nights.run(D1)
    nights.correct(D2, lambda line: line.update(temperature="20"))
    nights.run(D2, D1)
    good, corrected = nights.facts("machine", *(name for name in KEEP if name != "temperature"), "event_time")
    assert (good[0], corrected[0]) == ("m1", "m2")
    assert good[1:] == corrected[1:]
    assert None not in good


TEXTS = [
    "=1+1",
    "'=1",
    "''@x",
    "-5",
    "+1,5",
    "-1+2",
    "@",
    "\tx",
    "\r",
    "a\r\nb",
    'a"b',
    " a ",
    "'x",
    "",
    None,
    "\u00e4",
]


def refused_row(texts, number):
    return RefusedRow("readings", f"{number:064}", ("t: not a double",), texts, D1, None)


def test_a_field_is_in_the_file_as_it_was_and_never_a_formula(tmp_path):
    path = tmp_path / "rows.csv"
    refused = [refused_row({"t": text}, number) for number, text in enumerate(TEXTS)]
    table_file.write(path, ["t"], refused)
    rows = table_file.read(path, ["t"], "readings")
    assert [table_file.texts_of(*pair, {})["t"] for pair in zip(rows, refused, strict=True)] == TEXTS
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [line["t"] for line in csv.DictReader(file)]
    assert [cell for cell in cells if cell[:1] in tuple("=+-@\t\r") and cell] == ["-5", "+1,5"]
