"""The tier of each row, by thresholds for all rows or by group."""

import json
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest

from nightjar.registry.tiers import GroupThreshold, TierThreshold, read_tier, tier_of_evidence, tiers_of

GROUPS = (GroupThreshold(("F", "1"), 0.4), GroupThreshold((None, "1"), 0.9))
ACT = TierThreshold("act", 0.6, ("sex", "age"), GROUPS, 0.7)
REVIEW = TierThreshold("review", 0.3)
ROWS = pa.table({"sex": ["F", None, "F", "None", "M", "M"], "age": [1, 1, 2, 1, 1, 1]})


def test_a_row_is_in_the_first_tier_that_it_reaches_by_the_threshold_of_its_group():
    assert ACT.of_rows(ROWS).tolist() == [0.4, 0.9, 0.7, 0.7, 0.7, 0.7]
    scores = np.array([0.4, 0.85, 0.65, 0.7, 0.2, 0.3])
    assert tiers_of(scores, ROWS, [ACT, REVIEW]).to_pylist() == ["act", "review", "review", "act", None, "review"]
    assert tiers_of(scores, ROWS, []).to_pylist() == [None] * 6
    assert tiers_of(np.array([]), ROWS.slice(0, 0), [ACT, REVIEW]).to_pylist() == []


def test_tiers_are_read_as_they_are_stored_and_those_of_before():
    assert read_tier(json.loads(json.dumps(asdict(ACT)))) == ACT
    assert read_tier({"tier": "act", "threshold": 0.5}) == TierThreshold("act", 0.5)
    by_group = {name: asdict(ACT)[name] for name in ("columns", "groups", "unseen")}
    assert tier_of_evidence({"tier": "act", "value": 0.6, "by_group": by_group}) == ACT
    assert tier_of_evidence({"value": 0.5}) == TierThreshold("act", 0.5)
    with pytest.raises(ValueError, match="have thresholds"):
        read_tier({"tier": "act", "threshold": 0.5, "columns": ["sex"], "groups": [], "unseen": None})
