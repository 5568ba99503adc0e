"""Repairs of raw values: what is read in their place, and which values that changes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import NullType, StringType, StructField

from nightjar.errors import SourceError
from nightjar.settings import sources
from nightjar.settings.files import Dialect
from nightjar.settings.repairs import BLANKS, LetterCase, Repair
from nightjar.settings.sources import ColumnType
from nightjar.sources import values
from nightjar.sources.formats.provenance import FOLDER

CHANGES = "_repairs"
"""The values of a row that repairs have changed, in rows of sources with repairs; null: none."""
CHANGES_TYPE = "array<struct<column:string,repairs:array<string>,before:string,after:string>>"
TRIM, NEAR_DUPLICATES = "trim", "near_duplicates"
DAY = 86_400_000_000  # microseconds
OF_TEXTS = ("synonyms", "numbers", "zone")
_CASES = {LetterCase.LOWER: F.lower, LetterCase.UPPER: F.upper}


@dataclass(frozen=True)
class RawColumn:
    """A declared column as raw rows have it.

    Attributes:
        field: its name and type there.
        column: its settings.
        dialect: how its texts are written.
        missing_texts: texts that stand for no value, as trimming may leave them.
    """

    field: StructField
    column: sources.Column
    dialect: Dialect
    missing_texts: frozenset[str]

    @property
    def repair(self) -> Repair:
        """Its repairs."""
        return self.column.repair

    def named(self, name: str) -> "RawColumn":
        """The same in rows that call it otherwise."""
        return replace(self, field=StructField(name, self.field.dataType, metadata=self.field.metadata))

    def value(self) -> Column:
        """Its value as the declared type, repaired but not winsorised; null where it is missing or not of the type."""
        if self.column.type is ColumnType.STRING:
            return self._texts()[-1][1]
        read = self._in_zone() if self.repair.zone else self._unrepaired()
        return F.coalesce(self._synonym(), read) if self.repair.synonyms else read

    def winsorised(self, value: Column) -> Column:
        """The value, or the bound that it is beyond."""
        bounds, moved = self.repair.winsorise, value
        if bounds is None:
            return value
        for bound, is_beyond in ((bounds.minimum, Column.__lt__), (bounds.maximum, Column.__gt__)):
            if bound is not None:
                nearest = F.lit(bound).cast(self.column.type.value)
                moved = F.when(is_beyond(value, nearest), nearest).otherwise(moved)
        return moved

    def is_missing(self) -> Column:
        """Whether there is no value to read."""
        is_null = F.col(self.field.name).isNull()
        if not self.repair.trim or not self.missing_texts:
            return is_null
        return is_null | F.coalesce(self._trimmed().isin(*self.missing_texts), F.lit(False))

    def special(self) -> list[tuple[Column, str]]:
        """Why it may have no value of the type, as `values.special` tells it."""
        faults = values.special(self.field, self.column.type, self.dialect)
        if self.repair.zone:
            is_left_out = self._is_plain() & self._unrepaired().isNotNull() & self._shown().isNull()
            faults.append((is_left_out, f"no time that clocks of {self.repair.zone} show"))
        return faults

    def change(self, name: str, value: Column, is_valid: Column) -> Column:
        """What repairs have changed, an entry of `CHANGES`; null: nothing.

        Args:
            name: of the column.
            value: the repaired value, not winsorised.
            is_valid: whether the row is not refused for it.
        """
        steps = [(repair, F.coalesce(changed, F.lit(False))) for repair, changed in self._steps(value, is_valid)]
        repairs = F.array_compact(F.array(*(F.when(changed, F.lit(repair)) for repair, changed in steps)))
        after = F.when(is_valid, self.winsorised(value)).otherwise(value).cast("string")
        if self.column.type is ColumnType.TIMESTAMP:
            after = F.concat(after, F.lit("Z"))
        before = F.col(self.field.name).cast("string")
        entry = F.struct(
            F.lit(name).alias("column"), repairs.alias("repairs"), before.alias("before"), after.alias("after")
        )
        return F.when(reduce(Column.__or__, (changed for _, changed in steps)), entry)

    def _steps(self, value: Column, is_valid: Column) -> Iterator[tuple[str, Column]]:
        """Each repair that is declared, and whether it has a part in what has changed the value."""
        if self.column.type is ColumnType.STRING:
            texts = self._texts()
            is_other = ~value.eqNullSafe(texts[0][1])
            for (_, before), (repair, after) in pairwise(texts):
                yield repair, is_other & ~after.eqNullSafe(before)
        else:
            is_read = value.isNotNull()
            if self.repair.synonyms:
                is_synonym = self._synonym().isNotNull()
                yield "synonyms", is_synonym
                is_read = is_read & ~is_synonym
            if self.repair.numbers:
                yield "numbers", is_read & (F.translate(self._bare(), self.repair.numbers.signs(), "") != self._bare())
            if self.repair.zone:
                yield "zone", is_read & self._is_plain() & (value != self._unrepaired())
        if self.repair.winsorise:
            yield "winsorise", is_valid & (self.winsorised(value) != value)

    def _unrepaired(self) -> Column:
        return values.value(self.field, self.column.type, self.dialect)

    def _trimmed(self) -> Column:
        return F.btrim(self._unrepaired(), F.lit(BLANKS))

    def _texts(self) -> list[tuple[str, Column]]:
        """The text as it stands, and each repair with the text that it leaves."""
        repair, text = self.repair, self._unrepaired()
        texts = [("", text)]
        if repair.trim:
            text = F.when(~self.is_missing(), self._trimmed())
            texts.append((TRIM, text))
        if repair.case:
            text = _CASES[repair.case](text)
            texts.append(("case", text))
        if repair.synonyms:
            texts.append(("synonyms", F.coalesce(_lookup(repair.meanings(), text), text)))
        return texts

    def _synonym(self) -> Column:
        """The value that a text of a column of another type than `string` is a synonym for."""
        values_of = {text: value for value, texts in self.repair.synonyms.items() for text in texts}
        return _lookup(values_of, self._bare()).cast(self.column.type.value)

    def _bare(self) -> Column:
        """A text without the blanks around it that other types than `string` do not look at."""
        return F.btrim(F.col(self.field.name), F.lit(" \t"))

    def _is_plain(self) -> Column:
        return values.is_plain_time(self.field, self.dialect)

    def _in_zone(self) -> Column:
        """The instant, where a plain time is one that clocks of the zone show; null for any other plain time."""
        shown = self._shown()
        return F.when(~self._is_plain(), self._unrepaired()).when(~values.is_outside(shown), shown)

    def _shown(self) -> Column:
        """The last instant at which clocks of the zone show a time; null: they never do.

        If they show it twice, their offset a day after the first instant is that of the last one.
        """
        local, zone = self._unrepaired(), F.lit(self.repair.zone)
        first = F.to_utc_timestamp(local, zone)
        next_day = F.timestamp_micros(F.unix_micros(first) + DAY)
        offset = F.unix_micros(F.from_utc_timestamp(next_day, zone)) - F.unix_micros(next_day)
        last = F.timestamp_micros(F.unix_micros(local) - offset)
        is_last, is_first = (F.from_utc_timestamp(one, zone) == local for one in (last, first))
        return F.when(is_last, last).when(is_first, first)


def _lookup(entries: Mapping[str, str], text: Column) -> Column:
    pairs = [F.lit(one) for entry in entries.items() for one in entry]
    return F.try_element_at(F.create_map(*pairs), text)


def raw_columns(rows: DataFrame, source: sources.Source) -> dict[str, RawColumn]:
    """The declared columns of a source, as raw rows have them."""
    result = {}
    for name, column in source.columns.items():
        field, dialect = rows.schema[name], source.dialect
        missing = frozenset() if source.file is None else source.file.missing_texts
        if FOLDER in field.metadata:
            dialect, missing = values.PLAIN, frozenset()
        if numbers := column.repair.numbers:
            dialect = replace(dialect, decimal=numbers.decimal, thousands=numbers.thousands)
            field = StructField(name, field.dataType)
        result[name] = RawColumn(field, column, dialect, missing)
    return result


def require_fit(columns: Mapping[str, RawColumn], name: str, source: sources.Source) -> None:
    """Refuse files with a column whose values are none that its repairs repair.

    Raises:
        SourceError: they have one.
    """
    for column, raw in columns.items():
        of_texts = [one for one in raw.repair.names() if one in OF_TEXTS]
        if values.has_no_zone(raw.field):
            of_texts = [one for one in of_texts if one != "zone"]
        holds_texts = raw.column.type is ColumnType.STRING or isinstance(raw.field.dataType, StringType | NullType)
        if of_texts and not holds_texts:
            raise SourceError(
                f"Source {name}: the column {column} of {source.origin.place} is {values.type_in_file(raw.field)}, but "
                f"{' and '.join(of_texts)} in columns.{column}.repair are for texts, zone also for times without one. "
                "Take that out of the source's settings. Nothing was written."
            )


def changes(columns: Mapping[str, RawColumn], valid: Mapping[str, Column]) -> Column:
    """The column `CHANGES`.

    Args:
        columns: name -> the raw column, in rows that have the repaired value under the name.
        valid: name -> whether the row is not refused for it.
    """
    entries = [raw.change(name, F.col(name), valid[name]) for name, raw in columns.items() if raw.repair.names()]
    of_row = F.array_compact(F.array(*entries))
    return F.when(F.size(of_row) > 0, of_row)


def declared(source: sources.Source) -> list[tuple[str, str]]:
    """Each repair of a source: what it repairs, see the table `repairs`, and its name."""
    pairs = [(name, one) for name, column in source.columns.items() for one in column.repair.names()]
    return [*pairs, (", ".join(source.near_duplicates), NEAR_DUPLICATES)] if source.near_duplicates else pairs


def count(column: str, repair: str) -> Column:
    """Aggregate: the rows in which a repair has changed a column."""
    return F.count_if(
        F.exists(CHANGES, lambda one: (one["column"] == column) & F.array_contains(one["repairs"], repair))
    )
