"""Verdicts: the first night that says something decides."""

import numpy as np

from nightjar.evaluation.sequential import Bounds
from nightjar.evaluation.sequential_verdicts import Decision, Verdict, decide, guard

INF = np.inf


def test_what_was_shown_first_stays_shown():
    low, high = np.array([-INF, -2.0, 0.5, -1.0]), np.array([INF, 3.0, 4.0, -0.5])
    assert decide(Bounds(low, high), 4) == Decision(Verdict.BETTER, 2)
    assert decide(Bounds(-high, -low), 4) == Decision(Verdict.WORSE, 2)
    assert decide(Bounds(low[:2], high[:2]), 4) == Decision(Verdict.OPEN)
    assert decide(Bounds(low[:2], high[:2]), 2) == Decision(Verdict.UNDECIDED)
    assert decide(Bounds(low[:2], high[:2]), 2, not_worse_by=2.5) == Decision(Verdict.NOT_WORSE, 1)
    assert decide(Bounds(low, high), 4, not_worse_by=2.5) == Decision(Verdict.BETTER, 2)
    assert decide(Bounds(low[:0], high[:0]), 4) == Decision(Verdict.OPEN)


def test_a_guard_is_breached_beyond_its_margin_and_holds_once_it_could_have_been():
    harm = np.array([-INF, -1.0, 0.4, 0.1])
    assert guard(harm, 0.3) == Decision(Verdict.BREACHED, 2)
    assert guard(harm, 0.4) == Decision(Verdict.HOLDS)
    assert guard(harm[:1], 0.0) == guard(harm[:0], 0.0) == Decision(Verdict.OPEN)
