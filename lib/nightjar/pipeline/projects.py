"""Several projects in one command, `project=one,other`: one after another, and one that fails stops no other."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from nightjar.errors import NightjarError, UsageError
from nightjar.runtime import outages
from nightjar.settings.jobs import Job

log = logging.getLogger("nightjar.job")
OF_PROJECT = ("project=", "search=")
"""Arguments that may name one value for each project."""


def lines(arguments: Sequence[str]) -> list[list[str]]:
    """The arguments for each of the projects that they name; `search` may name one for all, or one for each.

    Raises:
        UsageError: a project is named twice, or searches are neither one nor as many as projects.

    Example:
        >>> lines(["project=shops,credit", "run_date=2013-10-04", "search=shops,credit"])[1]
        ['project=credit', 'run_date=2013-10-04', 'search=credit']
    """
    named = {beginning: _values(beginning, arguments) for beginning in OF_PROJECT}
    names, searches = (named[beginning] for beginning in OF_PROJECT)
    if len(names) < 2:
        return [list(arguments)]
    if len(set(names)) < len(names) or "" in names:
        raise UsageError(f"project={','.join(names)}: expected the name of each project once")
    if len(searches) not in (0, 1, len(names)):
        raise UsageError(f"search={','.join(searches)}: expected one search, or one for each of {len(names)} projects")
    return [[_of(argument, number, named) for argument in arguments] for number in range(len(names))]


def _values(beginning: str, arguments: Sequence[str]) -> list[str]:
    last = [one.removeprefix(beginning) for one in arguments if one.startswith(beginning)][-1:]
    return last[0].split(",") if last else []


def _of(argument: str, number: int, named: dict[str, list[str]]) -> str:
    for beginning, values in named.items():
        if argument.startswith(beginning) and len(values) > 1:
            return f"{beginning}{values[number]}"
    return argument


def run_all(settings: Sequence[Job], works: Sequence[Callable[..., Any]]) -> None:
    """Do the work of each project, those of one environment in one Spark; a failure is logged, and raised at the end.

    Args:
        settings: of each project's job.
        works: what is done for each; takes the sessions that are `lent`.

    Raises:
        NightjarError: some of them have failed; names them. Its exit code is 1, whatever theirs.
    """
    from nightjar.pipeline.sessions import Sessions  # noqa: PLC0415  (PySpark takes half a second)

    failures = list[str]()
    sessions: Sessions | None = None
    try:
        for one, work in zip(settings, works, strict=True):
            if sessions is None or sessions.environment != one.environment:
                if sessions is not None:
                    sessions.stop()
                sessions = Sessions(one.environment, "nightjar nightly")
            try:
                with outages.translate_errors():
                    work(lent=sessions)
            except NightjarError as error:
                log.error("%s: %s", one.project.name, error)  # noqa: TRY400  (a stated failure needs no traceback)
                failures.append(one.project.name)
            except Exception:
                log.exception("%s: unexpected failure", one.project.name)
                failures.append(one.project.name)
    finally:
        if sessions is not None:
            sessions.stop()
    if failures:
        raise NightjarError(
            f"{len(failures)} of {len(works)} projects have failed: {', '.join(failures)}. The others are done. What "
            "was wrong stands above; run the same command again once it is mended: what is done is skipped."
        )
