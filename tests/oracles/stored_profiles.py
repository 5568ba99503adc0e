"""The stored facts of a source by period, value by value, with Python's own numbers."""

import math
import statistics
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from scipy.stats import t as student


def period_of(instant, zone, unit):
    """The first day of the day, week or month that an instant lies in by the clocks of a zone."""
    day = instant.astimezone(ZoneInfo(zone)).date()
    if unit == "month":
        return day.replace(day=1)
    return day if unit == "day" else day.fromordinal(day.toordinal() - day.weekday())


def quantile(values, share):
    """The least value that at least so large a share of the values is at or below."""
    ascending = sorted(values)
    return next(one for place, one in enumerate(ascending, start=1) if place >= share * len(ascending))


def of_numbers(values):
    """What numbers of one period come to; None is a missing one."""
    there = [one for one in values if one is not None]
    finite = [one for one in there if math.isfinite(one)]
    exact = [Fraction(one) for one in finite]
    mean = sum(exact) / len(exact) if exact else None
    return {
        "missing": len(values) - len(there),
        "not finite": len(there) - len(finite),
        "zeros": sum(one == 0 for one in finite),
        "mean": None if mean is None else float(mean),
        "variance": None if mean is None else float(sum((one - mean) ** 2 for one in exact) / len(exact)),
        "quantiles": [quantile(finite, share) for share in (0.05, 0.5, 0.95)] if finite else None,
    }


def of_texts(values):
    """How often each text of one period is there."""
    return Counter(one for one in values if one is not None)


def jumps(means, variances, facts):
    """The places that are far from the mean of all before and from the one before, by Student's t."""
    places = []
    for place in range(7, len(means)):
        earlier, value = means[:place], means[place]
        before = sum(map(math.prod, zip(variances[:place], facts[:place], strict=True))) / sum(facts[:place])
        noise = max(before, variances[place]) / facts[place] + (1e-9 * statistics.fmean(earlier)) ** 2
        levels = statistics.variance(earlier) * (1 + 1 / place) + noise
        steps = statistics.fmean((second - first) ** 2 for first, second in pairwise(earlier)) + noise
        once_in_a_million = student.ppf(1 - 0.5e-6, place - 1)
        away = abs(value - statistics.fmean(earlier)) > once_in_a_million * math.sqrt(levels)
        if away and abs(value - earlier[-1]) > once_in_a_million * math.sqrt(steps):
            places.append(place)
    return places
