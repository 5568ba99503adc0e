"""The program behind scripts/new_project."""

import argparse
import sys
from pathlib import Path

import nightjar  # noqa: F401  (before any library that starts threads: it says how they wait)

# isort: split
from rich.console import Console

from nightjar.errors import NightjarError
from nightjar.profiling import configuration, page, project_files, terminal
from nightjar.profiling.columns import profile_file
from nightjar.profiling.proposal import propose, require_name, source_name
from nightjar.profiling.raw_file import open_raw
from nightjar.report.page import save
from nightjar.runtime import folders, outages

ROOT = Path(__file__).resolve().parents[1]
console = Console(width=None if sys.stdout.isatty() else 110)


def main(arguments: list[str], root: Path = ROOT) -> None:
    parser = argparse.ArgumentParser(prog="scripts/new_project", description="A project made of a raw file.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the project; without it the file is only looked at")
    parser.add_argument(
        "--data", required=True, metavar="FILE", help="CSV (RFC 4180, UTF-8), Parquet, or a folder of it"
    )
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
    options = parser.parse_args(arguments)
    if options.name is not None:
        require_name(options.name)
    raw_name = source_name(options.data)
    with open_raw(options.data, raw_name) as raw:
        profile = profile_file(raw)
        console.print(terminal.table(profile))
        for line in terminal.remarks(profile):
            console.print(f"  {line}", highlight=False, markup=False)
        if options.name is None:
            _save_page(page.render(profile), root, raw_name)
            return
        clocks = {"clock": options.clock, "known_at": options.known_at, "zone": options.zone}
        proposal = propose(raw, profile, options.name, options.label, **clocks)
    files = configuration.files(proposal)
    project_files.place(root / "conf", files, proposal.label_proposals)
    _save_page(page.render(profile, options.name, files), root, options.name)
    _print_summary(files, list(proposal.label_proposals))


def _save_page(text: str, root: Path, name: str) -> None:
    """Save the page where only this user can look: it shows values of the file."""
    home = root / ".nightjar"
    home.mkdir(mode=0o700, exist_ok=True)
    path = home / "profiles" / f"{name}.html"
    save(str(path), text)
    console.print(f"\nThe look as a page: {path}", highlight=False, soft_wrap=True)


def _print_summary(files: dict[str, str], projects: list[str]) -> None:
    console.print("\nWritten:")
    for path in files:
        console.print(f"  conf/{path}", highlight=False)
    console.print("\nCheck, before you trust what comes of it:")
    for one in terminal.open_checks(files):
        text = f"  conf/{one.path}:{one.line}: {one.setting}\n    {one.words}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    console.print("\nThen run its history and three nights, to the first scores:")
    for name in projects:
        console.print(f"  scripts/nightly project={name} search={name}", highlight=False)


if __name__ == "__main__":
    folders.use_process_folder()
    try:
        with outages.translate_errors():
            main(sys.argv[1:])
    except NightjarError as error:
        sys.stderr.write(f"scripts/new_project: error: {error}\n")
        sys.exit(error.exit_code)
