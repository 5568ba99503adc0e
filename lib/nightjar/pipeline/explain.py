"""The job of explain: a row of a past night, or a model, explained on stored rows; it writes no table."""

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from nightjar.errors import UsageError
from nightjar.explanation.masked import mask_model, mask_row
from nightjar.explanation.of_model import explain_model
from nightjar.explanation.of_row import explain_row
from nightjar.masking.values import masking_of
from nightjar.pipeline.execution import Context
from nightjar.pipeline.explained_rows import read_background, read_features, read_others, read_prediction
from nightjar.registry import events, run_files, verified
from nightjar.registry.artifacts import Artifact
from nightjar.registry.signature import Subject
from nightjar.report import page, terminal
from nightjar.report.card import effects
from nightjar.report.document import Document
from nightjar.report.explanation import model, row
from nightjar.runtime import logs
from nightjar.settings.explain import Explain
from nightjar.tables import groups
from nightjar.timeline import parse_run_date

log = logging.getLogger("nightjar.explain")
BESIDE = 1_000
"""Other rows beside which a row is explained, where there are so many."""


def run(context: Context) -> None:
    """Explain what the settings name; no lease is needed, and no run is recorded."""
    settings = context.settings
    if not isinstance(settings, Explain):
        raise UsageError("the job explain needs its own configuration")
    run_date = parse_run_date(str(settings.run_date))
    if settings.prediction_id is None:
        name, version, document = _explain_model(context, run_date)
    else:
        name, version, document = _explain_row(context, run_date, settings.prediction_id)
    console = Console(width=max(100, Console().width))
    terminal.show(document, console)
    html = logs.redact(page.render(document))
    path = context.warehouse.path(f"reports/{name}.html")
    page.save(path, html)
    pictures = {f"{name}-{number}.svg": picture for number, picture in enumerate(page.pictures(document), start=1)}
    home = Path(settings.environment.home).absolute()
    run_files.attach(home, settings.project.name, version, {f"{name}.html": html, **pictures}, folder="explanations")
    console.print(f"\nThe explanation as a page: {path}", highlight=False, markup=False, soft_wrap=True)


def _explain_row(context: Context, run_date: date, prediction_id: str) -> tuple[str, str, Document]:
    """Name, version and document of the explanation of a prediction."""
    project, warehouse = context.settings.project, context.warehouse
    prediction = read_prediction(warehouse, run_date, prediction_id)
    version = str(prediction.row["model_version"])
    artifact = _load(context, str(prediction.row["model_name"]), version)
    features = read_features(warehouse, project, run_date, prediction, artifact.manifest)
    others = read_others(warehouse, project, run_date, prediction, artifact.manifest, BESIDE)
    thresholds = [float(tier.of_rows(features)[0]) for tier in artifact.manifest.thresholds]
    explanation = explain_row(
        artifact.open(),
        features,
        others,
        project.explain.actionable,
        threshold=deciding_threshold(thresholds, float(prediction.row["score"])),
        predicted=prediction.row.get("predicted"),
    )
    masking = masking_of(project)
    document = row.document(
        mask_row(explanation, masking),
        project=project.title or project.name,
        run_date=run_date,
        model=f"version {version} ({prediction.row['model_name']}), {prediction.row['role']}",
        key=masking.row({name: prediction.row[name] for name in (*project.spine.key, "prediction_time")}),
        stored_score=float(prediction.row["score"]),
        reasons=prediction.row.get("reasons"),
    )
    return f"explanation-{prediction.id[:16]}", version, document


def _explain_model(context: Context, run_date: date) -> tuple[str, str, Document]:
    """The same of the champion of a night."""
    project, warehouse = context.settings.project, context.warehouse
    champion = events.champion(warehouse, run_date)
    artifact = _load(context, champion.model_name, champion.number)
    background = read_background(warehouse, project, run_date, artifact.manifest)
    entity = groups.codes(background.rows, list(project.spine.key))
    document = model.document(
        mask_model(explain_model(artifact.open(), background.rows, background.night, entity), masking_of(project)),
        project=project.title or project.name,
        run_date=run_date,
        model=f"Version {champion.number} ({champion.model_name})",
        importance=effects.importance(champion.evidence),
    )
    return f"explanation-model-{champion.number}", champion.number, document


def _load(context: Context, name: str, version: str) -> Artifact:
    return verified.load(context.settings.environment, Subject(context.settings.project.name, name, version))


def deciding_threshold(thresholds: Sequence[float], score: float) -> float | None:
    """The threshold of a row's tiers that decides about its score: the greatest that it reaches, or else the least.

    None: the model has none.
    """
    return max((value for value in thresholds if value <= score), default=min(thresholds, default=None))
