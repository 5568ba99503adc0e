"""Who enters: a token becomes a session, which a cookie proves, and each form of which says whose it is."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from nightjar.errors import NightjarError
from nightjar.review import tokens
from nightjar.review.page.filling import Templates
from nightjar.review.page.guard import read_form
from nightjar.review.tokens import Session

log = logging.getLogger("nightjar.review")
Form = Annotated[Mapping[str, str], Depends(read_form)]
SEE_OTHER = 303


class EnterError(NightjarError):
    """Somebody without a session asks for a page that needs one."""


class Entrance:
    """Sessions of reviewers. The token itself is in no address, cookie or log."""

    def __init__(self, folder: Path, project: str, templates: Templates, *, is_secure: bool) -> None:
        """Let people in.

        Args:
            folder: of their tokens.
            project: its name, as the cookies of all ports of a host go to each of them.
            templates: what the form is made of.
            is_secure: whether browsers reach the page by TLS alone.
        """
        self._folder, self._templates, self._is_secure = folder, templates, is_secure
        self._cookie = f"{'__Host-' if is_secure else ''}nightjar_{project}"

    def enter(self) -> Response:
        """The form for a token."""
        return self._templates.fill("enter.html.j2", None, problem="", status=200)

    def start_session(self, form: Form) -> Response:
        """A session for whoever knows a token; the token itself is in no address, cookie or log."""
        registered = tokens.read_tokens(self._folder)
        reviewer = tokens.reviewer_of(registered, form.get("token", "").strip())
        if reviewer is None:
            log.warning("somebody showed a token that is nobody's")
            return self._templates.fill("enter.html.j2", None, problem="This is nobody's token.", status=403)
        log.info("%s has entered", reviewer)
        answer = RedirectResponse("/", SEE_OTHER)
        answer.set_cookie(
            self._cookie,
            tokens.cookie_of(reviewer, registered[reviewer], now()),
            max_age=int(tokens.LASTS.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=self._is_secure,
        )
        return answer

    def end_session(self, request: Request, form: Form) -> Response:
        """Forget the session in this browser."""
        self.require_form(self.session(request), form)
        answer = RedirectResponse("/enter", SEE_OTHER)
        answer.delete_cookie(self._cookie, httponly=True, samesite="strict", secure=self._is_secure)
        return answer

    def session(self, request: Request) -> Session:
        """Raise EnterError unless the request is of somebody who has entered."""
        registered = tokens.read_tokens(self._folder)
        session = tokens.session_of(request.cookies.get(self._cookie, ""), registered, now())
        if session is None:
            raise EnterError("Your session has ended. Nothing was done: enter again.")
        return session

    def require_form(self, session: Session, form: Mapping[str, str]) -> None:
        """Raise EnterError unless the form was made for the session."""
        if not tokens.same(form.get("form_token", ""), session.form_token):
            raise EnterError("This form is not of your session. Nothing was done: enter again.")


def seen_mark(session: Session, prediction_id: str, actions: int) -> str:
    """How many actions a page was made of, in a form that says nothing: a second person is not to know of a first."""
    return session.sign("seen", prediction_id, str(actions))


def now() -> datetime:
    """What time it is."""
    return datetime.now(UTC)
