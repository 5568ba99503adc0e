"""The command line of a job: options by argparse, everything else in Hydra's grammar."""

import argparse
import inspect
import re
from pathlib import Path
from typing import NoReturn

from nightjar import config
from nightjar.errors import UsageError
from nightjar.settings.jobs import JobName
from nightjar.settings.roots import ROOTS

PROJECT_FOLDER = Path("conf")
KEYS = {
    JobName.LEASES: "project=NAME",
    JobName.QUARANTINE: "project=NAME",
    JobName.REVIEW: "project=NAME",
    JobName.PROFILE: "project=NAME source=NAME",
    JobName.NIGHTLY: "project=NAME[,NAME ...] run_date=YYYY-MM-DD[..YYYY-MM-DD]",
}
"""What jobs need that are not of one run date and project."""


class Parser(argparse.ArgumentParser):
    """Wrong usage is a stated failure like all others, instead of argparse's own end of the process."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message}; expected KEY=VALUE or an option that {self.prog} --help lists")


def parse(job: JobName, description: str, arguments: list[str]) -> argparse.Namespace:
    """The options of a job, and `overrides`: its arguments for Hydra.

    `--help` prints its text and ends the process.

    Raises:
        UsageError: an argument is no such option, or there is no such folder.
    """
    options = _parser(job, description).parse_intermixed_args(arguments)
    if options.config_dir is not None and not options.config_dir.is_dir():
        raise UsageError(f"--config-dir: there is no folder {options.config_dir}, expected that of a project's files")
    if job is JobName.NIGHTLY:  # no field of a class may be called `from`
        options.overrides = [re.sub("^from=", "from_step=", override) for override in options.overrides]
    options.config_dir = options.config_dir or (PROJECT_FOLDER if PROJECT_FOLDER.is_dir() else config.BASE)
    return options


def _parser(job: JobName, description: str) -> Parser:
    keys = KEYS.get(job, "project=NAME run_date=YYYY-MM-DD")
    command = f"nightjar {job.value.replace('_', '-')}"
    file = f"jobs/{job.value}.py"
    parser = Parser(
        prog=command,
        usage=f"{command} {keys} [KEY=VALUE ...] [options]\n"
        f"       python {file} ..., spark-submit {file} ...: the same (nightjar path jobs: the folder)",
        description=f"{description.strip()}\n\n{inspect.getdoc(ROOTS[job])}",
        epilog=f"Every key can be given as KEY=VALUE. All keys and their values: {command} project=NAME --cfg job",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="a setting, in Hydra's grammar")
    parser.add_argument("--cfg", choices=["job"], help="print the composed configuration and do nothing")
    parser.add_argument("--check", action="store_true", help="look for mistakes in the settings and run nothing")
    if job is JobName.INGEST:
        text = "show ten rows of a source, and what would be refused, instead; no table is touched"
        parser.add_argument("--preview", metavar="SOURCE", help=text)
    parser.add_argument(
        "--config-dir",
        type=Path,
        metavar="DIR",
        help="the project's configuration; default: conf/ of the current folder. What is not in it comes from "
        "Nightjar's own (nightjar path conf)",
    )
    return parser
