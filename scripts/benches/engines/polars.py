"""Polars in one process: join_asof. The facts' files are in the order it needs; the spine is sorted by it."""

import polars as pl
from cases import VALUES, Case


def prepare(case: Case) -> None:
    """Nothing: its queries open the files."""


def consume(case: Case) -> None:
    _joined(case).collect()


def store(case: Case, target: str) -> None:
    _joined(case).sink_parquet(f"{target}/part-0.parquet", compression="snappy", mkdir=True)


def _joined(case: Case) -> pl.LazyFrame:
    rows = pl.scan_parquet(list(case.spine)).select(case.spine_columns).sort("prediction_time")
    for facts in case.facts:
        values = {f"{facts.name}__{value}": pl.col(value) for value in VALUES}
        right = pl.scan_parquet(list(facts.files)).select(facts.key, "event_time", **values)
        rows = rows.join_asof(
            right,
            left_on="prediction_time",
            right_on="event_time",
            by=facts.key,
            check_sortedness=False,  # they are, within each key
        ).drop("event_time")
    return rows
