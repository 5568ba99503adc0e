"""Successive halving with a barrier at each rung: nobody goes on before all have their scores."""

import math


def ran(scores, rungs, keep):
    """The (candidate, fold) that are run, when these are the scores of each candidate on each fold; None: it fails.

    The better share goes on, rounded up, the earlier of equals; who has failed does not.
    """
    going, done, start = list(range(len(scores))), set(), 0
    for end in [*rungs, len(scores[0])]:
        done |= {(candidate, fold) for candidate in going for fold in range(start, end)}
        sound = [candidate for candidate in going if None not in scores[candidate][:end]]
        best = sorted(sound, key=lambda candidate: (-sum(scores[candidate][:end]) / end, candidate))
        going, start = sorted(best[: math.ceil(keep * len(going) - 1e-9)]), end
    return done
