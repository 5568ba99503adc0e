"""The verdict of a night: what decides, what speaks first, and when nobody can say."""

import json
from datetime import date

import pytest

from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.monitoring.verdict import judge, store
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse

OK, WATCH, ACT, UNKNOWN = State.OK, State.WATCH, State.ACT, State.UNKNOWN
NIGHT = date(2024, 4, 1)


def signal(kind, state, subject="x", command=None):
    return Signal(kind, subject, state, f"{kind.word} of {subject} is {state.word}.", command)


WELL = [signal(Kind.COVARIATE, OK), signal(Kind.PERFORMANCE, OK)]


@pytest.mark.parametrize(
    ("signals", "state", "sentence"),
    [
        (WELL, OK, "2 looks are as expected."),
        ([*WELL, signal(Kind.PERFORMANCE, UNKNOWN, "y")], OK, "2 looks are as expected; of 1 nothing can be said yet."),
        ([*WELL, signal(Kind.COVARIATE, WATCH, "y")], WATCH, "covariate of y is watch."),
        (
            [*WELL, signal(Kind.JOBS, UNKNOWN), signal(Kind.DATA, WATCH)],
            UNKNOWN,
            "jobs of x is unknown. Other signals: 1 WATCH.",
        ),
        (
            [*WELL, signal(Kind.JOBS, UNKNOWN), signal(Kind.COVARIATE, ACT), signal(Kind.UPSTREAM, ACT)],
            ACT,
            "upstream of x is act. Other signals: 1 ACT, 1 UNKNOWN.",
        ),
        (
            [signal(Kind.COVARIATE, OK), signal(Kind.PERFORMANCE, UNKNOWN), signal(Kind.CONCEPT, UNKNOWN)],
            UNKNOWN,
            "performance of x is unknown. Other signals: 1 UNKNOWN.",
        ),
        ([signal(Kind.COVARIATE, OK), signal(Kind.PRIOR, OK), signal(Kind.PERFORMANCE, UNKNOWN)], OK, None),
        (
            [signal(Kind.PERFORMANCE, OK)],
            UNKNOWN,
            "Nothing is known of what the model was given: nobody has looked at it.",
        ),
    ],
)
def test_act_comes_before_what_nobody_can_say_and_that_before_watch(signals, state, sentence):
    for order in (signals, signals[::-1]):
        verdict = judge(order)
        assert verdict.state is state
        assert sentence in (None, verdict.sentence)


@pytest.mark.parametrize(("state", "command"), [(ACT, None), (UNKNOWN, "python jobs/train.py")])
def test_a_training_is_no_step_where_the_rules_are_against_it_but_for_want_of_a_reference(state, command):
    lost = [*WELL[1:], signal(Kind.COVARIATE, state, command="python jobs/train.py")]
    assert judge(lost).command == "python jobs/train.py"
    assert judge(lost, may_train=False).command == command
    assert judge([signal(Kind.JOBS, ACT, command="python jobs/score.py")], may_train=False).command is not None


def test_a_day_without_rows_needs_no_look_at_any():
    assert judge([signal(Kind.JOBS, OK)], has_rows=False).state is OK
    assert judge([], has_rows=False).sentence == "There was nothing to look at."
    assert judge([]).state is UNKNOWN


def test_the_verdict_is_stored_with_the_signals_that_decide_and_a_rerun_replaces_it(tmp_path):
    warehouse = Warehouse(str(tmp_path), "machines")
    store(warehouse, judge([*WELL, signal(Kind.DATA, ACT)]), NIGHT, "r1", "1")
    outcome = store(
        warehouse, judge([*WELL, signal(Kind.DATA, ACT, "rows", "python jobs/ingest.py")]), NIGHT, "r2", "1"
    )
    assert outcome.rows == {"verdicts": 1}
    (row,) = arrow.read(warehouse, "verdicts").to_pylist()
    assert (row["verdict"], row["command"], row["run_id"]) == ("act", "python jobs/ingest.py", "r2")
    assert [(one["kind"], one["subject"]) for one in json.loads(row["evidence"])] == [("data", "rows")]
