"""The rows of a night, pinned: what everybody scores who scores it, and where the scores go."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from nightjar.errors import TableError
from nightjar.settings.environment import Environment
from nightjar.settings.project import Project
from nightjar.tables import arrow, execution, scan, sink
from nightjar.tables.datafiles import NewFile
from nightjar.tables.entries import DataFile
from nightjar.tables.execution import FEW_ROWS, Make
from nightjar.tables.predictions import RETROSPECTIVE_ROLE
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.sink import Target
from nightjar.tables.table import Table
from nightjar.tables.warehouse import Warehouse


@dataclass(frozen=True)
class Night:
    """The rows of one run date in one version of `features`.

    Attributes:
        session: gives Spark's, which is started by the first who asks.
        warehouse: where tables lie.
        project: whose.
        run_date: the night.
        run_id: of this run.
        environment: where models lie.
        version: of the table `features`.
        schema: of that version.
        rows: how many the night has.
        definitions: hashes of the definitions that built them.
        earliest: their first prediction time; None: there are no rows.
        table: `scores`.
    """

    session: Callable[[], SparkSession]
    warehouse: Warehouse
    project: Project
    run_date: date
    run_id: str
    environment: Environment
    version: int
    schema: pa.Schema
    rows: int
    definitions: frozenset[str]
    earliest: datetime | None
    table: Table

    @property
    def key(self) -> list[str]:
        """The spine's key."""
        return [*self.project.spine.key]

    def make(
        self, columns: Sequence[str], make: Make, into: Target, *, is_bounded: bool
    ) -> tuple[list[NewFile], list[pa.Table]]:
        """Make rows of columns of its rows, as `execution.collect`: few in this process, unless a budget bounds it.

        Tasks can be stopped, this process cannot.
        """
        of_night = {"run_date": self.run_date}
        few_rows = 0 if is_bounded else FEW_ROWS
        return execution.collect(
            self.session, self.warehouse, "features", self.version, columns, of_night, make, into, few_rows
        )

    def in_pieces(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Columns of its rows, some at a time, however many there are; nothing where tasks cannot read the files."""
        source = scan.snapshot(self.warehouse, "features", self.version)
        if source.unreadable is None:
            batches = scan.batches(source, list(columns), pc.field("run_date") == self.run_date)
            yield from (pa.Table.from_batches([batch]) for batch in batches)

    def target(self, role: str, **stamps: Any) -> Target:
        """Where the rows of a role go."""
        return sink.target(self.warehouse, self.table, run_date=self.run_date, run_id=self.run_id, role=role, **stamps)

    def is_of(self, file: DataFile) -> bool:
        """Whether a file of `scores` holds what an earlier run of the date has scored for those who are served then,
        the champion's, the challenger's and shadows' rows: a new run replaces them all.
        """
        return bool(file.partition["run_date"] == self.run_date and file.partition["role"] != RETROSPECTIVE_ROLE)

    def is_in(self, role: str, file: DataFile) -> bool:
        """Whether a file of `scores` holds a role's rows of the night."""
        return file.partition == {"run_date": self.run_date, "role": role}


def open_night(
    session: Callable[[], SparkSession],
    warehouse: Warehouse,
    project: Project,
    run_date: date,
    run_id: str,
    environment: Environment,
) -> Night:
    """The rows of a run date in the latest version of `features`.

    Raises:
        TableError: their times are no instants.
    """
    version = arrow.version(warehouse, "features")
    schema = arrow.schema(warehouse, "features", version)
    kind = schema.field("prediction_time").type
    if not pa.types.is_timestamp(kind) or kind.tz is None:
        raise TableError(
            f"Column prediction_time of table features is {kind}, without a time zone: expected instants in UTC. "
            "Nothing was written. Somebody has written the table anew: build it again (jobs/build_features.py "
            "since=...), or store its times as timestamps with a zone."
        )
    rows, definitions, earliest = 0, set[Any](), list[datetime]()
    of_night, columns = pc.field("run_date") == run_date, ["prediction_time", "definitions_hash"]
    files = scan.snapshot(warehouse, "features", version)
    if files.unreadable is None:
        batches = scan.batches(files, columns, of_night)
    else:
        batches = iter(arrow.read(warehouse, "features", columns, of_night, version).to_batches())
    for batch in batches:
        if batch.num_rows:
            rows += batch.num_rows
            definitions |= set(batch["definitions_hash"].unique().to_pylist())
            earliest = [min([*earliest, pc.min(batch["prediction_time"]).as_py()])]
    return Night(
        session,
        warehouse,
        project,
        run_date,
        run_id,
        environment,
        version,
        schema,
        rows,
        frozenset(definitions),
        earliest[0] if earliest else None,
        scores_table(project, pa.schema([schema.field(name) for name in project.spine.key])),
    )
