"""What a task does with its share of a night's rows."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from nightjar.models.unseen import unseen_texts
from nightjar.registry.artifacts import Artifact
from nightjar.scoring.assignment import add_assignments
from nightjar.scoring.identity import prediction_ids
from nightjar.scoring.predictions import prediction_columns
from nightjar.scoring.reasons import ReasonsPlan, carry
from nightjar.settings.project import Project
from nightjar.tables.rows import TaskFunction


def score_rows(
    project: Project, key: Sequence[str], read: TaskFunction, artifact: Artifact, plan: ReasonsPlan | None
) -> TaskFunction:
    def score_share(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        predictor = None
        for rows in read(batches):
            predictor = predictor or artifact.open()
            columns = rows.select(["prediction_time", *key])
            ids = pa.array(prediction_ids(project.name, columns.select([*key, "prediction_time"])), pa.string())
            columns = columns.append_column("unseen_levels", unseen_texts(predictor, rows))
            scores, with_tier = predictor.predict(rows), bool(project.decision_tiers())
            for name, values in prediction_columns(scores, rows, artifact.manifest, with_tier=with_tier).items():
                columns = columns.append_column(name, values)
            columns = columns.append_column("prediction_id", ids)
            yield carry(add_assignments(columns, project.name, key, project.feedback), rows, plan)

    return score_share
