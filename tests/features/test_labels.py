"""Labels: every version of what the horizon says, an answer or a number, and when it was known."""

import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import builders
from nightjar.errors import JoinError, TableError, UsageError
from nightjar.features import label_quality
from nightjar.features.classes import translate_errors
from nightjar.features.horizons import with_horizon
from nightjar.features.labels import label_versions, not_stored
from nightjar.settings.acting import Acted
from nightjar.settings.features import Aggregate
from nightjar.settings.files import File
from nightjar.settings.label import Label
from nightjar.settings.sources import Column, ColumnType, Source
from nightjar.settings.task import Task
from nightjar.tables import arrow, datafiles, labels, sink
from nightjar.tables.definitions import labels_table
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import INSTANT
from nightjar.timeline import cutoff
from oracles import labels as oracle

D2, D3 = date(2024, 4, 2), date(2024, 4, 3)
NOW = datetime(2024, 4, 1, 22, tzinfo=UTC)  # midnight of D2 in Paris
EVENTS = {
    "id": pa.int64(),
    "machine": pa.string(),
    "value": pa.float64(),
    "word": pa.string(),
    "stopped": pa.bool_(),
    "pieces": pa.int64(),
}
MACHINE = pa.schema({"machine": pa.string()})
SOURCE = Source(
    File("events.csv"),
    columns={
        "id": Column(ColumnType.LONG),
        "machine": Column(ColumnType.STRING),
        "value": Column(ColumnType.DOUBLE),
        "word": Column(ColumnType.STRING),
        "stopped": Column(ColumnType.BOOLEAN),
        "pieces": Column(ColumnType.LONG),
        "at": Column(ColumnType.TIMESTAMP),
    },
    key=["id"],
    event_time="at",
    keep=["machine", "value", "word", "stopped", "pieces"],
)


def hour(number):
    return NOW + timedelta(hours=number)


def event(fact_id, machine, happened, known=None, value=1.0, **columns):
    known = happened if known is None else known
    clocks = {"event_time": hour(happened), "known_at": hour(known), "stated_known_at": hour(known)}
    row = {"id": fact_id, "machine": machine, "value": value, "word": "w", "stopped": True, "pieces": 1}
    return row | columns | clocks | {"ingested_on": D2, "run_id": "ingest"}


class Asked:
    """Events in their table, and what is known about rows at a run date."""

    def __init__(self, spark, warehouse, folder, events, **label):
        project = builders.machines(folder)
        self.spark, self.warehouse = spark, warehouse
        options = {"aggregate": Aggregate.COUNT, "condition": "value > 0", "horizon": "4h"} | label
        asked = Label("events", {"machine": "machine"}, options.pop("column", "value"), **options)
        self.project = replace(project, sources=project.sources | {"events": SOURCE, "visits": SOURCE}, label=asked)
        self.add("events", events)

    def add(self, source, facts):
        arrow.append(self.warehouse, source_table(source, ["id"], pa.schema(EVENTS)), facts, "ingest")

    def frame(self, rows, run_date):
        spine = {"machine": [machine for machine, _ in rows], "prediction_time": [hour(at) for _, at in rows]}
        spine = self.spark.createDataFrame(pa.table(spine, pa.schema([*MACHINE, ("prediction_time", INSTANT)])))
        versions = arrow.pin(self.warehouse, [f"source_{name}" for name, _ in self.project.label.deciding_facts()])
        rows = with_horizon(spine, self.project, date(2024, 1, 1), date(2024, 12, 31))
        versions_of_rows = label_versions(rows, self.warehouse, self.project, versions, run_date)
        return not_stored(versions_of_rows, self.warehouse, self.project, run_date)

    def known(self, rows, run_date=D2):
        """(machine, prediction time, label, label_known_at), times as hours."""
        hours = lambda instant: (instant - NOW) / timedelta(hours=1)  # noqa: E731
        found = self.frame(rows, run_date).toArrow().to_pylist()
        told = [(r["machine"], hours(r["prediction_time"]), r["label"], hours(r["label_known_at"])) for r in found]
        return sorted(told, key=lambda row: (row[0], row[1], row[3]))

    def store(self, rows, run_date):
        into = sink.target(self.warehouse, labels_table(self.project, MACHINE), run_id="run")
        of_date = lambda file: file.partition["run_date"] == run_date  # noqa: E731
        written = sink.collect(self.frame(rows, run_date), sink.in_one_piece, into)
        sink.commit(self.warehouse, into, written, of_date, "run")


@pytest.fixture
def asked(spark, warehouse, tmp_path):
    return lambda events, **label: Asked(spark, warehouse, tmp_path, events, **label)


def test_any_failure_within_the_horizon_is_known_when_the_horizon_has_passed(asked):
    """Its start is not in it, its end is; what has not ended is not told; an event known too late does not count."""
    events = [event(1, "start", -8), event(2, "end", -4), event(3, "open", -2), event(4, "late", -5, known=-3)]
    rows = [(machine, -8) for machine in ("start", "end", "late", "none")] + [("open", -3)]
    assert asked(events).known(rows) == [
        ("end", -8, True, -4), ("late", -8, False, -4), ("none", -8, False, -4), ("start", -8, False, -4)
    ]  # fmt: skip


@pytest.mark.parametrize(("horizon", "end"), [("1d", -24), ("24h", -23)])
def test_a_day_ends_with_the_day_of_the_zone_whatever_its_clocks_do(asked, horizon, end):
    """The day of the 31st, on which clocks go forward in Paris, has 23 hours: its end is in it, and nothing later."""
    events = [event(1, "end", end), event(2, "beyond", end + 0.5), event(3, "start", -47), event(4, "late", -25, -22)]
    rows = [(machine, -47) for machine in ("end", "beyond", "start", "late")]
    told = asked(events, horizon=horizon, allowed_lateness="1d").known(rows)
    on_time = [(machine, -47, machine == "end", end) for machine in ("beyond", "end", "late", "start")]
    assert told == sorted([*on_time, ("late", -47, True, -22)])


def test_settled_early_is_known_with_the_first_fact_that_settles_it(asked):
    """The second fact happened first, but was known later; the correction of a third leaves an answer that was true."""
    events = [
        event(1, "m", -2.5, known=-1.5),
        event(2, "m", -2.75, known=-1),
        event(3, "taken", -2.5, known=-2),
        event(3, "taken", -9, known=-1),
        event(4, "low", -2.5, value=0.5),
    ]
    label = {"aggregate": Aggregate.MAX, "condition": "value >= 1", "settled_early": True}
    rows = [(machine, -3) for machine in ("m", "taken", "low")]
    project = asked(events, **label)
    assert project.known(rows) == [("m", -3, True, -1.5), ("taken", -3, True, -2)]
    assert project.known(rows, D3) == [
        ("low", -3, False, 1), ("m", -3, True, -1.5), ("taken", -3, True, -2), ("taken", -3, None, 1)
    ]  # fmt: skip


def test_a_label_says_whether_its_row_was_acted_on_as_known_when_the_label_was(asked):
    """By any fact of the horizon; a correction that changes nothing else is another version; no fact says no."""
    events = [
        event(1, "both", -7, stopped=False),
        event(2, "both", -6),
        event(3, "later", -7, stopped=False),
        event(3, "later", -7, known=-3, stopped=True),
        event(4, "not", -7, stopped=None),
    ]
    project = asked(events, allowed_lateness="2h", acted=Acted("stopped"))
    rows = project.frame([(machine, -8) for machine in ("both", "later", "not", "none")], D2).toArrow().to_pylist()
    hours = [(r["machine"], (r["label_known_at"] - NOW) / timedelta(hours=1), r["label"], r["acted"]) for r in rows]
    assert sorted(hours) == [
        ("both", -4, True, True),
        ("later", -4, True, False),
        ("later", -3, True, True),
        ("none", -4, False, False),
        ("not", -4, True, False),
    ]


@pytest.mark.usefixtures("however_many")
def test_an_action_of_another_source_that_is_known_late_is_a_new_version(asked):
    """Known within the allowed lateness, or after it."""
    project = asked([event(1, "m", -7)], allowed_lateness="2h", acted=Acted("stopped", "visits", {"machine": "word"}))
    project.add("visits", [event(1, "-", -6, known=-3, word="m"), event(2, "-", -6, known=-1, word="none")])
    rows = project.frame([("m", -8), ("none", -8)], D2).toArrow().to_pylist()
    hours = [(r["machine"], (r["label_known_at"] - NOW) / timedelta(hours=1), r["label"], r["acted"]) for r in rows]
    assert sorted(hours) == [("m", -4, True, False), ("m", -3, True, True), ("none", -4, False, False)]


def test_an_outcome_that_somebody_has_changed_is_not_usable():
    table = pa.table({"label": [True, False, None, True], "acted": [True, False, False, None]})
    assert labels.is_usable(table).to_pylist() == [False, True, False, True]
    assert labels.is_usable(table.select(["label"])).to_pylist() == [True, True, False, True]


def test_late_facts_are_new_versions_until_the_label_is_final(asked):
    events = [
        event(1, "late", -5, known=-3),
        event(2, "too late", -5, known=-1.5),
        event(3, "moved", -5, known=-4.5),
        event(3, "elsewhere", -5, known=-3.5),
    ]
    rows = [(machine, -8) for machine in ("late", "too late", "moved", "elsewhere")]
    assert asked(events, allowed_lateness="2h").known(rows) == [
        ("elsewhere", -8, False, -4),
        ("elsewhere", -8, True, -3.5),
        ("late", -8, False, -4),
        ("late", -8, True, -3),
        ("moved", -8, True, -4),
        ("moved", -8, False, -3.5),
        ("too late", -8, False, -4),
    ]


@pytest.mark.usefixtures("however_many")
def test_a_version_is_stored_by_the_first_run_that_knows_it(asked):
    events = [event(1, "m", -5, known=-3), event(1, "m", -20, known=3)]
    project = asked(events, allowed_lateness="9h")
    for run_date, expected in ((D2, [False, True]), (D3, [False]), (D2, [False, True])):
        found = project.frame([("m", -8)], run_date).orderBy("label_known_at").toArrow()
        assert found["label"].to_pylist() == expected
        assert set(found["run_date"].to_pylist()) == {run_date}
        project.store([("m", -8)], run_date)


AMOUNT = {"task": Task.REGRESSION, "aggregate": None, "condition": None}


def test_a_number_is_the_label_itself_known_when_it_was_and_corrected_by_a_later_version(asked, warehouse):
    """What is no finite number is no outcome: it is settled as null when the horizon has passed, as one never told."""
    strange = {"none": None, "nan": float("nan"), "endless": float("inf")}
    events = [event(1, "m", -3, known=-2, value=-7.5), event(1, "m", -3, known=5, value=0.0)]
    events += [event(number, machine, -6, value=value) for number, (machine, value) in enumerate(strange.items(), 2)]
    events += [event(9, "m", -9, value=1.0)]
    asked_for = asked(events, **AMOUNT, allowed_lateness="30h")
    rows = [("m", -4), *((machine, -8) for machine in (*strange, "silent"))]
    unknown = [(machine, -8, None, -4) for machine in ("endless", "nan", "none", "silent")]
    assert asked_for.known(rows) == sorted([("m", -4, -7.5, -2), *unknown])
    for run_date, label in ((D2, -7.5), (D3, 0.0)):
        asked_for.store([("m", -4)], run_date)
        version = arrow.version(warehouse, "labels")
        found = labels.as_of(warehouse, ["machine"], cutoff(run_date, "Europe/Paris"), version)
        assert found["label"].to_pylist() == [label]


def test_whole_numbers_are_stored_as_doubles_and_in_a_ranking_true_is_one(asked):
    events = [event(1, "m", -6, pieces=12), event(2, "n", -6, pieces=-3, stopped=False)]
    pieces = asked(events, **AMOUNT | {"column": "pieces"})
    ranking = asked([], **AMOUNT | {"column": "stopped", "task": Task.RANKING, "query": ["machine"]})
    for project, expected in ((pieces, [12.0, -3.0]), (ranking, [1.0, 0.0])):
        rows = [("m", -8), ("n", -8)]
        assert [label for _, _, label, _ in project.known(rows)] == expected
        assert project.frame(rows, D2).schema["label"].dataType.simpleString() == "double"
        assert labels_table(project.project, MACHINE).schema().field("label").type == pa.float64()


@pytest.mark.usefixtures("however_many")
def test_every_version_of_an_outcome_is_found_by_one_run(asked):
    """Known early or late, corrected twice, taken elsewhere before the horizon has passed, and told again."""
    events = [
        event(1, "corrected", -7, known=-6, value=1.0),
        event(1, "corrected", -7, known=-5, value=2.0),
        event(1, "corrected", -7, known=-2, value=3.0),
        event(2, "late", -7, known=-3, value=4.0),
        event(3, "too late", -7, known=-0.5, value=5.0),
        event(4, "moved", -7, known=-6, value=6.0),
        event(4, "away", -7, known=-5, value=6.0),
        event(5, "moved", -6, known=-3, value=7.0),
        event(6, "before", -7, known=-9, value=8.0),
        event(7, "next", -7, value=9.0),
        event(8, "next", -6, value=9.0),
    ]
    rows = [(machine, -8) for machine in ("corrected", "late", "too late", "moved", "before", "next")]
    assert asked(events, **AMOUNT, allowed_lateness="3h").known(rows) == [
        ("before", -8, 8.0, -8),
        ("corrected", -8, 1.0, -6), ("corrected", -8, 2.0, -5), ("corrected", -8, 3.0, -2),
        ("late", -8, None, -4), ("late", -8, 4.0, -3),
        ("moved", -8, 6.0, -6), ("moved", -8, None, -5), ("moved", -8, 7.0, -3),
        ("next", -8, 9.0, -7),
        ("too late", -8, None, -4),
    ]  # fmt: skip


def test_an_aggregate_is_the_label_and_only_another_number_is_another_version(asked):
    """Of m a third value leaves the mean as it was, a fourth moves it; of no facts there is no mean."""
    events = [
        event(1, "m", -7, value=1.0),
        event(2, "m", -6, value=3.0),
        event(3, "m", -5, known=-3, value=2.0),
        event(4, "m", -5, known=-2, value=6.0),
    ]
    mean = asked(events, **AMOUNT | {"aggregate": Aggregate.MEAN}, allowed_lateness="4h")
    assert mean.known([("m", -8), ("n", -8)]) == [("m", -8, 2.0, -4), ("m", -8, 3.0, -2), ("n", -8, None, -4)]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ({"aggregate": Aggregate.SUM}, [3.0, 0.0, 0.0]),
        ({"aggregate": Aggregate.SUM, "empty": None}, [3.0, None, None]),
        ({"aggregate": Aggregate.SUM, "column": "pieces", "empty": -0.5}, [2.0, -0.5, 1.0]),
        ({"aggregate": Aggregate.COUNT}, [2.0, 0.0, 0.0]),
        ({"aggregate": Aggregate.COUNT, "empty": None}, [2.0, None, None]),
        ({"aggregate": Aggregate.MEAN}, [1.5, None, None]),
        ({"aggregate": Aggregate.SUM, "task": Task.CLASSIFICATION, "condition": "value < 1"}, [False, True, True]),
    ],
)
def test_a_sum_or_a_count_of_nothing_is_what_the_label_says(asked, label, expected):
    """Two values, no fact at all, and one fact whose value is null, though it has one piece."""
    events = [event(1, "a", -7, value=1.0), event(2, "a", -6, value=2.0), event(3, "null", -5, value=None)]
    project = asked(events, **AMOUNT | label)
    assert [answer for *_, answer, _ in project.known([(machine, -8) for machine in ("a", "none", "null")])] == expected


def test_the_share_of_null_labels_is_told_with_each_build(tmp_path, caplog):
    logger = logging.getLogger("nightjar.features")
    logger.addHandler(caplog.handler)
    logger.setLevel(logging.INFO)
    try:
        for labels in ([1.0, None, 2.0], [None], [3.0, 4.0]):
            label_quality.log_nulls(
                datafiles.write(pa.table({"label": pa.array(labels, pa.float64())}), str(tmp_path), ())
            )
    finally:
        logger.removeHandler(caplog.handler)
    assert list(dict.fromkeys(caplog.messages)) == [
        "labels: 1 of 3 are null (33.3%): settled without an outcome",
        "labels: 1 of 1 are null (100.0%): settled without an outcome",
    ]


MACHINES = st.integers(0, 1)
HOURS = st.integers(-10, 4)
FACTS = st.tuples(st.integers(0, 2), MACHINES, HOURS, HOURS, st.sampled_from([0.0, 1.0, 2.0, None]))
CASES = st.tuples(st.lists(FACTS, max_size=6, unique_by=lambda fact: (fact[0], fact[3])), st.integers(-9, 0))


def once_true(answer, _):
    """What may be settled early."""
    return answer is True


def once_told(answer, before):
    """An outcome, and what becomes of it."""
    return answer is not None or bool(before)


def never(_, __):
    return False


QUESTIONS = [
    (Aggregate.COUNT, "value > 1", lambda n: n > 1, once_true),
    (Aggregate.SUM, None, lambda n: n, never),
    (Aggregate.MAX, "value >= 1", lambda n: None if n is None else n >= 1, once_true),
    (Aggregate.MIN, "value < 1", lambda n: None if n is None else n < 1, once_true),
    (Aggregate.MEAN, "coalesce(value, 0) > 0.75", lambda n: (n or 0) > 0.75, never),
    (Aggregate.SUM, "value > 1 AND value < 4", lambda n: None if n is None else 1 < n < 4, never),
    (Aggregate.MEAN, None, lambda n: n, never),
    (Aggregate.COUNT, None, lambda n: n, never),
    (None, None, lambda n: n, once_told),
]


@pytest.mark.usefixtures("however_many")
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    st.sampled_from(QUESTIONS),
    st.sampled_from([0, 3]),
    st.sampled_from([0, None, -2.5]),
    st.lists(CASES, min_size=20, max_size=40),
)
def test_versions_are_the_oracle_s(spark, tmp_path_factory, question, lateness, empty, cases):
    """Many small histories at once: machines of one never meet those of another."""
    aggregate, condition, holds, early = question
    if early is once_true or aggregate not in (Aggregate.SUM, Aggregate.COUNT):
        empty = 0
    options = {"aggregate": aggregate, "condition": condition, "settled_early": early is once_true, "empty": empty}
    options |= {"task": Task.CLASSIFICATION if condition else Task.REGRESSION}
    events, rows, expected = [], [], []
    for number, (facts, at) in enumerate(cases):
        plain = [dict(zip(("id", "key", "event", "known", "value"), fact, strict=True)) for fact in facts]
        events += [
            event(10 * number + f["id"], f"{number}.{f['key']}", f["event"], f["known"], f["value"]) for f in plain
        ]
        for machine in (0, 1):
            rows.append((f"{number}.{machine}", at))
            name = aggregate.value if aggregate else "last"
            asked_of = {"horizon": 4, "lateness": lateness, "now": 0, "name": name, "empty": empty}
            found = oracle.versions(plain, machine, at, **asked_of, holds=holds, early=early)
            expected += [(f"{number}.{machine}", at, answer, known) for answer, known in found]
    folder = tmp_path_factory.mktemp("labels")
    warehouse = builders.Warehouse(str(folder / "warehouse"), "machines")
    warehouse.check_writable()
    project = Asked(spark, warehouse, folder, events, allowed_lateness=f"{lateness}h", **options)
    assert project.known(rows) == sorted(expected, key=lambda row: (row[0], row[1], row[3]))


@pytest.mark.parametrize(
    ("label", "refused", "message"),
    [
        (
            {"column": "word", "aggregate": Aggregate.MEAN},
            JoinError,
            "project.label, column word of source events: mean of a string",
        ),
        (
            {"column": "word", "aggregate": None, "condition": None},
            JoinError,
            "project.label, column word of source events: it is a string, expected a boolean for a classification",
        ),
        (
            AMOUNT | {"column": "word"},
            JoinError,
            "project.label, column word of source events: it is a string, expected a number for a regression.",
        ),
        (
            AMOUNT | {"column": "word", "aggregate": Aggregate.MAX},
            JoinError,
            "project.label, column word of source events: its max is a string, expected a number for a regression.",
        ),
        (
            AMOUNT | {"column": "stopped"},
            JoinError,
            "project.label, column stopped of source events: it is a boolean, expected a number for a regression.",
        ),
        (
            {"condition": "valeu > 0"},
            UsageError,
            "project.label.condition: the expression 'valeu > 0' does not fit: [UNRESOLVED_COLUMN.WITH_SUGGESTION]",
        ),
        (
            {"condition": "value + 1"},
            UsageError,
            "project.label.condition: the expression 'value + 1' gives a bigint, expected one of: boolean",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_source_and_column(asked, label, refused, message):
    with pytest.raises(refused) as found:
        asked([event(1, "m", -5)], **label).frame([("m", -8)], D2)
    assert str(found.value).startswith(message)


CLASSES = {"task": Task.MULTICLASS, "aggregate": None, "condition": None}


@pytest.mark.parametrize(("column", "values"), [("word", ("low", "high")), ("pieces", (1, 2))])
def test_a_class_is_the_text_of_its_outcome_in_every_version(asked, column, values):
    """A whole number is its decimal text. The last event counts; a row without one is settled without a class."""
    first, second = values
    events = [
        event(1, "a", -5, **{column: first}),
        event(2, "b", -5, **{column: second}),
        event(3, "a", -4.5, **{column: second}),
    ]
    names = {str(value): f"name of {value}" for value in (*values, "other")}
    told = asked(events, column=column, classes=names, **CLASSES).known([("a", -8), ("b", -8), ("c", -8)])
    assert told == [
        ("a", -8, str(first), -5),
        ("a", -8, str(second), -4.5),
        ("b", -8, str(second), -5),
        ("c", -8, None, -4),
    ]


def test_an_outcome_that_is_no_class_is_refused_by_source_row_and_value(asked):
    events = [event(1, "a", -5, word="low"), event(2, "b", -5, word="lower")]
    labels_of_words = asked(events, column="word", classes={"low": "L", "high": "H", "none": "N"}, **CLASSES)
    with pytest.raises(TableError) as refused, translate_errors(labels_of_words.project.label):
        labels_of_words.known([("a", -8), ("b", -8)])
    assert str(refused.value).startswith(
        "Column word of source events is lower in the row of machine=b, prediction_time=2024-04-01 14:00:00, which is "
        "none of the classes low, high, none (project.label.classes). Declare it; or give the source's column `levels`"
    )


def test_an_outcome_that_is_a_fraction_names_no_class(asked):
    with pytest.raises(JoinError, match="it is a double, expected a text or a whole number that names a class"):
        asked([event(1, "a", -5)], classes={"1": "L", "2": "H", "3": "N"}, **CLASSES).known([("a", -8)])
