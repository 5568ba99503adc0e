"""What a task does with its share of a night's rows."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from nightjar.models.unseen import unseen_texts
from nightjar.registry.artifacts import Artifact
from nightjar.scoring.assignment import add_assignments
from nightjar.scoring.capacity import hold_back
from nightjar.scoring.decisions import decision_columns, predict_both
from nightjar.scoring.identity import prediction_ids
from nightjar.scoring.predictions import prediction_columns
from nightjar.scoring.reasons import ReasonsPlan, add_reasons
from nightjar.settings.project import Project
from nightjar.tables.rows import TaskFunction
from nightjar.tables.sink import UnfinishedTask


def score_rows(
    project: Project, key: Sequence[str], read: TaskFunction, artifact: Artifact, plan: ReasonsPlan | None = None
) -> UnfinishedTask:
    manifest = artifact.manifest
    tiers = manifest.thresholds if project.decision_tiers() else ()

    def score_share(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        predictor = None
        for rows in read(batches):
            predictor = predictor or artifact.open()
            columns = rows.select(["prediction_time", *key])
            ids = pa.array(prediction_ids(project.name, columns.select([*key, "prediction_time"])), pa.string())
            columns = columns.append_column("unseen_levels", unseen_texts(predictor, rows))
            scores, raw = predict_both(predictor, rows, manifest)
            decided = decision_columns(scores, raw, rows, predictor, manifest, project)
            for name, values in (prediction_columns(scores, manifest) | decided).items():
                columns = columns.append_column(name, values)
            columns = columns.append_column("prediction_id", ids)
            columns = add_assignments(columns, project.name, key, project.feedback)
            yield add_reasons(columns, rows, scores, predictor, plan, tiers)

    return lambda batches: hold_back(score_share(batches), tiers)
