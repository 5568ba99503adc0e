"""A tier of so many rows a night has exactly these, however the night is dealt to tasks, roles and reruns."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.registry.tiers import TierThreshold
from nightjar.scoring.capacity import finish, hold_back, places_of
from nightjar.tables.sink import Unfinished
from oracles import capacity as oracle

REJECT, REVIEW, LOOK = (
    TierThreshold("reject", 0.8),
    TierThreshold("review", 0.5, at_most=3),
    TierThreshold("look", 0.3, at_most=2),
)
TIERS = (REJECT, REVIEW, TierThreshold("mail", 0.2), LOOK)
SCHEMA = pa.schema(
    {
        "prediction_id": pa.string(),
        "raw_score": pa.float64(),
        "tier": pa.string(),
        "abstained": pa.string(),
        "assignment": pa.string(),
    }
)


def rows_of(raw, tier=None, **columns):
    size = len(raw)
    tiers = tier or [None] * size
    all_columns = {"abstained": [None] * size, "assignment": ["score"] * size} | columns
    return pa.table(
        {"prediction_id": [f"p{one}" for one in range(size)], "raw_score": raw, "tier": tiers, **all_columns},
        schema=pa.schema([*SCHEMA, *(pa.field(name, pa.bool_()) for name in columns if name == "served")]),
    )


def night(shares, tiers=TIERS, claimed=None):
    """What is stored of a night: prediction_id -> tier, of each task's tables and what the driver makes of the rest."""
    stored, unfinished = [], []
    for tables in shares:
        for part in hold_back(tables, tiers):
            (unfinished if isinstance(part, Unfinished) else stored).append(getattr(part, "rows", part))
    if unfinished:
        stored.append(finish(unfinished, tiers, claimed))
    rows = pa.concat_tables(
        [
            SCHEMA.empty_table().select(["prediction_id", "tier"]),
            *(one.select(["prediction_id", "tier"]) for one in stored),
        ]
    )
    return dict(zip(rows["prediction_id"].to_pylist(), rows["tier"].to_pylist(), strict=True))


some_rows = st.lists(
    st.tuples(
        st.sampled_from([0.1, 0.4, 0.4000001, 0.9]),
        st.sampled_from([None, "reject", "mail"]),
        st.sampled_from([None, None, None, "unsure"]),
        st.sampled_from(["score", "score", "score", "control"]),
    ),
    max_size=24,
)


@given(some_rows, st.integers(1, 4), st.integers(1, 5))
def test_tasks_and_driver_choose_whom_one_ranking_of_the_whole_night_would(drawn, tasks, rows_at_once):
    rows = pa.Table.from_pylist(
        [
            {"prediction_id": f"p{number}", "raw_score": raw, "tier": tier, "abstained": why, "assignment": drawn_as}
            for number, (raw, tier, why, drawn_as) in enumerate(drawn)
        ],
        schema=SCHEMA,
    )
    parts = [rows.slice(start, rows_at_once) for start in range(0, len(rows), rows_at_once)] or [rows]
    stored = night([parts[one::tasks] for one in range(tasks)])
    assert stored == oracle.tiers(rows.to_pylist(), [(tier.tier, tier.at_most) for tier in TIERS])


def test_equal_rows_are_told_apart_by_a_hash_and_the_rest_is_in_the_tier_after_it():
    stored = night([[rows_of([0.4] * 8, ["mail"] * 8)]])
    assert sorted(map(str, stored.values())) == ["mail"] * 5 + ["review"] * 3
    assert night([[rows_of([0.4] * 8, ["mail"] * 8)]]) == stored
    without = (TierThreshold("all", 0.1),)
    assert night([[rows_of([0.4, 0.1], ["all", None])]], without) == {"p0": "all", "p1": None}


def test_rows_that_abstain_or_are_drawn_take_no_place():
    why, drawn = [None, "unsure", None, None, None], ["score", "score", "exploration", "score", "score"]
    stored = night([[rows_of([0.9, 0.8, 0.7, 0.6, 0.5], abstained=why, assignment=drawn)]], (REVIEW,))
    assert sorted(name for name, tier in stored.items() if tier == "review") == ["p0", "p3", "p4"]


@pytest.mark.parametrize("stay_served", [5, 2, 1])
def test_a_canary_gets_the_places_that_rows_which_stay_served_have_not_claimed(stay_served):
    """The champion has given its three places to the first rows; those of the others are free again."""
    champion = pa.table({"tier": ["review"] * 3 + [None] * 2}).slice(0, stay_served)
    claimed = places_of(champion, TIERS)
    assert claimed == {"review": min(stay_served, 3), "look": 0}
    served = [False, True, True, True, True, True]
    stored = night([[rows_of([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], served=served)]], (REVIEW,), claimed)
    others = [tier for name, tier in sorted(stored.items()) if name != "p0"]
    assert others == ["review"] * (3 - claimed["review"]) + [None] * (5 - 3 + claimed["review"])
    assert stored["p0"] == "review"  # not served: what it would have been
