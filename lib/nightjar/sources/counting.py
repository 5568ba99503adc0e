"""Count a night's rows by what becomes of them."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812

from nightjar.sources import facts, repairs
from nightjar.sources.formats import raw
from nightjar.sources.formats.failures import translate_expression_errors
from nightjar.sources.items import Entry
from nightjar.sources.storing import Night, is_corrected, is_late

STATES = ("fact", "refused", "not_a_fact", "not_yet_known")
NEW_STATES = ("fact", "refused", "repeated")
FIXED = 6  # columns of `count_states` before those of repairs


def mark_not_yet_known(rows: DataFrame, night: Night) -> DataFrame:
    """Mark facts and refused rows that are not known by the night; a person knows what they correct."""
    early = (F.col("stated_known_at") > F.lit(night.cutoff)) & (F.col(facts.STATE) != "not_a_fact") & ~is_corrected()
    return rows.withColumn(facts.STATE, F.when(early, "not_yet_known").otherwise(F.col(facts.STATE)))


def count_states(new: DataFrame, name: str, night: Night, pairs: Sequence[tuple[str, str]]) -> list[Row]:
    """Count rows by state before and now, with the newest of each, those that people have corrected, those that are
    late, and those that each repair has changed.

    Expressions are first computed here, unless the rows were looked through before.

    Args:
        new: the night's rows.
        name: of the source.
        night: the run.
        pairs: column and name of its repairs, see `repairs.declared`.

    Raises:
        SourceError: an expression fails.
    """
    newest = F.unix_micros(F.max("stated_known_at"))
    changed = [repairs.count(column, repair) for column, repair in pairs]
    aggregates = [F.count("*"), newest, F.count_if(is_corrected()), F.count_if(is_late(night)), *changed]
    with translate_expression_errors(name):
        return new.groupBy("_before", facts.STATE).agg(*aggregates).collect()


def repaired(state_counts: Sequence[Row], pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Column and repair -> rows that it has changed, of those that the night stores or refuses; see `count_states`."""
    rows = [row for row in state_counts if row[1] in ("fact", "refused")]
    return {pair: sum(row[FIXED + place] for row in rows) for place, pair in enumerate(pairs)}


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


def count_failed_checks(rows: DataFrame) -> dict[str, int]:
    """Reason -> rows that were refused for it."""
    refused = rows.where(F.col(facts.STATE) == "refused").select(F.explode(facts.REASONS).alias("reason"))
    return {row[0]: row[1] for row in refused.groupBy("reason").count().orderBy("reason").collect()}


def waiting_counts(counts: Mapping[str, int], entries: Sequence[Entry]) -> dict[str, int]:
    """Rows of new items by what becomes of them: those that wait are staged, and may not have been read any further."""
    waiting = sum(entry.waiting for entry in entries if entry.after is None)
    return {"not_yet_known": waiting, "read": counts["read"] - counts["not_yet_known"] + waiting}
