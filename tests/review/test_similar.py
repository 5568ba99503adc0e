"""Past cases like one: compared with a loop over rows and columns that is obviously right."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from nightjar.review.similar import PastCases, most_similar, read_columns, read_past_cases
from nightjar.tables import arrow
from review import loans

NUMBERS = st.none() | st.floats(-5, 5) | st.just(float("nan"))
ROWS = st.lists(st.tuples(NUMBERS, st.none() | st.sampled_from("ab"), st.none() | st.booleans()), min_size=1)


def gap(values, one, own):
    """Gower's distance of two values of a column."""
    if not any(isinstance(value, float) for value in values) and not isinstance(own, float):
        return float(one != own)
    absent = [value is None or math.isnan(value) for value in (one, own)]
    if any(absent):
        return float(not all(absent))
    finite = [value for value in values if value is not None and not math.isnan(value)]
    low, high = np.quantile(finite, [0.05, 0.95])
    return min(abs(one - own) / (high - low), 1.0) if high > low else float(one != own)


@given(rows=ROWS, own=st.tuples(NUMBERS, st.none() | st.sampled_from("abc"), st.none() | st.booleans()))
def test_the_nearest_rows_are_those_of_the_least_mean_distance(rows, own):
    numbers, texts, flags = zip(*rows, strict=True)
    table = pa.table(
        {
            "prediction_id": [str(at) for at in range(len(rows))],
            "x": pa.array(numbers, pa.float64()),
            "text": pa.array(texts, pa.string()),
            "flag": pa.array(flags, pa.bool_()),
        }
    )
    own_x = float("nan") if own[0] is None else own[0]
    expected = [
        np.mean([gap(numbers, row[0], own_x), float(row[1] != own[1]), float(row[2] != own[2])]) for row in rows
    ]
    case = {"prediction_id": "0", "x": own[0], "text": own[1], "flag": own[2]}
    found = most_similar(PastCases(table, ["x", "text", "flag"]), case, 3)
    of_found = [expected[int(one.row["prediction_id"])] for one in found]
    assert np.allclose(of_found, sorted(expected[1:])[:3])
    for one in found:
        row = rows[int(one.row["prediction_id"])]
        differs = {"x": gap(numbers, row[0], own_x) > 0, "text": row[1] != own[1], "flag": row[2] != own[2]}
        assert set(one.differing) == {name for name, does in differs.items() if does}


def test_past_cases_have_outcomes_that_were_known_by_the_night_and_the_scores_that_were_served(warehouse):
    project = loans.project()
    loans.store(warehouse, project, cases=5, past=30)
    past = read_past_cases(warehouse, project, loans.NIGHT)
    assert len(past.rows) == 30
    rows = past.rows.to_pylist()
    assert {row["label"] for row in rows} == {True, False}
    scores = {row["prediction_id"]: row["score"] for row in arrow.read(warehouse, "scores").to_pylist()}
    assert all(scores[row["prediction_id"]] == row["score"] for row in rows)
    # Their outcomes were known on the first of March, a minute into it in Paris on the night of the second.
    assert len(read_past_cases(warehouse, project, loans.NIGHT - timedelta(days=40)).rows) == 0
    none = loans.project(replace(loans.REVIEW, shown=[], similar=[]))
    assert len(read_past_cases(warehouse, none, loans.NIGHT).rows) == 0
    assert most_similar(read_past_cases(warehouse, none, loans.NIGHT), {"prediction_id": "x"}) == []


def test_the_columns_of_a_case_are_those_of_its_own_row(warehouse):
    project = loans.project()
    loans.store(warehouse, project, cases=5, past=0)
    (row,) = (one for one in arrow.read(warehouse, "features").to_pylist() if one["applicant"] == "a00003")
    columns = read_columns(warehouse, project, row, ["amount", "age", "amount"])
    assert columns == {"amount": row["amount"], "age": row["age"]}
    assert read_columns(warehouse, project, row | {"applicant": "nobody"}, ["amount"]) == {}
