"""The nights of a training as monitoring would have followed them: of rows that a fit had not seen, by their slices."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import builders
from learning import problems
from nightjar.evaluation.estimates import Method
from nightjar.evaluation.rehearsal import Rehearsal
from nightjar.learning.evidence import Evidence
from nightjar.learning.rehearsing import add_rehearsal
from nightjar.learning.splits.folding import Fold
from nightjar.learning.training_plan import TrainingPlan

EVIDENCE = Evidence("roc_auc", ("", ""), {"name": "logistic-1"}, {}, {}, {}, 0.0, {})
PROJECT = builders.machines(Path("files"))


def test_folds_and_final_period_are_followed_night_by_night_and_other_tasks_on_that_period_alone():
    """Twenty nights of 40 rows, of which folds have tested the last 16, the final period being the last four."""
    project = replace(PROJECT, monitoring=replace(PROJECT.monitoring, slices=["machine"]))
    rows = replace(problems.rows(), slices=pa.table({"machine": np.tile(["m1", "m2"], 400)}))
    final = Fold("final", problems.FIRST, problems.FIRST, np.arange(640), np.arange(640, 800))
    plan = TrainingPlan(
        *(None, project, problems.search(), problems.FIRST, rows, None, None, final, problems.problem()),
        *(final.train, None),
    )
    scores = np.where(np.arange(800) < 160, np.nan, 0.5)
    stored = add_rehearsal(EVIDENCE, plan, scores[640:], scores).rehearsal
    past = Rehearsal.from_json(stored)
    assert past.nights == tuple(problems.FIRST + timedelta(days=day) for day in range(4, 20))
    assert past.figures["all", "positive_rate"][0][-1] == pytest.approx(rows.label[760:].mean(), rel=1e-5)
    assert ("machine=m1", "label_shift_against_rest") in past.figures
    # Rows of one o'clock in the morning have final labels at the second midnight after; seven such nights are needed.
    assert np.isfinite(past.estimates["all", "log_loss"][Method.CONFIDENCE]).tolist() == 8 * [False] + 8 * [True]
    alone = Rehearsal.from_json(add_rehearsal(EVIDENCE, plan, scores[640:], None).rehearsal)
    assert alone.nights == past.nights[-4:]
