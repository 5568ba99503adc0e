"""Whether the outcomes of the rows that a version would act on are seen."""

from collections.abc import Mapping
from typing import Any

from nightjar.registry.gates.outcome import Outcome, Verdict
from nightjar.registry.unobserved import UNOBSERVED, objection

OUTCOMES = "outcomes"
_EXPLORE = (
    "Have a person promote it (jobs/promote.py action=approve), or let some rows be left alone, whatever their score "
    "(project.feedback.exploration), so that outcomes are seen."
)


def judge_outcomes(evidence: Mapping[str, Any]) -> Outcome | None:
    """Enough of them are seen, or exploration has shown some; None: nobody decides by the score."""
    rows = evidence.get(UNOBSERVED)
    if rows is None:
        return None
    share = rows["without_outcome"] / rows["acted_on"] if rows["acted_on"] else 0.0
    why_person, count = objection(evidence), round(rows["acted_on"])
    if why_person is not None:
        return Outcome(OUTCOMES, Verdict.PERSON, f"{why_person} {_EXPLORE}", share, rows["at_most"], count)
    sentence = f"Of {share:.1%} of the rows that it would act on there is no outcome."
    return Outcome(OUTCOMES, Verdict.PASSED, sentence, share, rows["at_most"], count)
