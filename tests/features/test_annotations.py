"""Labels by the majority of annotators: every version, when it was known, and how far the annotators agree."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import builders
from nightjar.errors import JoinError
from nightjar.features import label_quality
from nightjar.features.horizons import with_horizon
from nightjar.features.labels import label_versions
from nightjar.settings.files import File
from nightjar.settings.label import Label
from nightjar.settings.labelling import Annotators
from nightjar.settings.sources import Column, ColumnType, Source
from nightjar.settings.task import Task
from nightjar.tables import arrow
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import INSTANT
from oracles import annotations as oracle

D2 = date(2024, 4, 2)
NOW = datetime(2024, 4, 1, 22, tzinfo=UTC)  # midnight of D2 in Paris
COLUMNS = {"id": pa.int64(), "machine": pa.string(), "who": pa.string(), "broken": pa.bool_(), "word": pa.string()}
MACHINE = pa.schema({"machine": pa.string()})
SOURCE = Source(
    File("answers.csv"),
    columns={
        "id": Column(ColumnType.LONG),
        "machine": Column(ColumnType.STRING),
        "who": Column(ColumnType.STRING),
        "broken": Column(ColumnType.BOOLEAN),
        "word": Column(ColumnType.STRING),
        "at": Column(ColumnType.TIMESTAMP),
    },
    key=["id"],
    event_time="at",
    keep=["machine", "who", "broken", "word"],
)
Y, N = True, False


def hour(number):
    return NOW + timedelta(hours=number)


class Asked:
    """Answers (machine, who, hour, answer, hour known) in their table, and what is known about rows at a run date."""

    def __init__(self, spark, warehouse, folder, answers, column="broken", least=2, **label_options):
        project = builders.machines(folder)
        self.spark, self.warehouse = spark, warehouse
        label = Label("answers", {"machine": "machine"}, column, "4h", allowed_lateness="2h", **label_options)
        label = replace(label, annotators=Annotators("who", least))
        self.project = replace(project, sources=project.sources | {"answers": SOURCE}, label=label)
        arrow.append(warehouse, source_table("answers", ["id"], pa.schema(COLUMNS)), answers, "ingest")
        self.versions = {"source_answers": arrow.version(warehouse, "source_answers")}

    def rows(self, rows):
        spine = {"machine": [machine for machine, _ in rows], "prediction_time": [hour(at) for _, at in rows]}
        frame = self.spark.createDataFrame(pa.table(spine, pa.schema([*MACHINE, ("prediction_time", INSTANT)])))
        return with_horizon(frame, self.project, date(2024, 1, 1), D2)

    def known(self, rows):
        """(machine, label, hour known), by machine and hour."""
        labels = label_versions(self.rows(rows), self.warehouse, self.project, self.versions, D2).toArrow().to_pylist()
        hours = lambda instant: (instant - NOW) / timedelta(hours=1)  # noqa: E731
        versions = [(row["machine"], row["label"], hours(row["label_known_at"])) for row in labels]
        return sorted(versions, key=lambda row: (row[0], row[2]))

    def counted(self, rows):
        return label_quality.count_checks(self.rows(rows), self.warehouse, self.project, self.versions, D2)


def stored(fact_id, machine, who, happened, answer, known=None):
    known = happened if known is None else known
    clocks = {"event_time": hour(happened), "known_at": hour(known), "stated_known_at": hour(known)}
    of_class = isinstance(answer, str)
    row = {"id": fact_id, "machine": machine, "who": who, "broken": None if of_class else answer}
    row |= {"word": answer if of_class or answer is None else "w"}
    return row | clocks | {"ingested_on": D2, "run_id": "ingest"}


@pytest.fixture
def asked(spark, warehouse, tmp_path):
    return lambda answers, *column, **options: Asked(spark, warehouse, tmp_path, answers, *column, **options)


def test_the_majority_is_known_with_the_answer_that_makes_it(asked):
    """Rows are asked at -8, for 4 hours, with at least two answers; answers known until 2 hours later count."""
    cases = {
        "agreed": ([("a", -7, Y), ("b", -6, Y)], [(Y, -6)]),
        "a third decides": ([("a", -7, Y), ("b", -6, N), ("c", -5, N)], [(N, -5)]),
        "a fourth changes nothing": ([("a", -7, Y), ("b", -7, Y), ("c", -6, Y), ("d", -5, N)], [(Y, -7)]),
        "a changes his mind": ([("a", -7, Y), ("b", -6, Y), ("a", -5, N)], [(Y, -6), (None, -5)]),
        "a takes nothing back": ([("a", -7, Y), ("b", -6, Y), ("a", -5, None)], [(Y, -6)]),
        "a answers twice": ([("a", -7, Y), ("a", -6, Y)], [(None, -4)]),
        "too few": ([("a", -7, Y)], [(None, -4)]),
        "nobody": ([], [(None, -4)]),
        "tied": ([("a", -7, Y), ("b", -6, N)], [(None, -4)]),
        "known late": ([("a", -7, Y), ("b", -6, N), ("c", -5, Y, -3)], [(None, -4), (Y, -3)]),
        "known too late": ([("a", -7, Y), ("b", -6, N), ("c", -5, Y, -1)], [(None, -4)]),
        "before it was asked": ([("a", -8, Y), ("b", -6, Y)], [(None, -4)]),
        "after its horizon": ([("a", -7, Y), ("b", -3.5, Y)], [(None, -4)]),
    }
    flat = [(case, *answer) for case, (answers, _) in cases.items() for answer in answers]
    project = asked([stored(number, *answer) for number, answer in enumerate(flat)])
    expected = [(case, label, known) for case, (_, labels) in cases.items() for label, known in labels]
    assert project.known([(case, -8) for case in cases]) == sorted(expected, key=lambda row: (row[0], row[2]))


ANSWERS = st.tuples(
    st.integers(0, 3),
    st.integers(0, 1),
    st.sampled_from("abc"),
    st.integers(-10, 0),
    st.integers(-10, 1),
    st.integers(0, 5),
)
CASES = st.tuples(st.lists(ANSWERS, max_size=7, unique_by=lambda one: (one[0], one[4])), st.integers(-9, -2))


CLASSES = {"task": Task.MULTICLASS, "classes": {"no": "No", "yes": "Yes", "maybe": "Maybe"}}
VALUES = {"broken": (Y, N, None, Y, N, None), "word": ("no", "yes", "maybe", None, "no", "yes")}


@pytest.mark.usefixtures("however_many")
@pytest.mark.parametrize(("column", "options"), [("broken", {}), ("word", CLASSES)])
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.integers(1, 3), st.lists(CASES, min_size=40, max_size=60))
def test_versions_are_the_oracle_s(spark, tmp_path_factory, column, options, least, cases):
    """Answers that are corrected, moved to another row or annotator, tied in time: many small histories at once."""
    table, rows, expected = [], [], []
    for number, (answers, at) in enumerate(cases):
        names = ("id", "key", "who", "event", "known", "value")
        plain = [dict(zip(names, (*answer, VALUES[column][value]), strict=True)) for *answer, value in answers]
        table += [
            stored(
                10 * number + one["id"], f"{number}.{one['key']}", one["who"], one["event"], one["value"], one["known"]
            )
            for one in plain
        ]
        for machine in (0, 1):
            rows.append((f"{number}.{machine}", at))
            found = oracle.versions(plain, machine, at, horizon=4, lateness=2, now=0, least=least)
            expected += [(f"{number}.{machine}", *version) for version in found]
    folder = tmp_path_factory.mktemp("answers")
    warehouse = builders.Warehouse(str(folder / "warehouse"), "machines")
    warehouse.check_writable()
    known = Asked(spark, warehouse, folder, table, column, least, **options).known(rows)
    assert known == sorted(expected, key=lambda row: (row[0], row[2]))


def test_agreement_is_counted_in_quality_and_kappas_are_logged(asked, warehouse, caplog):
    """The last answers count: b's first one about machine 2 does not. Nobody has answered about machine 6.

    a and c agree on one of three, each saying yes to two of them: (1/3 - 5/9) / (1 - 5/9) is -0.5. Two answers about
    machines 1, 2, 4, 5 agree with the shares 1, 1/3, 1/3, 0, which weigh one less than there are answers: (2 + 2/3 +
    2/3) / (2 + 2 + 2 + 1) = 10/21. Expected of 7 yes and 4 no: (49 + 16) / 121. So Fleiss' kappa is -155/1176.
    """
    answers_given = [
        ("1", "a", -7, Y), ("1", "b", -7, Y), ("1", "c", -7, Y),
        ("2", "a", -7, N), ("2", "b", -7, Y), ("2", "c", -7, Y), ("2", "b", -6, N),
        ("3", "a", -7, Y),
        ("4", "a", -7, Y), ("4", "b", -7, Y), ("4", "c", -7, N),
        ("5", "a", -7, Y), ("5", "d", -7, N),
    ]  # fmt: skip
    project = asked([stored(number, *answer) for number, answer in enumerate(answers_given)])
    with caplog.at_level("INFO", "nightjar.features"):
        found = project.counted([(str(machine), -8) for machine in range(1, 7)])
        nobody = project.counted([("6", -8)])
    assert found == {
        "annotators: majority": (3, 5),
        "annotators: tied": (1, 5),
        "annotators: fewer than 2 answers": (1, 5),
        "annotator a: with the majority of the others": (1, 2),
        "annotator b: with the majority of the others": (1, 1),
        "annotator c: with the majority of the others": (1, 3),
        "annotator d: with the majority of the others": (0, 1),
        "annotators a and b: agree": (3, 3),
        "annotators a and c: agree": (1, 3),
        "annotators a and d: agree": (0, 1),
        "annotators b and c: agree": (1, 3),
    }
    assert nobody == dict.fromkeys(
        ["annotators: majority", "annotators: tied", "annotators: fewer than 2 answers"], (0, 0)
    )
    assert "labels: Fleiss' kappa is -0.132" in caplog.messages
    assert "labels: Cohen's kappa of a and b is 1.000" in caplog.messages
    assert "labels: Cohen's kappa of a and c is -0.500" in caplog.messages
    assert "labels: Fleiss' kappa is undefined" in caplog.messages
    for counts, run_id in ((found, "first"), ({"annotators: majority": (2, 5)}, "again")):
        label_quality.record(warehouse, counts, D2, run_id)
    columns = ("source", "check", "rows", "of", "run_date")
    assert builders.rows_of(warehouse, "quality", *columns) == [("labels", "annotators: majority", 2, 5, D2)]


def test_answers_that_are_no_yes_or_no_are_refused(asked):
    project = asked([stored(1, "m", "a", -7, Y)], column="word")
    with pytest.raises(JoinError) as found:
        project.known([("m", -8)])
    assert str(found.value).startswith(
        "project.label, column word of source answers: an annotator's answer is a string, expected a boolean"
    )


def test_of_several_classes_each_answer_is_one_of_them(asked):
    """Of machine 1 two say yes and one each no and maybe; machine 2 is tied, though nobody says no of it."""
    answers_given = [("1", "a", -7, "yes"), ("1", "b", -7, "no"), ("1", "c", -7, "maybe"), ("1", "d", -6, "yes")]
    answers_given += [("2", "a", -7, "yes"), ("2", "b", -7, "maybe")]
    project = asked([stored(number, *answer) for number, answer in enumerate(answers_given)], "word", **CLASSES)
    counts = project.counted([("1", -8), ("2", -8)])
    assert project.known([("1", -8), ("2", -8)]) == [("1", "yes", -6), ("2", None, -4)]
    assert (counts["annotators: majority"], counts["annotators: tied"]) == ((1, 2), (1, 2))
    assert counts["annotators a and d: agree"] == (1, 1)
    assert counts["annotators a and b: agree"] == (0, 2)
