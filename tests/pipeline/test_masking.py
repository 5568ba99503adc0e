"""Secrets of the environment are shown nowhere: in no configuration, message, log line or row, and not by a hash.

Nor are values of columns that the project declares sensitive, in messages and log lines.
"""

import logging
from pathlib import Path

import pytest

from nightjar.config import compose_job, make_settings
from nightjar.errors import TableError, UsageError
from nightjar.pipeline import job
from nightjar.runtime import logs
from nightjar.settings.jobs import JobName

CONF = Path(__file__).resolve().parents[2] / "conf"
HIDDEN = "hunter22hunter22"
NUMBER = "22_222_222"
GIVEN = f"+environment.spark={{spark.hadoop.fs.s3a.secret.key: {HIDDEN}}}"
FLIGHTS = ["project=flights", "run_date=2013-10-05"]


def run(*arguments, body=lambda _: None):
    job.run(JobName.SCORE, "", ["--config-dir", str(CONF), *arguments], body)


def test_the_configuration_that_is_shown_has_the_option_and_not_its_value(capsys):
    run(*FLIGHTS, GIVEN, "--cfg", "job")
    shown = capsys.readouterr().out
    assert "spark.hadoop.fs.s3a.secret.key: '********'" in shown
    assert HIDDEN not in shown
    assert "name: flights" in shown


@pytest.mark.slow
def test_the_settings_have_it_and_the_hash_in_runs_does_not_tell_it(tmp_path):
    seen = []
    for value in (HIDDEN, "hunter23"):
        run(*FLIGHTS, GIVEN.replace(HIDDEN, value), f"environment.warehouse={tmp_path}", body=seen.append)
    first, second = seen
    assert list(first.settings.environment.spark.values()) == [HIDDEN]
    assert first.config_hash == second.config_hash
    run(*FLIGHTS, "environment.cpus=1", GIVEN, f"environment.warehouse={tmp_path}", body=seen.append)
    assert seen[-1].config_hash != first.config_hash


@pytest.mark.parametrize(
    "override",
    [
        f"environment.sprak.secret={HIDDEN}",
        f"environment.spark.secret=[{HIDDEN}",
        f"environment.spark={{spark.secret: {HIDDEN}, b}}",
        f"environment={{cpus: {{secret: {HIDDEN}}}}}",
        f"+environment.spark={{a: 1.10, spark.secret: {HIDDEN}}}",
    ],
)
def test_a_command_line_that_is_refused_is_told_without_its_secrets(override):
    """A key that there is not, a value that cannot be read, a mapping that cannot be, a value of another type,
    a number beside it that is to be quoted."""
    with pytest.raises(UsageError) as refused:
        make_settings(compose_job(CONF, JobName.SCORE, [*FLIGHTS, override]))
    assert "hunter22" not in str(refused.value)
    assert "environment" in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [
        f"spark: {{x.secret.key: {NUMBER}}}",
        f"cpus: {{secret: '{NUMBER}'}}",
        f"secrets: {NUMBER}",
        f"spark: {{x.secret.key: ['{NUMBER}']}}",
    ],
)
def test_a_file_that_is_refused_is_told_without_its_secrets(tmp_path, written):
    """A number that YAML has read otherwise, a value of another type, a key that there is not, a list for a text."""
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment" / "mine.yaml").write_text(f"defaults: [schema, _self_]\n{written}\n")
    (tmp_path / "score.yaml").write_text("defaults: [score_schema, environment: mine, project: schema, _self_]\n")
    with pytest.raises(UsageError) as refused:
        make_settings(compose_job(tmp_path, JobName.SCORE, []))
    assert NUMBER not in str(refused.value)
    assert NUMBER.replace("_", "") not in str(refused.value)
    assert "environment" in str(refused.value)


def refuse():
    raise TableError(f"the store refuses {HIDDEN}")


def test_no_line_that_is_logged_holds_it_not_even_a_traceback(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(logs, "_SECRETS", set())
    logger = logging.getLogger("nightjar")
    before = logger.handlers, logger.propagate
    try:
        logs.start()
        run(*FLIGHTS, GIVEN, f"environment.warehouse={tmp_path}")
        try:
            refuse()
        except TableError:
            logger.exception("it failed")
    finally:
        logger.handlers, logger.propagate = before
    output = capsys.readouterr().err
    assert "it failed" in output
    assert HIDDEN not in output
    assert logs.redact(f"the store refuses {HIDDEN}") == "the store refuses ********"  # as `runs` has it


AIRPORT = "LGA"


def refuse_key(origin):
    raise TableError(f"the key origin={origin!r} is there twice")


def test_no_line_that_is_logged_has_a_value_of_a_sensitive_column(tmp_path, capsys, monkeypatch):
    """A message, a traceback, and what `runs` has of an error; a later job masks by its own project alone."""
    monkeypatch.setattr(logs, "_MASKS", [])
    logger = logging.getLogger("nightjar")
    before = logger.handlers, logger.propagate
    try:
        logs.start()
        run(*FLIGHTS, "project.serving.sensitive=[origin]", f"environment.warehouse={tmp_path}")
        logger.warning("seats is too great in %d rows: seats=9e38 at carrier=UA, origin=JFK, flight=12", 1)
        try:
            refuse_key(AIRPORT)
        except TableError as error:
            logger.exception("it failed")
            kept = logs.masked(str(error))
    finally:
        logger.handlers, logger.propagate = before
    output = capsys.readouterr().err
    assert kept == "the key origin=(masked) is there twice"
    assert "seats=9e38 at carrier=UA, origin=(masked), flight=12" in output
    assert "JFK" not in output
    assert AIRPORT not in output
    run(*FLIGHTS, f"environment.warehouse={tmp_path}")
    assert logs.masked("origin=JFK") == "origin=JFK"
