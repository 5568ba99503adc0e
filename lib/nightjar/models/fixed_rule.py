"""A rule of thumb as a predictor that nobody has trained."""

from collections.abc import Sequence

from nightjar.errors import LearningError
from nightjar.models.columns import FeatureColumn
from nightjar.models.estimators.rule import NumberOrPrior, RuleOfThumb
from nightjar.models.estimators.rule_grammar import Kind, rule_of
from nightjar.models.predictor import Predictor


def fixed_rule(expression: str, otherwise: float, features: Sequence[FeatureColumn], *, probability: bool) -> Predictor:
    """The value of an expression for each row, as `rule_grammar` reads it: yes is 1, no is 0.

    Args:
        expression: of a number, or of yes and no.
        otherwise: the score of a row for which it is null.
        features: that it may read.
        probability: whether scores are probabilities, to which numbers are clipped.

    Raises:
        LearningError: it is no such expression over the features.

    Example:
        >>> import pyarrow as pa
        >>> rule = fixed_rule("load / 100", 0.2, [FeatureColumn("load", "number")], probability=True)
        >>> rule.predict(pa.table({"load": [30, None, 250]})).tolist()
        [0.3, 0.2, 1.0]
    """
    used, kind = rule_of(expression, features)
    if kind is Kind.TEXT:
        raise LearningError(f"The rule {expression!r} gives texts: expected a number, or yes and no.")
    estimator = NumberOrPrior(probability=probability)
    estimator.prior_ = otherwise
    return Predictor(used, RuleOfThumb(expression), estimator)
