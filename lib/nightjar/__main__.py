"""The console command: `nightjar JOB ...` equals `python jobs/JOB.py ...`, and some commands that are no jobs."""

import argparse
import ast
import runpy
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import nightjar
from nightjar.errors import UsageError

FOLDERS = {name: Path(nightjar.__file__).resolve().with_name(f"_{name}").resolve() for name in ("jobs", "conf")}


def new_project(arguments: list[str]) -> None:
    """A project made of a raw file: its configuration, and a page that shows the file."""
    from nightjar.profiling import command

    command.new_project(arguments, "nightjar new-project", Path(), "nightjar nightly project_dates=true")


def profile(arguments: list[str]) -> None:
    """A look at a raw file (FILE) or at a source's stored facts over time (project=NAME source=NAME)."""
    from nightjar.profiling import command

    if any("=" in one and not Path(one).exists() for one in arguments):
        run_job("profile", arguments)
    else:
        command.look(arguments, "nightjar profile", Path())


def setup(arguments: list[str]) -> None:
    """Delta's jars and the archive of Spark's classes, which Python packages cannot bring."""
    from nightjar.runtime import setup as steps

    steps.main(arguments)


def path(arguments: list[str]) -> None:
    """The folder of the jobs or of the base configuration, as in `spark-submit $(nightjar path jobs)/score.py`."""
    if len(arguments) != 1 or arguments[0] not in FOLDERS:
        raise UsageError(f"usage: nightjar path {{{','.join(FOLDERS)}}}")
    sys.stdout.write(f"{FOLDERS[arguments[0]]}\n")


OTHERS: dict[str, Callable[[list[str]], None]] = {
    "new-project": new_project,
    "profile": profile,
    "setup": setup,
    "path": path,
}


def main() -> None:
    """Run one command and exit: 0 done, 1 a stated failure, 2 wrong usage, 130 interrupted."""
    jobs = {file.stem.replace("_", "-"): file for file in sorted(FOLDERS["jobs"].glob("*.py"))}
    parser = argparse.ArgumentParser(
        prog="nightjar",
        description="Distributed batch training and scoring. Each command has --help.",
        epilog=_list_commands(jobs),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nightjar {nightjar.__version__}")
    parser.add_argument("command", choices=[*jobs, *OTHERS], metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="of the command")
    options = parser.parse_args()
    if options.command in OTHERS:
        run(f"nightjar {options.command}", partial(OTHERS[options.command], options.arguments))
    else:
        run_job(options.command, options.arguments)


def run_job(command: str, arguments: list[str]) -> None:
    """Run the file of a job."""
    sys.argv = [str(FOLDERS["jobs"] / f"{command.replace('-', '_')}.py"), *arguments]
    runpy.run_path(sys.argv[0], run_name="__main__")


def run(name: str, action: Callable[[], None]) -> None:
    """Run what is no job, and exit where it fails.

    Args:
        name: the command, for its messages.
        action: what to do.
    """
    from nightjar.runtime import process

    with process.of_command(lambda message: sys.stderr.write(f"{name}: error: {message}\n")):
        action()


def _list_commands(jobs: dict[str, Path]) -> str:
    texts = {name: ast.get_docstring(ast.parse(file.read_text())) for name, file in jobs.items()}
    texts |= {name: command.__doc__ for name, command in OTHERS.items()}
    return "\n".join(f"  {name:15} {(text or '').splitlines()[0]}" for name, text in texts.items())


if __name__ == "__main__":
    main()
