"""Train: search, judge the winner on unseen days, refit it on everything known, register it."""

import logging
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.evaluation.histograms import count, fit_bins
from nightjar.learning import search
from nightjar.learning.candidates import Candidate, expand
from nightjar.learning.final import Evidence, judge
from nightjar.learning.rows import TrainingRows, last_settled_day, read
from nightjar.learning.splits import final_period, walk_forward
from nightjar.models.estimators import fit
from nightjar.registry import artifacts, events, tracking
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.tables import arrow
from nightjar.tables.definitions import REFERENCES
from nightjar.tables.ledger import Outcome
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, parse_duration

log = logging.getLogger("nightjar.train")


def train(
    warehouse: Warehouse,
    project: Project,
    settings: Search,
    run_date: date,
    run_id: str,
    home: Path,
    code_revision: str,
) -> Outcome:
    """Find, judge and register a model from what is known at the run date's midnight. Ray must have been started.

    Raises:
        LearningError: the rows or the folds cannot give an honest figure.
    """
    rows = read(warehouse, project, run_date)
    told = (f"{len(rows.label):,}", rows.day[0], rows.day[-1], len(rows.columns))
    log.info("%s labelled rows, %s to %s, %d features", *told)
    last_day = last_settled_day(project, run_date)
    final = final_period(rows, last_day, settings.final_days, project.zone)
    embargo = parse_duration(settings.embargo)
    folds = walk_forward(rows, final.start, settings.folds, settings.test_days, project.zone, embargo)
    candidates = expand(settings)
    results = search.run(rows, folds, candidates, settings.seed, home / "tune")
    winner, baselines = _chosen(settings, candidates, results)
    log.info("best on the folds: %s; now judged on %s to %s, never seen so far", winner.name, final.start, final.end)
    evidence, final_scores = judge(rows, final, winner, baselines, settings.metric, settings.seed)
    log.info("final period: %s", _told(evidence))
    predictor = fit(winner.model, rows.features, rows.label, features=rows.columns, seed=settings.seed)
    manifest = _manifest(rows, winner, evidence, project, settings, run_date, code_revision)
    version, mlflow_run = _register(predictor, manifest, results, candidates, evidence, project, home, run_id)
    log.info("registered as version %s of %s (MLflow run %s)", version, project.name, mlflow_run)
    outcome = Outcome(inputs=dict(rows.versions), rows={"training rows": len(rows.label), "fits": len(results)})
    outcome.outputs[REFERENCES.name] = _store_references(warehouse, rows, final_scores, version, run_id)
    registered = events.Version(version, winner.name, run_date, asdict(evidence))
    outcome.outputs["model_events"] = events.record(warehouse, "registered", registered, run_id)
    return outcome


def _chosen(
    settings: Search, candidates: Sequence[Candidate], results: Sequence[search.FoldResult]
) -> tuple[Candidate, list[Candidate]]:
    """The best candidate that is no baseline, and the baselines."""
    mean = search.means(results, settings.metric)
    for name, value in sorted(mean.items(), key=lambda item: -item[1]):
        log.info("mean over folds: %s %s %.4f", name, settings.metric.value, value)
    baselines = [candidate for candidate in candidates if candidate.model.baseline]
    others = [candidate for candidate in candidates if not candidate.model.baseline]
    return search.best(others, mean, settings.metric), baselines


def _told(evidence: Evidence) -> str:
    shown = {evidence.candidate["name"]: evidence.candidate, **evidence.baselines}
    estimates = {name: measured[evidence.metric]["estimate"] for name, measured in shown.items()}
    parts = [
        f"{name} {evidence.metric} {'undefined' if value is None else f'{value:.4f}'}"
        for name, value in estimates.items()
    ]
    return ", ".join(parts)


def _manifest(
    rows: TrainingRows,
    winner: Candidate,
    evidence: Evidence,
    project: Project,
    settings: Search,
    run_date: date,
    code_revision: str,
) -> artifacts.Manifest:
    return artifacts.Manifest(
        project=project.name,
        model_name=winner.name,
        estimator=winner.model.estimator.value,
        parameters=dict(winner.model.parameters),
        definitions_hash=rows.definitions_hash,
        code_revision=code_revision,
        seeds={"fit": settings.seed},
        data=dict(rows.versions),
        data_cutoff=cutoff(run_date, project.zone).isoformat(),
        data_hash=rows.content_hash(),
        rows=len(rows.label),
        period=(str(rows.day[0]), str(rows.day[-1])),
        metrics={"final": {"period": list(evidence.period), **evidence.candidate}},
        baselines=dict(evidence.baselines),
    )


def _register(
    predictor: Any,
    manifest: artifacts.Manifest,
    results: Sequence[search.FoldResult],
    candidates: Sequence[Candidate],
    evidence: Evidence,
    project: Project,
    home: Path,
    run_id: str,
) -> tuple[str, str]:
    models = {candidate.name: candidate.model for candidate in candidates}
    trials = [
        tracking.Trial(
            f"{result.candidate} {result.fold}",
            models[result.candidate].parameters,
            {name: value for name, value in result.measures.items() if value is not None} | {"seconds": result.seconds},
        )
        for result in results
    ]
    tags = {
        "nightjar.run_id": run_id,
        "nightjar.data_cutoff": manifest.data_cutoff,
        "nightjar.data_hash": manifest.data_hash,
        "nightjar.definitions_hash": manifest.definitions_hash,
        **{f"nightjar.data.{table}": str(number) for table, number in manifest.data.items()},
    }
    figures = {
        f"final_{name}_{bound}": value
        for name, interval in evidence.candidate.items()
        if isinstance(interval, dict)
        for bound, value in interval.items()
        if value is not None
    }
    folder = Path(tempfile.mkdtemp(prefix="nightjar-model-"))
    try:
        artifacts.save(predictor, manifest, folder / "artifact")
        return tracking.log_training(home, project.name, trials, tags, figures, folder / "artifact")
    finally:
        shutil.rmtree(folder)


def _store_references(
    warehouse: Warehouse, rows: TrainingRows, final_scores: npt.NDArray[np.float64], version: str, run_id: str
) -> int:
    """Histograms of every feature over the training rows, and of the score over the final period.

    A model's scores of its own training rows are sharper than those of new ones: they would be no fair reference.
    """
    columns: dict[str, pa.ChunkedArray[Any]] = {column.name: rows.features[column.name] for column in rows.columns}
    columns["score"] = pa.chunked_array([pa.array(final_scores)])
    stored = []
    for name, values in columns.items():
        bins = fit_bins(values)
        counts = count(bins, values).tolist()
        stored.append(
            {
                "model_version": version,
                "column": name,
                "night": None,
                "bins": bins.to_json(),
                "counts": counts,
                "run_id": run_id,
            }
        )
    return arrow.append(warehouse, REFERENCES, stored, run_id)
