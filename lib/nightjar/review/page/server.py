"""The server of the page: on loopback, one process, until it is interrupted."""

import logging
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from nightjar.errors import NightjarError, UsageError
from nightjar.review.desk import Desk
from nightjar.review.page.entrance import Entrance
from nightjar.review.page.filling import Templates
from nightjar.review.page.guard import Guard, origins_of
from nightjar.review.page.site import Site

log = logging.getLogger("nightjar.review")
LOOPBACK = "127.0.0.1"


def application(desk: Desk, folder: Path, *, is_secure: bool = False) -> FastAPI:
    """What answers requests; it describes itself to nobody.

    Args:
        desk: whose cases.
        folder: of the reviewers' tokens.
        is_secure: whether browsers reach the page by TLS alone.
    """
    templates = Templates(desk.project.title or desk.project.name)
    entrance = Entrance(folder, desk.project.name, templates, is_secure=is_secure)
    pages = Site(desk, entrance, templates)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    gets: dict[str, Callable[..., object]] = {
        "/": pages.cases,
        "/enter": entrance.enter,
        "/next": pages.following,
        "/cases/{prediction_id}": pages.case,
        "/static/{name}": pages.static,
    }
    posts: dict[str, Callable[..., object]] = {
        "/enter": entrance.start_session,
        "/leave": entrance.end_session,
        "/cases/{prediction_id}/{what}": pages.act,
    }
    for methods, routes in ((["GET"], gets), (["POST"], posts)):
        for path, answer in routes.items():
            app.add_api_route(path, answer, methods=methods, response_model=None)
    app.add_exception_handler(NightjarError, pages.problem)
    app.add_exception_handler(HTTPException, pages.missing)
    return app


def serve(desk: Desk, folder: Path, port: int, public: str | None) -> None:
    """Serve the page until the process is interrupted.

    Args:
        desk: whose cases.
        folder: of the reviewers' tokens.
        port: on loopback; 0: any free one.
        public: the page's origin for browsers, where a proxy stands before it; None: there is none.

    Raises:
        UsageError: the port is not free.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen()
    except OSError as error:
        listener.close()
        why = f"cannot be listened on ({error.strerror}), expected a free port"
        raise UsageError(f"port: {LOOPBACK}:{port} {why}") from error
    bound = listener.getsockname()[1]
    is_secure = (public or "").startswith("https://")
    guarded = Guard(application(desk, folder, is_secure=is_secure), origins_of(bound, public))
    config = uvicorn.Config(guarded, log_config=None, access_log=False, server_header=False, timeout_keep_alive=5)
    address = public or f"http://{LOOPBACK}:{bound}"
    log.info("the page of reviewers: %s/ (tokens in %s); Ctrl-C ends it", address, folder)
    with listener:
        uvicorn.Server(config).run(sockets=[listener])
