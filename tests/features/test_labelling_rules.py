"""Labels by the majority of rules, the checks counted from their votes, and the same through a whole build."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations, product

import pyarrow as pa
import pytest

import builders
from nightjar.errors import TableError, UsageError
from nightjar.features.build import build
from nightjar.features.labelling_rules import add_votes, count_votes
from nightjar.settings.features import Aggregate
from nightjar.settings.label import Label
from nightjar.tables import arrow
from nightjar.tables.source_definitions import source_table
from nightjar.tables.table import INSTANT

D1, D2 = date(2024, 4, 1), date(2024, 4, 2)
Y, N = True, False


def test_most_of_the_rules_that_speak_decide_and_where_they_meet_is_counted(spark):
    """Every way in which three rules can answer, yes, no or nothing."""
    votes_of_rows = list(product([Y, N, None], repeat=3))
    rows = spark.createDataFrame(pa.table({name: [one[n] for one in votes_of_rows] for n, name in enumerate("xyz")}))
    rules = {"a": "x", "b": "y", "c": "z"}
    votes = add_votes(rows, rules).toArrow().to_pylist()
    expected = Counter((one, most([answer for answer in one if answer is not None])) for one in votes_of_rows)
    assert Counter(((row["a"], row["b"], row["c"]), row["label"]) for row in votes) == expected
    assert count_votes(add_votes(rows, rules), rules) == by_definition(votes_of_rows, "abc")


def most(answers):
    yes = sum(answers)
    return None if 2 * yes == len(answers) else 2 * yes > len(answers)


def by_definition(votes_of_rows, names):
    """Row by row."""
    spoken = [{name: one for name, one in zip(names, row, strict=True) if one is not None} for row in votes_of_rows]
    found = {"rules: labelled": (sum(most(list(row.values())) is not None for row in spoken), len(votes_of_rows))}
    for name in names:
        of = [row for row in spoken if name in row]
        found[f"rule {name}: speaks"] = (len(of), len(votes_of_rows))
        found[f"rule {name}: overlaps"] = (sum(len(row) > 1 for row in of), len(of))
        found[f"rule {name}: conflicts"] = (
            sum(len(set(row.values())) > 1 for row in of if opposed(row, name)),
            len(of),
        )
    for one, other in combinations(names, 2):
        both = [row for row in spoken if one in row and other in row]
        found[f"rules {one} and {other}: overlap"] = (len(both), len(votes_of_rows))
        found[f"rules {one} and {other}: conflict"] = (sum(row[one] != row[other] for row in both), len(both))
    return found


def opposed(row, name):
    return any(answer != row[name] for answer in row.values())


def test_rules_that_never_meet_are_no_pair(spark):
    """A rule may use the one before it."""
    rows = spark.createDataFrame(pa.table({"x": [1, 2, 3, 4]}))
    rules = {"low": "CASE WHEN x < 3 THEN false END", "high": "CASE WHEN low IS NULL THEN x > 3 END"}
    assert sorted(add_votes(rows, rules).select("x", "label").toArrow().to_pylist(), key=lambda row: row["x"]) == [
        {"x": 1, "label": N}, {"x": 2, "label": N}, {"x": 3, "label": N}, {"x": 4, "label": Y}
    ]  # fmt: skip
    assert not [check for check in count_votes(add_votes(rows, rules), rules) if check.startswith("rules low")]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"high": "y > 1"}, "project.label.rules.high: the expression 'y > 1' does not fit: [UNRESOLVED_COLUMN"),
        ({"high": "x + 1"}, "project.label.rules.high: the expression 'x + 1' gives a bigint, expected one of: bool"),
        ({"high": "rand() > 0.5"}, "project.label.rules.high: the expression 'rand() > 0.5' holds the function rand"),
        ({"x": "true"}, "project.label.rules.x: there is a column of this name already; give the rule another one."),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_before_a_row_is_computed(spark, rules, message):
    with pytest.raises(UsageError) as found:
        add_votes(spark.createDataFrame(pa.table({"x": [1]})), rules)
    assert str(found.value).startswith(message)


def at(day, hour):
    """An instant by its local time in Paris (summer time)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - 2)


def clocks(known):
    return {"event_time": known, "known_at": known, "stated_known_at": known, "ingested_on": D1, "run_id": "ingest"}


def test_a_build_labels_by_rules_and_counts_them(spark, warehouse, tmp_path):
    """Rules look at the spine's columns and the greatest temperature of the day; m3 has none, and a low load.

    What the day was is known when it is over: nothing is known of the rows of D2.
    """
    loads, readings = {"m1": 90.0, "m2": 10.0, "m3": 20.0}, {"m1": 70.0, "m2": 80.0}
    rules = {"hot": "CASE WHEN value > 60 THEN true END", "idle": "CASE WHEN load < 50 THEN false END"}
    label = Label("readings", {"machine": "machine"}, "temperature", "1d", Aggregate.MAX, rules=rules)
    project = builders.machines(tmp_path)
    sources = {name: project.sources[name] for name in ("schedule", "readings")}
    project = replace(project, sources=sources, label=label, features={})
    moment = [("machine", pa.string()), ("prediction_time", INSTANT)]
    plan = pa.schema([*moment, ("site", pa.string()), ("load", pa.float64()), ("built", pa.int64())])
    seen = pa.schema([("machine", pa.string()), ("at", INSTANT), ("temperature", pa.float64())])
    rows = [
        {"machine": machine, "prediction_time": at(day, 0), "load": load} | clocks(at(D1, -24))
        for machine, load in loads.items()
        for day in (D1, D2)
    ]
    arrow.append(warehouse, source_table("schedule", ["machine", "prediction_time"], plan), rows, "ingest")
    rows = [{"machine": one, "at": at(D1, 6), "temperature": hot} | clocks(at(D1, 7)) for one, hot in readings.items()]
    arrow.append(warehouse, source_table("readings", ["machine", "at"], seen), rows, "ingest")
    outcome = build(spark, warehouse, project, D1, D2, None, "build")
    known = at(D2, 0)
    assert builders.rows_of(warehouse, "labels", "machine", "label", "label_known_at") == [
        ("m1", Y, known), ("m2", None, known), ("m3", N, known)
    ]  # fmt: skip
    assert outcome.outputs["quality"] == arrow.version(warehouse, "quality")
    assert builders.rows_of(warehouse, "quality", "source", "check", "rows", "of") == [
        ("labels", "rule hot: conflicts", 1, 2),
        ("labels", "rule hot: overlaps", 1, 2),
        ("labels", "rule hot: speaks", 2, 3),
        ("labels", "rule idle: conflicts", 1, 2),
        ("labels", "rule idle: overlaps", 1, 2),
        ("labels", "rule idle: speaks", 2, 3),
        ("labels", "rules hot and idle: conflict", 1, 1),
        ("labels", "rules hot and idle: overlap", 1, 3),
        ("labels", "rules: labelled", 2, 3),
    ]
    broken = replace(project, label=replace(label, rules={"even": "1 / (load - 20) > 0"}))
    with pytest.raises(
        TableError, match=r"project\.label\.rules\.even: the expression .* cannot be computed for a row"
    ):
        build(spark, warehouse, broken, D1, D2, None, "broken")
