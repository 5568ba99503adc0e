"""The page on a port of its own, and a client that is no browser."""

import http.client
import socket
import threading
from contextlib import contextmanager
from urllib.parse import urlencode

import uvicorn

from nightjar.review import tokens
from nightjar.review.page.guard import Guard, origins_of
from nightjar.review.page.server import application


class Client:
    """Somebody who asks the page by HTTP, with what cookies it sets, and whatever headers."""

    def __init__(self, port):
        self.port, self.cookies = port, {}

    def ask(self, method, path, form=None, **headers):
        """Status, headers and text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        own = {"origin": f"http://127.0.0.1:{self.port}"} if method == "POST" else {}
        own |= {"content-type": "application/x-www-form-urlencoded"} if form is not None else {}
        own |= {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        sent = {name.replace("_", "-"): value for name, value in (own | headers).items() if value is not None}
        connection.request(method, path, urlencode(form) if form is not None else None, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        for value in answer.headers.get_all("set-cookie") or ():
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0].strip('"')
        return answer.status, answer.headers, text

    def enter(self, token):
        status, headers, _ = self.ask("POST", "/enter", {"token": token})
        return status, headers


@contextmanager
def served(desk, folder):
    """The port on which a desk is served."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        app = Guard(application(desk, folder), origins_of(port, None))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join(30)


def token_of(folder, reviewer):
    return tokens.admit(folder, reviewer).read_text(encoding="ascii").strip()
