"""Judging the winner: it and the baselines are fitted before the final period and measured on it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nightjar.errors import LearningError, NightjarError
from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import standard_of
from nightjar.evaluation.intervals import LEVEL, Interval
from nightjar.evaluation.metric_report import Truth, intervals
from nightjar.evaluation.metrics import measures, neutral_scores
from nightjar.evaluation.rows import Floats, Undefined
from nightjar.learning.champion import Champion
from nightjar.learning.comparison import Comparison
from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.evidence import CHAMPION, Evidence
from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.fitting.fit import fit_candidate
from nightjar.learning.splits.folding import Fold
from nightjar.models.predictor import Predictor
from nightjar.registry.attempts import Attempt
from nightjar.registry.gates.slices import SAME_RECIPE
from nightjar.settings.learning import Search
from nightjar.settings.project import Project
from nightjar.settings.task import METRICS, Metric
from nightjar.timeline import cutoff

log = logging.getLogger("nightjar.train")


@dataclass(frozen=True, eq=False)
class Judgement:
    """What `judge` gives.

    Attributes:
        evidence: of the winner.
        scores: of the final period's rows, in their order: of winner and baselines by name, and of the `CHAMPION` where
            it can be compared.
        predictor: the winner as it was judged: fitted on rows before the final period only.
    """

    evidence: Evidence
    scores: dict[str, Floats]
    predictor: Predictor


def judge(
    rows: TrainingSet,
    fold: Fold,
    clusters: Clusters,
    winner: Candidate,
    baselines: Sequence[Candidate],
    project: Project,
    settings: Search,
    champion: Champion | None = None,
    attempt: Attempt | None = None,
) -> Judgement:
    """Fit the winner and the baselines on rows before the final period, and measure them on it.

    Args:
        rows: all rows.
        fold: the final period, and the rows before it.
        clusters: of the period's rows.
        winner: of the search.
        baselines: which it has to beat.
        project: its task and zone, and the confidence of its promotions.
        settings: of the search.
        champion: what the winner would replace; None: the best baseline is the one to beat.
        attempt: at which level it is compared with that one; None: with the confidence of the project's settings.

    Raises:
        LearningError: one cannot be fitted, or its metrics are not finite.
    """
    metric = settings.metric
    predictor = fit_candidate(rows, fold.train, fold.start, winner, project, settings)
    scores = {winner.name: predictor.predict(rows.features.take(fold.test))}
    scores |= {baseline.name: _scores(rows, fold, baseline, project, settings) for baseline in baselines}
    test = rows.examples(fold.test)
    truth = Truth(project.label.task, test.label, clusters, test.query, test.weight, standard_of(project))
    measured = {name: _as_dicts(name, intervals(truth, score)) for name, score in scores.items()}
    _require_defined(measured, truth, scores)
    sign = 1 if metric.greater_is_better else -1
    best_baseline = max(
        baselines, key=lambda baseline: _sort_value(measured[baseline.name][metric.value]["estimate"], sign)
    ).name
    compared, usual = Comparison(metric, truth, scores[winner.name]), project.promotion.confidence
    strict = usual if attempt is None else attempt.confidence

    def over_champion(name: str, others: Floats) -> dict[str, Any]:
        result = compared.over(name, others, strict)
        scores[CHAMPION] = others
        return result

    beside = None if champion is None else _beside(champion, winner, rows, fold, project, settings, over_champion)
    is_rival = champion is not None and not champion.has_expired
    of_baselines = usual if is_rival else max(usual, strict)
    differences = {one.name: compared.over(one.name, scores[one.name], of_baselines) for one in baselines}
    rival = CHAMPION if is_rival else best_baseline
    decides = beside if beside is not None and is_rival else differences[best_baseline]
    smallest = compared.smallest(decides["over"], scores[rival], decides["confidence"]) if rival in scores else None
    _tell_smallest(metric, smallest)
    evidence = Evidence(
        metric=metric.value,
        period=(fold.start.isoformat(), fold.end.isoformat()),
        candidate={"name": winner.name, **measured[winner.name]},
        baselines={baseline.name: measured[baseline.name] for baseline in baselines},
        difference=differences[best_baseline],
        differences=differences,
        null_labels=rows.null_labels,
        clusters=_counts(clusters, settings.days_of_block(project.label)),
        champion=beside,
        attempt=None if attempt is None or smallest is None else {"digest": attempt.digest, "level": attempt.level},
        smallest=smallest,
    )
    return Judgement(evidence, scores, predictor)


def _tell_smallest(metric: Metric, smallest: Mapping[str, Any] | None) -> None:
    if smallest is not None:
        log.info(
            "the period can show a difference of %.4g in %s from %s, with a chance of %.0f%% by an interval of %.5g%%",
            smallest["difference"],
            metric.value,
            smallest["over"],
            100 * smallest["power"],
            100 * smallest["confidence"],
        )


def _beside(
    champion: Champion,
    winner: Candidate,
    rows: TrainingSet,
    fold: Fold,
    project: Project,
    settings: Search,
    over: Callable[[str, Floats], dict[str, Any]],
) -> dict[str, Any]:
    """The winner against the champion, which must not have learned from the period either.

    Where they cannot be compared there is a reason instead of a difference, and a person decides.
    """
    name = str(champion)
    about = {"version": champion.version, "basis": "none", "over": name, "better": 1, "confidence": LEVEL}
    about["has_expired"] = champion.has_expired
    is_earlier = champion.cutoff is not None and champion.cutoff <= cutoff(fold.start, project.zone)
    try:
        if champion.predictor is not None and is_earlier:
            scores = champion.predictor.predict(rows.features.take(fold.test))
            return about | {"basis": "as it scores now"} | over(name, scores)
        if champion.recipe is None:
            missing = f"{name} has learned from the period, or cannot be opened, and how it was made is not on record"
            return about | asdict(Interval(None, None, None, 0, missing))
        if champion.recipe.key() == winner.key():
            return about | {"basis": SAME_RECIPE} | asdict(Interval(0.0, 0.0, 0.0, len(fold.test)))
        basis = "fitted anew on the same rows as the new model, as it has learned from the period"
        return about | {"basis": basis} | over(name, _scores(rows, fold, champion.recipe, project, settings))
    except NightjarError as error:
        failure = f"{name} cannot be compared: {str(error).splitlines()[0]}"
        return about | asdict(Interval(None, None, None, 0, failure))


def _sort_value(estimate: float | None, better: int) -> float:
    return -np.inf if estimate is None else better * estimate


def _scores(rows: TrainingSet, fold: Fold, candidate: Candidate, project: Project, settings: Search) -> Floats:
    predictor = fit_candidate(rows, fold.train, fold.start, candidate, project, settings)
    return predictor.predict(rows.features.take(fold.test))


def _counts(clusters: Clusters, block_days: int) -> dict[str, int]:
    return {"entities": clusters.entities, "blocks": clusters.blocks, "block_days": block_days}


def _require_defined(measured: Mapping[str, Mapping[str, Any]], truth: Truth, scores: Mapping[str, Floats]) -> None:
    """Refuse predictions that leave a metric undefined which neutral ones, of as many classes, give a value."""
    for name, figures in measured.items():
        undefined = [one.value for one in METRICS[truth.task] if figures[one.value]["estimate"] is None]
        if not undefined:
            continue
        neutral = neutral_scores(truth.task, len(truth.label), truth.standard, scores[name])
        others = measures(truth.task, truth.label, neutral, truth.query, truth.weight, truth.standard)
        for metric in undefined:
            if not isinstance(others[metric], Undefined):
                figure = figures[metric]
                raise LearningError(
                    f"{metric} of {name} in the final period is undefined: {figure['reason']}; {_OUT_OF_BOUNDS}"
                )


_OUT_OF_BOUNDS = (
    "its predictions are out of all bounds. Leave it out (search.candidates), or bound the features that it multiplies."
)


def _as_dicts(candidate: str, figures: Mapping[str, Interval]) -> dict[str, Any]:
    for metric, interval in figures.items():
        values = [interval.estimate, interval.low, interval.high]
        if not all(value is None or np.isfinite(value) for value in values):
            raise LearningError(f"{metric} of {candidate} in the final period is {values}: {_OUT_OF_BOUNDS}")
    return {metric: asdict(interval) for metric, interval in figures.items()}
