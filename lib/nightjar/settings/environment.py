"""Settings of the machine or cluster a job runs on. Nothing in here changes a result."""

from collections.abc import Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect, expect_folder
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count
from nightjar.settings.validation import settings

OF_SPEED = (
    "spark.sql.adaptive.",
    "spark.sql.autoBroadcastJoinThreshold",
    "spark.sql.broadcastTimeout",
    "spark.sql.catalogImplementation",
    "spark.sql.codegen.",
    "spark.sql.debug.",
    "spark.sql.execution.arrow.max",
    "spark.sql.files.max",
    "spark.sql.files.min",
    "spark.sql.files.openCostInBytes",
    "spark.sql.inMemoryColumnarStorage.",
    "spark.sql.join.",
    "spark.sql.maxPlanStringLength",
    "spark.sql.parquet.compression.codec",
    "spark.sql.shuffle.",
    "spark.sql.sources.parallelPartitionDiscovery.",
    "spark.sql.ui.",
    "spark.sql.warehouse.dir",
)
"""Prefixes of the options of Spark's SQL that affect speed and storage only, never results."""
FEW_ROWS = "nightjar.few_rows"
"""The option of a Spark session that says whether it has few rows to work on: "true" where it has."""


def changes_results(option: str) -> bool:
    """Whether a Spark option may change results: every option of its SQL except those of speed.

    Time zone, ANSI and legacy modes, case sensitivity, rules of casts, ignored files: with them the same project would
    give other values in another environment.
    """
    return option.startswith("spark.sql.") and not option.startswith(OF_SPEED)


class Placement(Choice):
    """How facts come to the spine rows that ask for them: read whole by every task, laid out for it, or shuffled."""

    BROADCAST = "broadcast"
    CO_BUCKETED = "co-bucketed"
    SHUFFLE = "shuffle"


@settings
class Environment:
    """Where things run and where they are stored.

    Attributes:
        warehouse: folder or object-store prefix of all tables and reports.
        home: folder of MLflow's database and artifacts, keys, logs and caches.
        public_key: file of the Ed25519 public key (PEM) that models are checked by; None: `<home>/keys/signing.pub`,
            the key of the models trained with this home.
        spark_master: None leaves it to `spark-submit`, else a master URL.
        driver_memory: of the Spark driver, as Java reads it: 512m, 4g.
        shuffle_partitions (partitions): that Spark makes of shuffled rows; few on a laptop, many on a cluster.
        spark: further Spark options; of its SQL only those of speed, which cannot change a result.
        placements: feature group -> how its facts are joined; the others, and those of spine and label, are chosen by
            size and layout.
        ray_address: `local` starts Ray in this process's machine; otherwise the address of a cluster.
        cpus (processors): processors for Ray when it is started here; None: all.
    """

    warehouse: str = "warehouse"
    home: str = ".nightjar"
    public_key: str | None = None
    spark_master: str | None = None
    driver_memory: str = "4g"
    shuffle_partitions: Count = 4
    spark: dict[str, str] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    ray_address: str = "local"
    cpus: Count | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether options change no results, and names are read alike by all libraries."""
        for option in self.spark:
            expected = "none that may change results: of Spark's SQL those of speed, such as spark.sql.adaptive.enabled"
            yield from expect(not changes_results(option), "spark", option, expected)
        named = self.public_key is None or bool(self.public_key.strip())
        yield from expect(named, "public_key", self.public_key, "a file, or null for the one in home")
        yield from expect_folder("warehouse", self.warehouse)
        yield from expect_folder("home", self.home, "?#")  # they begin other parts of the address of MLflow's database
