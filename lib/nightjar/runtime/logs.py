"""What a job prints: lines for people on a terminal, JSON lines where there is none. A traceback is part of either."""

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

from nightjar.settings import secrets

_STARTED = time.monotonic()
_SECRETS: set[str] = set()
_MASKS: list[Callable[[str], str]] = []


class _ForPeople(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        mark = {logging.WARNING: "! ", logging.ERROR: "✗ "}.get(record.levelno, "")
        source = record.name.removeprefix("nightjar.")
        line = f"{time.monotonic() - _STARTED:7.1f}s  {source:<11} {mark}{masked(record.getMessage())}"
        return f"{line}\n{masked(self.formatException(record.exc_info))}" if record.exc_info else line


class _ForMachines(logging.Formatter):
    """One JSON object a line. python-json-logger would add a package, and need as many lines for these names."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname.lower(),
            "from": record.name,
            "message": masked(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class _RedactingHandler(logging.StreamHandler[TextIO]):
    """Prints lines without secrets, whatever their source: messages of other software may contain them too."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def add_secrets(secrets: Iterable[str]) -> None:
    """Redact these secrets from now on, in log lines and by `redact`."""
    _SECRETS.update(secrets)


def redact(text: str) -> str:
    """A text without the secrets of this process."""
    return secrets.hide(text, _SECRETS)


def mask_with(mask: Callable[[str], str]) -> None:
    """Hide in messages from now on, in log lines and by `masked`, what a project does not want to be seen."""
    _MASKS[:] = [mask]


def masked(message: str) -> str:
    """A message without the values of sensitive columns, as `masking.values.Masking.text` gives it."""
    for mask in _MASKS:
        message = mask(message)
    return message


def start() -> None:
    """Log the package's progress to standard error; silence libraries whose notices no reader can act on."""
    handler = _RedactingHandler(sys.stderr)
    handler.setFormatter(_ForPeople() if sys.stderr.isatty() else _ForMachines())
    logger = logging.getLogger("nightjar")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for name in ("alembic", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in ("py4j", "mlflow"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # they log what they also raise
    logging.getLogger().addFilter(_is_not_of_py4j)
    warnings.filterwarnings("ignore", category=FutureWarning)


def _is_not_of_py4j(record: logging.LogRecord) -> bool:
    """Whether to show a record: py4j logs interrupts and lost connections, with tracebacks, by the root logger."""
    return "py4j" not in Path(record.pathname).parts
