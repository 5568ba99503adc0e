"""What the page says of decisions: rows by tier, who abstains and why, how often sets of classes had the true one."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from nightjar.report import night as report
from nightjar.settings.serving.abstention import Abstention
from nightjar.settings.serving.serving import Serving
from nightjar.settings.tiers import Tier, TierKind
from nightjar.tables import arrow
from nightjar.tables.monitoring_definitions import PERFORMANCE
from nightjar.tables.score_definitions import scores_table
from report import nights
from report.page import Page

PROJECT = replace(
    nights.project(),
    tiers={"call": Tier(TierKind.TOP, at_most=2), "mail": Tier(TierKind.PROBABILITY, at_least=0.5)},
    serving=Serving(abstention=Abstention(out_of_range=True, error=0.1)),
)


def store(warehouse, rows, **figures):
    definition = scores_table(PROJECT, pa.schema([("flight", pa.string())]))
    about = {"prediction_time": datetime(2013, 10, 4, tzinfo=UTC), "role": "champion", "run_id": "s"}
    about |= {"model_version": nights.VERSION, "run_date": nights.NIGHT}
    scores = [
        about | {"prediction_id": f"p{number}", "flight": f"AA{number}", "score": 0.5, "tier": tier, "abstained": why}
        for number, (tier, why) in enumerate(rows)
    ]
    arrow.append(warehouse, definition, scores, "s")
    judged = {"evaluated_date": nights.NIGHT, "subject": "champion", "provisional": False, "run_date": nights.NIGHT}
    judged |= {"model_version": nights.VERSION, "run_id": "m"}
    arrow.append(warehouse, PERFORMANCE, [judged | one for one in figures.get("judged", [])], "m")
    return Page(Path(report.write(warehouse, PROJECT, nights.NIGHT)).read_text(encoding="utf-8"))


def figure(of, measure, value, **others):
    return {"slice": of, "measure": measure, "value": value, "low": None, "high": None, "rows": 40, **others}


def test_rows_by_tier_who_abstains_and_what_sets_had(tmp_path):
    rows = [("call", None), ("call", None), ("abstained", "out of range: load; conformal set: {}")]
    rows += [("abstained", "conformal set: {False, True}"), (None, None)]
    rolled = figure("class False", "rolling_coverage", 0.91, low=0.88, high=0.93)
    rare = figure("class True", "rolling_coverage", 0.6, low=0.5, high=0.7)
    page = store(nights.warehouse_in(tmp_path), rows, judged=[rolled, rare])
    assert [row[:1] + row[2:] for row in page.tables["Rows by tier"][1:]] == [
        ["call", "2", "40.0%"],
        ["mail", "0", "0.0%"],
        ["abstained", "2", "40.0%"],
        ["in no tier", "1", "20.0%"],
    ]
    assert page.tables["Rows by tier"][1][1] == "the 2 highest of a night"
    text = "40.0% of the rows abstain: nobody should act on 2 scores alone (conformal set: 2, out of range: 1)."
    assert text in page.text
    (caption,) = (name for name in page.tables if name.startswith("How often sets of classes had the true one"))
    _, usual, rare_row = page.tables[caption]
    assert usual[:2] == ["False", "40"]
    assert "91.0%" in usual[2]
    assert "less" not in usual[3]
    assert "▲ less" in rare_row[3]
    assert "no promise for a single night" in page.text


def test_where_nothing_is_known_of_sets_the_page_says_so(tmp_path):
    reason = "UNKNOWN: the model had too few rows of some class to calibrate sets on"
    figures = [figure("class True", "set_coverage", None, rows=0, reason=reason)]
    page = store(nights.warehouse_in(tmp_path), [("abstained", "conformal set: UNKNOWN")] * 2, judged=figures)
    assert "▲ All rows abstain: nobody should act on 2 scores alone (conformal set: 2)." in page.text
    assert "▲ Sets of classes are UNKNOWN: the model had too few rows of some class to calibrate sets on." in page.text


def test_without_tiers_there_is_no_such_section(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_scores(warehouse, [0.1, 0.2])
    page = Page(Path(report.write(warehouse, nights.project(), nights.NIGHT)).read_text(encoding="utf-8"))
    assert "What was decided" not in page.text
