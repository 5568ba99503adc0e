"""Runs a step once more after a failure that may pass by itself, and says why it waits."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeAlias, TypeVar

from nightjar.errors import NightjarError
from nightjar.pipeline.sessions import Sessions
from nightjar.runtime import outages
from nightjar.settings.retries import Passing, Retries
from nightjar.tables import failures

log = logging.getLogger("nightjar.nightly")
Result = TypeVar("Result")
LOOK = 0.5
"""Seconds after which a lease that another run holds is wanted once more; while it is, it is looked at each second."""


WillRetry: TypeAlias = Callable[[Exception], bool]
"""Whether work that fails with an error will be tried again: nobody needs to be told then."""


def never(_: Exception) -> bool:
    """Of work that is tried once."""
    return False


def retrying(
    work: Callable[[WillRetry], Result],
    what: str,
    retries: Retries,
    sessions: Sessions,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Do some work, and once more after each failure that may pass by itself, as often and for as long as settings say.

    After a failure of the machine Spark is started anew. A lease is waited for until its holder ends, for as long
    as settings say from when it was first refused.

    Args:
        work: what is done; it is told which errors it will be tried again after.
        what: it is, in words.
        retries: the settings.
        sessions: those that the work runs in.
        sleep: waits for so many seconds.
        clock: seconds since some moment.

    Raises:
        NightjarError: the work has failed for good, or too often.
    """
    attempt, refused = 1, None

    def will_retry(error: Exception) -> bool:
        return _passing(error, retries) is not None and attempt < retries.attempts

    while True:
        try:
            with ExitStack() as translated:
                translated.enter_context(outages.translate_errors())
                translated.enter_context(failures.translate_errors())
                return work(will_retry)
        except NightjarError as error:
            passing = _passing(error, retries)
            if passing is None:
                raise
            if passing is Passing.LEASE:
                pause = LOOK
                if refused is None:
                    refused = clock()
                    log.info("%s waits for up to %g s: %s", what, retries.lease, error)
                if clock() - refused > retries.lease:
                    raise
            else:
                if attempt >= retries.attempts:
                    log.warning("%s has failed in all of %d attempts (%s)", what, attempt, passing)
                    raise
                pause = retries.pause(attempt)
                shown = (what, attempt, retries.attempts, passing, error, pause)
                log.warning("%s: attempt %d of %d has failed by what may pass (%s): %s It is run again in %g s", *shown)
                attempt, refused = attempt + 1, None
                sessions.stop()
        sleep(pause)


def _passing(error: Exception, retries: Retries) -> Passing | None:
    """What may pass by itself, where the settings wait for it."""
    if not isinstance(error, NightjarError):
        return None
    return next((kind for kind in retries.of if kind.value == error.passing), None)
