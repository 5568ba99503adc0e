"""Whether the outcomes of the rows that a version would act on are seen: of what was never seen, nothing is shown."""

from collections.abc import Mapping
from typing import Any

from nightjar.registry.gates.outcome import Outcome, Verdict

OUTCOMES = "outcomes"
UNOBSERVED = "unobserved"
"""In the evidence: `acted_on` and `without_outcome`, rows of the final period that the version would act on, and those
of them without an outcome; `at_most`, the share of them up to which no person is needed, null where rows drawn for
exploration have shown outcomes of such scores. Null: nobody decides by the score; older events lack it."""
_EXPLORE = (
    "Have a person promote it (jobs/promote.py action=approve), or let some rows be left alone, whatever their score "
    "(project.feedback.exploration), so that outcomes are seen."
)


def judge_outcomes(evidence: Mapping[str, Any]) -> Outcome | None:
    """Enough of them are seen, or exploration has shown some; None: nobody decides by the score.

    Example:
        >>> few = judge_outcomes({"unobserved": {"acted_on": 200.0, "without_outcome": 30.0, "at_most": 0.1}})
        >>> few.verdict.value
        'a person decides'
        >>> few.sentence.partition(". ")[0]
        'Of the 200 rows of the final period that it would act on, 30 (15.0%) have no outcome, more than 10.0%'
    """
    rows = evidence.get(UNOBSERVED)
    if rows is None:
        return None
    acted_on, without, at_most = rows["acted_on"], rows["without_outcome"], rows["at_most"]
    share = without / acted_on if acted_on else 0.0
    if at_most is None or share <= at_most:
        sentence = f"Of {share:.1%} of the rows that it would act on there is no outcome."
        return Outcome(OUTCOMES, Verdict.PASSED, sentence, share, at_most, round(acted_on))
    sentence = (
        f"Of the {acted_on:,.0f} rows of the final period that it would act on, {without:,.0f} ({share:.1%}) have no "
        f"outcome, more than {at_most:.1%}. {_EXPLORE}"
    )
    return Outcome(OUTCOMES, Verdict.PERSON, sentence, share, at_most, round(acted_on))
