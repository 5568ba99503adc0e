"""Sources side by side: most of a night's seconds go into planning and commits, which use one core for each."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from pyspark.sql import SparkSession

Result = TypeVar("Result")
MOST_AT_ONCE = 4  # more would not be faster, but hold more memory
CANCELLING = 0.2  # seconds from one attempt to cancel jobs to the next


def side_by_side(spark: SparkSession, function: Callable[[str], Result], names: Sequence[str]) -> dict[str, Result]:
    """Source -> a function's result for it, computed in threads.

    Where one fails, or the process is interrupted, the jobs of the others are cancelled.

    Args:
        spark: the session.
        function: of a source's name.
        names: of sources.

    Raises:
        Exception: what the function has raised for the first source for which it did.
    """
    with ThreadPoolExecutor(MOST_AT_ONCE) as threads:
        futures = {name: threads.submit(function, name) for name in names}
        try:
            done, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
            failed = next((one for one in futures.values() if one in done and one.exception()), None)
            if failed is not None:
                failed.result()
        except BaseException:
            for future in futures.values():
                future.cancel()
            # One that plans, or waits for a database, starts a job later.
            while wait(futures.values(), timeout=CANCELLING).not_done:
                spark.sparkContext.cancelAllJobs()
            raise
    return {name: future.result() for name, future in futures.items()}
