"""The project's expressions over the joined features."""

from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import BooleanType, DecimalType, NumericType, StringType

from nightjar.expressions import guard
from nightjar.settings.project import EXPRESSIONS, Project
from nightjar.tables.rows import Rows, of_frame

FEATURE = (NumericType, BooleanType, StringType)


def after_join(features: Rows, project: Project) -> Rows:
    """The joined features with the project's expressions over them.

    A decimal, which is what `count * 0.5` is to Spark, is stored as a double: the type of a feature must not change
    with the digits of a constant.

    Raises:
        UsageError: see `guard.column`.
    """
    if not project.expressions:
        return features
    rows = guard.add_columns(features.frame(), EXPRESSIONS, project.expressions, FEATURE)
    decimals = [name for name in project.expressions if isinstance(rows.schema[name].dataType, DecimalType)]
    return of_frame(rows.withColumns({name: F.col(name).cast("double") for name in decimals}))
