"""Performance of earlier nights' predictions, as far as their truth is known by the run date."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.figures import headline
from nightjar.evaluation.metrics import measures
from nightjar.settings.project import Project
from nightjar.settings.spine import WEIGHT
from nightjar.tables import arrow, groups, labels
from nightjar.tables.definitions import PERFORMANCE
from nightjar.tables.ledger import Outcome
from nightjar.tables.table import INSTANT
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, earlier, later, local_date

log = logging.getLogger("nightjar.monitor")
ROLE = "champion"


def measure(warehouse: Warehouse, project: Project, run_date: date, run_id: str) -> Outcome:
    """Judge the served predictions of each earlier night on the labels known at the run date's midnight.

    Nights are followed until a week after their labels are settled. Until then a figure is provisional: what is known
    early is no random sample. A ranking is judged within the lists that the features name, and where rows are a sample,
    each counts as many times as its features say that it stands for.

    Raises:
        TableError: a table is missing that must have been written before, or a column of the features that is needed.
    """
    outcome = Outcome(inputs=arrow.pinned(warehouse, ["scores", "labels", "features"]))
    known = _with_labels(warehouse, project, run_date, outcome.inputs)
    rows = [row for day in _dates(known) for row in _judged(known, day, project, run_date, run_id)]
    outcome.outputs[PERFORMANCE.name] = arrow.replace(warehouse, PERFORMANCE, rows, {"run_date": run_date}, run_id)
    outcome.rows[PERFORMANCE.name] = len(rows)
    return outcome


def _with_labels(warehouse: Warehouse, project: Project, run_date: date, versions: dict[str, int]) -> pa.Table:
    """Scores of earlier nights, with `label` (null: open, or settled as none) and `label_known_at` (null: open)."""
    key = [*project.spine.key, "prediction_time"]
    passed = earlier(cutoff(run_date, project.zone), project.label.horizon_length(), project.zone)
    first = local_date(passed, project.zone) - timedelta(days=7)
    dates = (pc.field("run_date") >= first) & (pc.field("run_date") < run_date)
    served, columns = dates & (pc.field("role") == ROLE), [*key, "score", "model_version", "run_date"]
    scores = arrow.read(warehouse, "scores", columns, served, versions["scores"])
    of_these = pc.field("prediction_time") >= pa.scalar(cutoff(first, project.zone), INSTANT)
    known = labels.known(warehouse, key, cutoff(run_date, project.zone), versions["labels"], of_these)
    joined = scores.join(known, key, join_type="left outer")
    beside = _beside(project, arrow.schema(warehouse, "features", versions["features"]).names)
    if not beside:
        return joined
    features = arrow.read(warehouse, "features", [*key, *beside], dates, versions["features"])
    return joined.join(features, key, join_type="left outer")


def _beside(project: Project, stored: Sequence[str]) -> list[str]:
    """Which columns of the features are needed beside scores: of a ranking's lists, and of a sample's weights.

    Nights are followed on after the project has ceased to sample: the table tells whether there are weights.
    """
    scored = (*project.spine.key, "prediction_time", "run_date")
    lists = [name for name in project.label.query if name not in scored]
    return [*lists, WEIGHT] if WEIGHT in stored else lists


def _dates(known: pa.Table) -> list[date]:
    dates: list[Any] = known["run_date"].to_pylist()
    return sorted(set(dates))


def _judged(known: pa.Table, day: date, project: Project, run_date: date, run_id: str) -> Iterator[dict[str, Any]]:
    rows = known.filter(pc.field("run_date") == day)
    matured = 1 - rows["label_known_at"].null_count / len(rows)
    judged = rows.filter(pc.is_valid(rows["label"]))
    label, score = (judged[name].to_numpy() for name in ("label", "score"))
    task, query = project.label.task, project.label.query
    lists = groups.codes(judged, query) if query else None
    weight = np.nan_to_num(judged[WEIGHT].to_numpy(), nan=1.0) if WEIGHT in judged.column_names else None
    found = {**measures(task, label, score, lists, weight), "matured_share": matured}
    passed = later(cutoff(day, project.zone), project.label.horizon_length(), project.zone)
    provisional = passed > cutoff(run_date, project.zone)
    first = headline(task).value
    shown = "undefined" if found[first] is None else f"{found[first]:.4g}"
    log.info("performance of %s: %s %s, %.1f%% of labels matured", day, first, shown, 100 * matured)
    for name, value in found.items():
        yield {
            "evaluated_date": day,
            "subject": ROLE,
            "slice": "all",
            "measure": name,
            "value": None if value is None else float(value),
            "provisional": provisional,
            "model_version": rows["model_version"][0].as_py(),
            "run_date": run_date,
            "run_id": run_id,
        }
