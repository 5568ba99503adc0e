"""Who may review: a secret for each person, in a file that only its owner reads; and what a session proves by it.

Nothing is remembered of a session: its cookie is signed with the person's secret, so that it holds until it ends or
the file is gone, in whatever process.
"""

import hmac
import logging
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from nightjar.errors import UsageError
from nightjar.settings.review import REVIEWER

log = logging.getLogger("nightjar.review")
LASTS = timedelta(hours=12)
_SUFFIX, _BYTES = ".token", 32


@dataclass(frozen=True)
class Session:
    """A person who has shown a token.

    Attributes:
        reviewer: who.
        key: the person's secret and what this session added to it; whatever is signed for the session is signed by it.
    """

    reviewer: str
    key: bytes

    def sign(self, *parts: str) -> str:
        """A signature that no other session gives for the same texts."""
        return _sign(self.key, *parts)

    @property
    def form_token(self) -> str:
        """What each form of the session carries, so that no other site can send one."""
        return self.sign("form")


def folder_of(home: Path, project: str) -> Path:
    """Where the tokens of a project's reviewers lie."""
    return home / "review" / project


def admit(folder: Path, reviewer: str) -> Path:
    """Make a person a token; the file that holds it. Who has the file removed has no access from then on.

    Raises:
        UsageError: the person has one, it is no name for a reviewer, or the file cannot be written.
    """
    if not re.fullmatch(REVIEWER, reviewer):
        expected = "a name of small letters, digits, and _ . @ - after the first, 63 at most"
        raise UsageError(f"by: found {reviewer!r}, expected {expected}")
    path = folder / f"{reviewer}{_SUFFIX}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="ascii", dir=folder) as file:  # which its owner alone can read
            file.write(f"{secrets.token_urlsafe(_BYTES)}\n")
            file.flush()
            os.link(file.name, path)  # in one step: whoever reads it reads all of it
    except FileExistsError:
        raise UsageError(f"by: {reviewer} has a token in {path}; for another one, remove the file first") from None
    except OSError as error:
        raise UsageError(f"environment.home: {path} cannot be written ({error.strerror})") from error
    return path


def read_tokens(folder: Path) -> dict[str, str]:
    """Reviewer -> token. A file that is none, or that others than its owner can read, is logged and lets nobody in."""
    tokens = {}
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            token = path.read_text(encoding="ascii").strip()
            problem = _problem(path, token)
        except FileNotFoundError:  # removed meanwhile, to end somebody's access
            continue
        except (OSError, ValueError) as error:
            problem = f"{path} cannot be read ({error})"
        if problem is None:
            tokens[path.stem] = token
        else:
            log.warning("%s. Nobody enters by it. Remove it, and make one: action=admit by=NAME", problem)
    return tokens


def _problem(path: Path, token: str) -> str | None:
    """Why a file lets nobody in; None: nothing is amiss."""
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return f"{path} has the mode {mode:o}, so that others can read the token, expected 600"
    if not re.fullmatch(REVIEWER, path.stem):
        return f"{path} is not called as a reviewer may be"
    return None if len(token) >= _BYTES else f"{path} holds no token"


def reviewer_of(tokens: Mapping[str, str], shown: str) -> str | None:
    """Whose token it is; None: nobody's. All are compared, whichever fits, so that time tells nothing."""
    fits = [name for name, token in tokens.items() if hmac.compare_digest(token.encode(), shown.encode())]
    return fits[0] if fits else None


def cookie_of(reviewer: str, token: str, now: datetime) -> str:
    """The cookie of a new session."""
    ends, nonce = str(int((now + LASTS).timestamp())), secrets.token_urlsafe(12)
    return ":".join([reviewer, ends, nonce, _sign(token.encode(), "session", reviewer, ends, nonce)])


def session_of(cookie: str, tokens: Mapping[str, str], now: datetime) -> Session | None:
    """The session of a cookie; None: it is none of ours, has ended, or its token has been removed."""
    parts = cookie.split(":")
    if len(parts) != 4:
        return None
    reviewer, ends, nonce, signature = parts
    token = tokens.get(reviewer)
    if token is None or not hmac.compare_digest(
        _sign(token.encode(), "session", reviewer, ends, nonce).encode(), signature.encode()
    ):
        return None
    if int(ends) < now.timestamp():
        return None
    return Session(reviewer, _sign(token.encode(), "key", nonce).encode())


def _sign(key: bytes, *parts: str) -> str:
    """HMAC of texts, each with its length before it."""
    message = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.new(key, message.encode(), "sha256").hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two texts are the same, in a time that does not say how much of them is."""
    return hmac.compare_digest(one.encode(), other.encode())
