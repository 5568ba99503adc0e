"""The project's expressions over the joined features."""

from pyspark.sql.types import BooleanType, NumericType, StringType

from nightjar.expressions import guard
from nightjar.settings.project import EXPRESSIONS, Project
from nightjar.tables.rows import Rows, of_frame

FEATURE = (NumericType, BooleanType, StringType)


def after_join(features: Rows, project: Project) -> Rows:
    """The joined features with the project's expressions over them.

    Raises:
        UsageError: see `guard.column`.
    """
    if not project.expressions:
        return features
    return of_frame(guard.added(features.frame(), EXPRESSIONS, project.expressions, FEATURE))
