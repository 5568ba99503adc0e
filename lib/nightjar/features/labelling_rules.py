"""Labels by the vote of labelling rules, and where the rules overlap and conflict."""

from collections.abc import Mapping
from itertools import combinations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import BooleanType

from nightjar.errors import UsageError
from nightjar.expressions import guard
from nightjar.settings.project import RULES


def voted(rows: DataFrame, rules: Mapping[str, str]) -> DataFrame:
    """The rows with each rule's answer under its name, and `label`: what most of those say that say something, or null.

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
    told = guard.add_columns(rows, RULES, rules, (BooleanType,))
    yes, no = (_count(told, rules, answer=answer) for answer in (True, False))
    return told.withColumn("label", F.when(yes > no, True).when(yes < no, False))


def counted(voted_rows: DataFrame, rules: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """What was counted -> (rows, of how many).

    Of each rule: how many rows it speaks about (its coverage), about how many of them others speak too (overlap), and
    about how many another says the opposite (conflict). Of each two rules that overlap: about how many rows both speak,
    and about how many of these they disagree.
    Source: the analysis of labelling functions in Ratner et al. (2017), Snorkel, PVLDB 11(3), 269-282.

    Args:
        voted_rows: what `voted` gives.
        rules: the same rules.
    """
    speakers = sum((_speaks(name).cast("int") for name in rules), F.lit(0))
    asked = {"rows": F.count("*"), "labelled": F.count("label")}
    for name in rules:
        opposed = [_speaks(one) & (F.col(one) != F.col(name)) for one in rules if one != name]
        asked[f"speaks {name}"] = F.count(name)
        asked[f"overlaps {name}"] = F.count_if(_speaks(name) & (speakers > 1))
        asked[f"conflicts {name}"] = F.count_if(_speaks(name) & _any(opposed))
    for one, other in combinations(rules, 2):
        asked[f"both {one} {other}"] = F.count_if(_speaks(one) & _speaks(other))
        asked[f"differ {one} {other}"] = F.count_if(F.col(one) != F.col(other))
    found = voted_rows.agg(*(column.alias(name) for name, column in asked.items())).collect()[0].asDict()
    return _named(found, rules)


def _named(found: Mapping[str, int], rules: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    rows = found["rows"]
    told = {"rules: labelled": (found["labelled"], rows)}
    for name in rules:
        speaks = found[f"speaks {name}"]
        told[f"rule {name}: speaks"] = (speaks, rows)
        told[f"rule {name}: overlaps"] = (found[f"overlaps {name}"], speaks)
        told[f"rule {name}: conflicts"] = (found[f"conflicts {name}"], speaks)
    for one, other in combinations(rules, 2):
        if both := found[f"both {one} {other}"]:
            told[f"rules {one} and {other}: overlap"] = (both, rows)
            told[f"rules {one} and {other}: conflict"] = (found[f"differ {one} {other}"], both)
    return told


def _count(told: DataFrame, rules: Mapping[str, str], *, answer: bool) -> Column:
    says = ((told[name] == F.lit(answer)).cast("int") for name in rules)
    return sum((F.coalesce(one, F.lit(0)) for one in says), F.lit(0))


def _speaks(rule: str) -> Column:
    return F.col(rule).isNotNull()


def _any(conditions: list[Column]) -> Column:
    found = F.lit(False)
    for condition in conditions:
        found = found | condition
    return found
