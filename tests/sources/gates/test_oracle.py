"""Gates on random rows say what a slow look at each row says."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.gates import Gate, GateCheck, OutlierMethod
from nightjar.settings.sources import Column, ColumnType, File, Source
from nightjar.sources.gates import measures, row_checks, set_checks
from nightjar.sources.gates.judging import Band
from oracles import gates as slowly

START = datetime(2024, 4, 1, tzinfo=UTC)
SCHEMA = "id long, at timestamp, x double, word string, n long"
COLUMNS = {
    "id": Column(ColumnType.LONG),
    "at": Column(ColumnType.TIMESTAMP),
    "x": Column(ColumnType.DOUBLE),
    "word": Column(ColumnType.STRING),
    "n": Column(ColumnType.LONG),
}
WORDS = ["a", "b", "ab", "ba", "", "c"]
NUMBERS = [None, 0.0, -0.0, 1.0, 2.5, -7.25, 1e300, math.nan, math.inf, -math.inf]
BAND = Band(-7.0, 2.5, 9)
GATES = {
    "full": Gate(GateCheck.NOT_NULL, column="x"),
    "worded": Gate(GateCheck.NOT_NULL, column="word"),
    "known_words": Gate(GateCheck.ACCEPTED_VALUES, column="word", values=["a", "ab", ""]),
    "both": Gate(GateCheck.BETWEEN, column="x", minimum=-7.25, maximum=1),
    "least": Gate(GateCheck.BETWEEN, column="n", minimum=2),
    "most": Gate(GateCheck.BETWEEN, column="x", maximum=0),
    "anywhere": Gate(GateCheck.MATCHES, column="word", pattern="a"),
    "whole": Gate(GateCheck.MATCHES, column="word", pattern="^b?a$"),
    "sql": Gate(GateCheck.EXPRESSION, expression="n > 1 OR word = 'a'"),
    "single": Gate(GateCheck.UNIQUE, columns=["n"]),
    "pairs": Gate(GateCheck.UNIQUE, columns=["word", "n"]),
    "parents": Gate(GateCheck.RELATIONSHIPS, columns=["word", "n"], to="others", fields=["word", "n"]),
    "far": Gate(GateCheck.OUTLIERS, column="x", method=OutlierMethod.IQR),
    "nulls": Gate(GateCheck.NULL_SHARE, column="x"),
    "middle": Gate(GateCheck.MEAN, column="n"),
    "spread": Gate(GateCheck.REPRESENTATIVE, column="word", population={"a": 0.5, "ab": 0.2}),
    "gaps": Gate(GateCheck.FRESHNESS, max_gap="10m"),
    "count": Gate(GateCheck.VOLUME),
}
SOURCE = Source(File("rows.csv"), columns=COLUMNS, key=["id"], event_time="at", gates=GATES)


def says_sql(row):
    """`GATES["sql"]` by the three values of SQL."""
    parts = [None if row["n"] is None else row["n"] > 1, None if row["word"] is None else row["word"] == "a"]
    return True if True in parts else None if None in parts else False


rows_of_night = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 12),
            "at": st.integers(0, 3 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
            "x": st.sampled_from(NUMBERS),
            "word": st.sampled_from([None, *WORDS]),
            "n": st.sampled_from([None, *range(8)]),
        }
    ),
    min_size=10,
    max_size=40,
)
QUICK = settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a failure is told as it was met: each example takes seconds
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@QUICK
@given(new=rows_of_night, stored=rows_of_night, others=rows_of_night)
def test_each_gate_fails_the_rows_that_a_slow_look_fails(spark, new, stored, others):
    frames = [
        spark.createDataFrame([tuple(row[name] for name in COLUMNS) for row in rows], SCHEMA)
        for rows in (new, stored, others)
    ]
    rows = frames[0].withColumn(
        row_checks.FLAGS, row_checks.flags(SOURCE, row_checks.conditions(frames[0], "s", SOURCE))
    )
    rows = rows.withColumns({"_state": F.lit("fact"), "_reasons": F.lit(None).cast("array<string>")})
    rows = rows.withColumns({measures.DAY: F.to_date("at"), "event_time": F.col("at")}).coalesce(1)
    values = {name: set_checks.repeated(rows, frames[1], GATES[name], SOURCE) for name in ("single", "pairs")}
    values["parents"] = set_checks.unrelated(rows, frames[2], GATES["parents"], "path")
    measured = measures.measure(rows, "s", SOURCE, {"far": BAND}, values)
    for name, gate in GATES.items():
        if gate.check not in (GateCheck.MEAN, GateCheck.REPRESENTATIVE, GateCheck.FRESHNESS, GateCheck.VOLUME):
            expected = slowly.failing(gate, new, stored, others, says_sql, BAND)
            assert (name, measured[name].failing, measured[name].rows) == (name, len(expected), len(new))
    days = {row["at"].date() for row in new}
    for day in days:
        of_day = [row for row in new if row["at"].date() == day]
        mean, variance = slowly.mean_and_variance(of_day, "n")
        assert measured["middle"].days[day].value == pytest.approx(mean)
        assert measured["middle"].days[day].variance == pytest.approx(variance)
        assert measured["count"].days[day].value == len(of_day)
        nulls = [row for row in of_day if slowly.no_value(row["x"])]
        assert measured["nulls"].days[day].value == pytest.approx(len(nulls) / len(of_day))
    gap, longest = measured["gaps"].gap, slowly.longest_gap(row["at"] for row in new)
    if longest is not None and longest > timedelta(minutes=10):
        assert gap[1] - gap[0] == longest
        assert {row["at"] for row in new} >= set(gap)
    else:
        assert gap is None or gap[1] - gap[0] <= timedelta(minutes=10)
    words = [row["word"] for row in new if row["word"] is not None]
    shares = {f"={word}": words.count(word) for word in ("a", "ab")}
    shares[measures.OTHER] = len(words) - sum(shares.values())
    assert measured["spread"].shares == {word: count for word, count in shares.items() if count}
    assert measured["gaps"].newest == max(row["at"] for row in new)
    assert date(2024, 4, 1) <= min(days)


def test_facts_stored_before_a_column_was_declared_have_no_value_in_it(spark):
    rows = [(1, START, 1.0, "a", 1), (2, START, 1.0, "b", 1), (3, START, 1.0, "c", 2)]
    new = spark.createDataFrame(rows, SCHEMA).withColumn("known_at", F.col("at"))
    stored = new.drop("n").withColumn("id", F.col("id") + 10)
    single = set_checks.repeated(new, stored, GATES["single"], SOURCE)
    assert [row.n for row in single.collect()] == [1]
    there = set_checks.current(new.where("id = 1"), stored, SOURCE, ["word", "n"])
    assert {(row.word, row.n) for row in there.collect()} == {("a", 1), ("a", None), ("b", None), ("c", None)}
