"""How a training becomes a registered version: its folds, its figures, its manifest, its signature."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nightjar.learning import references
from nightjar.learning.final import Evidence
from nightjar.learning.fitting import fitted
from nightjar.learning.rows import TrainingRows
from nightjar.learning.search import ledger, proposals
from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.ledger import Ledger
from nightjar.learning.search.race import FoldResult, Unit
from nightjar.learning.search.work import Told
from nightjar.learning.splits.folding import Fold
from nightjar.models.examples import Rows
from nightjar.models.predictor import Predictor
from nightjar.registry import events, tracking
from nightjar.registry.manifest import Manifest
from nightjar.registry.tracking import SearchRun
from nightjar.registry.trials import Trial
from nightjar.runtime import interrupts
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.timeline import cutoff


@dataclass(frozen=True)
class Run:
    """The training that registers.

    Attributes:
        run_id: of the job.
        run_date: nothing that is known only after its midnight was used.
        code_revision: of Nightjar.
        home: the environment's, absolute.
        key: that signs.
    """

    run_id: str
    run_date: date
    code_revision: str
    home: Path
    key: Ed25519PrivateKey


@contextmanager
def recorded(
    run: Run, project: Project, rows: TrainingRows, book: Ledger, known: str | None = None
) -> Iterator[SearchRun]:
    """A run of MLflow for the search whose ledger is held, its folds, and the model that comes of it.

    Raises:
        ModelError: see `tracking.record_search`.
    """

    def under_way(search: str) -> bool:
        return search != book.search and ledger.in_use(book.folder, search)

    tags = _tags(run, project, rows)
    with tracking.record_search(run.home, project.name, book.search, tags, under_way, known) as record:
        yield record


def recording(record: SearchRun) -> Told:
    """Tells MLflow of each fold as a whole: cut by an interrupt, its run would seem to go on."""

    def told(unit: Unit, result: FoldResult) -> None:
        trial = Trial(
            candidate=unit.candidate.name,
            fold=result.fold,
            seed=result.seed,
            seconds=result.seconds,
            measures=result.measures,
            parameters=unit.candidate.model.parameters,
            failure=result.failure,
        )
        with interrupts.defer():
            record.log(trial)

    return told


def register(
    run: Run,
    record: SearchRun,
    project: Project,
    settings: Search,
    rows: TrainingRows,
    known: Rows,
    winner: Candidate,
    evidence: Evidence,
    predictor: Predictor,
) -> str:
    """The registered version; `known` are the rows that the predictor is fitted on."""
    manifest = _manifest(run, project, settings, rows, known, winner, evidence)
    version = tracking.register(record, _figures(evidence), predictor, manifest, run.key)
    record.tag(tracking.NAME, f"{project.name} {run.run_date} {winner.name}")
    return version


def register_stand_in(
    run: Run,
    record: SearchRun,
    project: Project,
    settings: Search,
    rows: TrainingRows,
    known: Rows,
    final: Fold,
    evidence: Evidence,
) -> tuple[events.Version, list[references.Histogram]] | None:
    """The baseline that the settings name, fitted and registered like the winner, and its histograms.

    None where the settings name none. The run's figures stay those of the winner.
    """
    chosen = next((one for one in proposals.baselines(settings) if one.name == settings.stand_in), None)
    if chosen is None:
        return None
    own = evidence.of_baseline(chosen.name)
    scores = fitted(rows, final.train, final.start, chosen, project, settings).predict(rows.features.take(final.test))
    histograms = references.histograms(rows, known, final.test, scores)
    manifest = _manifest(run, project, settings, rows, known, chosen, own)
    predictor = fitted(rows, known, run.run_date, chosen, project, settings)
    number = tracking.register(record, {}, predictor, manifest, run.key)
    told = {**asdict(own), events.STAND_IN: True, events.DEFINITIONS: rows.definitions_hash}
    return events.Version(number, chosen.name, run.run_date, told), histograms


def _tags(run: Run, project: Project, rows: TrainingRows) -> dict[str, str]:
    return {
        tracking.NAME: f"{project.name} {run.run_date}",  # and at the end the winner
        "nightjar.run_id": run.run_id,
        "nightjar.data_cutoff": cutoff(run.run_date, project.zone).isoformat(),
        "nightjar.data_hash": rows.content_hash,
        "nightjar.definitions_hash": rows.definitions_hash,
        **{f"nightjar.data.{table}": str(number) for table, number in rows.versions.items()},
    }


def _figures(evidence: Evidence) -> Mapping[str, float | None]:
    threshold = dict(evidence.threshold or {})
    told = {**evidence.candidate, "cost": threshold.pop("cost", None)}
    others = {f"threshold_{name}": value for name, value in threshold.items()}
    return others | {
        f"final_{name}_{bound}": value
        for name, interval in told.items()
        if isinstance(interval, dict)
        for bound, value in interval.items()
        if value is not None
    }


def _manifest(
    run: Run,
    project: Project,
    settings: Search,
    rows: TrainingRows,
    known: Rows,
    winner: Candidate,
    evidence: Evidence,
) -> Manifest:
    return Manifest(
        project=project.name,
        model_name=winner.name,
        task=project.label.task.value,
        estimator=winner.model.estimator.value,
        parameters=dict(winner.model.parameters),
        definitions_hash=rows.definitions_hash,
        code_revision=run.code_revision,
        seeds={"fit": settings.seed},
        data=dict(rows.versions),
        data_cutoff=cutoff(run.run_date, project.zone).isoformat(),
        data_hash=rows.content_hash,
        rows=len(known),
        period=(str(rows.day[known[0]]), str(rows.day[known[-1]])),
        metrics={"final": {"period": list(evidence.period), **evidence.candidate}},
        baselines=dict(evidence.baselines),
        threshold=None if evidence.threshold is None else evidence.threshold["value"],
    )
