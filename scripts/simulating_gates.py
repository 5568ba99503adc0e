"""How often a better challenger passes all gates of a promotion: see scripts/simulate gates.

Final periods of the world of `simulating_promotion`, 28 nights of 200 rows, at the level of a training each night.
"""

import argparse
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from nightjar.evaluation.fairness import Decision
from nightjar.learning.comparison import Comparison
from nightjar.learning.gate_figures import Rival, gate_figures
from nightjar.learning.swaps import acted_on
from nightjar.registry.gates.outcome import Outcome, Verdict
from nightjar.registry.promotion import judge
from nightjar.settings.promotion import Fairness, Promotion, Slices
from nightjar.settings.task import Metric
from simulating_promotion import FINAL, NIGHTLY, TRAIN, World, draw, scores, truth

TWICE = 1.15
"""The gain of a challenger that is better by twice the smallest difference that a period shows."""
SETTINGS = Promotion(
    slices=Slices(["site"], not_worse_by=0.01),
    fairness=Fairness(["group"], selection_rate=0.1, recall=0.15, false_positive_rate=0.1),
    calibration_error=0.05,
    rows_per_second=1.0,
)
ARTIFACT = {"refusal": None, "bytes": 1, "data": {"features": 0, "labels": 0}, "schema_differences": []}


def pass_gates(random: np.random.Generator, gain: float, *, harms: bool) -> tuple[float, tuple[Outcome, ...]]:
    """A final period: the difference beside the smallest that it shows, and what the gates say of the challenger.

    Sites and groups have nothing to do with the outcome, so that nobody is harmed, unless the challenger `harms` one of
    the six sites: its scores there are chance.
    """
    drawn = draw(random, World(TRAIN + FINAL, rows=200, entities=1500, gain=gain))
    last = TRAIN + FINAL
    of_challenger, others = scores(drawn, drawn.challenger, last), scores(drawn, drawn.champion, last)
    entity = drawn.entity[TRAIN:].ravel()
    columns = pa.table({"site": entity % 6, "group": entity % 7 % 2})
    if harms:
        of_challenger[entity % 6 == 0] = random.permutation(of_challenger[entity % 6 == 0])
    compared = Comparison(Metric.ROC_AUC, truth(drawn, last), of_challenger)
    acts = acted_on(compared.truth, compared.scores, None)
    decisions = [Decision(compared.truth, compared.scores, acts)]
    figures = gate_figures(compared, Rival("champion", others), decisions, columns, SETTINGS)
    strict = 1 - 2 * NIGHTLY
    beside, smallest = compared.over("champion", others, strict), compared.smallest("champion", others, strict)
    baseline = compared.over("baseline", np.full(len(others), 0.5), SETTINGS.confidence)
    evidence = {
        "metric": compared.metric.value,
        "period": ("first", "last"),
        "candidate": {"name": "challenger"},
        "difference": baseline,
        "champion": beside | {"basis": "as it scores now", "version": "1"},
        "clusters": {"entities": 1500, "blocks": FINAL, "block_days": 1},
        "gates": figures | {"rows_per_second": 1e5},
        "artifact": ARTIFACT,
    }
    return beside["estimate"] / smallest["difference"], judge(evidence, SETTINGS)


def simulate_gates(runs: int, gain: float, *, harms: bool = False, seed: int = 26) -> tuple[float, dict[str, float]]:
    """The mean difference in units of the smallest, and the share of runs in which each gate, and all, are passed."""
    random = np.random.default_rng(seed)
    results = [pass_gates(random, gain, harms=harms) for _ in range(runs)]
    passed = [{one.gate: one.verdict is Verdict.PASSED for one in outcomes} for _, outcomes in results]
    shares = {gate: float(np.mean([one[gate] for one in passed])) for gate in passed[0]}
    shares["all"] = float(np.mean([all(one.values()) for one in passed]))
    return float(np.mean([ratio for ratio, _ in results])), shares


def tell_gates(runs: int) -> Iterator[str]:
    """Lines about all gates together."""
    for gain, harms in ((0.0, False), (0.35, False), (0.65, False), (TWICE, False), (TWICE, True)):
        ratio, shares = simulate_gates(runs, gain, harms=harms)
        every = ", ".join(f"{gate} {share:.0%}" for gate, share in shares.items())
        harm = ", by chance in one of six sites" if harms else ""
        yield f"better by {ratio:.1f} of the smallest difference{harm}; passed: {every}"


def main() -> None:
    """Print a line for each size of a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    for line in tell_gates(parser.parse_args().runs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
