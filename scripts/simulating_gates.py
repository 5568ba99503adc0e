"""How often a better challenger passes all gates of a promotion: see scripts/simulate gates.

Final periods of the world of `simulating_promotion`, 28 nights of 200 rows, at the level of a training each night.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nightjar.evaluation.clusters import Clusters
from nightjar.evaluation.criteria import Standard
from nightjar.evaluation.fairness import Decision
from nightjar.evaluation.metric_report import Truth
from nightjar.learning.class_decisions import class_decisions
from nightjar.learning.comparison import Comparison
from nightjar.learning.gate_figures import Rival, gate_figures
from nightjar.learning.swaps import acted_on
from nightjar.registry.gates.outcome import Outcome, Verdict
from nightjar.registry.promotion import judge
from nightjar.settings.promotion import Fairness, Promotion, Slices
from nightjar.settings.task import Metric, Task
from simulating_promotion import FINAL, NIGHTLY, TRAIN, World, draw, scores, truth

TWICE, TWICE_OF_CLASSES = 1.15, 0.44
"""The gain of a challenger that is better by twice the smallest difference that a period shows."""
NIGHT_ROWS, ENTITIES = 200, 1500
SETTINGS = Promotion(
    slices=Slices(["site"], not_worse_by=0.01),
    fairness=Fairness(["group"], selection_rate=0.1, recall=0.15, false_positive_rate=0.1),
    calibration_error=0.05,
    rows_per_second=1.0,
)
ARTIFACT = {"refusal": None, "bytes": 1, "data": {"features": 0, "labels": 0}, "schema_differences": []}


@dataclass(frozen=True, eq=False)
class Period:
    """A final period.

    Attributes:
        truth: its rows.
        challenger, champion: their scores.
        baseline: that of all rows.
        entity: of each row.
    """

    truth: Truth
    challenger: np.ndarray
    champion: np.ndarray
    baseline: np.ndarray
    entity: np.ndarray


def of_two_classes(random: np.random.Generator, gain: float) -> Period:
    """A challenger that knows more than the champion by `gain`."""
    last = TRAIN + FINAL
    drawn = draw(random, World(last, rows=NIGHT_ROWS, entities=ENTITIES, gain=gain))
    challenger, champion = scores(drawn, drawn.challenger, last), scores(drawn, drawn.champion, last)
    baseline = np.full(len(challenger), 0.5)
    return Period(truth(drawn, last), challenger, champion, baseline, drawn.entity[TRAIN:].ravel())


def of_three_classes(random: np.random.Generator, gain: float) -> Period:
    """The same of three classes; the rows of a night share a shock, of which neither model knows."""
    rows = FINAL * NIGHT_ROWS
    night, entity = np.repeat(np.arange(FINAL), NIGHT_ROWS), random.integers(0, ENTITIES, rows)
    both, first, second, noise = random.normal(size=(4, rows, 3)) + random.normal(size=(4, ENTITIES, 3))[:, entity] / 2
    shock = 0.3 * random.normal(size=(FINAL, 3))[night]
    chances = _softmax(both + gain * first + shock)
    label = (chances.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1)
    standard = Standard(("early", "on_time", "late"), ((0, 1, 1), (1, 0, 1), (1, 1, 0)))
    of_period = Truth(Task.MULTICLASS, label, Clusters(entity, night), standard=standard)
    challenger = _softmax(both + gain * first + 0.2 * second)
    return Period(of_period, challenger, _softmax(both + 0.2 * noise), np.full((rows, 3), 1 / 3), entity)


def _softmax(odds: np.ndarray) -> np.ndarray:
    powers = np.exp(odds - odds.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


Draw = Callable[[np.random.Generator, float], Period]


def pass_gates(
    random: np.random.Generator, gain: float, *, harms: bool, draw_period: Draw = of_two_classes
) -> tuple[float, tuple[Outcome, ...]]:
    """A final period: the difference beside the smallest that it shows, and what the gates say of the challenger.

    Sites and groups have nothing to do with the outcome, so that nobody is harmed, unless the challenger `harms` one of
    the six sites: its scores there are chance.
    """
    period = draw_period(random, gain)
    of_challenger, others, entity = period.challenger, period.champion, period.entity
    columns = pa.table({"site": entity % 6, "group": entity % 7 % 2})
    if harms:
        of_challenger[entity % 6 == 0] = random.permutation(of_challenger[entity % 6 == 0])
    compared = Comparison(Metric.ROC_AUC, period.truth, of_challenger)
    if period.truth.task is Task.MULTICLASS:
        decisions = class_decisions(compared.truth, compared.scores)
    else:
        acts = acted_on(compared.truth, compared.scores, None)
        decisions = [Decision(compared.truth, compared.scores, acts)]
    figures = gate_figures(compared, Rival("champion", others), decisions, columns, SETTINGS)
    strict = 1 - 2 * NIGHTLY
    beside, smallest = compared.over("champion", others, strict), compared.smallest("champion", others, strict)
    baseline = compared.over("baseline", period.baseline, SETTINGS.confidence)
    evidence = {
        "metric": compared.metric.value,
        "period": ("first", "last"),
        "candidate": {"name": "challenger"},
        "difference": baseline,
        "champion": beside | {"basis": "as it scores now", "version": "1"},
        "clusters": {"entities": ENTITIES, "blocks": FINAL, "block_days": 1},
        "gates": figures | {"rows_per_second": 1e5},
        "artifact": ARTIFACT,
    }
    return beside["estimate"] / smallest["difference"], judge(evidence, SETTINGS)


def simulate_gates(
    runs: int, gain: float, *, harms: bool = False, seed: int = 26, draw_period: Draw = of_two_classes
) -> tuple[float, dict[str, float]]:
    """The mean difference in units of the smallest, and the share of runs in which each gate, and all, are passed."""
    random = np.random.default_rng(seed)
    results = [pass_gates(random, gain, harms=harms, draw_period=draw_period) for _ in range(runs)]
    passed = [{one.gate: one.verdict is Verdict.PASSED for one in outcomes} for _, outcomes in results]
    shares = {gate: float(np.mean([one[gate] for one in passed])) for gate in passed[0]}
    shares["all"] = float(np.mean([all(one.values()) for one in passed]))
    return float(np.mean([ratio for ratio, _ in results])), shares


def tell_gates(runs: int) -> Iterator[str]:
    """Lines about all gates together."""
    two = [(of_two_classes, gain, False) for gain in (0.0, 0.35, 0.65, TWICE)]
    three = [(of_three_classes, gain, False) for gain in (0.0, TWICE_OF_CLASSES)]
    harmed = [(of_two_classes, TWICE, True)], [(of_three_classes, TWICE_OF_CLASSES, True)]
    for draw_period, gain, harms in (*two, *harmed[0], *three, *harmed[1]):
        ratio, shares = simulate_gates(runs, gain, harms=harms, draw_period=draw_period)
        every = ", ".join(f"{gate} {share:.0%}" for gate, share in shares.items())
        harm = ", by chance in one of six sites" if harms else ""
        words = draw_period.__name__.replace("_", " ")
        yield f"{words}, better by {ratio:.1f} of the smallest difference{harm}; passed: {every}"


def main() -> None:
    """Print a line for each size of a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    for line in tell_gates(parser.parse_args().runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
