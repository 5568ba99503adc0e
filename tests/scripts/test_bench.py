"""The benches: their data is what they say, a wrong result is never timed, and the figures follow from the times."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import busy
import busy_training
import compare
import data
import explaining
import ingest_data
import ingesting
import judging
import latest_worker
import numpy as np
import outcome
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq
import pytest
import refreshing
import run
import scale
import score_case
import score_engines
import score_worker
import search_case
import searching
import slicing
from cases import Case, Facts
from measure import Run, compared
from process import Engine, Place

import nightjar

CASE = Case("", (), (Facts("f", "k1", ()),), {}, 1, 1)
WINDOWED = Case("", (), (Facts("f", "k1", ()),), {"1d": 1}, 1, 1)
ENGINE = """
import pyarrow.parquet as pq, pyarrow as pa, pathlib
def prepare(case): pass
def consume(case): CONSUME
def store(case, target):
    pathlib.Path(target).mkdir()
    rows = {"prediction_time": [0, 0], "k1": [7, 7], "f__v1": [VALUE, None], "f__v2": [1.0, 2.0], "spine_id": [1, 0]}
    pq.write_table(pa.table(rows), target + "/part-0.parquet")
"""


def result(**changed):
    rows = {"spine_id": [0, 1, 2], "k1": [5, 5, 6], "prediction_time": [1, 2, 3]}
    return pa.table(rows | {"f__v1": [0.5, None, 0.25], "f__v2": [1.0, 2.0, 3.0]} | changed)


def windowed(value):
    return pa.table({"spine_id": [0], "f__v1_sum_1d": [value]})


@pytest.mark.parametrize("kind", data.KINDS)
def test_no_two_facts_of_an_entity_share_an_instant_and_some_spine_rows_ask_at_one(kind, tmp_path):
    folder = data.made(data.Shape(kind, 1000, 2000, 20), tmp_path)
    facts, spine = pq.read_table(folder / "facts_1"), pq.read_table(folder / "spine")
    assert len(pc.unique(facts["event_time"])) == 2000
    assert spine["spine_id"].to_pylist() == list(range(1000))
    asked = set(zip(spine["k1"].to_pylist(), spine["prediction_time"].to_pylist(), strict=True))
    assert len(asked & set(zip(facts["k1"].to_pylist(), facts["event_time"].to_pylist(), strict=True))) >= 9


def test_one_entity_of_the_hot_shape_holds_half_of_all_rows(tmp_path):
    folder = data.made(data.Shape("hot", 1000, 2000, 20), tmp_path)
    for table in ("facts_1", "facts_2", "facts_3", "spine"):
        assert np.mean(np.asarray(pq.read_table(folder / table)["k1"]) == 0) == pytest.approx(0.5, abs=0.06)


def test_the_plain_layout_holds_the_same_facts_sorted_in_buckets(tmp_path):
    shape = data.Shape("three", 100, 2000, 20)
    folder = data.made(shape, tmp_path)
    order = [("k2", "ascending"), ("event_time", "ascending")]
    files = [pq.ParquetFile(file).read() for file in data.lay_out(shape, folder)["facts_2"]]
    assert all(file.equals(file.sort_by(order)) for file in files)
    assert pa.concat_tables(files).sort_by(order).equals(pq.read_table(folder / "facts_2").sort_by(order))


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (result(), None),
        (result().slice(1), "2 rows, expected 3"),
        (result(f__v1=[0.5, 0.0, 0.25]), "f__v1 differs in 1 rows, first at spine_id 1: found 0.0, expected None"),
        (result(f__v2=[1.0, 2.0, 3.0 + 1e-12]), "f__v2 differs in 1 rows, first at spine_id 2"),
        (result(k1=[5, 6, 6]), "k1 differs in 1 rows, first at spine_id 1: found 6, expected 5"),
    ],
)
def test_a_difference_is_told_with_its_row_and_values(found, problem):
    said = compare.difference(result(), found, CASE)
    assert said is None if problem is None else said.startswith(problem)


def test_only_aggregates_may_differ_in_the_last_digits():
    assert compare.difference(windowed(1000.0), windowed(1000.0 + 1e-8), WINDOWED) is None
    assert compare.difference(windowed(1000.0), windowed(1000.0 + 1e-4), WINDOWED) is not None


@pytest.mark.starts_processes
def test_an_engine_that_is_wrong_or_fails_is_an_error_and_the_others_are_timed(tmp_path, monkeypatch):
    engines = {"good": ("1.5", "pass"), "wrong": ("1.25", "pass"), "broken": ("1.5", "raise ValueError('no memory')")}
    for name, (value, consumed) in engines.items():
        (tmp_path / f"{name}.py").write_text(ENGINE.replace("VALUE", value).replace("CONSUME", consumed))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("measure.WARM_UP", 0)
    place = Place(sys.executable, tmp_path, 1)
    with ExitStack() as running:
        runs = {name: Run(running.enter_context(Engine(name, name, place)), CASE) for name in engines}
        measured = compared(runs, 2, tmp_path / "results")
    assert list(measured.times) == ["good"]
    assert len(measured.times["good"].stored) == len(measured.times["good"].consumed) == 2
    assert "f__v1 differs in 1 rows, first at spine_id 1: found 1.25, expected 1.5" in measured.errors["wrong"]
    assert "ValueError: no memory" in measured.errors["broken"]


def test_figures_follow_from_the_times():
    assert outcome.ratios({"ours": 2.0, "feast": 30.0}) == {"feast": 15.0}
    assert outcome.ratios({"feast": 30.0}) == {}
    assert scale.exponent({f"{size}x": 3 * size**1.1 for size in scale.SIZES}) == pytest.approx(1.1)
    assert scale.hot_ratio({"2x": 2.0, "hot": 3.0}) == {"hot": 1.5}


@pytest.mark.parametrize(
    "wrong",
    [["asof", "--only", "spark_range"], ["asof", "--spine", "0"], ["scale", "--shape", "hot"], ["busy"], ["nothing"]],
)
def test_what_cannot_be_measured_is_refused(wrong, capsys):
    with pytest.raises(SystemExit) as refused:
        run.parse(wrong)
    assert refused.value.code == 2
    assert "scripts/bench: error:" in capsys.readouterr().err


def test_feast_is_left_out_of_the_hot_shape_unless_asked_for():
    assert "feast" not in run.parse(["asof", "--shape", "hot"]).names
    assert run.parse(["asof", "--shape", "hot", "--only", "feast"]).names == ["feast"]


SEARCHES = """
import json, search_case, searching
searching.TRIVIAL = 3
for boosting, leaves in ((search_case.SCIKIT_LEARN, "max_leaf_nodes"), (search_case.LIGHTGBM, "num_leaves")):
    boosting.grid.update({"learning_rate": [0.02, 0.3], leaves: [7]})
print("found", json.dumps(searching.measured(600, 8, 1, 2)))
"""


@pytest.mark.long
@pytest.mark.starts_processes
def test_all_searches_find_the_same_and_their_figures_are_told():
    """Little data, few candidates that cost nothing: what the times are does not matter here. Ray is its own."""
    paths = os.pathsep.join([str(Path(searching.__file__).parent), str(Path(nightjar.__file__).parents[1])])
    environment = os.environ | {"PYTHONPATH": paths}
    ran = subprocess.run([sys.executable, "-c", SEARCHES], check=False, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    (line,) = (line for line in ran.stdout.splitlines() if line.startswith("found "))
    found = json.loads(line.removeprefix("found "))
    seconds, ratio = found["seconds"], found["ratio"]
    assert set(seconds) == {
        *("ours", "ours_full", "gridsearchcv", "tune_plain"),
        *("ours_lightgbm", "ours_full_lightgbm", "gridsearchcv_lightgbm"),
    }
    assert ratio["gridsearchcv_full"] == seconds["gridsearchcv"] / seconds["ours_full"]
    assert ratio["gridsearchcv"] == seconds["gridsearchcv"] / seconds["ours"]
    assert ratio["gridsearchcv_lightgbm"] == seconds["gridsearchcv_lightgbm"] / seconds["ours_lightgbm"]
    assert ratio["tune_plain"] == seconds["tune_plain"] / seconds["ours"]
    assert 0 < found["object_store_copies"] < 2  # the rows with their clocks and keys once, not for each of two workers
    assert found["overhead_seconds"] > 0


def test_a_search_that_scores_otherwise_or_chooses_another_winner_is_wrong():
    expected, undecided = np.array([[0.7, 0.7], [0.9, 0.8]]), np.nan
    stopped = np.array([[0.7, undecided], [0.9, 0.8]])
    searching._require_equal("ours", stopped, expected)
    with pytest.raises(ValueError, match="ours is wrong: its folds differ by"):
        searching._require_equal("ours", stopped + 0.1, expected)
    with pytest.raises(ValueError, match="ours finds another winner: candidate 1, expected 2"):
        searching._require_equal("ours", np.array([[0.7, 0.7], [0.9, undecided]]), expected)


def test_candidates_that_cost_nothing_are_no_equals():
    settings = search_case.trivial(40)
    assert len({(model.baseline, *model.drop) for model in settings.candidates.values()}) == 41


TRAINING = """
import json, os, sys, time
lib = os.environ["PYTHONPATH"].split(os.pathsep)[0]
print(json.dumps({"lib": lib}), flush=True)
sys.stdin.readline()
if lib == sys.argv[1]:
    time.sleep(600)
print(json.dumps({"seconds": 0.01, "cpu_seconds": 0.01, "found": FOUND}))
"""


def test_a_revision_that_takes_too_long_is_cut_and_one_that_finds_something_else_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr("busy.PROGRAM", tmp_path / "training.py")
    busy.PROGRAM.write_text(TRAINING.replace("FOUND", "lib"))
    assert busy.run(tmp_path, ["nobody"], None)["found"] == str(tmp_path / "lib")
    with pytest.raises(RuntimeError, match="failed in"):
        busy.run(tmp_path, [], None)
    assert busy.run(tmp_path, [str(tmp_path / "lib")], 0.1) == {"seconds": 0.1}
    monkeypatch.setattr("busy.CUT", 6000)  # a minute, for a process to answer
    with pytest.raises(ValueError, match=f"nobody: found {run.ROOT}/lib, but {tmp_path}/lib by the revision before"):
        busy.both({}, "", tmp_path, ["nobody"])


def test_a_training_is_judged_and_refitted_on_days():
    rows = busy_training.dated(search_case.made(1000, 8).problem.rows)
    settings = search_case.search(search_case.SCIKIT_LEARN, stopping=False)
    settings.candidates["boosting"].parameters = {"max_iter": 5}
    assert 0.5 < busy_training.final(rows, settings)() < 1


def test_the_ratio_of_fits_beside_other_work_is_of_seconds_and_alone_of_processor_seconds():
    def took(*times):
        return [{"seconds": seconds, "cpu_seconds": seconds / 2, "found": 0.75} for seconds in times]

    runs = {"ours": took(1, 2, 9), "ours_idle": took(4), "before_idle": took(6), "ours_search": took(5)}
    figures = busy.figures(runs | {"before": [{"seconds": 20}, {"seconds": 20}, *took(3)], "before_search": took(6)})
    assert figures["ratio"] == {"before": 10, "before_idle": 1.5, "before_search": 1.2}
    assert figures["cut"] == {"before": 2}


def test_rows_of_the_ingest_bench_are_in_order_and_as_many_as_it_says_are_wrong(tmp_path):
    path = ingest_data.write(tmp_path, 0, 4_000, date(2024, 7, 1), 500)
    rows = pc_csv.read_csv(path)
    assert rows.column_names == ingest_data.COLUMNS
    wrong = pc.or_(pc.greater(rows["d0"], 1), pc.invert(pc.is_in(rows["t0"], pa.array(ingest_data.LEVELS))))
    assert pc.sum(wrong).as_py() == ingest_data.wrong(4_000) == 4
    times = rows["at"].to_pylist()
    assert times == sorted(times)
    assert (str(times[0]), str(times[-1])) == ("2024-06-30 23:26:40", "2024-06-30 23:59:59.500000")
    assert ingesting.exponent({1: 2.0, 4: 4.0, 16: 8.0}) == pytest.approx(0.5)


@pytest.mark.starts_processes
def test_resamples_of_the_judge_bench_are_equal_to_a_loop_over_scikit_learn_s_metrics():
    found = judging.measured(20_000, 1)
    seconds = found["seconds"]
    assert found["errors"] == {}
    assert found["greatest_difference"] <= 1e-12
    assert seconds["sklearn_loop"] == pytest.approx(50 * found["runs"]["sklearn_loop"][0])
    assert found["ratio"] == {"sklearn_loop": seconds["sklearn_loop"] / seconds["ours"]}
    assert min(found["peak_memory_mb"].values()) > 0
    assert judging.difference(np.array([[0.5], [np.nan]]), np.array([[0.5]])) == 0
    assert judging.difference(np.array([[np.nan]]), np.array([[0.5]])) == np.inf


@pytest.mark.starts_processes
def test_the_values_of_the_explain_bench_are_those_of_lightgbm():
    """Without shap, which is in the environment of the peers."""
    found = explaining.measured(50, 1, sys.executable, {"lightgbm": "ours_lightgbm"})
    assert (found["errors"], set(found["seconds"])) == ({}, {"ours_lightgbm", "lightgbm"})
    assert found["greatest_difference"]["lightgbm"] <= 1e-9
    assert found["ratio"] == {"lightgbm": found["seconds"]["lightgbm"] / found["seconds"]["ours_lightgbm"]}


@pytest.mark.starts_processes
def test_slices_that_the_bench_plants_are_found_and_one_that_only_the_peer_tells_of_is_an_error():
    with slicing.started("ours", Place(sys.executable, Path(), 1)) as engine:
        found = slicing.search(engine, 3000)
    assert found["likeness"] == [1.0, 1.0]
    runs = {name: [found] for name in ("ours", "ours_few", "sliceline")}
    sizes = {"ours": 6000, "ours_few": 3000, "sliceline": 3000}
    figures = slicing.told(sizes, runs, {})
    assert (figures["errors"], figures["ratio"]) == ({}, {"sliceline": pytest.approx(2)})
    assert "5: 1" in slicing.told(sizes, runs | {"ours_few": [found | {"likeness": [0.2, 1.0]}]}, {})["errors"]["ours"]


@pytest.mark.slow
def test_each_refresh_shows_what_has_happened_to_the_scores_before_it(tmp_path, capsys):
    changes = []
    for happens in refreshing.STEPS.values():
        latest_worker.main(str(tmp_path), 300, happens)
        latest_worker.main(str(tmp_path), 300, "refresh")
        changes.append(json.loads(capsys.readouterr().out)["changes"])
    assert changes == [{"new": 300}, {"new": 300}, {"new": 297, "corrected": 3}, {"restored": 300}]


def test_engines_score_one_night_alike(tmp_path, monkeypatch):
    """Few rows, which our step scores without Spark; the peer on Spark is measured where a bench is run."""
    monkeypatch.setattr(score_case, "TRAINING", 2000)
    place = score_case.Place(tmp_path, 1)
    score_case.prepare(place, 700)
    engines = {name: score_worker.ENGINES[name](place) for name in ("ours", "sklearn", "lightgbm")}
    for model, of_model in score_engines.CASES.items():
        scores = {name: engines[name](model)().sort_by("entity") for name in of_model if name in engines}
        assert {len(one) for one in scores.values()} == {700}
        values = {name: one["score"].to_numpy() for name, one in scores.items()}
        assert score_engines.differences(model, values) == {}
        assert score_engines.differences(model, values | {"sklearn": values["ours"] + 1e-5}).keys() == {
            score_engines.label("sklearn", model)
        }


def test_what_scoring_took_is_told_beside_ours_of_the_same_model():
    took = {"ours": 2.0, "spark_udf": 6.0, "ours_linear": 1.0, "spark_udf_linear": 7.0, "ours_lightgbm": 3.0}
    runs = {name: [{"seconds": one, "cpu_seconds": 2 * one}] * 3 for name, one in {**took, "lightgbm": 3.3}.items()}
    figures = score_engines.figures_of(runs)
    assert figures["ratio"] == pytest.approx({"spark_udf": 3.0, "spark_udf_linear": 7.0, "lightgbm": 1.1})
    assert figures["cpu_seconds"]["ours"] == 4.0
