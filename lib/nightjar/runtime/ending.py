"""The end of Spark sessions, also of those whose Java has ended before them."""

import warnings
from contextlib import suppress
from typing import Any

from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.sql import SparkSession


def stop(session: SparkSession) -> None:
    """Stop a session and whatever still runs in it. If its Java was killed, the next session starts another one."""
    with suppress(Py4JError, ConnectionError), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # PySpark's, of a Java that does not answer
        session.stop()
    _forget_ended_java()


def _forget_ended_java() -> None:
    """Let PySpark forget a Java that this process has started and that has ended: it would ask it again and again."""
    gateway: Any = SparkContext._gateway  # noqa: SLF001
    process = getattr(gateway, "proc", None)
    if process is None or process.poll() is None:
        return
    with suppress(Py4JError, OSError):
        gateway.shutdown()
    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None  # noqa: SLF001
    SparkSession._instantiatedSession = SparkSession._activeSession = None  # noqa: SLF001
