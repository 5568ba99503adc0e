"""What is wrong with corrected rows: what their night would refuse, by themselves or beside other facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.gates import Gate, GateCheck, GateSeverity
from nightjar.settings.project import Project
from nightjar.sources import deduplication, facts
from nightjar.sources.connectors.corrections import CorrectionsConnector
from nightjar.sources.facts import STATE
from nightjar.sources.gates import row_checks, set_checks
from nightjar.sources.intake import history
from nightjar.sources.storing import Night, is_corrected, with_known_at
from nightjar.tables import arrow, delta
from nightjar.tables.source_definitions import source_table_name
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import instant

Problem = tuple[int, str]  # a line of the file, and what is wrong with it


@dataclass(frozen=True)
class Checking:
    """Corrected rows of one source beside what there is by their night.

    Facts that the night itself brings are seen once it has been run.

    Attributes:
        spark: the session.
        warehouse: where the tables lie.
        project: whose source.
        name: of the source.
        night: the first one that reads the rows.
        cache: folder for unpacked archives.
    """

    spark: SparkSession
    warehouse: Warehouse
    project: Project
    name: str
    night: Night
    cache: Path

    def problems(self, rows: DataFrame) -> list[Problem]:
        """What is wrong with each of them.

        Args:
            rows: raw rows, whose items are their lines.
        """
        checked = self._checked(self.name, rows, self._unread(self.name, date.max))
        return sorted([*self._by_row(checked), *self._by_gates(checked.where(F.col(STATE) == "fact"))])

    def _checked(self, name: str, *batches: DataFrame) -> DataFrame:
        """Candidates of a source's raw rows, with conflicts between them."""
        source = self.project.sources[name]
        candidates = [facts.candidates(rows, name, source, self.cache, self.project.zone) for rows in batches]
        content = deduplication.content([*source.stored_columns(), "event_time"])
        together = reduce(DataFrame.unionByName, candidates).withColumn(deduplication.CONTENT, content)
        return deduplication.with_conflicts(together, source)

    def _unread(self, name: str, until: date) -> DataFrame:
        """Raw rows of a source that people have corrected until a night and that none has read."""
        read = history.read(self.warehouse, name, source_table_name(name)).entries
        columns = list(self.project.sources[name].columns)
        connector = CorrectionsConnector(self.spark, self.warehouse, name, columns, until)
        return connector.unread({entry.item.name for entry in read})

    def _by_row(self, checked: DataFrame) -> Iterator[Problem]:
        """Reasons of rows, conflicts among them, and clocks after the night."""
        states = checked.where(~is_corrected()).select(
            F.col("intake").cast("bigint"), STATE, facts.REASONS, F.unix_micros("stated_known_at")
        )
        for line, state, reasons, micros in states.collect():
            if state == "refused":
                yield line, ", ".join(reasons)
            elif state == "not_a_fact":
                yield line, f"project.sources.{self.name}.where leaves it out"
            elif instant(micros) > self.night.cutoff:
                clock = f"{instant(micros):%Y-%m-%d %H:%M:%S} UTC"
                yield line, f"it becomes known at {clock}, after the cutoff of run_date={self.night.run_date}"

    def _by_gates(self, own: DataFrame) -> Iterator[Problem]:
        """Facts that gates refuse for other facts."""
        source = self.project.sources[self.name]
        for gate_name, gate in source.gates.items():
            if gate.severity is not GateSeverity.REFUSE:
                continue
            if gate.check is GateCheck.UNIQUE:
                failing = set_checks.repeated(own, self._stored(self.name), gate, source)
            elif gate.check is GateCheck.RELATIONSHIPS:
                path = row_checks.path_of(self.name, gate_name)
                failing = set_checks.unrelated(own, self._others(gate, own), gate, path)
            else:
                continue
            lines = own.where(~is_corrected()).join(failing, gate.columns, "left_semi")
            for row in lines.select(F.col("intake").cast("bigint")).collect():
                yield row[0], row_checks.reason(gate_name, gate)

    def _stored(self, name: str) -> DataFrame | None:
        """The versions of a source's facts that are known by the night; None: there is no table of them."""
        table = source_table_name(name)
        if not arrow.exists(self.warehouse, table):
            return None
        return delta.read(self.spark, self.warehouse, table).where(F.col("known_at") <= F.lit(self.night.cutoff))

    def _others(self, gate: Gate, own: DataFrame) -> DataFrame:
        """The facts that a gate refers to, corrected ones of the other source among them."""
        name = gate.to or ""
        source = self.project.sources[name]
        if name != self.name:
            unread = self._checked(name, self._unread(name, self.night.run_date))
            own = unread.where(F.col(STATE) == "fact")
        corrected = with_known_at(own, source, self.night, has_late=True)
        return set_checks.current(corrected, self._stored(name), source, gate.fields_there())
