"""Facts that are the same but for how their texts are written: the first is kept, the others are refused."""

import unicodedata
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType

from nightjar.settings.sources import Source
from nightjar.sources import deduplication, facts
from nightjar.sources.facts import REASONS, STATE
from nightjar.sources.gates.ground import Ground
from nightjar.sources.repairs import CHANGES, CHANGES_TYPE, NEAR_DUPLICATES
from nightjar.sources.storing import is_corrected, with_known_at

FIRST = "_first"
STORED = "_stored"
MOST_HASHES = 1_000_000
"""Hashes of a night's facts that every task gets."""


def refuse(ground: Ground, rows: DataFrame) -> DataFrame:
    """The rows with those facts refused that are near-duplicates of another one, see `Source.near_duplicates`.

    They are not merged: which of two texts is right, and whether two facts are one at all, people can see in
    `quarantine`, and a source that holds too many stops its night by `refuse_above`. A row that a person has corrected
    is one of its own.

    Args:
        ground: whose rows they are.
        rows: what is new in the night, with the hashes of refused rows.
    """
    source = ground.place.source
    names = ", ".join(source.near_duplicates)
    others = _near_duplicates(ground, rows)
    renamed = others.select(*(F.col(name).alias(f"_of_{name}") for name in source.key), FIRST)
    same = reduce(Column.__and__, (F.col(name) == F.col(f"_of_{name}") for name in source.key))
    may_be_refused = (F.col(STATE) == "fact") & ~is_corrected()
    joined = rows.join(renamed, same & may_be_refused, "left").drop(*renamed.columns[:-1])
    change = F.struct(
        F.lit(names).alias("column"),
        F.array(F.lit(NEAR_DUPLICATES)).alias("repairs"),
        facts.as_json(source.key).alias("before"),
        F.col(FIRST).alias("after"),
    )
    no_changes = F.array().cast(CHANGES_TYPE)
    before = F.coalesce(CHANGES, no_changes) if CHANGES in rows.columns else no_changes
    unchanged = F.col(CHANGES) if CHANGES in rows.columns else F.lit(None).cast(CHANGES_TYPE)
    is_refused = F.col(FIRST).isNotNull()
    reason = F.array(F.lit(f"near-duplicate of another fact by {names}"))
    marks = {
        STATE: F.when(is_refused, "refused").otherwise(F.col(STATE)),
        REASONS: F.when(is_refused, reason).otherwise(F.col(REASONS)),
        CHANGES: F.when(is_refused, F.concat(before, F.array(change))).otherwise(unchanged),
        deduplication.HASH: F.when(is_refused, F.sha2(facts.row_as_json(), 256)).otherwise(F.col(deduplication.HASH)),
    }
    return joined.withColumns(marks).drop(FIRST)


def _near_duplicates(ground: Ground, rows: DataFrame) -> DataFrame:
    """The keys of the facts of the night that are refused, each with the key of the fact kept, as JSON."""
    key = ground.place.source.key
    alive = _facts(ground, rows).withColumn("_form", _form(ground.place.source.near_duplicates))
    first = F.min(F.struct(~F.col(STORED), "_since", F.struct(*key).alias("key")))
    compared = alive.where(F.col("_form").isNotNull()).withColumn("_group", first.over(Window.partitionBy("_form")))
    others = compared.where(~F.col(STORED) & (F.struct(*key) != F.col("_group.key")))
    return others.select(*key, F.to_json("_group.key", facts.KEEP_NULLS).alias(FIRST))


def _facts(ground: Ground, rows: DataFrame) -> DataFrame:
    """The facts that there are with the night: their texts, whether they are stored and since when they are known."""
    source = ground.place.source
    deleted = [source.deleted] if source.deleted else []
    columns = list(dict.fromkeys([*source.key, *source.sequence, *deleted, *source.near_duplicates]))
    new = rows.where(F.col(STATE) == "fact")
    of_night = with_known_at(new, source, ground.place.night, has_late=ground.may_have_late)
    versions = of_night.select(*columns, "known_at", F.lit(False).alias(STORED))
    stored = ground.stored(ground.table)
    if stored is not None:
        whole = facts.with_absent(stored, columns, versions)
        stored = whole.select(*columns, "known_at", F.lit(True).alias(STORED))
        versions = versions.unionByName(_comparable(stored, new, source))
    texts = [name for name in source.near_duplicates if name not in source.key]
    of_last = F.struct(*texts, *(F.col(name).alias("_deleted") for name in deleted), F.lit(0))
    last = F.max_by(of_last, F.struct("known_at", *source.sequence)).alias("_last")
    by_key = versions.groupBy(*source.key).agg(last, F.max(STORED).alias(STORED), F.min("known_at").alias("_since"))
    alive = by_key.where(~F.coalesce("_last._deleted", F.lit(False))) if deleted else by_key
    return alive.select(*source.key, STORED, "_since", *(f"_last.{name}" for name in texts))


def _comparable(stored: DataFrame, new: DataFrame, source: Source) -> DataFrame:
    """The versions of those stored facts that are, or once were, written like a new one, or are of its key.

    Others may be among them, by chance: where a hash is the same. That changes nothing.

    Args:
        stored: all versions, with the source's key and texts.
        new: facts.
        source: its settings.
    """
    form, key = _form(source.near_duplicates), F.xxhash64(*source.key)
    hash_of_form = F.when(form.isNotNull(), F.xxhash64(form))
    alike = _with_hashes(stored, hash_of_form, new.select(hash_of_form))
    return _with_hashes(stored, key, alike.select(key).union(new.select(key)))


def _with_hashes(rows: DataFrame, hashed: Column, hashes: DataFrame) -> DataFrame:
    """The rows of some hashes, which every task gets, so that no row is shuffled; all rows where these are too many."""
    few = hashes.distinct().limit(MOST_HASHES + 1).toArrow()
    if len(few) > MOST_HASHES:
        return rows
    local = rows.sparkSession.createDataFrame(few.rename_columns(["_wanted"]))
    return (
        rows.withColumn("_hashed", hashed)
        .join(F.broadcast(local), F.col("_hashed") == F.col("_wanted"), "left_semi")
        .drop("_hashed")
    )


def _form(columns: Sequence[str]) -> Column:
    """The normal forms of columns, a line each, which no form breaks; null where one has none."""
    form = F.udf(normal_form, StringType(), useArrow=True)
    forms = [form(F.col(name).cast("string")) for name in columns]
    return F.concat(*(part for one in forms for part in (one, F.lit("\n"))))


def normal_form(text: str | None) -> str | None:
    """A text without what near-duplicates may differ in; None where nothing remains.

    That is compatible letters (NFKC of Unicode), case, punctuation, and white space but for one blank between words.

    Examples:
        >>> normal_form("J. Smith &  Sons "), normal_form("\uff2a SMITH \u2013 Sons")
        ('j smith sons', 'j smith sons')
    """
    letters = unicodedata.normalize("NFKC", text or "").casefold()
    return " ".join(letters.translate(_WITHOUT_PUNCTUATION).split()) or None


class _Translation(dict[int, int | None]):
    """What becomes of letters: each is looked up once."""

    def __missing__(self, letter: int) -> int | None:
        self[letter] = None if unicodedata.category(chr(letter)).startswith("P") else letter
        return self[letter]


_WITHOUT_PUNCTUATION = _Translation()
