"""The spine's keys in the types of the facts, and the buckets of rows by their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from nightjar.asof.keys import lossless
from nightjar.asof.values import Ints, column_of, plain
from nightjar.joins.planner import JoinPlan
from nightjar.tables.hashing import buckets_of


@dataclass(frozen=True)
class Key:
    """The type that a key has in the facts, and a text for errors."""

    kind: pa.DataType
    where: str


def keys_of(plan: JoinPlan, in_order: Sequence[str]) -> dict[str, Key]:
    """Spine column -> its key in the facts, in the order of these fact columns."""
    spine_column = {fact: spine for spine, fact in plan.facts.keys.items()}
    keys = {}
    for fact in in_order:
        spine = spine_column[fact]
        where = f"facts {plan.facts.name!r}, column {fact!r}: spine key {spine!r}"
        keys[spine] = Key(plan.files.schema.field(fact).type, where)
    return keys


def bucket_of(rows: pa.Table, keys: Mapping[str, Key], buckets: int) -> Ints:
    """The bucket of each row of the spine.

    Raises:
        JoinError: a key cannot be represented exactly in the facts' type.
    """
    columns = [lossless(plain(column_of(rows, name)), key.kind, key.where) for name, key in keys.items()]
    return buckets_of(columns, buckets)
