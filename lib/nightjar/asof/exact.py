"""Sums over any range of positions without rounding, from running totals in integers.

Running totals in floating point keep what has left the range: after 1e15 has passed, sums of values near 1 are wrong
in the third digit. Here a number is a row of digits in base 2^32, as in Kulisch's long accumulator (Kulisch, Computer
Arithmetic and Validity, 2013, ch. 8); each digit has its own running total in 64 bits, and only digits that occur are
kept. Differences of totals are exact, so a sum does not depend on the order of the facts or on their neighbours, and
is rounded once, when it becomes a float. Good for up to 3e8 facts.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nightjar.asof.values import Floats, Ints
from nightjar.errors import JoinError

Digits: TypeAlias = dict[int, Ints]
"""Digit place -> that digit of every number; a number is the sum of ``digit * 2 ** (32 * place)``."""

_Words: TypeAlias = npt.NDArray[np.uint64]
_MASK = (1 << 32) - 1


class RunningTotals:
    """Sums of numbers, or of their squares, over half-open ranges of positions."""

    def __init__(self, digits: Digits) -> None:
        """Take the digits of the numbers in the order of their positions."""
        self._totals = {place: np.concatenate([[0], np.cumsum(digit)]) for place, digit in digits.items()}

    def between(self, starts: Ints, ends: Ints) -> Digits:
        """The sum over each range, as digits that may carry."""
        return {place: total[ends] - total[starts] for place, total in self._totals.items()}


def digits_of(values: npt.NDArray[np.generic]) -> Digits:
    """Finite floats or integers as digits, exactly."""
    negative, place, words = _words(values)
    return _placed(place, [np.where(negative, -w, w) for w in (word.astype(np.int64) for word in words)])


def squares_of(values: npt.NDArray[np.generic]) -> Digits:
    """The squares of finite floats or integers as digits, exactly."""
    _, place, words = _words(values)
    parts = [np.zeros(len(values), np.int64) for _ in range(6)]
    for i in range(3):
        for j in range(i, 3):
            product, times = words[i] * words[j], 1 if i == j else 2
            parts[i + j] += (product & np.uint64(_MASK)).astype(np.int64) * times
            parts[i + j + 1] += (product >> np.uint64(32)).astype(np.int64) * times
    return _placed(2 * place, parts)


def to_integers(sums: Digits, where: str) -> Ints:
    """Sums of integers.

    Raises:
        JoinError: a sum that 64 bits do not hold.
    """
    low, high = sums[0], sums.get(1, np.zeros_like(sums[0]))
    high = high + (low >> 32)
    if np.any(high != high.astype(np.int32)):
        raise JoinError(f"{where}: a sum of integers does not fit 64 bits; make the column a float before the join")
    return (high << 32) + (low & _MASK)


def to_floats(sums: Digits, divisor: Ints) -> Floats:
    """Sums divided by an integer, right to the last two bits or so."""
    scaled, place = _scaled(_carried(sums))
    with np.errstate(over="ignore"):
        return np.ldexp(scaled / divisor, 32 * place)


def deviations(sums: Digits, squares: Digits, count: Ints) -> Floats:
    """Sample standard deviations from exact sums and sums of squares; ``count`` is at least two.

    ``count * squares - sums ** 2`` is computed exactly, so nothing cancels: equal values give exactly 0.
    """
    left = {place: digit * count for place, digit in _carried(squares).items()}
    sums = _carried(sums)
    for i, one in sums.items():
        for j, other in sums.items():
            product = one * other
            _subtract(left, i + j, product & _MASK)
            _subtract(left, i + j + 1, product >> 32)
    scaled, place = _scaled(_carried(left))
    pairs = count.astype(np.float64) * (count - 1)
    return np.ldexp(np.sqrt(scaled / pairs), 16 * place)


def _words(values: npt.NDArray[np.generic]) -> tuple[npt.NDArray[np.bool_], Ints, list[_Words]]:
    """Sign, lowest place and three 32-bit words, lowest first, of each number."""
    if values.dtype.kind != "f":
        size = np.where(values < 0, -values.astype(np.uint64), values.astype(np.uint64))  # type: ignore[operator]
        words = [size & np.uint64(_MASK), size >> np.uint64(32), np.zeros_like(size)]
        return values < 0, np.zeros(len(values), np.int64), words  # type: ignore[operator]
    fraction, exponent = np.frexp(values.astype(np.float64))
    size = np.abs(np.ldexp(fraction, 53)).astype(np.uint64)
    lowest = exponent.astype(np.int64) - 53
    shift = (lowest & 31).astype(np.uint64)
    low = (size & np.uint64(_MASK)) << shift
    middle = ((size >> np.uint64(32)) << shift) + (low >> np.uint64(32))
    return fraction < 0, lowest >> 5, [low & np.uint64(_MASK), middle & np.uint64(_MASK), middle >> np.uint64(32)]


def _placed(lowest: Ints, parts: list[Ints]) -> Digits:
    """Digits from parts that begin at each number's own lowest place; places that are zero everywhere are left out."""
    digits: Digits = {0: np.zeros(len(lowest), np.int64)}
    for start in np.unique(lowest).tolist():
        here = lowest == start
        for offset, part in enumerate(parts):
            chosen = np.where(here, part, 0)
            if chosen.any():
                digits[start + offset] = digits.get(start + offset, 0) + chosen
    return digits


def _carried(sums: Digits) -> Digits:
    """The same numbers with every digit from -2^31 to 2^31 - 1, in ascending places.

    Digits of both signs keep the leading digit in charge: what stands below it is at most half of it.
    """
    result: Digits = {}
    waiting = dict(sums)
    while waiting:
        place = min(waiting)
        total = waiting.pop(place)
        digit = ((total + (1 << 31)) & _MASK) - (1 << 31)
        carry = (total - digit) >> 32
        if carry.any():
            waiting[place + 1] = waiting.get(place + 1, 0) + carry
        if digit.any() or not waiting:
            result[place] = digit
    return result


def _scaled(digits: Digits) -> tuple[Floats, Ints]:
    """Numbers as ``float * 2 ** (32 * place)``, the place that of each number's leading digit."""
    top = np.zeros(len(next(iter(digits.values()))), np.int64)
    for place, digit in digits.items():
        top = np.where(digit != 0, place, top)
    scaled = np.zeros(len(top))
    for place, digit in digits.items():
        scaled += np.ldexp(digit.astype(np.float64), 32 * np.maximum(np.minimum(place - top, 0), -64))
    return scaled, top


def _subtract(digits: Digits, place: int, amount: Ints) -> None:
    digits[place] = digits.get(place, 0) - amount
