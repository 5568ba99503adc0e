"""What the figures of a night say of the challenger."""

import json
from datetime import date

import pytest

from nightjar.evaluation.sequential_verdicts import Verdict
from nightjar.monitoring.experiment_figures import Figure
from nightjar.monitoring.judging import judge
from nightjar.registry.canary import Judgement
from nightjar.registry.events import Version

D1 = date(2024, 4, 1)
VERSION = Version("2", "winner", D1, {})


def figure(name, verdict, reason=None):
    difference = None if verdict is None else 1.5
    return Figure(name, D1, (90, 60), 5, 0, (1.0, 2.5), difference, 0.4, None, 0.05, 2.0, None, verdict, None, reason)


@pytest.mark.parametrize(
    ("value", "guard", "judgement"),
    [
        (Verdict.BETTER, Verdict.HOLDS, Judgement.PASSED),
        (Verdict.NOT_WORSE, Verdict.HOLDS, Judgement.PASSED),
        (Verdict.OPEN, Verdict.HOLDS, Judgement.WAITING),
        (Verdict.UNDECIDED, Verdict.HOLDS, Judgement.WAITING),
        (Verdict.BETTER, Verdict.OPEN, None),
        (Verdict.BETTER, None, None),
        (Verdict.BETTER, Verdict.BREACHED, Judgement.BREACHED),
        (Verdict.WORSE, Verdict.HOLDS, Judgement.BREACHED),
        (None, Verdict.BREACHED, Judgement.BREACHED),
    ],
)
def test_harm_comes_first_then_what_cannot_be_told_then_what_is_shown(value, guard, judgement):
    judged = judge(VERSION, [figure("value", value, "odd"), figure("rate", guard, "odd")])
    assert judged.judgement is judgement
    json.dumps(judged.evidence, allow_nan=False)
    severities = [alert.severity.value for alert in judged.alerts]
    is_odd = judgement is None and None in (value, guard)
    assert severities == (["critical"] if judgement is Judgement.BREACHED else ["warning"] * is_odd)


def test_without_an_experiment_there_is_nothing_to_show_and_without_figures_no_step():
    assert judge(VERSION, [], is_compared=False).judgement is Judgement.PASSED
    assert judge(VERSION, []).judgement is None


def test_an_alert_says_which_figure_by_how_much_and_what_to_do():
    (alert,) = judge(VERSION, [figure("value", Verdict.OPEN), figure("rate", Verdict.BREACHED)]).alerts
    assert alert.message == (
        "Challenger 2 (winner) is rolled back: rate: the guard is breached; the challenger's minus the champion's is "
        "1.5 (0.4 to no bound), over 60 and 90 entities. The champion serves all."
    )
    (alert,) = judge(VERSION, [figure("value", None, "it is null")]).alerts
    assert "value: it is null." in alert.message
