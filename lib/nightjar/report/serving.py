"""The reports of a warehouse, served on loopback for whoever has the address, until the process is interrupted."""

import hmac
import logging
import re
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nightjar.errors import UsageError
from nightjar.report import page
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.report")
LOOPBACK = "127.0.0.1"
_FILE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/reports/)?[A-Za-z0-9_][A-Za-z0-9_.=-]*\.(html|json|md|svg|css|js)")
"""What is served: the index of projects, and the files of their folders `reports`; no table, and nothing above."""
_TYPES = {
    "html": "text/html",
    "json": "application/json",
    "md": "text/markdown",
    "svg": "image/svg+xml",
    "css": "text/css",
    "js": "text/javascript",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Reports(ThreadingHTTPServer):
    """The server: every address begins with its secret, which no other user of the machine knows."""

    daemon_threads = True

    def __init__(self, root: str, port: int) -> None:
        """Listen on loopback.

        Args:
            root: of the warehouse.
            port: 0: any free one.

        Raises:
            UsageError: the port is not free.
        """
        self.root, self.secret = Warehouse(root, "").path("").rstrip("/"), secrets.token_urlsafe(24)
        try:
            super().__init__((LOOPBACK, port), _Answer)
        except OSError as error:
            why = f"cannot be listened on ({error.strerror}), expected a free port"
            raise UsageError(f"port: {LOOPBACK}:{port} {why}") from error

    @property
    def address(self) -> str:
        """Where the index of projects is."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.secret}/"

    def is_own(self, host: str | None) -> bool:
        """Whether a request is addressed to this server; a name that was bound anew to loopback is not."""
        return (host or "").lower() in {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}

    def content(self, path: str) -> tuple[HTTPStatus, str, bytes]:
        """Status, type and content of an address's path."""
        secret, _, name = path.partition("?")[0].lstrip("/").partition("/")
        if not hmac.compare_digest(secret.encode(), self.secret.encode()):
            return HTTPStatus.NOT_FOUND, "text/plain", b"Not here: take the address that action=serve has printed.\n"
        match = _FILE.fullmatch(name or "index.html")
        if match is None:
            return HTTPStatus.NOT_FOUND, "text/plain", b"Reports alone are served.\n"
        try:
            return HTTPStatus.OK, _TYPES[match[1]], page.read(f"{self.root}/{match[0]}")
        except FileNotFoundError:
            return HTTPStatus.NOT_FOUND, "text/plain", b"There is no such report.\n"


class _Answer(BaseHTTPRequestHandler):
    server: Reports
    server_version, sys_version = "reports", ""
    timeout = 20  # seconds that a request may take to come

    def do_GET(self) -> None:
        """Answer with a file."""
        if not self.server.is_own(self.headers.get("Host")):
            status, kind, content = HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"Another address is served here.\n"
        else:
            status, kind, content = self.server.content(self.path)
        self.send_response(status)
        for name, value in (_HEADERS | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: a log must not hold the secret."""
