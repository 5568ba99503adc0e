"""Registration of a training's model: its trials and metrics in MLflow, its manifest, its signature."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nightjar.evaluation.conformal import read_sets
from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.rows import RowNumbers
from nightjar.learning import references
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.evidence import Evidence
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.search import proposals
from nightjar.learning.search.fold_tasks import FoldResult, FoldTask
from nightjar.learning.search.ledger import Ledger, in_use
from nightjar.learning.search.queue import Callback
from nightjar.learning.splits.folding import Fold
from nightjar.masking.values import masking_of
from nightjar.models.predictor import Predictor
from nightjar.registry import events, tracking
from nightjar.registry.lifetime import dates_of
from nightjar.registry.manifest import Manifest
from nightjar.registry.ranges import ranges_of
from nightjar.registry.tiers import tier_of_evidence
from nightjar.registry.tracking import SearchRun
from nightjar.registry.trials import Trial
from nightjar.runtime import interrupts, logs
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.timeline import cutoff


@dataclass(frozen=True)
class Run:
    """The run of the job that trains and registers.

    Attributes:
        run_id: of the job.
        run_date: the cutoff is its midnight.
        code_revision: of Nightjar.
        home: the environment's, absolute.
        key: the signing key.
    """

    run_id: str
    run_date: date
    code_revision: str
    home: Path
    key: Ed25519PrivateKey


@contextmanager
def record_search(
    run: Run, project: Project, rows: TrainingSet, ledger: Ledger, newest: str | None = None
) -> Iterator[SearchRun]:
    """Open a run of MLflow for the search whose ledger is open, for its trials and the model.

    Raises:
        ModelError: see `tracking.record_search`.
    """

    def is_running(search: str) -> bool:
        return search != ledger.search and in_use(ledger.folder, search)

    tags = _tags(run, project, rows)
    with tracking.record_search(run.home, project.name, ledger.search, tags, is_running, newest) as record:
        yield record


def trial_callback(record: SearchRun) -> Callback:
    """A callback that logs each fold to MLflow, without interrupts: a half-logged run would seem to be running."""

    def log_result(fold_task: FoldTask, result: FoldResult) -> None:
        trial = Trial(
            candidate=fold_task.candidate.name,
            fold=result.fold,
            seed=result.seed,
            seconds=result.seconds,
            measures=result.measures,
            parameters=fold_task.candidate.model.parameters,
            failure=None if result.failure is None else logs.masked(result.failure),
        )
        with interrupts.defer():
            record.log(trial)

    return log_result


def register(
    run: Run,
    record: SearchRun,
    project: Project,
    settings: Search,
    rows: TrainingSet,
    fit_rows: RowNumbers,
    winner: Candidate,
    evidence: Evidence,
    predictor: Predictor,
) -> str:
    """Register the winner; `fit_rows` are the rows that the predictor is fitted on. Returns the version."""
    manifest = _manifest(run, project, settings, rows, fit_rows, winner, evidence)
    version = tracking.register(record, _metrics(evidence), predictor, manifest, run.key)
    record.tag(tracking.NAME, f"{project.name} {run.run_date} {winner.name}")
    return version


def register_stand_in(
    run: Run,
    record: SearchRun,
    project: Project,
    settings: Search,
    rows: TrainingSet,
    fit_rows: RowNumbers,
    final: Fold,
    evidence: Evidence,
    watching: references.Watching,
) -> tuple[events.Version, list[references.Histogram]] | None:
    """Fit and register the baseline that the settings name, like the winner; returns its version and histograms.

    None where the settings name none. The run's metrics stay those of the winner.
    """
    baseline = next(
        (candidate for candidate in proposals.baselines(settings) if candidate.name == settings.stand_in), None
    )
    if baseline is None:
        return None
    baseline_evidence = evidence.of_baseline(baseline.name)
    scores = fit_candidate(rows, final.train, final.start, baseline, project, settings).predict(
        rows.features.take(final.test)
    )
    own = replace(watching, importance={}, scores=None)  # both are the winner's
    histograms = references.histograms(rows, fit_rows, final.test, scores, standard_of(project), own)
    manifest = _manifest(run, project, settings, rows, fit_rows, baseline, baseline_evidence)
    predictor = fit_candidate(rows, fit_rows, run.run_date, baseline, project, settings)
    number = tracking.register(record, {}, predictor, manifest, run.key)
    fields = {**asdict(baseline_evidence), events.STAND_IN: True, **recorded(rows, project, run.run_date)}
    return events.Version(number, baseline.name, run.run_date, fields), histograms


def recorded(rows: TrainingSet, project: Project, run_date: date) -> dict[str, str | float | None]:
    """What the evidence says of the definitions and rows that a version was trained on, and how long it holds."""
    hashes = {events.DEFINITIONS: rows.definitions_hash, events.LABEL_HASH: rows.label_hash}
    return {**hashes, **dates_of(project.promotion, run_date), events.ACTED_ON: rows.acted_on}


def _tags(run: Run, project: Project, rows: TrainingSet) -> dict[str, str]:
    return {
        tracking.NAME: f"{project.name} {run.run_date}",  # and at the end the winner
        "nightjar.run_id": run.run_id,
        "nightjar.data_cutoff": cutoff(run.run_date, project.zone).isoformat(),
        "nightjar.data_hash": rows.content_hash,
        "nightjar.definitions_hash": rows.definitions_hash,
        "nightjar.label_hash": rows.label_hash or "",
        **{f"nightjar.data.{table}": str(number) for table, number in rows.versions.items()},
    }


def _metrics(evidence: Evidence) -> Mapping[str, float | None]:
    of_tiers = {
        f"{one['tier']}_{name}": interval for one in evidence.thresholds for name, interval in one["reach"].items()
    }
    measures = {**evidence.candidate, **of_tiers}
    return _of_thresholds(evidence) | {
        f"final_{name}_{bound}": value
        for name, interval in measures.items()
        if isinstance(interval, dict)
        for bound in ("estimate", "low", "high")
        if (value := interval[bound]) is not None
    }


def _of_thresholds(evidence: Evidence) -> dict[str, float | None]:
    """Each tier's threshold with its bounds, the nights beyond its capacity, and what acting on none and all costs."""
    names = {"value": "", "low": "_low", "high": "_high"}
    names |= {name: f"_{name}" for name in ("nights_beyond", "cost_of_none", "cost_of_all")}
    return {f"threshold_{one['tier']}{end}": one[name] for one in evidence.thresholds for name, end in names.items()}


def _manifest(
    run: Run,
    project: Project,
    settings: Search,
    rows: TrainingSet,
    fit_rows: RowNumbers,
    winner: Candidate,
    evidence: Evidence,
) -> Manifest:
    checks_ranges, hidden = project.serving.abstention.out_of_range, masking_of(project).columns
    return Manifest(
        project=project.name,
        model_name=winner.name,
        task=project.label.task.value,
        estimator=winner.model.estimator.value,
        parameters=dict(winner.model.parameters),
        definitions_hash=rows.definitions_hash,
        label_hash=rows.label_hash,
        code_revision=run.code_revision,
        seeds={"fit": settings.seed},
        data=dict(rows.versions),
        data_cutoff=cutoff(run.run_date, project.zone).isoformat(),
        data_hash=rows.content_hash,
        rows=len(fit_rows),
        period=(str(rows.day[fit_rows[0]]), str(rows.day[fit_rows[-1]])),
        metrics={"final": {"period": list(evidence.period), **evidence.candidate}},
        baselines=dict(evidence.baselines),
        classes=rows.classes,
        costs=project.class_costs(),
        thresholds=tuple(map(tier_of_evidence, evidence.thresholds)),
        ranges=ranges_of(rows.features.take(fit_rows), rows.columns, hidden) if checks_ranges else (),
        sets=read_sets(evidence.sets),
    )
