"""The console command: what it lists, prints and refuses. That it runs jobs is tested with the wheel."""

import sys

import pytest

from nightjar import __main__ as command
from nightjar import config
from nightjar.settings.jobs import JobName
from system.commands import job_undone


def run(*arguments):
    """Its exit code."""
    with pytest.MonkeyPatch.context() as patch, job_undone():
        patch.setattr(sys, "argv", ["nightjar", *arguments])
        try:
            command.main()
        except SystemExit as end:
            return end.code
    return 0


def test_all_jobs_and_the_other_commands_are_listed_with_what_they_do(capsys):
    assert run("--help") == 0
    lines = capsys.readouterr().out.splitlines()
    commands = dict(line.split(maxsplit=1) for line in lines[lines.index("", 8) :] if line.startswith("  "))
    assert set(commands) >= {job.value.replace("_", "-") for job in JobName} | {
        "new-project",
        "profile",
        "setup",
        "path",
    }
    assert commands["score"].startswith("Score: one prediction per row")


def test_profile_is_of_a_raw_file_or_of_stored_facts(tmp_path, monkeypatch, capsys):
    """The job where there are settings; a file's path may hold an equals sign, too."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "day=2024-04-01"
    folder.mkdir()
    (folder / "a.csv").write_text("x\n1\n2\n")
    assert run("profile", "day=2024-04-01/a.csv") == 0
    assert "profiles/a.html" in capsys.readouterr().out
    assert run("profile", "project=flights", "source=weathr", "--check") == 2
    assert "profile: the configuration is refused:\\n  source: found 'weathr'" in capsys.readouterr().err


def test_paths_are_those_of_the_configuration_and_the_jobs(capsys):
    assert run("path", "conf") == run("path", "jobs") == 0
    conf, jobs = capsys.readouterr().out.splitlines()
    assert conf == str(config.BASE)
    assert jobs == str(config.BASE.with_name("jobs"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scroe"], "invalid choice: 'scroe'"),
        (["path", "lib"], "nightjar path: error: usage: nightjar path {jobs,conf}"),
        (["profile", "/nowhere/orders.csv"], "nightjar profile: error: Source orders: there is no file"),
        (["new-project", "1st", "--data", "x.csv"], "nightjar new-project: error: "),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_what_cannot_be_done_is_one_message_and_an_exit_code(arguments, message, capsys):
    assert run(*arguments) == (1 if arguments[:1] == ["profile"] else 2)
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.out == ""
