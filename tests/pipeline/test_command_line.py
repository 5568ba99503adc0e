"""Options of a job and its settings, in any order; and where its project's configuration lies."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import builders
from nightjar import config
from nightjar.errors import NightjarError, UsageError
from nightjar.pipeline import command_line, projects
from nightjar.settings import jobs
from nightjar.settings.jobs import JobName


def parse(*arguments):
    return command_line.parse(JobName.SCORE, "", list(arguments))


def test_options_stand_anywhere_between_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments in (["a=1", "--cfg", "job", "~b"], ["--cfg", "job", "a=1", "~b"], ["a=1", "~b", "--cfg=job"]):
        options = parse(*arguments)
        assert (options.overrides, options.cfg) == (["a=1", "~b"], "job")
    assert parse("a=-1", "+c=--x").overrides == ["a=-1", "+c=--x"]


def test_a_project_lies_in_the_current_folder_s_conf_or_where_it_is_said_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse().config_dir == config.BASE
    (tmp_path / "other").mkdir()
    (tmp_path / "conf").mkdir()
    assert parse().config_dir.resolve() == tmp_path / "conf"
    assert parse("--config-dir", "other").config_dir.resolve() == tmp_path / "other"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config-dir", "nowhere"], r"--config-dir: there is no folder nowhere, expected"),
        (["--config-dir"], r"--config-dir: expected one argument; expected KEY=VALUE or"),
        (["--cfg", "all"], r"--cfg: invalid choice: 'all'"),
        (["--conf", "x"], r"unrecognized arguments: --conf"),
        (["--check=maybe"], r"--check"),
    ],
)
def test_what_is_no_option_is_refused_like_all_wrong_usage(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        parse(*arguments)


def test_a_source_is_looked_at_before_its_ingest_alone():
    options = command_line.parse(JobName.INGEST, "", ["a=1", "--preview", "weather"])
    assert (options.overrides, options.preview) == (["a=1"], "weather")
    with pytest.raises(UsageError, match="unrecognized arguments: --preview"):
        parse("--preview", "weather")


@pytest.mark.parametrize("job", list(JobName), ids=lambda one: one.value)
def test_help_names_the_command_the_file_and_the_keys(job, capsys):
    with pytest.raises(SystemExit) as end:
        command_line.parse(job, f"{job.value}: what it does.", ["project=x", "-h"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    for part in (
        f"usage: nightjar {job.value.replace('_', '-')} project=NAME",
        f"jobs/{job.value}.py",
        "what it does.",
    ):
        assert part in shown
    assert ("run_date=YYYY" in shown) == ("run_date" in command_line.KEYS.get(job, "run_date"))


def test_a_project_that_fails_for_a_reason_that_nobody_knows_stops_no_other_either(tmp_path, caplog):
    environment, project = builders.quick_environment(home=str(tmp_path)), builders.machines(Path("files"))
    settings = [jobs.Monitor(environment, replace(project, name=name), "2024-04-01") for name in ("a", "b", "c", "d")]
    done = []

    def fails(failure, lent):
        assert lent.environment == environment
        raise failure

    def succeeds(lent):
        done.append(lent.environment)

    works = [
        partial(fails, KeyError("load")),
        partial(fails, UsageError("run_date: none is given")),
        partial(fails, OSError(28, "No space left on device")),
        succeeds,
    ]
    with pytest.raises(NightjarError, match=r"3 of 4 projects have failed: a, b, c\. The others are done") as stated:
        projects.run_all(settings, works)
    assert (done, stated.value.exit_code) == ([environment], 1)
    (unknown,) = [record for record in caplog.records if record.exc_info]
    assert unknown.getMessage().startswith("a: unexpected failure")
    assert "c: A disk is full" in caplog.text
