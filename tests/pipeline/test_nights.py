"""Nights of the tiny project, end to end: what stands in the tables afterwards, and what a night does not repeat."""

import os
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

import builders
from builders import rows_of
from nightjar.errors import JoinError, ModelError, SourceError, TableError, UsageError
from nightjar.features.definitions import definitions_hash, label_hash
from nightjar.pipeline import nightly, plan, steps
from nightjar.pipeline.execution import Context, perform
from nightjar.pipeline.nightly_steps import settings_of
from nightjar.pipeline.plan import Verdict
from nightjar.pipeline.sessions import Sessions
from nightjar.pipeline.watched import settings_hash
from nightjar.registry import events, tracking
from nightjar.report.page import save
from nightjar.settings.arrival import Arrival, Severity
from nightjar.settings.features import Aggregate
from nightjar.settings.files import File
from nightjar.settings.jobs import BuildFeatures, JobName
from nightjar.settings.label import Label
from nightjar.settings.labelling import Annotators
from nightjar.settings.model import Estimator, Model
from nightjar.settings.monitoring.alerting import Alerting, Sink, SinkKind
from nightjar.settings.nightly import Nightly
from nightjar.settings.spine import Weekday
from nightjar.tables import arrow
from nightjar.tables.runs import Outcome
from nightjar.timeline import cutoff

H, D1, D2, D3, D4 = builders.HISTORY, *(date(2024, 4, day) for day in (1, 2, 3, 4))
LEDGERS = {"runs", "leases", "beats"}
WATCHED = {"drift", "performance", "signals", "verdicts", "triggers"}
"""What `monitor` replaces each time."""
STOPPED = {"alerts", "verdicts"}
"""What says that a step has stopped the night."""
STEPS = ["ingest", "build_features", "train", "promote", "score", "monitor"]


def run(copied, run_date, **options):
    settings = Nightly(copied.environment, copied.project, run_date, search=builders.search(), **options)
    nightly.run(Context(settings, "config-2", Sessions(copied.environment, "tests"), copied.warehouse, "revision-2"))


def test_history_is_loaded_and_trained_on_once_and_each_night_scored_and_watched(nights):
    """A night trains only while there is no champion; the nightly's own row adds up its steps."""
    done = rows_of(nights.warehouse, "runs", "run_date", "job", "status")
    assert {status for _, _, status in done} == {"done"}
    of = {day: {job for on, job, _ in done if on == day} for day in (H, D1, D2)}
    assert of[H] == {"nightly", "ingest", "build_features", "train", "promote"}
    assert of[D1] == of[D2] == {"nightly", "ingest", "build_features", "score", "monitor"}
    assert len(done) == 5 + 5 + 5


def test_every_table_holds_the_nights_and_every_row_leads_to_its_run(nights):
    jobs = dict(rows_of(nights.warehouse, "runs", "run_id", "job"))
    writers = {
        "source_schedule": "ingest",
        "source_outcomes": "ingest",
        "source_readings": "ingest",
        "quality": "ingest",
        "features": "build_features",
        "labels": "build_features",
        "references": "train",
        "scores": "score",
        **dict.fromkeys(WATCHED, "monitor"),
    }
    for table, job in writers.items():
        assert {jobs[run_id] for (run_id,) in rows_of(nights.warehouse, table, "run_id")} == {job}, table
    assert {day for (day,) in rows_of(nights.warehouse, "features", "run_date")} == set(builders.days(last=D2))
    assert {day for (day,) in rows_of(nights.warehouse, "scores", "run_date")} == {D1, D2}


def test_the_first_build_goes_back_to_the_start_and_each_night_adds_its_own(nights):
    runs = {(day, job): dict(rows) for day, job, rows in rows_of(nights.warehouse, "runs", "run_date", "job", "rows")}
    assert runs[H, "build_features"] == {"features": 14 * 5, "labels": 13 * 5}
    assert runs[D1, "build_features"] == {"features": 5, "labels": 5}
    assert runs[D2, "ingest"] == {"source_schedule": 5, "source_outcomes": 5, "source_readings": 5, "quarantine": 0}


def test_each_night_has_a_report(nights):
    for day in (D1, D2):
        page = Path(nights.warehouse.path(f"reports/night-{day}.html")).read_text(encoding="utf-8")
        assert "Machines that fail today" in page
        assert str(day) in page
    assert not Path(nights.warehouse.path(f"reports/night-{H}.html")).exists()


def test_only_runs_just_those_steps(nights, copied):
    before = builders.versions(copied.warehouse)
    run(copied, "2024-04-02", only=["monitor"])
    after = builders.versions(copied.warehouse)
    assert {table for table in after if after[table] != before[table]} == {*WATCHED, *LEDGERS}
    assert rows_of(copied.warehouse, "drift") == rows_of(nights.warehouse, "drift")
    added = len(rows_of(copied.warehouse, "runs")) - len(rows_of(nights.warehouse, "runs"))
    assert added == 2


def test_a_failed_step_stops_the_night_and_leaves_the_tables_whole(copied):
    before = builders.versions(copied.warehouse)
    with pytest.raises(TableError, match="score for 2024-04-03 needs build_features"):
        run(copied, "2024-04-03", only=["score", "monitor"])
    after = builders.versions(copied.warehouse)
    assert {table for table in after if after[table] != before.get(table)} == {*LEDGERS, *STOPPED}
    (alert,) = [row for row in arrow.read(copied.warehouse, "alerts").to_pylist() if row["run_date"] == D3]
    assert (alert["kind"], alert["subject"], alert["severity"]) == ("stopped", "score", "critical")
    verdicts = {row["run_date"]: row for row in arrow.read(copied.warehouse, "verdicts").to_pylist()}
    assert verdicts[D3]["verdict"] == "unknown"
    assert "score failed. score for 2024-04-03 needs build_features" in verdicts[D3]["sentence"]
    failed = [row for row in arrow.read(copied.warehouse, "runs").to_pylist() if row["run_date"] == D3]
    assert {(row["job"], row["status"]) for row in failed} == {("score", "failed"), ("nightly", "failed")}
    page = Path(copied.warehouse.path("reports/night-2024-04-03.html")).read_text(encoding="utf-8")
    assert "The night stopped: score ended as failed. score for" in page
    assert "needs build_features for" in page


def ran(copied, dates, **options):
    """The steps that a nightly runs, with their dates."""
    before = {row["run_id"] for row in arrow.read(copied.warehouse, "runs").to_pylist()}
    run(copied, dates, **options)
    rows = arrow.read(copied.warehouse, "runs").sort_by("started_at").to_pylist()
    return [
        (row["job"], str(row["run_date"])) for row in rows if row["run_id"] not in before and row["job"] != "nightly"
    ]


def notes_of(copied):
    """What the last nightly says of its steps."""
    rows = arrow.read(copied.warehouse, "runs", where=pc.field("job") == "nightly").sort_by("started_at").to_pylist()
    return dict(rows[-1]["notes"])


def unrun(warehouse, tmp_path, run_date):
    """A nightly in a warehouse without nights."""
    environment = builders.quick_environment(warehouse=warehouse.root, home=str(tmp_path / "home"))
    settings = Nightly(environment, builders.machines(tmp_path), run_date, search=builders.search())
    context = Context(settings, "c", Sessions(environment, "tests"), warehouse, "revision-2")
    return nightly.Nights(context, settings), context.step(D2, settings)


def test_a_forced_training_is_judged_though_a_champion_holds(warehouse, tmp_path):
    nights, step = unrun(warehouse, tmp_path, str(D2))
    events.record(warehouse, "promoted", events.Version("1", "old", D1, {}), "p", events.CHAMPION)
    settings = settings_of(JobName.PROMOTE, nights.settings, D2)
    for done, reason in (D1, "not needed: version 1 holds"), (D2, "it has not been run for this date"):
        nights.done = [(done, JobName.TRAIN)]
        assert nightly._verdict(nights, step, JobName.PROMOTE, settings, D2).reason == reason


def test_a_date_between_those_that_are_due_is_said_to_be_built_with_them(warehouse, tmp_path, monkeypatch):
    """The dates that are done around them are skipped."""
    nights, step = unrun(warehouse, tmp_path, "2024-03-25..2024-03-29")
    built = []
    due = {date(2024, 3, day): Verdict(is_due=day in (26, 28), reason="skipped: done") for day in range(25, 30)}
    monkeypatch.setattr(nightly, "_perform", lambda *arguments: built.append(arguments[3].since) or Outcome())
    monkeypatch.setattr(nightly, "_verdict", lambda *arguments: due[arguments[-1]])
    monkeypatch.setattr(nightly, "first_to_build", lambda *arguments: arguments[2])
    outcome = nightly._build(nights, step, list(due))
    assert (built, nights.skipped) == (["2024-03-26"], 2)
    assert [note == nightly.ALONG for note in outcome.notes.values()] == [False, False, True, False, False]


def test_a_night_whose_report_is_missing_or_older_is_monitored_again(warehouse):
    row, path = {"started_at": datetime(2024, 4, 2, tzinfo=UTC)}, Path(warehouse.path(f"reports/night-{D1}.html"))
    assert plan._unreported(warehouse, row, D1) == "the night has no report"
    save(str(path), "")
    assert plan._unreported(warehouse, row, D1) is None
    os.utime(path, (0, 0))
    assert plan._unreported(warehouse, row, D1) == "the night's report is older than what it is about"


def test_where_word_of_alerts_is_sent_makes_no_night_due(warehouse, tmp_path):
    nights, _ = unrun(warehouse, tmp_path, str(D2))
    settings = settings_of(JobName.MONITOR, nights.settings, D2)
    watching = settings.project.monitoring
    hashes = [
        settings_hash(
            JobName.MONITOR, replace(settings, project=replace(settings.project, monitoring=replace(watching, **one)))
        )
        for one in (
            {},
            {"alerting": Alerting(sinks={"desk": Sink(SinkKind.FILE, path="alerts.json")})},
            {"alerting": Alerting(owner="the desk")},
        )
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_what_is_done_is_skipped_with_the_reason_until_its_settings_or_inputs_change(nights, copied):
    night, monitor, score = "2024-04-02", ("monitor", "2024-04-02"), ("score", "2024-04-02")
    before = builders.versions(copied.warehouse)
    assert ran(copied, night) == []
    after = builders.versions(copied.warehouse)
    assert {table for table in after if after[table] != before[table]} == LEDGERS
    notes = notes_of(copied)
    assert notes[f"{night} train"] == "not needed: version 1 holds"
    assert notes[f"{night} score"].startswith("skipped: done for this date and these inputs by run ")
    assert len(notes) == 6

    assert ran(copied, night, force=["score"]) == [score, monitor]
    assert notes_of(copied)[f"{night} monitor"] == "score has been run again since"
    assert ran(copied, night, from_step="monitor") == [monitor]
    titled = replace(copied, project=replace(copied.project, title="Machines"))
    assert ran(titled, night) == [score, monitor]
    assert notes_of(copied)[f"{night} score"] == "settings that decide its result have been edited since"

    DeltaTable(copied.warehouse.path("scores")).delete("run_date = '2024-04-02'")
    assert ran(titled, night) == [score, monitor]
    assert notes_of(copied)[f"{night} score"].startswith("table scores has changed since version ")
    assert ran(titled, night) == ran(copied, "2024-04-01") == []
    for table in ("features", "labels", "scores", *WATCHED):
        assert rows_of(copied.warehouse, table) == rows_of(nights.warehouse, table), table


def test_a_night_that_stopped_goes_on_where_it_stopped_and_reads_what_has_come_since(copied, tmp_path):
    path = Path(copied.project.sources["readings"].file.path)
    lines = path.read_text().splitlines(keepends=True)
    later = [line for line in lines if ",2024-04-03 0" in line or ",2024-04-04 0" in line]
    written = tmp_path / "readings.csv"
    written.write_text("".join(line for line in lines if line not in later))
    readings = replace(copied.project.sources["readings"], file=File(str(written)))
    mine = replace(copied, project=replace(copied.project, sources=copied.project.sources | {"readings": readings}))
    night, steps_of_night = "2024-04-03", ["ingest", "build_features", "score", "monitor"]

    with pytest.raises(TableError, match="needs build_features"):
        run(mine, night, only=["ingest", "score"])
    assert [job for job, _ in ran(mine, night)] == steps_of_night[1:]
    assert notes_of(mine)[f"{night} ingest"].startswith("skipped: done")
    assert notes_of(mine)[f"{night} score"] == "its last run ended as failed"
    before = rows_of(mine.warehouse, "features")
    with written.open("a") as stream:
        stream.writelines(later)
    assert [job for job, _ in ran(mine, night)] == steps_of_night
    assert notes_of(mine)[f"{night} ingest"] == "source readings has readings.csv to read"
    assert notes_of(mine)[f"{night} build_features"] == "ingest has been run again since"
    assert ran(mine, night) == []
    assert rows_of(mine.warehouse, "features") == before  # what was added is known later than the night


def test_a_range_of_old_dates_is_built_in_one_pass_and_neither_loses_nor_doubles_a_row(nights, copied):
    done = ran(copied, "2024-03-26..2024-03-29", only=["ingest", "build_features"])
    assert done == [*(("ingest", f"2024-03-{day}") for day in (26, 27, 28, 29)), ("build_features", "2024-03-29")]
    of_pass = (pc.field("run_date") == date(2024, 3, 29)) & (pc.field("job") == "build_features")
    (row,) = arrow.read(copied.warehouse, "runs", where=of_pass).to_pylist()
    assert (str(row["since"]), dict(row["rows"])["features"]) == ("2024-03-26", 4 * 5)
    for table in ("source_schedule", "source_outcomes", "source_readings", "features", "labels"):
        assert rows_of(copied.warehouse, table) == rows_of(nights.warehouse, table), table
    for day, due in {date(2024, 3, 27): False, date(2024, 3, 30): False, D3: True}.items():
        settings = BuildFeatures(copied.environment, copied.project, str(day))
        assert plan.judge(copied.warehouse, JobName.BUILD_FEATURES, settings, day).is_due is due


def refused(copied, day):
    """The version of a training whose winner, a copy of the first version's files, is no better than its baseline."""
    difference = {"over": "majority", "better": 1, "estimate": 0.0, "low": -0.1, "high": 0.1}
    evidence = {"metric": "roc_auc", "period": ["a", "b"], "candidate": {"name": "w"}, "difference": difference}
    client = tracking.connect(Path(copied.environment.home))
    number = str(client.create_model_version("machines", client.get_model_version("machines", "1").source).version)
    events.record(copied.warehouse, "registered", events.Version(number, "w", day, evidence), "x")
    settings = Nightly(copied.environment, copied.project, day.isoformat(), search=builders.search())
    context = Context(settings, "config-2", Sessions(copied.environment, "tests"), copied.warehouse, "revision-2")
    perform(JobName.TRAIN, context.step(day, settings), "config-2", lambda _: Outcome())
    return number


def test_a_refused_promotion_leaves_the_night_scored_by_the_champion_and_is_told_on_top(nights, copied):
    number = refused(copied, D2)
    run(copied, "2024-04-02", only=["promote", "score", "monitor"])
    assert rows_of(copied.warehouse, "scores") == rows_of(nights.warehouse, "scores")
    page = Path(copied.warehouse.path("reports/night-2024-04-02.html")).read_text(encoding="utf-8")
    summary = page.partition('<p class="lead" id="summary">')[2].partition("</p>")[0]
    assert f"Promotion of version {number} (w) was refused on" in summary
    assert "version 1 (logistic-1) still holds. w against majority on a to b: not reliably better" in summary


def test_a_night_that_a_refused_promotion_leaves_without_a_champion_stops_with_a_report(copied):
    DeltaTable(copied.warehouse.path("model_events")).delete()
    number = refused(copied, D2)
    with pytest.raises(
        ModelError, match=rf"No champion .* Version {number} \(w\) was refused on 2024-04-02: w against"
    ):
        run(copied, "2024-04-02", only=["promote", "score", "monitor"])
    page = Path(copied.warehouse.path("reports/night-2024-04-02.html")).read_text(encoding="utf-8")
    assert "The night stopped: score ended as failed. No champion of machines holds" in page
    assert f"Promotion of version {number} (w) was refused on" in page


def with_empty_files(copied, folder, **arrival):
    """The tiny project, whose readings and outcomes hold nothing but their header."""
    sources = dict(copied.project.sources)
    for name in ("readings", "outcomes"):
        whole = Path(sources[name].file.path).read_text()
        (folder / f"{name}.csv").write_text(whole.splitlines()[0] + "\n")
        file = File(str(folder / f"{name}.csv"))
        sources[name] = replace(sources[name], file=file, arrival=Arrival(**arrival))
    return replace(copied, project=replace(copied.project, sources=sources))


def test_a_night_of_empty_files_stops_or_is_told_to_go_on_with_its_scores_marked(copied, tmp_path):
    before = builders.versions(copied.warehouse)
    with pytest.raises(
        SourceError, match=r"2024-04-03 stops.*Source outcomes: no new row.*Source readings: no new row"
    ):
        run(with_empty_files(copied, tmp_path), "2024-04-03")
    after = builders.versions(copied.warehouse)
    assert {table for table in after if after[table] != before.get(table)} == {*LEDGERS, *STOPPED}
    with pytest.raises(TableError, match="build_features for 2024-04-03 needs ingest for 2024-04-03, which ended as"):
        run(copied, "2024-04-03", only=["build_features"])

    run(with_empty_files(copied, tmp_path, severity=Severity.WARN), "2024-04-03")
    marks = dict(rows_of(copied.warehouse, "scores", "run_date", "input_warnings"))
    assert marks == {D1: None, D2: None, D3: "readings"}
    page = Path(copied.warehouse.path("reports/night-2024-04-03.html")).read_text(encoding="utf-8")
    assert "all of them marked, for they need readings" in page

    run(copied, "2024-04-03", only=["ingest"])
    with pytest.raises(TableError, match="ingest for 2024-04-03 has been run again since build_features was"):
        run(copied, "2024-04-03", only=["score"])
    run(copied, "2024-04-03", only=["build_features", "score"])
    assert {mark for (mark,) in rows_of(copied.warehouse, "scores", "input_warnings")} == {None}


def test_a_search_that_could_not_be_run_stops_a_night_that_trains_before_its_first_step(copied):
    rate = Model(Estimator.RATE, baseline=True, parameters={"column": "departure_hour"})
    search = builders.search(candidates=builders.search().candidates | {"hour_of_day": rate})
    settings = Nightly(copied.environment, copied.project, "2024-04-03", search=search, only=["ingest", "train"])
    before = builders.versions(copied.warehouse)
    with pytest.raises(UsageError, match=r"candidates\.hour_of_day: rate .column: 'departure_hour'. has no feature"):
        nightly.run(Context(settings, "c", Sessions(copied.environment, "tests"), copied.warehouse, "revision-2"))
    after = builders.versions(copied.warehouse)
    assert {table for table in after if after[table] != before[table]} == LEDGERS


@pytest.fixture
def apart(copied, tmp_path):
    """With a home of its own, in which models can be trained."""
    home = shutil.copytree(copied.environment.home, tmp_path / "home")
    return replace(copied, environment=replace(copied.environment, home=str(home)))


def test_an_edited_feature_and_label_are_built_again_trained_on_and_scored_by_the_next_night_that_has_rows(
    apart, ray_started
):
    """And `train` by itself says what to build: it does not learn from what stood there before the edit.

    The night of the edit is of a day without rows: it trains, scores nothing, and says so. It does not judge what the
    nights before have scored, which was another label.
    """
    group = apart.project.features["temperature"]
    edited = replace(group.features["mean"], aggregate=Aggregate.MAX)
    features = {"temperature": replace(group, features=group.features | {"mean": edited})}
    spine = replace(apart.project.spine, weekdays=[day for day in Weekday if day is not Weekday.WEDNESDAY])
    schedule = replace(apart.project.sources["schedule"], arrival=Arrival(min_rows=0))  # the last plan is of 4 April
    sources = apart.project.sources | {"schedule": schedule}
    label = Label("readings", {"machine": "machine"}, "temperature", "1d", Aggregate.MAX, condition="value > 24")
    project = replace(apart.project, features=features, spine=spine, sources=sources, label=label)
    candidates = builders.search().candidates | {"logistic": Model(Estimator.LOGISTIC)}
    search, sessions = builders.search(candidates=candidates), Sessions(apart.environment, "tests")
    settings = Nightly(apart.environment, project, "2024-04-03", search=search)
    context = Context(settings, "c", sessions, apart.warehouse, "revision-2")
    before = events.find_champion(apart.warehouse, D2)

    with pytest.raises(TableError, match=r"since 2024-03-18 were built by other definitions .* since=2024-03-18"):
        steps.train(context.step(D2, settings))
    of_label = context.step(D2, replace(settings, project=replace(apart.project, label=label)))
    for job in (steps.train, steps.monitor):
        with pytest.raises(TableError, match=r"Labels are stored of another definition .* run_date=2024-04-02$"):
            job(of_label)
    assert (D2, D1) in rows_of(apart.warehouse, "performance", "run_date", "evaluated_date")
    nightly.run(context)

    built = {found for (found,) in rows_of(apart.warehouse, "features", "definitions_hash")}
    after = events.find_champion(apart.warehouse, D3)
    assert built == {after.evidence["definitions"]} == {definitions_hash(project)}
    assert before.evidence["definitions"] == definitions_hash(apart.project)
    defined_by = {digest for (digest,) in rows_of(apart.warehouse, "labels", "label_hash")}
    assert defined_by == {after.evidence["label_hash"]} == {label_hash(project)}
    assert before.evidence["label_hash"] == label_hash(apart.project)
    due = [day for day in builders.days(last=D2) if day.weekday() != 2]
    labels = rows_of(apart.warehouse, "labels", "machine", "prediction_time", "label", "run_date")
    expected = {(m, midnight(day), builders.load(m, day) > 40, D3) for day in due for m in builders.MACHINES}
    assert len(labels) == len(expected)
    assert set(labels) == expected
    assert {day for (day,) in rows_of(apart.warehouse, "features", "run_date")} == set(due)
    scored = {D1: before.number, D2: before.number}
    assert dict(rows_of(apart.warehouse, "scores", "run_date", "model_version")) == scored
    assert D3 not in {day for (day,) in rows_of(apart.warehouse, "drift", "run_date")}
    assert D3 not in {day for (day,) in rows_of(apart.warehouse, "performance", "run_date")}
    page = Path(apart.warehouse.path("reports/night-2024-04-03.html")).read_text(encoding="utf-8")
    assert "Nothing was to be scored: " in page
    assert "is a Wednesday, and the spine has rows of Mondays, Tuesdays, Thursdays, Fridays," in page

    nightly.run(replace(context, settings=replace(settings, run_date="2024-04-04")))
    assert dict(rows_of(apart.warehouse, "scores", "run_date", "model_version")) == scored | {D4: after.number}
    assert {status for _, _, status in rows_of(apart.warehouse, "runs", "run_date", "job", "status")} == {"done"}


def midnight(day):
    return cutoff(day, "Europe/Paris")


def with_label(project, **options):
    return replace(project, label=replace(project.label, **options))


def with_feature_of(project, column):
    group = project.features["temperature"]
    features = {name: replace(feature, column=column) for name, feature in group.features.items()}
    return replace(project, features={"temperature": replace(group, features=features)})


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (lambda found: replace(found, expressions={"x": "laod / 2"}), "project.expressions.x: the expression"),
        (
            lambda found: replace(found, spine=replace(found.spine, derived={"x": "laod / 2"})),
            "project.spine.derived.x: the expression",
        ),
        (lambda found: with_feature_of(found, "machine"), "mean of a string: .* are those of table source_readings"),
        (lambda found: with_label(found, column="machine"), "source outcomes: it is a string, expected a boolean"),
        (
            lambda found: with_label(found, aggregate=Aggregate.COUNT, condition="valeu > 0"),
            "project.label.condition: the expression",
        ),
        (
            lambda found: with_label(found, aggregate=Aggregate.COUNT, rules={"hot": "laod > 50"}),
            "project.label.rules.hot: the expression",
        ),
        (
            lambda found: with_label(found, column="machine", annotators=Annotators("machine")),
            "an annotator's answer is a string, expected a boolean",
        ),
    ],
)
def test_an_ingest_refuses_what_could_not_be_built_of_its_facts_and_writes_nothing(copied, changed, told):
    settings = Nightly(copied.environment, changed(copied.project), D3.isoformat(), search=builders.search())
    sessions = Sessions(copied.environment, "tests")
    step = Context(settings, "config-2", sessions, copied.warehouse, "revision-2").step(D3, settings)
    before = builders.versions(copied.warehouse)
    with pytest.raises((JoinError, UsageError), match=told):
        steps.ingest(step)
    assert builders.versions(copied.warehouse) == before
