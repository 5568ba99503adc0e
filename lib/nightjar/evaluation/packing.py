"""Counts as a short text."""

import base64
import zlib

import numpy as np

from nightjar.evaluation.histograms import Counts


def pack(counts: Counts) -> str:
    """A text of which `unpack` makes the same counts, (nights, groups).

    Of small counts most bytes are 0: all first bytes, then all second ones, and so on, take half of the space.
    """
    octets = np.ascontiguousarray(counts.T, "<i8").view(np.uint8).reshape(-1, 8)
    return base64.b64encode(zlib.compress(octets.T.tobytes(), 9)).decode()


def unpack(text: str, nights: int) -> Counts:
    octets = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(8, -1).T
    return np.ascontiguousarray(np.ascontiguousarray(octets).view("<i8").reshape(-1, nights).T, np.int64)
