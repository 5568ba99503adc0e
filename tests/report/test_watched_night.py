"""The page of a night that is watched: its verdict, what changed, what to do, and the sections that say why."""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from nightjar.evaluation.histograms import Bins
from nightjar.masking.values import Masking
from nightjar.report import night as report
from nightjar.report import night_json
from nightjar.report.drift import read_drift
from nightjar.report.performance import JudgedDate, read_figures, read_performance
from nightjar.report.reading import open_tables
from nightjar.report.report_data import gather
from nightjar.report.signals import ShownSignal, Signals
from nightjar.report.triggers import ShownTrigger
from nightjar.report.verdict import HEADLINES, STRIP, ShownVerdict, tasks
from nightjar.report.vintages import read_vintages
from nightjar.tables import arrow, retractions
from nightjar.tables.monitoring_definitions import DRIFT, PERFORMANCE
from nightjar.tables.source_definitions import QUALITY
from report import nights, watching
from report.page import Page


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A warehouse with a watched night, its page, and its JSON."""
    warehouse = nights.warehouse_in(tmp_path_factory.mktemp("watched"))
    watching.watched_night(warehouse)
    path = Path(report.write(warehouse, nights.project(), nights.NIGHT))
    stored = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return warehouse, Page(path.read_text(encoding="utf-8")), stored


def page_of(warehouse, night=nights.NIGHT) -> Page:
    return Page(Path(report.write(warehouse, nights.project(), night)).read_text(encoding="utf-8"))


def test_the_first_screen_says_whether_what_and_what_to_do(watched):
    _, page, _ = watched
    head = page.text.split("What was looked at")[0]

    assert head.index(HEADLINES["act"]) < head.index("What changed") < head.index("What to do")
    assert watching.SENTENCE in head
    worst = [text.split(" ")[:2] for text in page.lists["changed"][:4]]
    assert worst == [["▲", "ACT"], ["?", "UNKNOWN"], ["△", "WATCH"], ["△", "WATCH"]]
    assert "landings upstream, new tonight" in page.lists["changed"][0]
    assert "✓ OK monitor passed since 2013-10-02" in page.lists["changed"]
    assert "1 other thing is amiss" in head
    assert page.lists["do"] == [f"{watching.COMMAND} upstream: landings", "python jobs/quarantine.py data: quarantine"]
    assert "Retraining: no" in head


def test_a_training_is_proposed_only_where_a_rule_calls_for_one():
    train = f"python jobs/train.py project=x run_date={nights.NIGHT}"
    lost = ShownSignal("performance", "log loss", "act", "It is 0.61.", train, None, None)
    missing = ShownSignal("covariate", "all columns", "unknown", "There is no null.", train, None, None)
    quiet, calls = ShownTrigger("performance", "no", "", ""), ShownTrigger("drift", "train", "", "")
    verdict = ShownVerdict("act", "It is 0.61.", None, is_stored=True)

    def proposed(signals, triggers):
        return [
            (one.command, one.why)
            for one in tasks(verdict, Signals(tuple(signals), (), None), triggers, "x", nights.NIGHT)
        ]

    assert proposed([lost], [quiet]) == []
    assert proposed([lost], []) == proposed([lost], [quiet, calls]) == [(train, "performance: log loss")]
    assert proposed([], [quiet, calls]) == [(train, "retraining: by drift")]
    assert proposed([missing], [quiet]) == [(train, "covariate: all columns")]  # nothing else brings a null


def test_the_strip_leads_to_the_nights_before(watched):
    _, page, _ = watched
    first = nights.NIGHT - timedelta(days=STRIP - 1)
    assert page.lists["strip"][0] == f"✓{first}: ok"
    assert page.lists["strip"][-1] == "▲2013-10-03: act"
    assert re.search(r"The last 28 nights, tonight at the end: \d+ ACT, .*\d+ OK", page.text)
    addresses = [of["href"] for tag, of in page.tags if tag == "a" and of.get("class", "").startswith("cell")]
    assert addresses[0] == f"night-{first}.html"
    assert len(addresses) == STRIP - 1  # of the night itself there is no link


def test_signals_stand_with_the_worst_first_and_since_when(watched):
    _, page, _ = watched
    rows = page.table("Signals of the night")
    assert [row["State"].split(" ")[1] for row in rows] == [
        "ACT",
        "UNKNOWN",
        "WATCH",
        "WATCH",
        "WATCH",
        "OK",
        "OK",
        "OK",
    ]
    assert rows[0]["Since"] == "2013-10-03 new"
    assert rows[1]["Since"] == "2013-10-01 3 nights"


def test_columns_stand_by_state_then_by_drift_times_importance(watched):
    warehouse, page, _ = watched
    drift = read_drift(open_tables(warehouse, nights.NIGHT))
    assert drift is not None
    assert [column.state for column in drift.columns[:4]] == ["act", "unknown", "watch", "ok"]
    weights = [column.weight() for column in drift.columns if column.state == "ok" and column.weight() is not None]
    assert weights == sorted(weights, reverse=True)
    assert len(drift.columns[0].history) == 60

    first = page.table("Columns by state")[0]
    assert first["State"] == "▲ ACT"
    assert first["Studentised"] == f"{drift.columns[0].studentised:.1f} watched from 3.3"
    assert first["Column"].endswith("with 28-day lateness of every origin")
    unknown = page.table("Columns by state")[1]
    assert (unknown["State"], unknown["Studentised"]) == ("? UNKNOWN fewer than 50 rows", "–")
    assert (
        "Of all columns together the greatest is 5.9: unchanged nights have so great a one in 0.4% of cases."
        in page.text
    )
    assert "of 19; 1 to act on" in next(fact for fact in page.facts if "moved" in fact)


def test_realised_and_estimated_figures_share_one_axis(watched):
    warehouse, page, stored = watched
    html = Path(report.report_path(warehouse, nights.NIGHT)).read_text(encoding="utf-8")
    assert html.count('class="estimate"') == len(stored["estimates"]["by_date"]) == 10
    assert html.count('class="whisker"') == 21
    assert "94.7% turned out inside the interval of their estimate" in page.text


def test_figures_stand_beside_those_of_training_of_the_baseline_and_of_a_challenger(watched):
    warehouse, _, stored = watched
    html = Path(report.report_path(warehouse, nights.NIGHT)).read_text(encoding="utf-8")
    assert len(stored["yardsticks"]) == 22
    assert stored["yardsticks"]["2013-09-25"]["at_training"] == 0.683
    challenged = {day: one["challenger"] for day, one in stored["yardsticks"].items() if one["challenger"] is not None}
    own = {one["day"]: one["values"].get("roc_auc") for one in stored["judged"]}
    assert len(challenged) == html.count('class="challenger"') == 5
    assert all(value == pytest.approx(own[day] + 0.02) for day, value in challenged.items())
    assert html.count('class="at-training"') == html.count('class="baseline"') == 1  # one version, one line
    assert "; at training 0.683; baseline 0.612; a challenger 0.6" in html


def test_a_date_is_shown_as_it_was_judged_last_by_the_night(tmp_path):
    """Of weeks ago by a night of then, up to 60; nothing of later nights, and nothing where this one is mute."""
    warehouse = nights.warehouse_in(tmp_path)
    for back, value in ((60, 0.4), (40, 0.5), (20, 0.6), (0, 0.7), (-3, 0.8)):
        nights.store_performance(warehouse, nights.NIGHT - timedelta(days=back), figures={"roc_auc": value})
    nights.store_performance(warehouse, nights.NIGHT - timedelta(days=19), figures={"roc_auc": 0.65})

    def values(night):
        tables = open_tables(warehouse, night)
        return {one.day: one.values["roc_auc"] for one in read_performance(read_figures(tables))}

    shown = values(nights.NIGHT)
    backs = [*range(1, 7), *range(20, 27), *range(41, 47)]  # nights -19 and -20 have judged almost the same dates
    assert list(shown) == [nights.NIGHT - timedelta(days=back) for back in backs]
    steps = [0.7] * 6 + [0.65] * 6 + [0.6] + [0.5] * 6
    assert list(shown.values()) == pytest.approx(steps, abs=0.012)
    assert values(nights.NIGHT - timedelta(days=1)) == {}
    assert max(values(nights.NIGHT - timedelta(days=20)).values()) < 0.62


def test_costs_stand_beside_acting_on_nobody_and_on_everybody(watched):
    _, page, stored = watched
    final = {back: 0.18 + 0.02 * np.sin(back) for back in range(3, 13)}
    rows = {back: 900 + back for back in final}
    mean = sum(final[back] * rows[back] for back in final) / sum(rows.values())
    costs = stored["costs"]
    assert (costs["rows"], costs["cost"]) == (sum(rows.values()), pytest.approx(mean))
    assert (costs["if_none"], costs["if_all"]) == (pytest.approx(0.21), pytest.approx(0.3))
    assert costs["saved"] == pytest.approx(0.21 - mean)
    assert [one["is_provisional"] for one in costs["by_date"].values()] == [False] * 10 + [True] * 2
    assert f"A row of 10 final dates has cost {mean:.3f}; acting on nobody would have cost 0.210" in page.text
    assert f"Decisions saved {0.21 - mean:.3f} a row beside the cheaper of these" in page.text


def test_figures_of_one_age_of_labels_are_compared(watched):
    """The newest date is 29 days old tonight; of the others 34 and 39 days are whole steps more."""
    warehouse, page, stored = watched
    auc, so_far = stored["vintages"]
    assert auc["comparison"]["others"] == 2
    assert (auc["name"], so_far["name"]) == ("roc_auc", "known_positive_share")
    assert len(auc["curves"]) == 12
    assert max(map(int, auc["curves"]["2013-09-04"])) == 29
    assert (
        "After 29 days 2013-09-04 has 0.650; the middle half of 2 earlier dates had 0.663 to 0.668 then." in page.text
    )
    html = Path(report.report_path(warehouse, nights.NIGHT)).read_text(encoding="utf-8")
    assert html.count('class="vintage"') == 2 * 9  # the three newest stand out


def test_a_curve_ends_with_its_first_final_figure_and_is_of_rows_that_nobody_acted_on(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    rows = []
    for back, ages in ((20, (5, 12, 14)), (12, (5, 10)), (6, (4,))):
        for age in ages:
            about = {"evaluated_date": nights.NIGHT - timedelta(days=back), "subject": "champion", "measure": "roc_auc"}
            about |= {"run_date": nights.NIGHT - timedelta(days=back - age), "run_id": "m", "provisional": age < 12}
            rows += [about | {"slice": "all", "value": 0.1}, about | {"slice": "not_acted", "value": 0.5 + age / 100}]
    arrow.append(warehouse, PERFORMANCE, rows, "m")
    judged = [JudgedDate(nights.NIGHT - timedelta(days=5), {}, is_provisional=True, version=None)]
    (curves,) = read_vintages(open_tables(warehouse, nights.NIGHT), judged, "roc_auc")
    old, new = (nights.NIGHT - timedelta(days=back) for back in (20, 12))
    assert curves.curves == {old: {5: 0.55, 12: 0.62}, new: {5: 0.55, 10: 0.6}}
    assert curves.comparison is None  # nothing else is ten days old


def test_where_labels_come_at_once_there_are_no_curves(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    for back in range(3):
        nights.store_performance(warehouse, nights.NIGHT - timedelta(days=back))
    tables = open_tables(warehouse, nights.NIGHT)
    assert read_vintages(tables, read_performance(read_figures(tables)), "roc_auc") == []


def test_columns_stand_over_windows_and_from_the_anchor(watched):
    _, page, stored = watched
    rows = page.table("PSI of the same columns over other spans")
    first = rows[0]
    psi = float(first["This night"])
    shown = [float(first[name]) for name in ("7 nights together", "28 nights together", "This night, from the anchor")]
    assert shown == pytest.approx([2 * psi, 3 * psi, 4 * psi], abs=0.003)
    assert "28 nights: of 28 nights 12 are there." in page.text
    assert stored["drift"]["spans"]["names"] == ["7 nights", "28 nights", "anchor"]
    assert stored["drift"]["spans"]["values"][first["Column"].split(" with ")[0]]["anchor"]["psi"] > 0


def test_slices_have_intervals_or_say_that_rows_are_too_few(watched):
    _, page, _ = watched
    rows = {row["Slice"]: row for row in page.table("Watched slices")}
    assert list(rows) == ["origin=<LGA>", "origin=EWR", "origin=JFK", "origin=SWF"]
    assert rows["origin=JFK"]["ROC AUC"] == "too few rows"
    assert " to " in rows["origin=EWR"]["ROC AUC"]
    assert rows["origin=<LGA>"]["Recall, from the rest"].startswith("0.050")
    estimated = {name: row["Estimated tonight"] for name, row in rows.items()}
    assert estimated == {
        "origin=<LGA>": "–",
        "origin=EWR": "0.680 0.600 to 0.760 95.7% held",
        "origin=JFK": "–",
        "origin=SWF": "0.710 ? UNKNOWN how far off",
    }
    assert rows["origin=SWF"]["ROC AUC"] == "–"


def test_alerts_are_those_that_are_open_or_were_closed_tonight(watched):
    _, page, _ = watched
    rows = page.table("Alerts that are open")
    assert [row["State"] for row in rows] == ["▲ new critical", "acknowledged warning", "resolved warning"]
    assert [row["First seen"] for row in rows] == ["2013-10-03", "2013-09-28", "2013-10-01"]


def test_every_decision_about_training_again_says_what_would_have_had_to_differ(watched):
    _, page, _ = watched
    rows = {row["Rule"]: row for row in page.table("What each rule decided")}
    assert rows["time"]["What would have had to differ"] == "an age of 28 days, on 2013-10-28"
    assert rows["drift"]["Decision"] == "postponed"


def test_seconds_stand_beside_the_usual_ones(watched):
    _, page, _ = watched
    rows = {row["Job"]: row for row in page.table("The latest finished run")}
    assert rows["monitor"]["Time"] == "22.5 s"
    assert 18 < float(rows["monitor"]["Usual"].removesuffix(" s")) < 26


def test_the_json_says_what_the_page_says(watched):
    warehouse, _, stored = watched
    assert stored["verdict"]["state"] == "act"
    assert stored["verdict"]["sentence"] == watching.SENTENCE
    assert len(stored["signals"]["all"]) == len(watching.SIGNALS)
    assert stored["scores"]["rows"] == 400
    assert stored["drift"]["columns"][0]["judged"]["state"] == "act"
    assert stored["tables"] == dict(sorted(open_tables(warehouse, nights.NIGHT).versions.items()))
    assert stored["cutoff"] == "2013-10-03T04:00:00+00:00"


def test_a_night_that_was_taken_back_says_so(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    watching.store_verdicts(warehouse, ["ok"])
    retractions.record(warehouse, nights.NIGHT, "retract", "by-hand", reason="wrong <plan>", user="ada", by="the board")
    text = page_of(warehouse).text
    assert "▲ This night was taken back" in text
    assert "by ada on behalf of the board, and none of it is served: wrong <plan>" in text
    retractions.record(warehouse, nights.NIGHT, "serve", "by-hand")
    assert "taken back" not in page_of(warehouse).text


def test_without_a_verdict_nobody_can_say(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    page = page_of(warehouse)
    assert HEADLINES["unknown"] in page.text
    assert page.lists["do"] == ["python jobs/monitor.py project=flights run_date=2013-10-03 what the verdict asks for"]


def test_a_night_that_stopped_after_its_verdict_is_unknown(tmp_path):
    warehouse = nights.warehouse_in(tmp_path)
    watching.store_verdicts(warehouse, ["ok"])
    nights.store_runs(warehouse, [("monitor", "failed", "TableError: the disk is full.", 3.0, [])])
    page = page_of(warehouse)
    assert HEADLINES["unknown"] in page.text
    assert "The night stopped: monitor ended as failed." in page.text


def test_a_night_of_another_date_has_none_of_these_signals(watched):
    warehouse, _, _ = watched
    page = page_of(warehouse, date(2013, 12, 24))
    assert "The table signals has no rows for 2013-12-24." in page.text
    assert "No verdict is stored for 2013-12-24" in page.text


def test_the_page_stays_small_whatever_there_is_to_say(tmp_path):
    """Of 2,000 columns that drifted, were checked and signalled; the JSON has what the page leaves out."""
    warehouse = nights.warehouse_in(tmp_path)
    names = [f"a_feature_with_a_long_name_{n:04}" for n in range(2_000)]
    shared = {"evaluated_date": nights.NIGHT, "slice": "all", "run_date": nights.NIGHT, "run_id": "m", "rows": 9}
    judged = {"state": "watch", "studentised": 4.0, "threshold": 3.0, "importance": 0.0005, "cluster": "all of them"}
    measures = {"psi": 0.3, "null_share": 0.1}
    rows = [
        {"subject": name, "measure": one, "value": value, **shared, **judged}
        for name in names
        for one, value in measures.items()
    ]
    arrow.append(warehouse, DRIFT, rows, "m")
    watching.store_signals(warehouse, [("covariate", name, "watch", "It moved. " * 20, "run", 2) for name in names])
    checks = [{"source": "landings", "check": f"null: {name}", "rows": 3, "of": 9} for name in names]
    arrow.append(warehouse, QUALITY, [one | {"run_date": nights.NIGHT, "run_id": "i"} for one in checks], "i")

    path = Path(report.write(warehouse, nights.project(), nights.NIGHT))

    assert path.stat().st_size < 1_000_000
    assert len(json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["signals"]["all"]) == 2_000
    page = Page(path.read_text(encoding="utf-8"))
    assert "And 1,700 further columns, in the table drift" in page.text
    assert "And 1,800 other checks that counted something" in page.text
    assert "And 1,800 other signals" in page.text


def test_values_of_sensitive_columns_are_hidden_and_their_slices_stay_apart(tmp_path):
    """In the page and in its JSON; a histogram of such a column is in neither. Before any date is judged slices are
    expected to be something already.
    """
    warehouse = nights.warehouse_in(tmp_path)
    watching.store_slice_estimates(warehouse)
    early = page_of(warehouse)
    assert "No date is judged yet. Estimated: what the scores of 2013-10-03 make expected" in early.text
    assert [row["ROC AUC"] for row in early.table("Watched slices")] == ["–", "–"]
    watching.store_slices(warehouse)
    watching.store_signals(warehouse, watching.SIGNALS[3:])
    nights.store_reference(warehouse, "gate", Bins("categorical", levels=("EWR", "JFK")), [0, 5, 5, 0])
    nights.store_drift(warehouse, "gate", {"psi": 0.3})
    tables, project = open_tables(warehouse, nights.NIGHT, Masking(frozenset({"origin", "gate"}))), nights.project()

    html = report.render(tables, project)

    rows = {row["Slice"]: row for row in Page(html).table("Watched slices")}
    assert list(rows) == [f"origin=(masked {number})" for number in (1, 2, 3, 4)]
    assert [row["Rows"] for row in rows.values()] == ["320", "400", "12", "–"]
    assert [row["Estimated tonight"][:5] for row in rows.values()] == ["–", "0.680", "–", "0.710"]
    for text in (html, night_json.text(tables, project, gather(tables, project))):
        assert not {"LGA", "EWR", "JFK"} & set(re.findall(r"\w+", text))
