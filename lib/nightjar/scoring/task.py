"""What a task does with its share of a night's rows."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from nightjar.models.unseen import unseen_texts
from nightjar.registry.opened import opened
from nightjar.registry.roles import Challenge
from nightjar.scoring.decisions import decision_columns, predict_both
from nightjar.scoring.draws import add_draws
from nightjar.scoring.identity import id_column
from nightjar.scoring.predictions import prediction_columns
from nightjar.scoring.reasons import ReasonsPlan, carry
from nightjar.scoring.rule_model import Model
from nightjar.settings.project import Project
from nightjar.tables.rows import TaskFunction


def score_rows(
    project: Project,
    key: Sequence[str],
    read: TaskFunction,
    artifact: Model,
    plan: ReasonsPlan | None = None,
    challenge: Challenge | None = None,
) -> TaskFunction:
    """A task that scores its rows.

    Tiers that have so many rows of a night are not decided yet, see `capacity`, and rows carry what their reasons will
    be made of.

    The model is opened once in each process of Python that runs tasks, and scores with that process's one thread.
    """
    manifest = artifact.manifest

    def score_share(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        for rows in read(batches):
            predictor = opened(artifact).suited_to(rows)
            columns = rows.select(["prediction_time", *key])
            ids = id_column(project.name, columns.select([*key, "prediction_time"]))
            columns = columns.append_column("unseen_levels", unseen_texts(predictor, rows))
            scores, raw = predict_both(predictor, rows, manifest)
            decided = decision_columns(scores, raw, rows, predictor, manifest, project)
            for name, values in (prediction_columns(scores, manifest) | decided).items():
                columns = columns.append_column(name, values)
            columns = columns.append_column("prediction_id", ids)
            yield carry(add_draws(columns, project.name, key, project.feedback, challenge), rows, plan)

    return score_share
