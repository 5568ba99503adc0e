"""Whether outcomes are known of the rows that a new version would act on: of what was never seen, nothing is shown."""

from collections.abc import Mapping
from typing import Any

UNOBSERVED = "unobserved"
"""In the evidence: `acted_on` and `without_outcome`, rows of the final period that the version would act on, and those
of them without an outcome; `at_most`, the share of them up to which no person is needed, null where rows drawn for
exploration have shown outcomes of such scores. Null: nobody decides by the score; older events lack it."""


def objection(evidence: Mapping[str, Any]) -> str | None:
    """Why a person has to decide, as a sentence; None where enough outcomes are known.

    Example:
        >>> objection({"unobserved": {"acted_on": 200.0, "without_outcome": 30.0, "at_most": 0.1}})
        'Of the 200 rows of the final period that it would act on, 30 (15.0%) have no outcome, more than 10.0%.'
    """
    rows = evidence.get(UNOBSERVED)
    if rows is None or rows["at_most"] is None or not rows["acted_on"]:
        return None
    share = rows["without_outcome"] / rows["acted_on"]
    if share <= rows["at_most"]:
        return None
    return (
        f"Of the {rows['acted_on']:,.0f} rows of the final period that it would act on, {rows['without_outcome']:,.0f} "
        f"({share:.1%}) have no outcome, more than {rows['at_most']:.1%}."
    )
