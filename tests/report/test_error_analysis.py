"""Where the champion fails, as the page says it."""

import json

import pytest

from nightjar.report import night as report
from nightjar.report.error_analysis import read_error_analysis
from nightjar.report.reading import open_tables
from report import nights
from report.page import Page


def entry(text, difference, *, name=None, reason=None, **others):
    low, high = (None, None) if reason else (difference - 0.1, difference + 0.1)
    stated = {"estimate": difference, "low": low, "high": high, "rows": 400, "reason": reason}
    result = {"text": text, "conditions": [], "name": name, "rows": 400, "share": 0.04, "error": 0.5 + difference}
    result |= {"error_of_rest": 0.5, "baseline_error": 0.69, **stated, "is_declared": name is not None}
    return result | {"is_confirmed": not reason and difference > 0.1, "calibration": None} | others


ANALYSIS = {
    "metric": "log_loss",
    "slices": [
        entry("origin is EWR", 0.02, name="newark", calibration={"estimate": 0.03, "low": 0.0, "high": 0.06}),
        entry(
            "origin is LGA", -0.03, name="origin is LGA", reason="too few rows: it has 9, and at least 100 are needed"
        ),
        entry("origin is JFK and hour >= 17", 0.3),
    ],
    "slices_searched": {
        "loss": "log_loss",
        "baseline": "rates",
        "rows": 60_000,
        "columns": 12,
        "least_rows": 600,
        "candidates": 3,
        "confirmed": 1,
        "confidence": 0.99,
    },
    "by_night": [
        {"night": f"2013-09-{day:02}", "rows": 900, "error": 0.5 + day / 100, "baseline_error": 0.7, "residual": 0.01}
        for day in range(2, 30)
    ],
    "learning_curve": [
        {"days": days, "rows": 900 * days, "night": "2013-08-01", "estimate": value, "low": low, "high": high}
        | {"reason": None}
        for days, value, low, high in ((8, 0.56, 0.5, 0.62), (15, 0.53, 0.48, 0.58), (60, 0.5, 0.46, 0.55))
    ],
}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    warehouse = nights.warehouse_in(tmp_path_factory.mktemp("failures"))
    nights.store_promotion(warehouse, json.dumps(nights.EVIDENCE | ANALYSIS))
    return Page(report.render(open_tables(warehouse, nights.NIGHT), nights.project()))


def test_slices_are_shown_the_most_certainly_worse_first_beside_the_baseline(page):
    (table,) = (rows for caption, rows in page.tables.items() if caption.startswith("Parts of the rows"))
    head, *slices = table
    assert head[:5] == ["Where", "Rows", "Log loss", "Elsewhere", "More than elsewhere"]
    assert [one[0] for one in slices] == [
        "origin is JFK and hour >= 17 ▲ worse",
        "newark: origin is EWR",
        "origin is LGA",
    ]
    assert slices[0][1:5] == ["400 4.0%", "0.800", "0.500", "0.300 0.200 to 0.400"]
    assert slices[0][6] == "0.690"
    assert slices[1][-1] == "0.030 0.000 to 0.060"
    assert slices[2][4].startswith("-0.030")
    reasons = [attributes.get("title") for tag, attributes in page.tags if tag == "span" and attributes.get("title")]
    assert "too few rows: it has 9, and at least 100 are needed" in reasons


def test_the_page_says_how_slices_were_searched_for_and_draws_errors_and_training_days(page):
    assert (
        "Among all parts of at least 600 rows with up to three conditions on 12 columns, 3 parts looked worse on "
        "60,000 rows of the folds; the final period, which had no part in that, confirms 1."
    ) in page.text
    sampled = read_error_analysis(ANALYSIS | {"slices_searched": ANALYSIS["slices_searched"] | {"of_rows": 3_000_000}})
    assert "worse on a sample of 60,000 rows of the 3,000,000 of the folds;" in sampled.search_in_words()
    for title in ("Log loss by night of the final period", "Outcome minus score by night", "Learning curve"):
        assert title in page.text


def test_an_evidence_of_before_has_no_analysis_and_few_rows_say_so():
    assert read_error_analysis({"metric": "log_loss"}) is None
    reason = "too few rows: 30 were scored out of fold, and at least 200 are needed"
    searched = ANALYSIS["slices_searched"] | {"reason": reason}
    few = read_error_analysis(ANALYSIS | {"slices": [], "slices_searched": searched})
    assert few.search_in_words() == f"Nothing was found: {reason}."
    ranking = read_error_analysis({"slices_searched": {"reason": "rows of a ranking have no loss of their own"}})
    assert (ranking.slices, ranking.loss) == ([], "")
