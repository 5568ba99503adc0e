"""Jobs by their command lines, run within this process: by the lines of the job's own file, with the tests' Spark."""

import json
import logging
import runpy
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from nightjar.pipeline import execution
from nightjar.pipeline.sessions import Sessions


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> list[dict[str, str]]:
        """The lines that Nightjar itself wrote to standard error."""
        lines = [line for line in self.err.splitlines() if line.startswith("{")]
        return [json.loads(line) for line in lines]

    @property
    def problem(self) -> str:
        """The one message that says what went wrong; only what is wrong with settings has several lines."""
        (message,) = [
            line["message"] for line in self.said if (line["level"], line["from"]) == ("error", "nightjar.job")
        ]
        assert "\n" not in message or "the configuration is refused:\n" in message
        return message


class Lent(Sessions):
    """The tests' own Spark, where there is one: it is not a job's to stop."""

    def __init__(self, environment, app_name, few_rows, session):
        super().__init__(environment, app_name, few_rows)
        self.session = session

    @property
    def spark(self):
        assert self.session is not None, "the job starts Spark"
        return self.session

    def stop(self):
        pass


@contextmanager
def job_undone() -> Iterator[None]:
    """What a job changes in its process, and nobody needs to undo where the process ends with it."""
    logger, handler, hook = logging.getLogger("nightjar"), signal.getsignal(signal.SIGTERM), sys.unraisablehook
    before = (logger.handlers, logger.level, logger.propagate)
    try:
        yield
    finally:
        logger.handlers, logger.level, logger.propagate = before
        signal.signal(signal.SIGTERM, handler)
        sys.unraisablehook = hook


def run_within(folder: Path, line: Sequence[str], spark: SparkSession | None) -> Ended:
    """Run a job, given as its file and settings, in a folder. Without Spark, one that starts it fails."""
    out, err, code = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, job_undone(), redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "argv", list(line))
        patch.setattr(execution, "Sessions", partial(Lent, session=spark))
        try:
            runpy.run_path(line[0], run_name="__main__")
        except SystemExit as end:
            code = end.code
    return Ended(code, out.getvalue(), err.getvalue())
