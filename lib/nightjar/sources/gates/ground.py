"""What the gates of a source are evaluated on: the night's new rows, what is stored, and the facts of other sources."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.gates import Gate
from nightjar.settings.sources import Source
from nightjar.sources.facts import STATE
from nightjar.sources.gates import set_checks
from nightjar.sources.gates.measures import DAY, HISTORY_DAYS
from nightjar.sources.gates.results import Period
from nightjar.sources.intake.reading import Place
from nightjar.sources.storing import CheckedSource, is_late, with_known_at
from nightjar.tables import arrow, delta, scan
from nightjar.timeline import local_date


@dataclass(frozen=True)
class Ground:
    """What the gates of one source are evaluated on.

    Attributes:
        place: where it is read.
        table: its name.
        sources: settings of all sources.
        checked: those that were checked before.
        is_corrected: whether there are rows among its new ones that a person has corrected.
    """

    place: Place
    table: str
    sources: Mapping[str, Source]
    checked: Mapping[str, CheckedSource]
    is_corrected: bool

    @property
    def may_have_late(self) -> bool:
        """Whether some of its new rows may be late, see `storing.is_late`."""
        return self.is_corrected or self.place.night.previous_cutoff is not None

    def period(self) -> Period:
        """What the night covers."""
        night = self.place.night
        last = local_date(night.cutoff - timedelta.resolution, self.place.zone)
        if night.previous_cutoff is None:
            return Period(night.cutoff, self.place.zone, last, ())
        first = min(local_date(night.previous_cutoff, self.place.zone), last)
        days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
        return Period(night.cutoff, self.place.zone, last, days)

    def dated(self, rows: DataFrame) -> DataFrame:
        """The rows with their `DAY`; late ones become known with this night."""
        night = self.place.night
        moment = F.when(is_late(night), F.lit(night.cutoff)).otherwise(F.col("stated_known_at"))
        return rows.withColumn(DAY, self._day(moment))

    def stored(self, table: str) -> DataFrame | None:
        """The versions that other runs have stored and that are known by the night; None: there is no such table."""
        if not arrow.exists(self.place.warehouse, table):
            return None
        night, warehouse = self.place.night, self.place.warehouse
        rows = delta.read(
            self.place.spark, warehouse, table, keep=lambda file: file.partition["ingested_on"] != night.run_date
        )
        return rows.where((F.col("ingested_on") != F.lit(night.run_date)) & (F.col("known_at") <= F.lit(night.cutoff)))

    def stored_later(self) -> DataFrame | None:
        """The night's facts that later runs have stored, as a backfill meets them; None: there are none."""
        night, stored = self.place.night, self.stored(self.table)
        if stored is None:
            return None
        files = scan.snapshot(self.place.warehouse, self.table).files
        if not any(file.partition["ingested_on"] > night.run_date for file in files):
            return None
        later = stored.where(F.col("ingested_on") > F.lit(night.run_date))
        if night.previous_cutoff is not None:
            later = later.where(F.col("known_at") > F.lit(night.previous_cutoff))
        columns = ["event_time", *(name for name in self.place.source.stored_columns() if name in later.columns)]
        return later.select(*columns, F.lit("fact").alias(STATE), self._day(F.col("known_at")).alias(DAY))

    def others(self, gate: Gate, own: DataFrame) -> DataFrame:
        """The facts that a gate of check `relationships` refers to, stored ones and those of this night."""
        name = gate.to or ""
        source, is_own = self.sources[name], name == self.place.name
        table, new = (self.table, own) if is_own else (self.checked[name].table.name, self.checked[name].rows)
        has_late = self.may_have_late if is_own else self.checked[name].has_late
        of_night = with_known_at(new.where(F.col(STATE) == "fact"), source, self.place.night, has_late=has_late)
        return set_checks.current(of_night, self.stored(table), source, gate.fields_there())

    def _day(self, moment: Column) -> Column:
        """The local day before whose end a fact became known; null: long before the night."""
        day = F.to_date(F.from_utc_timestamp(F.timestamp_micros(F.unix_micros(moment) - 1), self.place.zone))
        last = local_date(self.place.night.cutoff - timedelta.resolution, self.place.zone)
        return F.when(day > F.lit(last - timedelta(days=HISTORY_DAYS)), day)
