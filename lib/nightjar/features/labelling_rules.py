"""Labels by the majority of labelling rules, and how often the rules overlap and conflict."""

from collections.abc import Mapping
from itertools import combinations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import BooleanType

from nightjar.errors import UsageError
from nightjar.expressions import guard
from nightjar.settings.project import RULES


def add_votes(rows: DataFrame, rules: Mapping[str, str]) -> DataFrame:
    """The rows with each rule's vote under its name, and `label`: the majority of the votes cast, null for a tie.

    Args:
        rows: the rows to label.
        rules: name -> Spark SQL expression over the rows' columns and the rules before it, that gives true, false, or
            null where it abstains.

    Raises:
        UsageError: a rule is named like a column, or see `guard.column`. No row has been computed.
    """
    for name in rules:
        if name in rows.columns:
            raise UsageError(f"{RULES}.{name}: there is a column of this name already; give the rule another one.")
    votes = guard.add_columns(rows, RULES, rules, (BooleanType,))
    yes, no = (_count(votes, rules, answer=answer) for answer in (True, False))
    return votes.withColumn("label", F.when(yes > no, True).when(yes < no, False))


def count_votes(votes: DataFrame, rules: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Check -> (rows that meet it, rows it applies to).

    For each rule: the rows it votes on (coverage), those of them that another rule votes on too (overlap), and those
    on which another rule votes the opposite (conflict). For each two rules that overlap: the rows both vote on, and
    those of them on which they disagree.
    Source: the analysis of labelling functions in Ratner et al. (2017), Snorkel, PVLDB 11(3), 269-282.

    Args:
        votes: rows with the rules' votes, from `add_votes`.
        rules: the same rules.
    """
    speakers = sum((_speaks(name).cast("int") for name in rules), F.lit(0))
    aggregates = {"rows": F.count("*"), "labelled": F.count("label")}
    for name in rules:
        opposed = [_speaks(first) & (F.col(first) != F.col(name)) for first in rules if first != name]
        aggregates[f"speaks {name}"] = F.count(name)
        aggregates[f"overlaps {name}"] = F.count_if(_speaks(name) & (speakers > 1))
        aggregates[f"conflicts {name}"] = F.count_if(_speaks(name) & _any_of(opposed))
    for first, second in combinations(rules, 2):
        aggregates[f"both {first} {second}"] = F.count_if(_speaks(first) & _speaks(second))
        aggregates[f"differ {first} {second}"] = F.count_if(F.col(first) != F.col(second))
    counts = votes.agg(*(column.alias(name) for name, column in aggregates.items())).collect()[0].asDict()
    return _checks(counts, rules)


def _checks(counts: Mapping[str, int], rules: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    rows = counts["rows"]
    checks = {"rules: labelled": (counts["labelled"], rows)}
    for name in rules:
        speaks = counts[f"speaks {name}"]
        checks[f"rule {name}: speaks"] = (speaks, rows)
        checks[f"rule {name}: overlaps"] = (counts[f"overlaps {name}"], speaks)
        checks[f"rule {name}: conflicts"] = (counts[f"conflicts {name}"], speaks)
    for first, second in combinations(rules, 2):
        if both := counts[f"both {first} {second}"]:
            checks[f"rules {first} and {second}: overlap"] = (both, rows)
            checks[f"rules {first} and {second}: conflict"] = (counts[f"differ {first} {second}"], both)
    return checks


def _count(votes: DataFrame, rules: Mapping[str, str], *, answer: bool) -> Column:
    answers = ((votes[name] == F.lit(answer)).cast("int") for name in rules)
    return sum((F.coalesce(is_answer, F.lit(0)) for is_answer in answers), F.lit(0))


def _speaks(rule: str) -> Column:
    return F.col(rule).isNotNull()


def _any_of(conditions: list[Column]) -> Column:
    any_holds = F.lit(False)
    for condition in conditions:
        any_holds = any_holds | condition
    return any_holds
