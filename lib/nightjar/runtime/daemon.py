"""Spark's parent process of Python workers, silent about workers whose connection Java has closed.

Java closes it when a worker was idle for a minute, and at its own end. The worker still writes to it, which fails at
once over local sockets: each worker would print a traceback to the terminal of the job.

Workers take pyspark from this environment. Java offers it to them as an archive first, from which every worker would
compile each module anew: a second of its first task. The slowest imports are done here, once for all workers.
"""

import sys
from socket import socket

sys.path[:] = [path for path in sys.path if not path.endswith("/pyspark.zip")]

import pyarrow.dataset  # noqa: E402, F401  (from where it shall come, and for the workers)
from pyspark import daemon  # noqa: E402

_worker = daemon.worker


def worker(sock: socket, authenticated: bool) -> int:  # noqa: FBT001  (as Spark calls it)
    """Run a worker; its exit code."""
    try:
        return int(_worker(sock, authenticated))
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    daemon.worker = worker
    daemon.manager()
