"""The sessions that the steps of a run share."""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from py4j.protocol import Py4JError

from nightjar.settings.environment import Environment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from nightjar.runtime.spark_stages import Stages

log = logging.getLogger("nightjar.job")


@dataclass
class Sessions:
    """Spark, started when the first step needs it and shared by the steps after it.

    Attributes:
        environment: of the job.
        app_name: of the session.
        few_rows: whether the next step has few rows, see `runtime.few_rows`.
    """

    environment: Environment
    app_name: str
    few_rows: bool = False

    @cached_property
    def spark(self) -> "SparkSession":
        """The session."""
        from nightjar.runtime import few_rows, spark

        session = spark.start(self.environment, self.app_name, few_rows=self.few_rows)
        few_rows.tune(session, self.environment, few_rows=self.few_rows)
        return session

    def tune(self, *, few_rows: bool) -> None:
        """Say whether the next step has few rows: see `runtime.few_rows`."""
        self.few_rows = few_rows
        if "spark" in self.__dict__:
            from nightjar.runtime.few_rows import tune

            tune(self.spark, self.environment, few_rows=few_rows)

    def stages(self, begin: datetime) -> "Stages | None":
        """What Spark's stages have taken since an instant; None: it has not been started, or does not answer."""
        if "spark" not in self.__dict__:
            return None
        from nightjar.runtime import spark_stages

        try:
            return spark_stages.since(self.spark, begin)
        except (Py4JError, ConnectionError, KeyError, ValueError, TypeError) as error:
            log.debug("Spark does not tell what its stages took: %s", error)
            return None

    def stop(self) -> None:
        """Stop what was started, and whatever still runs in it."""
        if "spark" in self.__dict__:
            from nightjar.runtime import ending

            ending.stop(self.__dict__.pop("spark"))
