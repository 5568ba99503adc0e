"""The sink that is a file: a JSON object a line, for a shipper of logs."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from nightjar.alerts.word import Word
from nightjar.settings.monitoring.alerting import Sink


def append(sink: Sink, words: Sequence[Word]) -> None:
    """Append word of alerts, all in one write, so that lines of two processes never mix.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(sink.path or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{json.dumps(word.plain(), ensure_ascii=False)}\n" for word in words)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)
