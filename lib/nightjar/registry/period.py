"""The clusters behind the intervals of recorded evidence, and whether they generalise to other periods."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import count
from typing import Any

import numpy as np

from nightjar.evaluation.clusters import FEWEST, blocks_of
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.spine import Spine

_MONDAY = date(2024, 1, 1)
"""One of many: only the days of the week matter."""


def intervals_over(evidence: Mapping[str, Any]) -> str:
    """A text such as "665 entities and 3 blocks of 30 days"; evidence of earlier versions of Nightjar lacks it.

    Example:
        >>> intervals_over({"clusters": {"entities": 665, "blocks": 3, "block_days": 30}})
        '665 entities and 3 blocks of 30 days'
    """
    clusters = evidence.get("clusters")
    if clusters is None:
        return "days, as if nothing repeated in them"
    entities, blocks = f"{clusters['entities']:,} entities", of_time(clusters["blocks"], clusters["block_days"])
    if clusters["blocks"] < FEWEST:
        return f"{entities}, in this period only ({blocks})"
    return blocks if clusters["entities"] < FEWEST else f"{entities} and {blocks}"


def this_period_only(evidence: Mapping[str, Any]) -> str | None:
    """The reason why the metrics do not generalise to other periods; None where they do."""
    clusters = evidence.get("clusters")
    if clusters is None:
        return "its intervals are over days, as if nothing repeated in them"
    if clusters["blocks"] >= FEWEST:
        return None
    blocks = of_time(clusters["blocks"], clusters["block_days"])
    return f"{blocks}, and fewer than {FEWEST} say nothing of other periods"


def final_period_blocks(search: Search, project: Project) -> tuple[str, bool]:
    """The greatest number of blocks of a search's final period, as text, and whether that is enough to promote a model.

    Dates that may have rows, but have none, make the number smaller.
    """
    days, spine = search.days_of_block(project.label), project.spine
    blocks = _most_blocks(search.final_days, days, spine)
    capacity = f"the final period (search.final_days={search.final_days}) holds at most {of_time(blocks, days)}"
    if blocks >= FEWEST:
        return capacity, True
    consequence = "its figures will be of that period only, and no model is promoted by them without a person"
    enough = next(length for length in count(FEWEST * days) if _most_blocks(length, days, spine) >= FEWEST)
    return f"{capacity}: {consequence}; {enough} days or more say something of other periods", False


def _most_blocks(period: int, days: int, spine: Spine) -> int:
    """The greatest number of blocks with rows in a period that ends on one of the spine's days."""
    numbers = []
    for last in spine.due_dates(_MONDAY, _MONDAY + timedelta(days=6)):
        first = last - timedelta(days=period - 1)
        due = np.array(spine.due_dates(first, last), "datetime64[D]")
        numbers.append(len(np.unique(blocks_of(due, first, last, days))))
    return max(numbers)


def of_time(blocks: int, days: int) -> str:
    """A number of blocks as text: "3 blocks of 30 days", "1 night"."""
    if days == 1:
        return f"{blocks:,} night{'' if blocks == 1 else 's'}"
    return f"{blocks:,} block{'' if blocks == 1 else 's'} of {days} days"
