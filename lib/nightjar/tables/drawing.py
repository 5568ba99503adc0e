"""Draws by hashes: every run of every night draws the same."""

import hashlib


def uniform(purpose: str, name: str) -> float:
    """A number in [0, 1) that looks random, the same for the same purpose and name.

    What is below a greater share has what is below a smaller one, and more; other purposes draw independently.

    Example:
        >>> sum(uniform("control", str(number)) < 0.1 for number in range(1000))
        101
    """
    digest = hashlib.sha256(f"{purpose} {name}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
