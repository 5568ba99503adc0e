"""Spark's parent of Python workers, silent about workers that Java has hung up on.

Java does so with workers that were idle for a minute, and at its end. They have nothing left to say, try to say it, and
over local sockets that fails at once: each would print a traceback to the terminal of whoever waits for the job.

Workers take pyspark from this environment. Java offers it to them as an archive first, out of which every worker would
compile each module anew: a second of its first task. What takes longest to load is loaded here, once for all of them.
"""

import sys
from socket import socket

sys.path[:] = [path for path in sys.path if not path.endswith("/pyspark.zip")]

import pyarrow.dataset  # noqa: E402, F401  (from where it shall come, and for the workers)
from pyspark import daemon  # noqa: E402

_worker = daemon.worker


def worker(sock: socket, authenticated: bool) -> int:  # noqa: FBT001  (as Spark calls it)
    """A worker's life; its exit code."""
    try:
        return int(_worker(sock, authenticated))
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    daemon.worker = worker
    daemon.manager()
