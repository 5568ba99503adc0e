"""A PostgreSQL of the tests' own: Debian's binaries, a folder that is thrown away, a port of this machine alone."""

import os
import pwd
import socket
import subprocess
from pathlib import Path

from nightjar.settings.connections import Database, SecretReference

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
READER, PASSWORD = "reader", "geheim 'p@ss:wort\"?"
VARIABLE = "SHOP_PASSWORD"
_ADMIN, _OF_ADMIN = "admin", "of the admin"


class Server:
    """PostgreSQL, which refuses to run as root: then it runs as the user that Debian's package has made for it."""

    def __init__(self, folder):
        self.folder = folder / "data"
        self.user = "postgres" if os.geteuid() == 0 else None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "password").write_text(_OF_ADMIN)
        if self.user is not None:
            owner = pwd.getpwnam(self.user)
            for path in (folder, folder / "password"):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        logins = ["--auth=scram-sha-256", f"--username={_ADMIN}", f"--pwfile={folder / 'password'}"]
        self._do("initdb", *logins, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
        self.databases = 0
        self.start()
        self.run("postgres", f"CREATE ROLE {READER} LOGIN PASSWORD $${PASSWORD}$$")

    def start(self):
        options = f"-h 127.0.0.1 -p {self.port} -c unix_socket_directories='' -c fsync=off -c shared_buffers=16MB"
        self._do("pg_ctl", "start", "--wait", f"--log={self.folder / 'log'}", f"--options={options}")

    def stop(self):
        """As a crash would."""
        self._do("pg_ctl", "stop", "--mode=immediate")

    def _do(self, program, *arguments):
        command = [BINARIES / program, f"--pgdata={self.folder}", *arguments]
        as_user = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder.parent, **as_user)
        assert done.returncode == 0, done.stderr

    def run(self, database, sql):
        """Rows of texts, of the last statement."""
        where = ["--host=127.0.0.1", f"--port={self.port}", f"--username={_ADMIN}", f"--dbname={database}"]
        how = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--field-separator=\t", "--pset=null=\\N"]
        environment = os.environ | {"PGPASSWORD": _OF_ADMIN, "PGTZ": "UTC"}
        command = [BINARIES / "psql", *where, *how, "--set=ON_ERROR_STOP=1", f"--command={sql}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        return [
            tuple(None if cell == "\\N" else cell for cell in line.split("\t")) for line in done.stdout.splitlines()
        ]


class Shop:
    """One database of the server, in which the reader may read what there is."""

    def __init__(self, server):
        server.databases += 1
        self.server, self.name = server, f"shop_{server.databases}"
        server.run("postgres", f"CREATE DATABASE {self.name}")
        self.run(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}")

    @property
    def url(self):
        return f"jdbc:postgresql://127.0.0.1:{self.server.port}/{self.name}"

    def run(self, sql):
        return self.server.run(self.name, sql)

    def settings(self, **options):
        """Of a source that reads it."""
        return Database(**{"url": self.url, "user": READER, "password": SecretReference(VARIABLE)} | options)
