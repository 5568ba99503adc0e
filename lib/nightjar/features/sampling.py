"""Samples the rows of a spine by a hash of their key, and weights each sampled row."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from nightjar.settings.spine import WEIGHT, Sample, SampleBy
from nightjar.timeline import parse_run_date


def sample_rows(rows: DataFrame, key: list[str], sample: Sample) -> DataFrame:
    """The sampled rows with their `sampling_weight`; after the sample's last date every row is kept, with weight 1.

    Args:
        rows: spine rows of whole days, with `prediction_time` and `run_date`.
        key: the columns that with `prediction_time` name a row.
        sample: the rule.
    """
    is_whole = F.lit(False) if sample.until is None else F.col("run_date") > F.lit(parse_run_date(sample.until))
    if sample.maximum is not None:
        return _at_most(rows, key, _group(key, sample), sample.maximum, is_whole)
    share = F.when(is_whole, F.lit(1.0)).otherwise(_share(sample))
    sampling_unit = F.struct(*key) if sample.by is SampleBy.ENTITY else _row(key)
    return rows.where(_unit_hash(sampling_unit) < share).withColumn(WEIGHT, 1 / share)


def _at_most(rows: DataFrame, key: list[str], group: list[str], maximum: int, is_whole: Column) -> DataFrame:
    of_group = Window.partitionBy(*group)
    rank = F.row_number().over(of_group.orderBy(_unit_hash(_row(key)), *key, "prediction_time"))
    ranked = rows.withColumn("_place", rank).withColumn("_size", F.count("*").over(of_group))
    selected = ranked.where((F.col("_place") <= maximum) | is_whole)
    weight = F.when(is_whole, F.lit(1.0)).otherwise(F.col("_size") / F.least("_size", F.lit(maximum)))
    return selected.withColumn(WEIGHT, weight).drop("_place", "_size")


def _group(key: list[str], sample: Sample) -> list[str]:
    of_entity = key if sample.by is SampleBy.ENTITY else []
    return ["run_date", *of_entity, *([sample.column] if sample.column else [])]


def _share(sample: Sample) -> Column:
    share = F.lit(sample.fraction)
    for value, fraction in sample.fractions.items():
        share = F.when(F.col(sample.column or "").cast("string") == value, fraction).otherwise(share)
    return share


def _row(key: list[str]) -> Column:
    return F.struct(*key, F.unix_micros("prediction_time").alias("prediction_time"))


def _unit_hash(row: Column) -> Column:
    """A number in [0, 1) from the row's values: the first 52 bits of the SHA-256 of their JSON."""
    digest = F.sha2(F.to_json(row, {"ignoreNullFields": "false"}), 256)
    return F.conv(F.substring(digest, 1, 13), 16, 10).cast("double") / F.lit(2.0**52)
