"""Rows of a night by their state, and by what becomes of them."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

from nightjar.sources import facts
from nightjar.sources.formats import raw
from nightjar.sources.items import Entry

STATES = ("fact", "refused", "not_a_fact", "not_yet_known")
NEW_STATES = ("fact", "refused", "repeated")


def state_counts() -> list[Column]:
    """Aggregates for an observation: rows by state, and malformed rows."""
    states = [F.count(F.when(F.col(facts.STATE) == state, 1)).alias(state) for state in STATES]
    return [*states, F.count(raw.MALFORMED).alias("malformed"), F.min(raw.MALFORMED).alias("example")]


def by_outcome(by_state: Mapping[str, int], counts_by_state: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Rows by outcome, from the counts before and after removing other runs' rows."""
    remaining = {
        state: sum(count for (before, _), count in counts_by_state.items() if before == state)
        for state in ("fact", "refused")
    }
    final = {
        state: sum(count for (_, is_now), count in counts_by_state.items() if is_now == state) for state in NEW_STATES
    }
    return {
        "read": sum(by_state[state] for state in STATES),
        "not_a_fact": by_state["not_a_fact"],
        "not_yet_known": by_state["not_yet_known"],
        "already_stored": by_state["fact"] - remaining["fact"],
        "already_refused": by_state["refused"] - remaining["refused"],
        "repeated": final["repeated"],
        "refused": final["refused"],
        "stored": final["fact"],
    }


def with_waiting(counts: Mapping[str, int], entries: Sequence[Entry]) -> dict[str, int]:
    """Rows of new items by what becomes of them: those that wait are staged, and may not have been read any further."""
    waiting = sum(entry.waiting for entry in entries if entry.after is None)
    return {"not_yet_known": waiting, "read": counts["read"] - counts["not_yet_known"] + waiting}
