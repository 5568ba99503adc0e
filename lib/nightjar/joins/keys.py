"""The spine's keys as the facts have them, and the buckets of rows by their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from nightjar.asof.keys import lossless
from nightjar.asof.values import Ints, column_of, plain
from nightjar.joins.planner import Planned
from nightjar.tables.hashing import buckets_of


@dataclass(frozen=True)
class Key:
    """The type that a key has in the facts, and a text for errors."""

    kind: pa.DataType
    where: str


def keys_of(planned: Planned, in_order: Sequence[str]) -> dict[str, Key]:
    """Spine column -> its fact column's type, in the order of these fact columns."""
    spine_column = {fact: spine for spine, fact in planned.facts.keys.items()}
    found = {}
    for fact in in_order:
        spine = spine_column[fact]
        where = f"facts {planned.facts.name!r}, column {fact!r}: spine key {spine!r}"
        found[spine] = Key(planned.files.schema.field(fact).type, where)
    return found


def bucket_of(rows: pa.Table, keys: Mapping[str, Key], buckets: int) -> Ints:
    """The bucket of each row of the spine.

    Raises:
        JoinError: a key that the facts' type does not hold exactly.
    """
    columns = [lossless(plain(column_of(rows, name)), key.kind, key.where) for name, key in keys.items()]
    return buckets_of(columns, buckets)
