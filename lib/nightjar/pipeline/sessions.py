"""The sessions that the steps of a run share."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nightjar.settings.environment import Environment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


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

    def stop(self) -> None:
        """Stop what was started, and whatever still runs in it."""
        if "spark" in self.__dict__:
            from nightjar.runtime import spark

            spark.stop(self.__dict__.pop("spark"))
