"""Settings as YAML that is read as it was meant, with the reasons beside them."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from nightjar.profiling.remarks import Remark

CHECK = "CHECK: "
"""What a remark begins with that a person must look at."""
Value: TypeAlias = Any
"""A text, number, boolean, null, or a sequence or mapping of values."""
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(/[A-Za-z][A-Za-z0-9_]*)*|[0-9]+[dhw]")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"})
_WIDTH = 118


def flow(value: Value) -> str:
    """A value on one line. Texts that YAML or OmegaConf may take for something else are quoted."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{text(key)}: {flow(one)}" for key, one in value.items()) + "}"
    return "[" + ", ".join(map(flow, value)) + "]" if isinstance(value, Sequence) else repr(value)


def text(value: str) -> str:
    """A text, quoted unless it is a plain word."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    escaped = value.replace("${", "\\${").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in escaped) + '"'


def comment(remark: Remark | str, indent: int = 0) -> str:
    """Lines of comment."""
    words = remark if isinstance(remark, str) else (CHECK if remark.is_open else "") + remark.text
    start = " " * indent + "# "
    return textwrap.fill(printable(words), _WIDTH, initial_indent=start, subsequent_indent=start) + "\n"


def printable(words: str) -> str:
    """A text on one line, without signs that YAML refuses even in comments."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in words)
