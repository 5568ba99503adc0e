import base64
import hashlib
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from masking.test_evidence import DISTRICT, EVIDENCE, HIDDEN
from nightjar.errors import TableError
from nightjar.evaluation.histograms import Bins
from nightjar.masking.values import Masking
from nightjar.report import night as report
from nightjar.report.performance import read_figures, read_performance
from nightjar.report.reading import open_tables
from nightjar.settings.datasheet import Datasheet
from nightjar.settings.spine import Weekday
from nightjar.tables import arrow
from nightjar.tables.serving_definitions import EXPERIMENTS
from report import nights
from report.page import Page


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A warehouse with one full night, and its page."""
    warehouse = nights.warehouse_in(tmp_path_factory.mktemp("full"))
    nights.full_night(warehouse)
    return warehouse, Page(written(warehouse))


def written(warehouse, project=None, night=nights.NIGHT) -> str:
    return Path(report.write(warehouse, project or nights.project(), night)).read_text(encoding="utf-8")


def stored(warehouse, table, **equal):
    rows = arrow.read(warehouse, table).to_pylist()
    return [row for row in rows if all(row[name] == value for name, value in equal.items())]


def test_the_page_lies_in_the_reports_folder_and_nothing_else_is_left_there(full):
    warehouse, _ = full
    path = Path(report.write(warehouse, nights.project(), nights.NIGHT))

    assert path == Path(warehouse.root) / "flights" / "reports" / "night-2013-10-03.html"
    assert sorted(path.parent.iterdir()) == [path.parent / "index.html", path, path.with_suffix(".json")]
    assert path.stat().st_size < 300_000


def test_the_same_tables_give_the_same_page(full):
    warehouse, _ = full
    assert written(warehouse) == written(warehouse)


def test_what_people_decided_is_on_the_page_and_why_there_is_no_figure(full):
    _, page = full
    figures = {row["What"]: (row["Figure"], row["Of"]) for row in page.table("Everybody's decisions")}
    assert figures["decided, of the cases"] == ("75.0%", "240")
    assert figures["alike, of the cases that two people decided"] == ("–", "0")
    second, first = page.table("By reviewer")
    assert first == {"Reviewer": "ada", "Decisions": "150", "Override a proposal": "12.0%"}
    assert second["Override a proposal"] == "–"
    assert ("span", "none: too <few>") in {(tag, of.get("aria-label")) for tag, of in page.tags}


def test_an_address_is_written_like_a_folder(tmp_path):
    warehouse = nights.warehouse_in(f"file://{tmp_path}")
    nights.store_scores(warehouse, [0.25])

    address = report.write(warehouse, nights.project(), nights.NIGHT)

    assert address == f"file://{tmp_path}/flights/reports/night-2013-10-03.html"
    assert (
        Page((tmp_path / "flights/reports/night-2013-10-03.html").read_text()).facts[0]
        == "1 (look here) score made by version 3"
    )


def test_the_page_needs_nothing_from_outside(full):
    warehouse, page = full
    html = written(warehouse)
    policy = next(attributes["content"] for tag, attributes in page.tags if "http-equiv" in attributes)

    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"; script-src 'sha256-{digest}'; " in policy
    assert not {"img", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert all("style" not in attributes for _, attributes in page.tags)  # the policy would drop them
    assert not re.search(r"https?://|url\(|@import", html)
    addresses = {attributes["href"] for _, attributes in page.tags if "href" in attributes}
    beside = {one for one in addresses if not one.startswith("#")}
    assert beside == {"index.html", "night-2013-10-03.json"}


def test_the_head_states_the_facts_of_the_tables(full):
    warehouse, page = full
    psi = [row["value"] for row in stored(warehouse, "drift", measure="psi")]
    scores = [row["score"] for row in stored(warehouse, "scores", role="champion")]
    much = sum(value >= 0.2 for value in psi)
    latest = stored(warehouse, "performance", measure="roc_auc", evaluated_date=date(2013, 10, 2))[0]["value"]

    assert "Champion: version 3 (boosting-1), since run date 2013-09-30" in page.text
    assert page.facts == [
        "nightly (look here) ended as failed TableError: drift could not be written: the disk is full.",
        f"{len(scores)} scores mean {sum(scores) / len(scores):.3f}",
        f"{latest:.3f} ROC AUC of 2013-10-02 provisional, promised 0.683",
        f"{much} columns with PSI ≥ 0.2 of {len(psi)}; not judged: no null is stored",
        "3 (look here) refused rows for 2 reasons",
        "3 of 4 (look here) recorded steps done not done: nightly",
    ]
    assert "3 source rows were refused." in page.text
    assert f"Least {min(scores):.3f}" in page.text
    assert f"Greatest {max(scores):.3f}" in page.text


def test_every_column_stands_in_the_drift_tables_by_psi(full):
    warehouse, page = full
    values = {(row["subject"], row["measure"]): row["value"] for row in stored(warehouse, "drift")}
    ranked = sorted((name for name, measure in values if measure == "psi"), key=lambda name: -values[name, "psi"])
    shown = page.table("Columns by PSI")
    others = page.table("The other columns")

    assert len(shown) == 15
    assert [row["Column"] for row in shown + others] == ranked
    assert [row["PSI"] for row in shown] == [f"{values[name, 'psi']:.3f}" for name in ranked[:15]]
    age = next(row for row in shown + others if row["Column"] == "aircraft_age")
    assert age["Nulls"].startswith(f"{values['aircraft_age', 'null_share']:.1%} training 1")


def test_the_judged_dates_stand_beside_the_promise(full):
    warehouse, page = full
    judged = page.table("Served predictions by date")
    promised = {
        row["Measure"]: row for row in page.table("What version 3 promised, measured on 2013-09-02 to 2013-09-29")
    }
    values = {row["evaluated_date"]: row["value"] for row in stored(warehouse, "performance", measure="roc_auc")}

    assert {row["Date"]: row["ROC AUC"] for row in judged} == {str(day): f"{auc:.3f}" for day, auc in values.items()}
    assert [row["State"] for row in judged] == ["○ provisional"] * 2 + ["● final"] * 4
    assert judged[0]["Outcomes known"] == "96.2%"
    assert promised["ROC AUC"]["boosting-1"] == "0.683 0.661 to 0.704"
    assert promised["ROC AUC"]["hour_of_day baseline"] == "0.612 0.594 to 0.629"
    assert promised["Log loss"]["majority baseline"] == "–"
    assert "95% intervals over 1,500 entities and 28 nights." in page.text
    assert "this period only" not in page.text


def test_a_champion_that_expires_soon_is_marked(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_promotion(warehouse, json.dumps(nights.EVIDENCE | {"expires_on": "2013-10-10"}))
    assert "since run date 2013-09-30. ▲ It expires on 2013-10-10, in 7 days." in Page(written(warehouse)).text


def test_the_newest_decision_shows_what_each_gate_said(full):
    _, page = full
    rows = {row["Gate"]: row for row in page.table("Gates of version 4")}
    assert list(rows) == [
        *("baselines passed", "period passed", "slices ▲ refused", "calibration ▲ a person decides"),
        *("speed passed", "lineage passed"),
    ]
    slices, speed = rows["slices ▲ refused"], rows["speed passed"]
    assert (slices["Figure"], slices["Limit"], slices["Rows"]) == ("-0.0512", "-0.02", "9,120")
    assert slices["Why"].startswith("origin=JFK against champion version 3")
    assert (speed["Figure"], speed["Limit"], speed["Rows"]) == ("181,200", "20,000", "–")
    assert "Version 4 (lightgbm-1) was refused as of 2013-10-02" in page.text


def test_tiers_say_what_they_reach_and_what_other_settings_would(full):
    _, page = full
    act, review = page.table("What the tiers reach")

    assert act == {
        "Tier": "act",
        "Setting": "at most 50 a night",
        "Threshold": "0.710 0.680 to 0.710",
        "Recall": "31.0% 27.0% to 36.0%",
        "Precision": "64.0% 60.0% to 68.0%",
        "Precision minus predicted": "+5.0 points +1.0 to +9.0",
        "Rows a night": "31.4 27.1 to 36.3",
        "Cost of a row": "0.900 0.800 to 1.100",
    }
    assert (review["Setting"], review["Precision"]) == ("precision at least 0.5 ▲ not met", "–")
    assert "▲ review: no threshold reaches a precision of 0.5: 0.44 is the nearest." in page.text
    assert "act had more rows than its capacity in 2 of 28 nights of the final period." in page.text
    assert [row["Threshold"] for row in page.table("act: what other settings")] == ["0.740", "0.690"]
    assert "Thresholds by tier: act from 0.710; review from 0.420" in page.text


def test_groups_are_shown_beside_all_others_with_what_is_shown_to_differ_and_what_is_too_few(full):
    _, page = full
    _, _, three = page.table("By sex: ")
    assert (three["Group"], three["Rows"], three["Acted on"], three["Recall"]) == (
        "X",
        "3",
        "0.0% too few rows",
        "– too few rows",
    )
    by_both = {row["Group"]: row for row in page.table("By sex and age_band")}
    harmed = by_both["F, 65 and older"]
    assert harmed["Acted on"].startswith("19.7% -22 points (-27 to -17)")
    assert harmed["Times as often acted on"] == "0.47 0.38 to 0.59"
    assert (
        "▲ sex=F, age_band=65 and older: acted on 0.47 times as often as the rest (0.38 to 0.59): below four"
        in page.text
    )
    assert (
        "Acted on by sex and age_band, each group minus all others; farthest apart: F, 65 and older, -22 points"
        in page.text
    )


def test_what_a_mitigation_changes_stands_beside_its_price(full):
    _, page = full
    first, second, third = page.table("Mitigation, with 95% intervals")
    assert first == {
        "Kind": "thresholds in use",
        "Goal": "demographic parity by sex",
        "Without it, from the rest": "F -13 points (-15 to -11) M +13 points (+11 to +15) X too few rows",
        "With it": "F -0.4 points (-2.4 to +1.6) M +0.4 points (-1.6 to +2.4) X too few rows",
        "Price": "Recall -0.0120 (-0.0200 to -0.0040) Precision -0.0213 (-0.0300 to -0.0120)",
    }
    assert second["Price"].startswith("ROC AUC -0.0040 (-0.0060 to -0.0020)")
    assert third["Goal"].endswith("cannot be compared: neighbours takes no weights")


def test_a_promise_of_one_period_only_says_so(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    clusters = {"entities": 665, "blocks": 1, "block_days": 30}
    nights.store_promotion(warehouse, json.dumps(nights.EVIDENCE | {"clusters": clusters}))

    text = Page(written(warehouse)).text

    assert "95% intervals over 665 entities, in this period only (1 block of 30 days). this period only" in text


def test_refused_rows_checks_and_steps_stand_as_recorded(full):
    _, page = full
    reasons = {row["Reason"]: row for row in page.table("3 refused rows")}
    checks = {(row["Source"], row["Check"]): row for row in page.table("What each check")}
    steps = {row["Job"]: row for row in page.table("The latest finished run")}

    assert reasons["departure_delay 1301 is above its maximum of 1300"]["Rows"] == "3"
    assert "Of this night and those before, 2 refused rows are open, neither corrected nor dismissed" in page.text
    assert '"departure_delay": 1301' in reasons["tailnum is missing"]["One of them"]
    assert checks["landings", "refused"] | {"Share": "0.3%", "Of": "912"} == checks["landings", "refused"]
    assert ("landings", "gate volume warn the number of facts is 0") in checks
    assert steps["ingest"]["Status"] == "✓ done run 2 times"
    assert steps["build_features"]["Time"] == "1 min 33 s"
    assert steps["monitor"]["Status"] == "– no finished run is recorded"
    assert steps["nightly"]["Status"] == "✗ failed"
    assert "TableError: drift could not be written: the disk is full." in page.text


def test_the_python_lines_run_and_give_the_nights_rows(full):
    _, page = full
    names = {}
    for text in page.code["python"]:
        exec(text, names)  # noqa: S102  (this is what the reader does with it)

    assert len(names["frame"]) == len(names["inputs"]) == 400


def test_the_sql_lines_name_the_tables_paths(full):
    warehouse, page = full
    assert f"FROM delta.`{warehouse.path('scores')}`" in page.code["sql"][0]
    assert all("DATE'2013-10-03'" in text for text in page.code["sql"])


def test_tables_that_do_not_exist_are_said_in_words(tmp_path):
    page = Page(written(nights.warehouse_in(tmp_path)))

    for table in ("scores", "performance", "drift", "quarantine", "quality", "runs"):
        assert f"The table {table} does not exist yet in this warehouse." in page.text
    assert "No champion holds for this night: the table model_events does not exist yet" in page.text
    assert "No scores were made as champion for this night." in page.text


def test_a_date_without_rows_is_said_in_words(full):
    warehouse, _ = full
    page = Page(written(warehouse, night=date(2013, 12, 24)))

    assert "The table scores has no scores with the role champion for 2013-12-24." in page.text
    assert "The table drift has no rows for 2013-12-24." in page.text
    assert "No row was refused: the table quarantine has none for 2013-12-24." in page.text


def test_a_night_of_a_day_without_rows_says_so_and_marks_nothing(full):
    """What has been scored all the same is shown, and what should have been is missed."""
    warehouse, usual = full
    days = [Weekday.FRIDAY, Weekday.MONDAY]
    project = replace(nights.project(), spine=replace(nights.project().spine, weekdays=days))
    page = Page(written(warehouse, project, date(2013, 12, 24)))  # a Tuesday

    why = "2013-12-24 is a Tuesday, and the spine has rows of Mondays and Fridays only (project.spine.weekdays)"
    assert page.facts[0] == f"0 scores {why}"
    assert not [fact for fact in page.facts if "(look here)" in fact]
    assert f"Nothing was to be scored: {why}." in page.text
    assert f"There is nothing to compare: {why}." in page.text
    assert "not measured" not in page.text
    assert Page(written(warehouse, project)).facts == usual.facts
    assert (
        "0 (look here) scores nothing was scored as champion"
        in Page(written(warehouse, project, date(2013, 12, 23))).facts
    )


@pytest.mark.parametrize("lacking", ["features", "references", "model_events", "scores", "drift", "runs"])
def test_each_table_may_be_the_one_that_is_missing(full, lacking):
    warehouse, _ = full
    tables = report.open_tables(warehouse, nights.NIGHT)
    versions = {name: version for name, version in tables.versions.items() if name != lacking}

    page = Page(report.render(type(tables)(warehouse, nights.NIGHT, versions), nights.project()))

    assert len(page.facts) >= 5


def test_what_the_data_holds_is_text_and_never_markup(tmp_path):
    hostile = "</pre><script>alert('x')</script><img src=http://evil.example/>"
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_refused(warehouse, hostile, row=json.dumps({"a": hostile}))
    nights.store_promotion(warehouse, json.dumps({"candidate": {"name": hostile, "roc_auc": {"estimate": 0.7}}}))
    nights.store_drift(warehouse, hostile, {"psi": 0.4})
    nights.store_reference(warehouse, hostile, Bins("categorical", levels=(hostile,)), [0, 5, 0])
    nights.store_features(warehouse, pa.table({hostile: [hostile, "other"]}))

    page = Page(written(warehouse, nights.project(title=hostile)))

    assert [tag for tag, _ in page.tags].count("script") == 1  # ours
    assert "img" not in {tag for tag, _ in page.tags}
    assert page.text.count(hostile) >= 5


def test_null_is_a_dash_that_says_why(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_drift(warehouse, "empty", {"psi": None, "null_share": 1.0})
    nights.store_scores(warehouse, [None, float("nan")])

    html = written(warehouse)
    row = Page(html).table("Columns by PSI")[0]

    assert (row["PSI"], row["Nulls"]) == ("–", "100.0% training –")
    assert 'title="undefined: the night or the training data has no rows for it"' in html
    assert "2 scores, none of them a number." in Page(html).text


@pytest.mark.parametrize("evidence", [None, "", "no JSON", "[1]", '{"candidate": 1}'])
def test_evidence_that_cannot_be_read_is_no_promise(tmp_path, evidence):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_promotion(warehouse, evidence)

    assert "carries no evidence that could be read" in Page(written(warehouse)).text


def test_the_champion_is_the_latest_promotion_that_holds(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    for version, holds_from, event in [
        ("1", date(2013, 9, 30), "promoted"),
        ("2", date(2013, 10, 3), "promoted"),  # holds from this very night
        ("3", date(2013, 10, 4), "promoted"),
        ("4", date(2013, 10, 3), "refused"),
    ]:
        nights.store_promotion(warehouse, "{}", version=version, holds_from=holds_from, event=event)
    nights.store_scores(warehouse, [0.5], version="1")

    page = Page(written(warehouse))

    assert "Champion: version 2 (boosting-1), since run date 2013-10-03." in page.text
    assert "version 1 – not the champion, version 2" in page.text


def test_rows_that_a_challenger_serves_are_told_apart_and_nothing_odd(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_promotion(warehouse, "{}", version="1")
    nights.store_scores(warehouse, [0.1, 0.2, 0.3], version="1", served=[True, False, False])
    nights.store_scores(warehouse, [0.5, 0.6, 0.7], role="challenger", version="2", served=[False, True, True])

    page = Page(written(warehouse))

    assert page.facts[0] == "3 scores mean 0.467; 2 by challenger 2"
    assert "version 1 (1), version 2, the challenger (2)" in page.text
    assert "not the champion" not in page.text
    assert "not counted above: 1 score in the role challenger, 2 scores in the role champion." in page.text


def test_retrospective_scores_are_counted_apart(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_scores(warehouse, [0.1, 0.2, 0.3], role="retrospective")

    page = Page(written(warehouse))

    assert page.facts[0].startswith("0 (look here) scores")
    assert "not counted above: 3 scores in the role retrospective." in page.text


def test_older_dates_of_the_drift_table_are_left_out(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_drift(warehouse, "wind", {"psi": 0.3})
    nights.store_drift(warehouse, "wind", {"psi": 0.05}, night=date(2013, 10, 2))

    assert [row["PSI"] for row in Page(written(warehouse)).table("Columns by PSI")] == ["0.300"]
    assert len(arrow.read(warehouse, "drift", where=pc.field("subject") == "wind")) == 2


def test_the_share_of_null_labels_stands_beside_the_promise(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_promotion(warehouse, json.dumps(nights.EVIDENCE | {"null_labels": 0.86}))

    assert "86.0% of the labels known then were null, settled without an outcome" in Page(written(warehouse)).text


def test_rows_that_nobody_has_acted_on_are_compared_with_the_promise(tmp_path):
    """Acting well lowers the ROC AUC of all rows; of a date on which all were acted on there is none to compare."""
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_promotion(warehouse, json.dumps(nights.EVIDENCE))
    for of, value, dates in (("all", 0.3, 2), ("acted", 0.1, 2), ("not_acted", 0.7, 1)):
        nights.store_performance(warehouse, dates=dates, figures={"roc_auc": value}, of=of)
    tables = open_tables(warehouse, nights.NIGHT)
    latest, before = read_performance(read_figures(tables))

    assert latest.values["roc_auc"] == pytest.approx(0.711)
    assert before.values == {"matured_share": 1.0}
    page = Page(written(warehouse)).text
    assert "ROC AUC of 0.711 (final, 100.0% of its outcomes known)" in page
    assert "Somebody has acted on 1,861 judged rows" in page


@pytest.fixture
def stopped(tmp_path):
    """A night whose scoring has failed, and the nightly with it."""
    warehouse = nights.warehouse_in(tmp_path)
    done, upkeep = ("ingest", "done", None, 41.7, []), ("maintain", "failed", "Damaged.", 1.0, [])
    failed = ("score", "failed", "No champion holds.", 0.2, [])
    nights.store_runs(warehouse, [upkeep, done, failed, ("nightly", "failed", "No champion holds.", 42.0, [])])
    return warehouse


def test_what_stopped_the_night_stands_on_top(stopped):
    page = Page(written(stopped))

    assert page.facts[0] == "score (look here) ended as failed No champion holds."
    assert "The night stopped: score ended as failed. No champion holds. No scores were made" in page.text


def test_a_nightly_that_failed_before_its_steps_were_run_again_is_no_longer_told(stopped):
    again = [("score", "done", None, 1.0, []), ("monitor", "done", None, 1.0, [])]
    nights.store_runs(stopped, again, minute=30)

    page = Page(written(stopped))

    assert "stopped" not in page.text
    assert page.facts[-1] == "3 of 4 (look here) recorded steps done not done: maintain"


def test_a_training_that_was_interrupted_stops_no_night_that_went_on(tmp_path):
    """The next night of the same date may find a champion, and train no more."""
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_runs(warehouse, [("ingest", "done", None, 1.0, []), ("train", "interrupted", "interrupted", 9.0, [])])
    assert "The night stopped: train ended as interrupted. No scores were made" in Page(written(warehouse)).text

    nights.store_runs(warehouse, [("ingest", "done", None, 1.0, [])], minute=20)
    assert "The night stopped: train" in Page(written(warehouse)).text

    nights.store_runs(warehouse, [("score", "done", None, 1.0, [])], minute=30)
    page = Page(written(warehouse))
    assert "stopped" not in page.text
    assert page.facts[-1] == "2 of 3 (look here) recorded steps done not done: train"


def test_a_stopped_night_whose_tables_cannot_be_read_is_told_from_the_runs_alone(stopped):
    nights.store_scores(stopped, [0.5])
    log = Path(stopped.path("scores")) / "_delta_log"
    for entry in log.iterdir():
        entry.write_text("{")
    with pytest.raises(TableError):
        report.write(stopped, nights.project(), nights.NIGHT)

    page = Page(Path(report.write_stopped(stopped, nights.project(), nights.NIGHT)).read_text(encoding="utf-8"))

    assert "The night stopped: score ended as failed. No champion holds." in page.text
    assert "The table scores was left out: not every table can be read. Table scores at" in page.text


@pytest.mark.parametrize(
    ("champion", "refused_on", "told"),
    [
        (
            None,
            nights.NIGHT,
            "Promotion of version 7 (boosting-1) was refused on 2013-10-03, no champion holds. Equal.",
        ),
        (date(2013, 9, 30), nights.NIGHT, "was refused on 2013-10-03, version 3 (boosting-1) still holds. Equal."),
        (None, date(2013, 9, 30), "was refused on 2013-09-30, no champion holds. Equal."),
        (date(2013, 9, 30), date(2013, 10, 2), None),  # a refusal of another night, that changes nothing in this one
        (nights.NIGHT, date(2013, 10, 4), None),
    ],
)
def test_a_refused_promotion_stands_on_top(tmp_path, champion, refused_on, told):
    warehouse = nights.warehouse_in(tmp_path)
    if champion is not None:
        nights.store_promotion(warehouse, "{}", holds_from=champion)
    nights.store_promotion(warehouse, '{"reason": "Equal."}', version="7", holds_from=refused_on, event="refused")

    page = Page(written(warehouse))

    if told is None:
        assert "refused on" not in page.text
    else:
        assert page.facts[0] == f"version 7 (look here) was refused on {refused_on} Equal."
        assert told in page.text


def test_a_refusal_is_told_as_long_as_a_baseline_stands_in(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    earlier = date(2013, 10, 1)
    nights.store_promotion(warehouse, '{"reason": "Equal."}', version="7", holds_from=earlier, event="refused")
    nights.store_promotion(warehouse, '{"stand_in": true}', version="8", holds_from=earlier, name="majority")

    text = Page(written(warehouse)).text

    assert (
        "Promotion of version 7 (boosting-1) was refused on 2013-10-01, version 8 (majority) stands in. Equal." in text
    )


def test_distances_without_a_null_are_shown_and_mark_nothing(tmp_path):
    """Conventional limits flag every night of the training data itself."""
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_drift(warehouse, "wind", {"psi": 0.9, "psi_p_value": 0.0}, rows=5)
    nights.store_drift(warehouse, "snow", {"psi": 0.05, "psi_p_value": 0.001}, rows=5)

    page = Page(written(warehouse))

    assert [row["Column"] for row in page.table("Columns by PSI")] == ["wind", "snow"]
    assert "1 column with PSI ≥ 0.2 of 2; not judged: no null is stored" in page.facts
    assert "1 has a PSI of 0.2 or more (wind); whether that is unusual is not judged" in page.text


def test_scores_of_levels_that_the_model_has_not_seen_are_counted(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_scores(warehouse, [0.25, 0.75])
    nights.store_scores(warehouse, [0.5, 0.5], unseen="plane, port")
    nights.store_scores(warehouse, [0.5], unseen="port")

    text = Page(written(warehouse)).text

    assert "▲ unseen levels port (3 scores), plane (2 scores): the model has not seen these levels" in text


def test_what_each_source_brought_stands_beside_a_typical_night(tmp_path):
    """The first load is no night, nor is one that brought too little; what is short is said at the head too."""
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_scores(warehouse, [0.25, 0.75], warnings="landings, schedule")
    history = {date(2013, 9, 30): 243_695}
    earlier = {date(2013, 10, 1): 990, date(2013, 10, 2): 970}
    nights.store_arrivals(warehouse, history | {date(2013, 9, 29): 0}, amiss="no new row")
    nights.store_arrivals(warehouse, earlier | {nights.NIGHT: 0}, amiss="no new row, where each had some")
    nights.store_arrivals(warehouse, history | {nights.NIGHT: 980}, "schedule")
    nights.store_arrivals(warehouse, history | earlier | {nights.NIGHT: 490}, "tides")
    nights.store_arrivals(warehouse, history | earlier | {nights.NIGHT: 491}, "weather")

    page = Page(written(warehouse))
    shown = {row["Source"]: row for row in page.table("What each source brought")}

    assert [row["New facts"] for row in shown.values()] == ["0", "980", "490", "491"]
    assert [row["Typical night"] for row in shown.values()] == ["980", "–", "980", "980"]
    assert [row["State"] for row in shown.values()] == [
        "▲ too little: no new row, where each had some",
        "as expected",
        "as expected",
        "as expected",
    ]
    assert page.facts[0] == "2 (look here) scores made by version 3; made with too little of landings, schedule"
    assert "1 of 4 (look here) source brought too little landings" in page.facts
    assert "2 scores, mean 0.500, all of them marked, for they need landings and schedule." in page.text
    assert "Too little came in of landings (no new rows, 980 on a typical night)." in page.text


def test_a_source_that_brought_less_than_half_of_a_typical_night_is_marked_though_nothing_was_declared(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    nights.store_arrivals(warehouse, {date(2013, 9, 30): 9_999, date(2013, 10, 2): 980, nights.NIGHT: 489}, "tides")

    page = Page(written(warehouse))

    assert page.table("What each source brought")[0]["State"] == "▲ too little: less than half of a typical night"
    assert "1 of 1 (look here) source brought too little tides" in page.facts
    assert "Too little came in of tides (489 new rows, 980 on a typical night)." in page.text


def test_what_the_sources_are_is_told_of_those_that_say_it(tmp_path):
    warehouse, project = nights.warehouse_in(tmp_path), nights.project()
    page = written(warehouse, project)
    assert "What the sources are schedule: flights as they are planned" in Page(page).text
    assert "Sensitivity public Gaps cancelled <flights> a_very_long_name_" in Page(page).text
    silent = replace(project.sources["schedule"], datasheet=Datasheet())
    assert "What the sources are" not in written(warehouse, replace(project, sources={"schedule": silent}))


def test_sensitive_columns_show_no_value_anywhere_on_the_page(tmp_path):
    """In evidence, gates, refused rows, messages and pictures; what is said of them otherwise stays."""
    warehouse = nights.warehouse_in(tmp_path)
    values = ["Ouest", "Nord and Sud"]
    nights.store_refused(warehouse, "depth: above 9", row=json.dumps({"district": "Ouest", "depth": 1301}))
    nights.store_promotion(warehouse, json.dumps(EVIDENCE))
    nights.store_refusal(warehouse, {"reason": "district=Ouest against version 3: worse."})
    nights.store_drift(warehouse, "district", {"psi": 0.4})
    nights.store_reference(warehouse, "district", Bins("categorical", levels=(*values, "Est")), [0, 5, 4, 3, 0])
    nights.store_features(warehouse, pa.table({"district": values}))
    pages = [
        Page(report.render(open_tables(warehouse, nights.NIGHT, masking), nights.project()))
        for masking in (Masking(DISTRICT.columns | {"value", "measure", "rows", "model_name"}), Masking())
    ]
    shown = [[value for value in HIDDEN if value in page.text.replace(",", "")] for page in pages]
    assert shown == [[], list(HIDDEN)]
    masked = pages[0].text
    assert "district is (masked 5) and hour >= 17" in masked
    assert "Not drawn: the project declares the column sensitive." in masked
    assert '"district": "(masked)"' in masked
    assert '"depth": 1301' in masked
    assert {row["Column"]: row["PSI"] for row in pages[0].table("Columns by PSI")} == {"district": "0.400"}


def test_the_reasons_of_the_night_are_counted_by_feature(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    reasons = [[("depth", 2.0), ("hour", -1.0)], [("hour", 3.0)], [], None]
    nights.store_scores(warehouse, [0.5] * 4, reasons=reasons)
    nights.store_scores(warehouse, [0.5], role="retrospective", reasons=[[("depth", 1.0)]])

    page = Page(written(warehouse))

    assert "3 of 4 served scores are stored with their reasons" in page.text
    assert "No feature moves the score of 1 row." in page.text
    assert [list(row.values()) for row in page.table("How often a feature is among the reasons")] == [
        ["hour", "66.7%", "33.3%", "50.0%", "2.000"],
        ["depth", "33.3%", "33.3%", "100.0%", "2.000"],
    ]
    assert "Reasons for the scores" not in Page(written(nights.warehouse_in(tmp_path / "none"))).text


def test_a_version_beside_the_champion_is_shown_with_its_bounds_and_what_does_harm_is_marked(full):
    _, page = full
    value, complained, refused = page.table("Figures by which version 4 is compared")
    assert (value["Figure"], value["Verdict"], value["Version 4"]) == ("value", "open", "34.000 1,210 entities")
    assert value["Difference"] == "2.500 -0.598 to 5.598"
    assert complained["Verdict"] == "▲ breached since 2013-10-03"
    assert complained["Difference"] == "0.020 at least 0.004"
    assert refused["Verdict"] == "▲ cannot be computed it is null for 3 <entities>"
    (auc,) = page.table("Figures by which version 5 is compared")
    assert (auc["Verdict"], auc["Rows"], auc["Ever wrong"]) == ("undecided", "900", "5.0%")
    assert "2,110 entities are too young, and 41 entities have left as the share grew." in page.text
    assert "a chance of 44.0% to show the effect that matters" in page.text


def test_while_no_entity_is_old_enough_the_page_says_how_many_wait(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    of_version = {"model_version": "4", "champion_version": "3", "kind": "randomised", "since": nights.NIGHT}
    of_value = {"figure": "value", "verdict": "open", "waiting": 823, "champion_entities": 0, "challenger_entities": 0}
    row = {**of_version, **of_value, "level": 0.05, "planned_power": 0.0, "run_date": nights.NIGHT, "run_id": "m"}
    arrow.append(warehouse, EXPERIMENTS, [row], "m")

    page = Page(written(warehouse))

    assert "By value none counts yet: 823 entities are too young. Bounds hold" in page.text
    assert "to show the effect that matters" not in page.text
