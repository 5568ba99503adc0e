"""Words of the settings' docstrings for people who write YAML."""

import re


def plain(text: str) -> str:
    """A text on one line, without Python's words: `null` for None."""
    return re.sub(r"\bNone\b", "null", " ".join(text.split()))


def prose(text: str) -> str:
    """A docstring's text as Markdown on one line: outside code, nothing is taken for a tag."""
    parts = re.split(r"(`[^`]*`)", plain(text))
    outside = (re.sub(r"\bnull\b", "`null`", one).replace("<", "&lt;") for one in parts[::2])
    return "".join(one for pair in zip(outside, [*parts[1::2], ""], strict=True) for one in pair)
