"""Sums over any range of positions without rounding, from running totals in integers.

Differences of floating-point running totals keep the rounding errors of values outside the range: after a value of
1e15, sums of values near 1 are wrong in the third digit. Here a number is a row of digits in base 2^32, as in Kulisch's
long accumulator (Kulisch, Computer Arithmetic and Validity, 2013, ch. 8); each digit place has its own running total in
64 bits, and only places that occur are stored. Differences of totals are exact, so a sum does not depend on the order
of the facts or on their neighbours, and is rounded once, when it becomes a float. Good for up to 3e8 facts.
"""

import math
from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nightjar.asof.ranges import Runs, running_total
from nightjar.asof.values import Floats, Ints
from nightjar.errors import JoinError

Digits: TypeAlias = dict[int, Ints]
"""Digit place -> that digit of every number; a number is the sum of ``digit * 2 ** (32 * place)``."""
Scaled: TypeAlias = tuple[Floats, Ints]
"""Numbers as ``float * 2 ** (32 * place)``; places that are all the same are one."""

_MASK = (1 << 32) - 1
_BAND = 12  # places: floats within 2^192 of 1 have squares and rounding errors that are normal floats
_SPREAD = 24  # places: 2^-768 is a normal float, and remains one after division by counts and square roots
_PIECE = 1 << 15  # numbers at a time, so that intermediate results stay in the cache


class RunningTotals:
    """Sums of numbers, or of their squares, over windows."""

    def __init__(self, digits: Digits) -> None:
        """Take the digits of the numbers in the order of their positions."""
        self._totals = {place: running_total(digit) for place, digit in digits.items()}

    def between(self, runs: Runs) -> Digits:
        """The sum over each window, as digits that may carry."""
        return {place: runs.total(total) for place, total in self._totals.items()}


def digits_of(values: npt.NDArray[np.generic]) -> Digits:
    """Finite floats or integers as digits, exactly."""
    if values.dtype.kind == "f":
        digits: Digits = {0: np.zeros(len(values), np.int64)}
        for place, band in _bands(values.astype(np.float64)):
            _add(digits, place, band)
        return digits
    integers: Ints = values  # type: ignore[assignment]  # or unsigned ones
    if int(integers.min(initial=0)) >= -_MASK and int(integers.max(initial=0)) <= _MASK:
        return {0: integers.astype(np.int64)}
    return {0: (integers & integers.dtype.type(_MASK)).astype(np.int64), 1: (integers >> 32).astype(np.int64)}


def squares_of(values: npt.NDArray[np.generic]) -> Digits:
    """The squares of finite floats or integers as digits, exactly."""
    digits: Digits = {0: np.zeros(len(values), np.int64)}
    if values.dtype.kind == "f":
        for place, band in _bands(values.astype(np.float64)):
            _add(digits, 2 * place, band, band)
        return digits
    parts = {place: digit.astype(np.float64) for place, digit in digits_of(values).items()}
    _add(digits, 0, parts[0], parts[0])
    if 1 in parts:
        _add(digits, 1, 2 * parts[0], parts[1])
        _add(digits, 2, parts[1], parts[1])
    return digits


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


def to_scaled(sums: Digits) -> Scaled:
    """Sums as scaled floats, so that none overflows."""
    return _to_scaled(_carry(sums))


def to_floats(sums: Scaled, divisor: Ints | None = None) -> Floats:
    """Sums, or sums divided by integers, correct to about the last two bits."""
    numbers, place = sums
    quotients = numbers if divisor is None else numbers / divisor
    with np.errstate(over="ignore"):
        if place.ndim == 0 and abs(place) < _SPREAD:  # the power is a normal float
            return quotients * 2.0 ** (32 * int(place))
        return np.ldexp(quotients, 32 * place)


def deviations(sums: Digits, squares: Digits, count: Ints) -> Floats:
    """Sample standard deviations from exact sums and sums of squares; ``count`` is at least two.

    ``count * squares - sums ** 2`` is computed exactly, so nothing cancels: equal values give exactly 0.
    """
    result = np.zeros(len(count))
    for start in range(0, len(count), _PIECE):
        piece = slice(start, start + _PIECE)
        difference = {place: digit * count[piece] for place, digit in _carry(select(squares, piece)).items()}
        digits = _carry(select(sums, piece))
        for i, j in combinations_with_replacement(digits, 2):
            product, times = digits[i] * digits[j], 1 if i == j else 2
            _subtract(difference, i + j, (product & _MASK) * times)
            _subtract(difference, i + j + 1, (product >> 32) * times)
        numbers, place = _to_scaled(_carry(difference))
        pairs = count[piece].astype(np.float64) * (count[piece] - 1)
        result[piece] = np.ldexp(np.sqrt(numbers / pairs), 16 * place)
    return result


def select(digits: Digits, which: slice | Ints) -> Digits:
    """Some of the numbers."""
    return {place: digit[which] for place, digit in digits.items()}


def _bands(values: Floats) -> Iterator[tuple[int, Floats]]:
    """Floats within 2^192 of 1, and the place of their units; each value in one band, 0 in the others."""
    exponent = np.frexp(values)[1]
    band = np.where(values == 0, 0, np.rint(exponent / (32 * _BAND)).astype(exponent.dtype))
    if not band.any():
        yield 0, values
        return
    for number in np.unique(band).tolist():
        yield number * _BAND, np.ldexp(np.where(band == number, values, 0), -32 * _BAND * number)


def _add(digits: Digits, offset: int, values: Floats, factors: Floats | None = None) -> None:
    """Add floats, or their products with factors, split into digits from the highest place down.

    Each split is exact, and leaves the remainder below that place.
    """
    for start in range(0, len(values), _PIECE):
        piece = slice(start, start + _PIECE)
        for term in [values[piece]] if factors is None else _product(values[piece], factors[piece]):
            remainder = term
            while (largest := float(np.abs(remainder).max())) > 0:
                place = (math.frexp(largest)[1] - 1) // 32
                digit = np.trunc(remainder * 2.0 ** (-32 * place))
                remainder = remainder - digit * 2.0 ** (32 * place)
                if place + offset not in digits:
                    digits[place + offset] = np.zeros(len(values), np.int64)
                digits[place + offset][piece] += digit.astype(np.int64)


def _product(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """The rounded products and the rounding errors, which are floats too.

    Dekker, Numerische Mathematik 18 (1971), with Veltkamp's splitting; exact where nothing over- or underflows.
    """
    product = one * other
    (high, low), (other_high, other_low) = _halves(one), _halves(other)
    return product, low * other_low - (((product - high * other_high) - low * other_high) - high * other_low)


def _halves(values: Floats) -> tuple[Floats, Floats]:
    """Floats as sums of two with 26 bits each."""
    spread = values * ((1 << 27) + 1)
    high = spread - (spread - values)
    return high, values - high


def _carry(sums: Digits) -> Digits:
    """The same numbers with every digit from -2^31 to 2^31 - 1, in ascending places.

    With digits of both signs, the leading digit dominates: the lower ones add up to at most half of its unit.
    """
    result: Digits = {}
    pending = dict(sums)
    while pending:
        place = min(pending)
        total = pending.pop(place)
        carry = (total + (1 << 31)) >> 32
        digit = total
        if carry.any():
            digit = total - (carry << 32)
            pending[place + 1] = pending.get(place + 1, 0) + carry
        if digit.any() or not pending:
            result[place] = digit
    return result


def _to_scaled(digits: Digits) -> Scaled:
    """Digits as scaled floats.

    Numbers share one power of two where their places are close enough for a float; otherwise each number takes the
    power of its leading digit.
    """
    length = len(next(iter(digits.values())))
    numbers = np.zeros(length)
    if max(digits) - min(digits) <= _SPREAD:
        for place, digit in digits.items():
            numbers += digit * 2.0 ** (32 * (place - max(digits)))
        return numbers, np.array(max(digits))
    top = np.full(length, max(digits))
    for place, digit in digits.items():
        top = np.where(digit != 0, place, top)
    for place, digit in digits.items():
        numbers += np.ldexp(digit.astype(np.float64), 32 * np.maximum(np.minimum(place - top, 0), -64))
    return numbers, top


def _subtract(digits: Digits, place: int, amount: Ints) -> None:
    digits[place] = digits.get(place, 0) - amount
