"""The declared columns of a source on their way from raw rows to values, as their types and repairs say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

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

DAY = 86_400_000_000  # microseconds
REPAIRED = "repaired"
"""Metadata of a column whose texts are repaired values, as those of corrected rows are."""
OF_TEXTS = ("synonyms", "numbers", "zone")


@dataclass(frozen=True)
class RawColumn:
    """A declared column on its way from raw rows to values.

    Attributes:
        name: of the column.
        field: the type that its values have in raw rows, where it has the same name.
        column: its settings.
        dialect: how its texts are written.
        missing_texts: texts that stand for no value, as trimming may leave them.
    """

    name: str
    field: StructField
    column: sources.Column
    dialect: Dialect
    missing_texts: frozenset[str]

    @property
    def repair(self) -> Repair:
        """Its repairs; those of a repaired text are made again, where that changes nothing."""
        return _again(self.column) if REPAIRED in self.field.metadata else self.column.repair

    @property
    def text(self) -> str:
        """The name that the raw column has beside the value."""
        return f"_text_{self.name}"

    def at(self, step: str) -> str:
        """The name of a column on the way to the value: what is read at first, or what a step leaves."""
        return f"_{step}_{self.name}"

    def rounds(self) -> list[dict[str, Column]]:
        """Name -> column, in sets of which each is made of the one before, and the first of raw rows.

        The last is the value as the declared type, repaired but not winsorised; null where it is missing or not of the
        type.
        """
        value = values.value(self.field, self.column.type, self.dialect)
        if not self.repair.steps():
            return [{self.name: value}]
        if self.column.type is ColumnType.STRING:
            steps = self.repair.steps()
            rounds = [{self.at(step): self._repaired_text(step, before)} for before, step in pairwise(["read", *steps])]
            return [{self.at("read"): value}, *rounds, {self.name: F.col(self.at(steps[-1]))}]
        first, later, last = {self.at("read"): value}, list[dict[str, Column]](), F.col(self.at("read"))
        if self.repair.synonyms:
            first[self.at("synonym")] = self._synonym()
        if self.repair.zone:
            first[self.at("plain")] = values.is_plain_time(self.field, self.dialect)
            later = self._rounds_of_zone(self.repair.zone)
            last = F.col(self.at("shown"))
        return [first, *later, {self.name: F.coalesce(self.at("synonym"), last) if self.repair.synonyms else last}]

    def winsorised(self) -> Column:
        """The value, or the bound that it is beyond."""
        value = moved = F.col(self.name)
        bounds = self.repair.winsorise
        if bounds is None:
            return value
        for bound, is_beyond in ((bounds.minimum, Column.__lt__), (bounds.maximum, Column.__gt__)):
            if bound is not None:
                nearest = F.lit(bound).cast(self.column.type.value)
                moved = F.when(is_beyond(value, nearest), nearest).otherwise(moved)
        return moved

    def is_missing(self) -> Column:
        """Whether there is no value to read."""
        is_null = F.col(self.text).isNull()
        if not self.repair.trim:
            return is_null
        return is_null | (F.col(self.at("read")).isNotNull() & F.col(self.at("trim")).isNull())

    def special(self) -> list[tuple[Column, str]]:
        """Why it may have no value of the type, as `values.special` tells it."""
        raw = StructField(self.text, self.field.dataType, metadata=self.field.metadata)
        faults = values.special(raw, self.column.type, self.dialect)
        if self.repair.zone:
            is_time = F.col(self.at("plain")) & F.col(self.at("read")).isNotNull()
            is_left_out = is_time & F.col(self.at("instant")).isNull()
            faults.append((is_left_out, f"no time that clocks of {self.repair.zone} show"))
        return faults

    def _repaired_text(self, step: str, before: str) -> Column:
        """A text as one step leaves it."""
        text = F.col(self.at(before))
        if step == "trim":
            bare = F.btrim(text, F.lit(BLANKS))
            return F.when(~bare.isin(*self.missing_texts), bare) if self.missing_texts else bare
        if step == "case":
            return F.lower(text) if self.repair.case is LetterCase.LOWER else F.upper(text)
        return F.coalesce(_lookup(self.repair.meanings(), text), text)

    def _synonym(self) -> Column:
        """The value that a text of a column of another type than `string` is a synonym for."""
        values_of = {text: value for value, texts in self.repair.synonyms.items() for text in texts}
        return _lookup(values_of, without_blanks(self.name)).cast(self.column.type.value)

    def _rounds_of_zone(self, zone: str) -> list[dict[str, Column]]:
        """The last instant at which clocks of a zone show a plain time, if they do; an instant as it is.

        If they show it twice, their offset a day after the first instant is that of the last one.
        """
        local, is_plain = F.col(self.at("read")), F.col(self.at("plain"))
        first, last, instant = (F.col(self.at(name)) for name in ("first", "last", "instant"))
        next_day = F.timestamp_micros(F.unix_micros(first) + DAY)
        offset = F.unix_micros(F.from_utc_timestamp(next_day, zone)) - F.unix_micros(next_day)
        is_last, is_first = (F.from_utc_timestamp(one, zone) == local for one in (last, first))
        return [
            {self.at("first"): F.when(is_plain, F.to_utc_timestamp(local, zone))},
            {self.at("last"): F.timestamp_micros(F.unix_micros(local) - offset)},
            {self.at("instant"): F.when(is_last, last).when(is_first, first)},
            {self.at("shown"): F.when(~is_plain, local).when(~values.is_outside(instant), instant)},
        ]


def _again(column: sources.Column) -> Repair:
    """The repairs of a column that leave a repaired value as it is, and do for it what was declared since."""
    return column.repair if column.type is ColumnType.STRING else Repair(winsorise=column.repair.winsorise)


def without_blanks(name: str) -> Column:
    """A text without the blanks around it that other types than `string` do not look at."""
    return F.btrim(F.col(name), F.lit(" \t"))


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
        numbers = None if REPAIRED in field.metadata else column.repair.numbers
        if numbers is not None:
            dialect = replace(dialect, decimal=numbers.decimal, thousands=numbers.thousands)
            field = StructField(name, field.dataType)
        result[name] = RawColumn(name, field, column, dialect, missing)
    return result


def repaired(rows: DataFrame, columns: Mapping[str, RawColumn], passed: Sequence[str]) -> DataFrame:
    """Each text beside its value: a projection, and one for each further round of repairs.

    Args:
        rows: raw rows.
        columns: the source's.
        passed: other columns of the rows that stay.
    """
    rounds = [raw_column.rounds() for raw_column in columns.values()]
    first = [column.alias(name) for steps in rounds for name, column in steps[0].items()]
    texts = [F.col(name).alias(raw_column.text) for name, raw_column in columns.items()]
    result = rows.select(*first, *texts, *passed)
    for steps in zip_longest(*(steps[1:] for steps in rounds), fillvalue={}):
        result = result.withColumns({name: column for step in steps for name, column in step.items()})
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
