"""What `--check` tells before anything is started: all of it, with exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nightjar.config import compose_job, make_settings
from nightjar.errors import UsageError
from nightjar.pipeline import job
from nightjar.pipeline.checking import require_runnable
from nightjar.settings.jobs import JobName

ROOT = Path(__file__).resolve().parents[2]
FLIGHTS = ["project=flights", "run_date=2013-10-05"]
HEAVY = ("lightgbm", "mlflow", "numba", "pandas", "pyspark", "ray", "scipy", "sklearn", "torch", "xgboost")

pytestmark = pytest.mark.slow  # each composes a configuration


def check(name, *arguments):
    require_runnable(make_settings(compose_job(ROOT / "conf", name, [*FLIGHTS, *arguments])))


def test_files_and_searches_are_judged_together():
    wrong = [
        "search.metric=rmse",
        "search.candidates.logistic.drop=[nothing]",
        "search.candidates.boosting.parameters={max_itr: 3}",
        "search.final_days=300",
        "project.sources.weather.file.path=nowhere.csv",
        "project.sources.weather.where='tempp > 1'",
    ]
    with pytest.raises(UsageError) as refused:
        check(JobName.NIGHTLY, *wrong)
    head, *lines = str(refused.value).splitlines()
    assert (head, refused.value.exit_code) == ("the job cannot run:", 2)
    begins = (
        "Source weather: there is no file ",
        "project.sources.weather.where: the expression 'tempp > 1' names tempp, which is no column there (did you ",
        "search.metric is ",
        "search.candidates.logistic: drop names nothing",
        "search.candidates.boosting: ",
        "search.split.folds=3 of test_days=28 and search.final_days=300",
    )
    assert [begin for begin in begins if not any(line.startswith(f"  {begin}") for line in lines)] == []
    assert len(lines) == len(begins)


def test_an_experiment_that_would_not_show_its_effect_is_refused_with_what_would_do():
    plan = "kind: randomised, value: score, effect: 0.01, deviation: 0.4, entities: 1000, nights: 28"
    canary = ["project.serving.canary.steps=[0.1,0.5]", "project.serving.fallback.chain=[]"]
    with pytest.raises(UsageError, match=r"project.serving.experiment: 28 nights with 1000 entities each show an eff"):
        check(JobName.SCORE, *canary, f"project.serving.experiment={{{plan}}}")
    check(JobName.SCORE, *canary, f"project.serving.experiment={{{plan.replace('0.4', '0.1')}}}")


def test_a_password_that_is_not_there_is_missed_before_anything_connects(monkeypatch):
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    database = "{url: 'jdbc:postgresql://nowhere/shop', user: reader, password: {env: SHOP_PASSWORD}, table: weather}"
    settings = ["project.sources.weather.file=null", f"project.sources.weather.database={database}"]
    missing = r"\n  Source weather: the password of reader for .* the environment variable SHOP_PASSWORD is not set"
    with pytest.raises(UsageError, match=missing):
        check(JobName.INGEST, *settings)
    check(JobName.TRAIN, *settings)
    monkeypatch.setenv("SHOP_PASSWORD", "geheim")
    check(JobName.INGEST, *settings)


def test_a_job_is_asked_only_for_what_it_needs_itself():
    check(JobName.TRAIN, "project.sources.weather.file.path=nowhere.csv")
    check(JobName.NIGHTLY, "only=[score]", "search.metric=rmse", "project.sources.weather.file.path=nowhere.csv")
    check(JobName.NIGHTLY, "run_date=null", "project_dates=true")


def test_an_option_says_so_without_running_anything(capsys):
    job.run(JobName.SCORE, "", [*FLIGHTS, "environment.home=/nowhere/home", "--check"], pytest.fail)
    assert capsys.readouterr().out == "score: nothing is wrong, as far as settings and the places of files tell\n"


@pytest.mark.parametrize(
    ("name", "dates"), [(JobName.TRAIN, []), (JobName.NIGHTLY, ["run_date=null", "project_dates=true"])]
)
def test_a_job_that_is_sure_to_train_refuses_its_search_before_anything_is_made(name, dates):
    wrong = ["search.metric=rmse", "environment.warehouse=/nowhere/warehouse", "environment.home=/nowhere/home"]
    with pytest.raises(UsageError, match=r"the job cannot run:\n  .*metric is rmse"):
        job.run(name, "", [*FLIGHTS, *dates, *wrong], pytest.fail)


def test_no_job_imports_a_heavy_library_for_it():
    """Those whose checks differ most, in one process: what the first imports, the others are blamed for, too."""
    arguments = {"review": ["project=credit"]} | dict.fromkeys(("score", "train", "nightly"), FLIGHTS)
    look = (
        "import sys; from nightjar.pipeline import job; from nightjar.settings.jobs import JobName\n"
        f"for name, line in {arguments}.items():\n"
        "    job.run(JobName(name), '', [*line, '--check'])\n"
        f"    imported = [library for library in {HEAVY} if library in sys.modules]\n"
        "    assert not imported, f'{name} imports {imported}'"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lib")}
    command = [sys.executable, "-c", look]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
