"""The pages: what is asked for by an address, and what a person does by a form."""

import logging
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from threading import Lock
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from nightjar.errors import ReviewError
from nightjar.review import similar, tokens
from nightjar.review.cases import History, Status
from nightjar.review.desk import Act, Desk
from nightjar.review.page import views
from nightjar.review.page.entrance import SEE_OTHER, EnterError, Entrance, Form, now, seen_mark
from nightjar.review.page.filling import PACKAGE, Templates
from nightjar.review.page.queries import PER_PAGE, Query, read_query
from nightjar.review.queue import DUE, Queue
from nightjar.review.selection import Order, Selection, select
from nightjar.review.showing import show_instant, show_score, show_span
from nightjar.review.similar import PastCases
from nightjar.review.tokens import Session
from nightjar.settings.review import View
from nightjar.tables import arrow
from nightjar.tables.reviews import CLAIM, DECIDE, RELEASE, UNDO
from nightjar.tables.score_definitions import score_meaning

log = logging.getLogger("nightjar.review")
STATIC = {"review.css": "text/css", "keys.js": "text/javascript", "icon.svg": "image/svg+xml"}
ACTS = {"claim": CLAIM, "release": RELEASE, "decide": DECIDE, "undo": UNDO}
DONE = {
    "claim": "The case is yours.",
    "release": "You gave the case back.",
    "decide": "Your decision is recorded.",
    "undo": "You took your decision back.",
}


@dataclass(frozen=True)
class Answered:
    """What a form came to: nothing, or why it was refused and what it said, so that it need not be filled in again."""

    problem: str = ""
    decision: str = ""
    reason: str = ""
    status: int = 200


class Site:
    """The pages of one project."""

    def __init__(self, desk: Desk, entrance: Entrance, templates: Templates) -> None:
        """Show a desk to those who have entered."""
        self._desk, self._entrance, self._templates = desk, entrance, templates
        self._lock = Lock()
        self._past: tuple[Any, PastCases] | None = None

    def static(self, name: str) -> Response:
        """Style, script and icon."""
        kind = STATIC.get(name)
        if kind is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        text = resources.files(PACKAGE).joinpath(name).read_text(encoding="utf-8")
        return Response(text, media_type=kind, headers={"cache-control": "private, max-age=600"})

    def cases(self, request: Request) -> Response:
        """The list."""
        session, moment = self._entrance.session(request), now()
        query = read_query(request.query_params)
        queue, stored = self._desk.queue(), self._desk.ledger.read()
        selected = select(queue, stored, self._desk.settings, session.reviewer, query.selection, moment)
        page = query.page_of(len(selected.places))
        lines = []
        for place in selected.places[(page - 1) * PER_PAGE :][:PER_PAGE]:
            row = queue.rows.slice(int(place), 1).to_pylist()[0]
            history = self._desk.history(row["prediction_id"], moment, stored)
            lines.append(views.line_of(self._desk, queue, row, history, session.reviewer))
        return self._templates.fill(
            "list.html.j2",
            session,
            lines=lines,
            query=query,
            page=page,
            pages=query.pages_of(len(selected.places)),
            total=len(selected.places),
            cases=len(queue.ids),
            first=(page - 1) * PER_PAGE + 1,
            counts=selected.counts,
            tiers=self._desk.settings.tiers,
            night=queue.night,
            views=View,
            orders=Order,
        )

    def case(self, request: Request, prediction_id: str) -> Response:
        """One case."""
        session = self._entrance.session(request)
        done = DONE.get(request.query_params.get("done", ""), "")
        return self._case(session, prediction_id, Answered(), read_query(request.query_params), done)

    def following(self, request: Request) -> Response:
        """The first case that the person can decide, after another one in the order of the list."""
        session, moment = self._entrance.session(request), now()
        query = read_query(request.query_params)
        chosen = Selection(View.TODO, query.selection.tier, query.selection.text, query.selection.order)
        queue, stored = self._desk.queue(), self._desk.ledger.read()
        places = select(queue, stored, self._desk.settings, session.reviewer, chosen, moment).places
        ids = [queue.ids[place] for place in places]
        after = request.query_params.get("after", "")
        at = ids.index(after) + 1 if after in ids else 0
        others = [name for name in [*ids[at:], *ids[:at]] if name != after]
        target = f"/cases/{others[0]}{query.suffix()}" if others else f"/{query.suffix()}"
        return RedirectResponse(target, SEE_OTHER)

    def act(self, request: Request, prediction_id: str, what: str, form: Form) -> Response:
        """Do something with a case, and show it."""
        session, moment = self._entrance.session(request), now()
        self._entrance.require_form(session, form)
        query = read_query(request.query_params)
        if what not in ACTS:
            raise ReviewError(f"Nobody can {what} a case.")
        decision, reason = form.get("decision", ""), form.get("reason", "").strip()
        try:
            seen = self._seen(session, prediction_id, form.get("seen", ""), moment)
            chosen = decision or None if what == "decide" else None
            act = Act(prediction_id, ACTS[what], chosen, reason or None, seen)
            self._desk.act([act], session.reviewer, "page", moment)
        except ReviewError as error:
            return self._case(session, prediction_id, Answered(str(error), decision, reason, 409), query, "")
        return RedirectResponse(f"/cases/{prediction_id}{query.suffix(done=what)}", SEE_OTHER)

    def problem(self, request: Request, error: Exception) -> Response:
        """The page of a failure; who has no session is asked for a token."""
        if isinstance(error, EnterError):
            if request.method == "GET":
                return RedirectResponse("/enter", SEE_OTHER)
            return self._templates.fill("enter.html.j2", None, problem=str(error), status=403)
        log.warning("%s", error)
        return self._templates.fill("problem.html.j2", None, problem=str(error), status=409)

    def missing(self, _: Request, __: Exception) -> Response:
        """The page of an address that leads nowhere."""
        return self._templates.fill("problem.html.j2", None, problem="There is no such page.", status=404)

    def _case(self, session: Session, prediction_id: str, answered: Answered, query: Query, done: str) -> Response:
        queue, moment = self._desk.queue(), now()
        row = queue.row(prediction_id)
        if row is None:
            problem = f"Case {prediction_id[:12]} is not in the queue of the last {self._desk.settings.nights} nights."
            return self._templates.fill("problem.html.j2", session, problem=problem, status=404)
        history = self._desk.history(prediction_id, moment)
        return self._templates.fill(
            "case.html.j2", session, **self._about(session, queue, row, history, answered, query, done)
        )

    def _about(
        self,
        session: Session,
        queue: Queue,
        row: dict[str, Any],
        history: History,
        answered: Answered,
        query: Query,
        done: str,
    ) -> dict[str, Any]:
        """What the page of a case shows."""
        desk, name, status = self._desk, row["prediction_id"], history.status(session.reviewer)
        settings, zone = desk.settings, desk.project.zone
        values = similar.read_columns(desk.warehouse, desk.project, row, settings.columns())
        past = similar.most_similar(self._past_cases(queue), row | values)
        ends = views.ends_in(history)
        return {
            "line": views.line_of(desk, queue, row, history, session.reviewer),
            "place": queue.places[name] + 1,
            "cases": len(queue.ids),
            "due_at": show_instant(row[DUE], zone),
            "zone": zone,
            "model_version": row["model_version"],
            "abstained": row["abstained"],
            "score": show_score(row["score"]),
            "worth": views.worth_of(desk, row),
            "question": desk.project.label.question(),
            "meaning": score_meaning(desk.project),
            "proposal": desk.proposal(row["tier"]),
            "decisions": settings.decisions,
            "reasons": views.reasons_of(desk, row),
            "columns": views.columns_of(desk, values),
            "compared": settings.compared_columns(),
            "past": views.past_of(desk, queue, row | values, past, history.now),
            "steps": views.steps_of(history.visible(session.reviewer), zone),
            "may_decide": status in (Status.OPEN, Status.MINE),
            "is_mine": status is Status.MINE,
            "claim_ends": "" if ends is None else show_span(ends),
            "own": history.own_decision(session.reviewer),
            "final": history.final,
            "seen": seen_mark(session, name, len(history.actions)),
            "answered": answered,
            "done": done,
            "query": query,
            "status": answered.status,
        }

    def _past_cases(self, queue: Queue) -> PastCases:
        """What a case is compared with; read again only when a table has changed."""
        desk = self._desk
        with self._lock:
            at = queue.night, arrow.versions(desk.warehouse, ["labels", "features", "scores"])
            if queue.night is None:
                raise ReviewError("No night was scored yet: there are no cases.")
            if self._past is None or self._past[0] != at:
                self._past = at, similar.read_past_cases(desk.warehouse, desk.project, queue.night)
            return self._past[1]

    def _seen(self, session: Session, prediction_id: str, mark: str, moment: datetime) -> int:
        """The number of actions that a mark stands for."""
        actions = len(self._desk.history(prediction_id, moment).actions)
        for count in range(actions, -1, -1):
            if tokens.same(mark, seen_mark(session, prediction_id, count)):
                return count
        raise ReviewError("This form is not of this case. Nothing was recorded: look at it again.")
