"""The commands about raw files: a look at one, and a project made of one."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from nightjar.profiling import configuration, page, project_files, terminal
from nightjar.profiling.columns import FileProfile, profile_file
from nightjar.profiling.proposal import propose, require_name, source_name
from nightjar.profiling.raw_file import open_raw
from nightjar.report.page import save

FORMATS = "CSV (RFC 4180, UTF-8), Parquet, or a folder of it"
console = Console(width=None if sys.stdout.isatty() else 110)


def look(arguments: list[str], prog: str, root: Path) -> None:
    """Print what a file's columns hold, and save it as a page.

    Args:
        arguments: the command line's.
        prog: the command, for its help.
        root: the folder that the page is saved below, in `.nightjar/profiles`.

    Raises:
        SourceError: the file cannot be read as raw data.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description="A look at a raw file: what each column holds, printed and as a page.",
        epilog="Stored facts of a source over time: nightjar profile project=NAME source=NAME",
        allow_abbrev=False,
    )
    parser.add_argument("data", metavar="FILE", help=FORMATS)
    options = parser.parse_args(arguments)
    name = source_name(options.data)
    with open_raw(options.data, name) as raw:
        profile = profile_file(raw)
        _print(profile)
        _save_page(page.render(profile), root, name)


def new_project(arguments: list[str], prog: str, root: Path, night: str) -> None:
    """Write the configuration of projects made of a raw file, and a page that shows the file.

    Args:
        arguments: the command line's.
        prog: the command, for its help.
        root: the project's folder, with `conf/` (or what `--config-dir` names) and `.nightjar/profiles`.
        night: the command that runs such a project's history and nights.

    Raises:
        SourceError: the file cannot be read as raw data.
        UsageError: a name or a column does not fit, or a file is there already. Nothing was written.
    """
    options = _parser(prog).parse_args(arguments)
    if options.name is None:
        look([options.data], prog, root)
        return
    require_name(options.name)
    with open_raw(options.data, source_name(options.data)) as raw:
        profile = profile_file(raw)
        _print(profile)
        clocks = {"clock": options.clock, "known_at": options.known_at, "zone": options.zone}
        proposal = propose(raw, profile, options.name, options.label, **clocks)
    files = configuration.files(proposal)
    conf = root / (options.config_dir or "conf")
    project_files.place(conf, files, proposal.label_proposals)
    _save_page(page.render(profile, options.name, files), root, options.name)
    folder = options.config_dir or Path("conf")
    nights = [f"{night} project={name} search={name}" for name in proposal.label_proposals]
    _print_summary(files, folder, [f"{one} --config-dir {folder}" if options.config_dir else one for one in nights])


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="A project made of a raw file.", allow_abbrev=False)
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the project; without it the file is only looked at")
    parser.add_argument("--data", required=True, metavar="FILE", help=FORMATS)
    parser.add_argument(
        "--label", action="append", default=[], metavar="COLUMN",
        help="a boolean or a number to predict; with several, a project for each; none: whether there is a fact again",
    )  # fmt: skip
    parser.add_argument("--clock", metavar="COLUMN", help="when a fact happened; default: the likeliest column")
    parser.add_argument(
        "--known-at", metavar="COLUMN", help="when it could be known; default: then, or once its day is over"
    )
    parser.add_argument(
        "--zone", metavar="ZONE", help="whose days these are, such as Europe/Paris; default: what the file says"
    )
    parser.add_argument("--config-dir", type=Path, metavar="DIR", help="where it is written; default: conf/")
    return parser


def _print(profile: FileProfile) -> None:
    console.print(terminal.table(profile))
    for line in terminal.remarks(profile):
        console.print(f"  {line}", highlight=False, markup=False)


def _save_page(text: str, root: Path, name: str) -> None:
    """Save the page where only this user can look: it shows values of the file."""
    home = root / ".nightjar"
    home.mkdir(mode=0o700, exist_ok=True)
    path = home.absolute() / "profiles" / f"{name}.html"
    save(str(path), text)
    console.print(f"\nThe look as a page: {path}", highlight=False, soft_wrap=True)


def _print_summary(files: dict[str, str], conf: Path, nights: list[str]) -> None:
    console.print("\nWritten:")
    for path in files:
        console.print(f"  {conf / path}", highlight=False)
    console.print(f"  {conf / project_files.SCHEMAS}: by which editors complete and check them", highlight=False)
    console.print("\nCheck, before you trust what comes of it:")
    for one in terminal.open_checks(files):
        text = f"  {conf / one.path}:{one.line}: {one.setting}\n    {one.words}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    console.print("\nThen run its history and three nights, to the first scores:")
    for night in nights:
        console.print(f"  {night}", highlight=False, soft_wrap=True)
