"""Outcomes of several classes: each is one that the label declares, or the build of labels stops."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pyspark.errors import PySparkException
from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

from nightjar.errors import TableError
from nightjar.settings.label import Label

_BEGIN, _END = "<undeclared class>", "</undeclared class>"


def class_of(value: Column, label: Label, row: Sequence[str]) -> Column:
    """The outcome as the text that names its class. Another value fails the task, see `translate_errors`.

    Args:
        value: a text or a whole number; null stays null.
        label: declares the classes.
        row: the columns that name the row, for the error.
    """
    text = value.cast("string")
    parts = [F.concat(F.lit(f"{name}="), F.coalesce(F.col(name).cast("string"), F.lit("null"))) for name in row]
    message = F.concat(F.lit(f"{_BEGIN}"), text, F.lit(" in the row of "), F.concat_ws(", ", *parts), F.lit(_END))
    return F.when(text.isNull() | text.isin(*label.classes), text).otherwise(F.raise_error(message))


@contextmanager
def translate_errors(label: Label) -> Iterator[None]:
    """Say which outcome is no class.

    Raises:
        TableError: there is one.
    """
    try:
        yield
    except PySparkException as error:
        undeclared = re.search(f"{_BEGIN}(.*?){_END}", str(error), re.DOTALL)
        if undeclared is None:
            raise
        raise TableError(
            f"Column {label.column} of source {label.source} is {undeclared[1]}, which is none of the classes "
            f"{', '.join(label.classes)} (project.label.classes). Declare it; or give the source's column `levels`, "
            "which refuse rows of other values, or a repair; or name a derived column that gives one of the classes or "
            "null (project.label.column). Nothing was written."
        ) from error
