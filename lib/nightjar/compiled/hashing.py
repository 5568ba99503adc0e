"""SHA-256 (FIPS 180-4) of many short messages, side by side in the processor's registers."""

import numpy as np
import numpy.typing as npt

from nightjar.compiled.loops import compiled

Bytes = npt.NDArray[np.uint8]
Ends = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint32]

LANES = 32
"""Messages that are hashed side by side."""
BLOCK = 64
"""Bytes of a block."""


def _fractions(root: int, count: int) -> Words:
    """The first 32 bits of the fractions of the square (2) or cube (3) roots of the first primes."""
    primes = [number for number in range(2, 312) if all(number % low for low in range(2, number))][:count]
    values = []
    for prime in primes:
        low, high = 0, prime << 32
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if middle**root <= prime << (32 * root) else (low, middle - 1)
        values.append(low & 0xFFFFFFFF)
    return np.array(values, np.uint32)


_BEGIN, _ROUNDS = _fractions(2, 8), _fractions(3, 64)
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_WORDS, _FIRST = 0, 64 * LANES
_SECOND, _STATE = _FIRST + 68 * LANES, _FIRST + 136 * LANES
"""Where a block's words, the values of a and of e after each round, and the state begin in one array: the compiler sees
that they lie apart, which it would not of several arrays, and lets a register work on several lanes."""


@compiled
def hash_messages(data: Bytes, ends: Ends, digests: Bytes) -> None:
    """The SHA-256 of each message, in hexadecimal digits.

    Args:
        data: the messages, one after another.
        ends: where each begins, and the last one ends, (messages + 1,).
        digests: filled, (messages, 64).
    """
    messages, longest = len(ends) - 1, 0
    for row in range(messages):
        longest = max(ends[row + 1] - ends[row], longest)
    padded = np.zeros((LANES, (longest + 8) // BLOCK * BLOCK + BLOCK), np.uint8)
    words = padded.view(np.uint32)
    blocks = np.zeros(LANES, np.int64)
    work = np.zeros(_STATE + 8 * LANES, np.uint32)
    for start in range(0, messages, LANES):
        lanes, most = min(LANES, messages - start), 0
        for lane in range(lanes):
            blocks[lane] = _pad(data, ends[start + lane], ends[start + lane + 1], padded[lane])
            most = max(blocks[lane], most)
        for part in range(8):
            for lane in range(LANES):
                work[_STATE + part * LANES + lane] = _BEGIN[part]
        for block in range(most):
            _read_words(words, block * BLOCK // 4, work)
            _extend(work)
            _compress(work)
            _add(work, blocks, block)
        for lane in range(lanes):
            _write(work, lane, digests[start + lane])


@compiled
def _pad(data: Bytes, start: int, stop: int, padded: Bytes) -> int:
    """Copy a message with what is appended to it; the number of its blocks."""
    size = stop - start
    blocks = (size + 8) // BLOCK + 1
    first = np.uint64(start)  # an index without a sign needs no look at whether it counts from the end
    for place in range(size):
        padded[np.uint64(place)] = data[first + np.uint64(place)]
    padded[size] = 0x80
    for place in range(size + 1, blocks * BLOCK - 8):
        padded[np.uint64(place)] = 0
    for place in range(8):
        padded[blocks * BLOCK - 1 - place] = np.uint8(((size * 8) >> (8 * place)) & 255)
    return blocks


@compiled
def _read_words(padded: Words, start: int, work: Words) -> None:
    """The 16 words of each lane's block, whose first byte is the highest; `padded` has it as the lowest one."""
    for lane in range(LANES):
        own = padded[lane]
        for word in range(16):
            value = own[start + word]
            high = (value << np.uint32(24)) | ((value << np.uint32(8)) & np.uint32(0xFF0000))
            low = ((value >> np.uint32(8)) & np.uint32(0xFF00)) | (value >> np.uint32(24))
            work[_WORDS + word * LANES + lane] = np.uint32(high | low)


@compiled
def _extend(work: Words) -> None:
    """The 48 words that follow from the block's 16."""
    for word in range(16, 64):
        for lane in range(LANES):
            place = _WORDS + word * LANES + lane
            low, high = work[place - 15 * LANES], work[place - 2 * LANES]
            of_low = np.uint32(_rotated(low, 7) ^ _rotated(low, 18) ^ (low >> np.uint32(3)))
            of_high = np.uint32(_rotated(high, 17) ^ _rotated(high, 19) ^ (high >> np.uint32(10)))
            of_both = np.uint32(of_low + of_high)
            work[place] = np.uint32(np.uint32(work[place - 16 * LANES] + work[place - 7 * LANES]) + of_both)


@compiled
def _compress(work: Words) -> None:
    """The 64 rounds. Of a, b, c and d each is the one before it a round earlier, and so are e, f, g and h."""
    for part in range(4):
        for lane in range(LANES):
            work[_FIRST + (3 - part) * LANES + lane] = work[_STATE + part * LANES + lane]
            work[_SECOND + (3 - part) * LANES + lane] = work[_STATE + (4 + part) * LANES + lane]
    for number in range(64):
        constant = _ROUNDS[number]
        for lane in range(LANES):
            first, second = _FIRST + number * LANES + lane, _SECOND + number * LANES + lane
            a, b, c = work[first + 3 * LANES], work[first + 2 * LANES], work[first + LANES]
            e, f, g = work[second + 3 * LANES], work[second + 2 * LANES], work[second + LANES]
            of_e = np.uint32(_rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25))
            of_a = np.uint32(_rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22))
            chosen, most = np.uint32(g ^ (e & (f ^ g))), np.uint32((a & b) | (c & (a | b)))
            more = np.uint32(np.uint32(work[second] + of_e) + np.uint32(chosen + constant))
            more = np.uint32(more + work[_WORDS + number * LANES + lane])
            work[second + 4 * LANES] = np.uint32(work[first] + more)
            work[first + 4 * LANES] = np.uint32(more + np.uint32(of_a + most))


@compiled
def _add(work: Words, blocks: Ends, block: int) -> None:
    """Add what the rounds have made of a block to the state of each lane that has one."""
    for part in range(8):
        source = _FIRST + (67 - part) * LANES if part < 4 else _SECOND + (71 - part) * LANES
        for lane in range(LANES):
            if block < blocks[lane]:
                work[_STATE + part * LANES + lane] += work[source + lane]


@compiled
def _write(work: Words, lane: int, digest: Bytes) -> None:
    """The state of a lane in hexadecimal digits."""
    for part in range(8):
        state = work[_STATE + part * LANES + lane]
        for digit in range(8):
            digest[8 * part + digit] = _DIGITS[(state >> np.uint32(28 - 4 * digit)) & np.uint32(15)]


@compiled
def _rotated(word: int, by: int) -> int:
    return np.uint32((word >> np.uint32(by)) | (word << np.uint32(32 - by)))  # type: ignore[return-value]
