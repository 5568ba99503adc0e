"""What is carried into a later slice of time answers there as all earlier facts would."""

from datetime import timedelta
from random import Random

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from nightjar.asof import Facts, Latest, join
from nightjar.asof.carry import rows_to_carry

INSTANT = pa.timestamp("us", tz="UTC")
NAMES = ["k", "id", "event", "known", "deleted", "x"]
FEATURES = (
    Latest("x"),
    Latest("x", skip_nulls=True, name="filled"),
    Latest("x", timedelta(microseconds=9), name="new"),
)


def source(rows, *, has_known_at=True):
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in NAMES]
    kinds = [pa.int64(), pa.int64(), INSTANT, INSTANT, pa.bool_(), pa.float64()]
    table = pa.table([pa.array(c, t) for c, t in zip(columns, kinds, strict=True)], NAMES)
    return Facts(
        "f", table, ["k"], "event", "known" if has_known_at else None, ["id"], "deleted", local_versions=True,
        features=FEATURES,
    )  # fmt: skip


def versions(random):
    """Facts that are known late, corrected, and moved to another key or time, each move with its deletion."""
    rows = []
    for number in range(random.randrange(1, 30)):
        k, event = random.randrange(3), random.randrange(20)
        known_at = event + random.choice([0, 0, 0, 1, 8, 25])
        rows.append((k, number, event, known_at, False, random.choice([None, 1.0, 2.5])))
        for _ in range(random.choice([0, 0, 1, 2])):
            known_at += random.randrange(1, 12)
            new = (random.randrange(3), random.randrange(20)) if random.random() < 0.5 else (k, event)
            if new != (k, event):
                rows.append((k, number, event, known_at, True, None))
            k, event = new
            rows.append((k, number, event, known_at, False, random.choice([None, 7.0])))
    random.shuffle(rows)
    return rows


@pytest.mark.parametrize("seed", range(150))
def test_carried_facts_answer_as_all_earlier_ones_would(seed):
    random = Random(seed)  # noqa: S311  (data, not secrets)
    rows, end = versions(random), random.randrange(22)
    everything = source(rows)
    early = source([row for row in rows if row[2] < end])
    carried_rows = early.table.take(rows_to_carry(early, pa.scalar(end, INSTANT)))
    late = everything.table.filter(pc.greater_equal(everything.table["event"], pa.scalar(end, INSTANT)))
    after = Facts(**{**vars(everything), "table": pa.concat_tables([carried_rows, late])})
    at = pa.array([end + random.randrange(40) for _ in range(40)], INSTANT)
    spine = pa.table({"k": [random.randrange(4) for _ in range(40)], "prediction_time": at})
    assert join(spine, [after]).equals(join(spine, [everything]))


def test_of_facts_that_are_known_at_once_one_for_each_key_is_carried():
    rows = [(k, 10 * k + n, n, n, False, float(n)) for k in range(3) for n in range(10)]
    facts = source(rows)
    carried_rows = facts.table.take(rows_to_carry(facts, pa.scalar(10, INSTANT)))
    assert sorted(carried_rows["id"].to_pylist()) == [9, 19, 29]
