"""Labels by the majority of annotators, and how far the annotators agree."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import BooleanType, DataType, IntegralType, StringType

from nightjar.errors import JoinError
from nightjar.evaluation.agreement import Answers, against_the_others, ahead, counts_by_answer, fleiss_kappa, pairs
from nightjar.features.classes import class_of
from nightjar.joins.stored_facts import StoredFacts
from nightjar.settings.label import Label
from nightjar.settings.task import Task

ANNOTATOR = "_annotator"
SHOWN = 5
"""How many pairs of annotators are logged: those that agree least."""


def queries_by_annotator(queries: DataFrame, facts: DataFrame, label: Label) -> DataFrame:
    """Each query once for every annotator who ever answered about its key; one without annotators stays, with null."""
    keys = {column: f"_fact_{column}" for column in dict.fromkeys(label.keys.values())}
    annotator = F.col(label.annotators.column or "").alias(ANNOTATOR)
    annotators = facts.select(*(F.col(column).alias(name) for column, name in keys.items()), annotator)
    same_key = [F.col(name) == F.col(keys[column]) for name, column in label.keys.items()]
    return queries.join(annotators.dropna().distinct(), same_key, "left").select(*queries.columns, ANNOTATOR)


def facts_by_annotator(facts: StoredFacts, label: Label) -> StoredFacts:
    """The same facts with the annotator in their key, so that each annotator has a last answer."""
    return replace(facts, keys={**facts.keys, ANNOTATOR: label.annotators.column or ""}, layout=None)


def answers_of(answers: DataFrame, label: Label, row: Sequence[str]) -> DataFrame:
    """The answers with `value` as the label has it: yes or no, or the text that names a class.

    Raises:
        JoinError: the source's column is of another type. A value that is no class fails the task, see `class_of`.
    """
    kind, several = answers.schema["value"].dataType, label.task is Task.MULTICLASS
    expected = "a text or a whole number that names a class" if several else "a boolean"
    kinds: tuple[type[DataType], ...] = (StringType, IntegralType) if several else (BooleanType,)
    if not isinstance(kind, kinds):
        raise JoinError(
            f"project.label, column {label.column} of source {label.source}: an annotator's answer is a "
            f"{kind.simpleString()}, expected {expected}. Derive one in the source."
        )
    return answers.withColumn("value", class_of(F.col("value"), label, row)) if several else answers


def majority(answers: DataFrame, label: Label, row: Sequence[str], until: str, known_by: str) -> DataFrame:
    """What most annotators answer about each row as known at each instant: `label`, null for a tie or too few answers.

    Of several classes it is the one that is answered more often than any other. Before the horizon has passed, such a
    null is left out as long as there has been no majority: there is no label yet.

    Args:
        answers: `value` of each annotator at each instant, null where there is none, see `answers_of`.
        label: has the annotators, and the classes.
        row: the columns that name a row.
        until: the column with the instant at which the row's horizon has passed.
        known_by: the column with the instant.
    """
    values = _values(label)
    of_each = F.array(*(F.count_if(F.col("value") == F.lit(value)) for value in values)).alias("_counts")
    counts = answers.groupBy(*row, until, known_by).agg(of_each, F.count("value").alias("_answers"))
    is_first = lambda one: one == F.array_max("_counts")  # noqa: E731
    is_alone = F.size(F.filter("_counts", is_first)) == 1  # of no answers all counts are first
    first = F.element_at(F.array(*map(F.lit, values)), F.array_position("_counts", F.array_max("_counts")).cast("int"))
    is_enough = F.col("_answers") >= label.annotators.least
    so_far = Window.partitionBy(*row).orderBy(known_by)
    has_had_majority = F.max(F.col("label").isNotNull()).over(so_far)
    labelled = counts.withColumn("label", F.when(is_enough & is_alone, first)).withColumn("_ever", has_had_majority)
    return labelled.where((F.col(known_by) >= F.col(until)) | F.col("_ever")).drop("_counts", "_answers", "_ever")


def collect_answers(answers: DataFrame, label: Label, row: Sequence[str]) -> tuple[Answers, list[str]]:
    """Each annotator's answer about each row, and the annotators' names by their numbers, as texts in order.

    An answer is the number of its class, or 0 for no and 1 for yes.
    """
    answers = answers_of(answers, label, row)
    name, value = F.col(ANNOTATOR).cast("string").alias("annotator"), F.col("value")
    collected = F.collect_list(F.struct(name, value)).alias("answers")
    table: pa.Table = answers.where(value.isNotNull()).groupBy(*row).agg(collected).select("answers").toArrow()
    lists: Any = table["answers"].combine_chunks()
    flat: Any = pc.list_flatten(lists)
    names, annotator = np.unique(np.array(flat.field("annotator").to_pylist(), dtype=np.str_), return_inverse=True)
    item = np.repeat(np.arange(len(lists)), pc.list_value_length(lists).to_numpy())
    answer = pc.index_in(flat.field("value"), pa.array(_values(label))).to_numpy(zero_copy_only=False)
    return Answers(item, annotator.astype(np.intp), answer.astype(np.intp)), names.tolist()


def checks(answers: Answers, names: Sequence[str], least: int) -> dict[str, tuple[int, int]]:
    """Check -> (rows that meet it, rows it applies to): majorities, each annotator against the others, each pair."""
    counts = counts_by_answer(answers)
    total, tied = counts.sum(axis=1), ahead(counts) < 0
    few, answered = total < least, len(counts)
    result = {
        "annotators: majority": (int((~few & ~tied).sum()), answered),
        "annotators: tied": (int((~few & tied).sum()), answered),
        f"annotators: fewer than {least} answers": (int(few.sum()), answered),
    }
    for agreement in against_the_others(answers):
        result[f"annotator {names[agreement.annotator]}: with the majority of the others"] = (
            agreement.agreed,
            agreement.items,
        )
    for pair in pairs(answers):
        result[f"annotators {names[pair.first]} and {names[pair.second]}: agree"] = (pair.agreed, pair.items)
    return result


def kappas(answers: Answers, names: Sequence[str]) -> Mapping[str, float | None]:
    """Fleiss' kappa of all annotators, and Cohen's of the pairs that agree least, by their names."""
    of_pairs = sorted(pairs(answers), key=lambda pair: (pair.kappa is None, pair.kappa or 0))[:SHOWN]
    cohens = {f"Cohen's kappa of {names[pair.first]} and {names[pair.second]}": pair.kappa for pair in of_pairs}
    return {"Fleiss' kappa": fleiss_kappa(counts_by_answer(answers)), **cohens}


def _values(label: Label) -> list[str] | list[bool]:
    """What may be answered, in the order of their numbers."""
    return list(label.classes) if label.task is Task.MULTICLASS else [False, True]
