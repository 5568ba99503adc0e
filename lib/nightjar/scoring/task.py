"""What a task does with its share of a night's rows."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from nightjar.models.unseen import unseen_texts
from nightjar.registry.opened import opened
from nightjar.scoring.assignment import add_assignments
from nightjar.scoring.identity import id_column
from nightjar.scoring.predictions import prediction_columns
from nightjar.scoring.reasons import ReasonsPlan, add_reasons
from nightjar.scoring.rule_model import Model
from nightjar.settings.project import Project
from nightjar.tables.rows import TaskFunction


def score_rows(
    project: Project, key: Sequence[str], read: TaskFunction, artifact: Model, plan: ReasonsPlan | None = None
) -> TaskFunction:
    """What makes rows of `scores` of a share of the night's rows, a table at a time.

    The model is opened once in each process of Python that runs tasks, and scores with that process's one thread.
    """

    def score_share(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for rows in read(batches):
            model = opened(artifact)
            columns = rows.select(["prediction_time", *key])
            ids = id_column(project.name, columns.select([*key, "prediction_time"]))
            columns = columns.append_column("unseen_levels", unseen_texts(model.predictor, rows))
            scores, with_tier = model.predict(rows), bool(project.decision_tiers())
            for name, values in prediction_columns(scores, rows, artifact.manifest, with_tier=with_tier).items():
                columns = columns.append_column(name, values)
            columns = columns.append_column("prediction_id", ids)
            columns = add_assignments(columns, project.name, key, project.feedback)
            yield add_reasons(columns, rows, scores, model.predictor, plan)

    return score_share
