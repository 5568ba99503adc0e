"""Whether a night's columns go together unlike in training, where a project asks for it: figures and their signal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.joint_reference import MISSED, SEPARABILITY, JointReference
from nightjar.evaluation.multivariate import FEWEST, Comparison
from nightjar.monitoring.drift_references import References
from nightjar.monitoring.night_counts import Sight
from nightjar.monitoring.signals import Kind, Signal, State
from nightjar.tables import scan
from nightjar.tables.file_splits import has_values
from nightjar.tables.references import TOGETHER

MOST_FILES = 8
"""Files of a night whose first rows are its sample."""


@dataclass(frozen=True)
class JointComparison:
    """Rows of `drift` but for their stamps, and what they say."""

    rows: list[dict[str, Any]]
    signal: Signal


def compare(sight: Sight, references: References, train: str) -> JointComparison:
    """Compare a sample of a night's rows with the joint reference of the version that scored it.

    It is to be watched where both figures are beyond those of all nights of the reference: each is by chance on one
    night of 40.

    Args:
        sight: where the night is read.
        references: of the version.
        train: the command that trains a version anew.
    """
    text = references.nulls.get(TOGETHER)
    if text is None:
        return _unknown("the version was trained without it, or on too few nights. Train one", train)
    reference = JointReference.from_json(text)
    files = scan.snapshot(sight.warehouse, "features", sight.versions["features"])
    files = files.where(has_values({"run_date": sight.run_date}))
    missing = [name for name in reference.levels if name not in files.schema.names]
    if missing or files.unreadable is not None:
        return _unknown(files.unreadable or f"the table has no column {', '.join(missing)}", None)
    rows = _sample(files, list(reference.levels))
    if len(rows) < FEWEST:
        return _unknown(f"the night has {len(rows)} rows, fewer than {FEWEST}", None)
    figures = reference.compare(rows)
    is_unusual = all(one.p <= 1 / (1 + len(reference.nights[name])) for name, one in figures.items())
    state = State.WATCH if is_unusual else State.OK
    shown = [_row(name, one, len(rows), state) for name, one in figures.items()]
    evidence = {name: {"value": one.value, "usual": one.usual, "p_value": one.p} for name, one in figures.items()}
    return JointComparison(shown, Signal(Kind.COVARIATE, TOGETHER, state, _sentence(figures, state), evidence=evidence))


def _sample(files: scan.Snapshot, columns: list[str]) -> pa.Table:
    """The first rows of some files, from the first to the last."""
    step = max(1, -(-len(files.files) // MOST_FILES))
    parts = [replace(files, files=(one,)) for one in files.files[::step]]
    batches = [next(scan.batches(part, columns, pc.scalar(True)), None) for part in parts]
    schema = pa.schema([files.schema.field(name) for name in columns])
    return pa.Table.from_batches([one for one in batches if one is not None], schema)


def _sentence(figures: Mapping[str, Comparison], state: State) -> str:
    apart, missed = figures[SEPARABILITY], figures[MISSED]
    how = "unlike in training" if state is State.WATCH else "as on nights of the training"
    return (
        f"Columns go together {how}: a classifier tells tonight's rows from those of training with a ROC AUC of "
        f"{apart.value:.2f}, {apart.usual:.2f} at the median of its nights, and principal components miss "
        f"{missed.value:.2f} of a variance, there {missed.usual:.2f}."
    )


def _row(measure: str, one: Comparison, rows: int, state: State) -> dict[str, Any]:
    row = {"subject": TOGETHER, "slice": "all", "measure": measure, "value": one.value, "rows": rows}
    return row | {"p_value": one.p, "state": state.value}


def _unknown(reason: str, command: str | None) -> JointComparison:
    sentence = f"Nobody can say whether columns go together as in training: {reason}."
    return JointComparison([], Signal(Kind.COVARIATE, TOGETHER, State.UNKNOWN, sentence, command))
