"""Ray: started here, or joined where the environment says."""

import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray

import nightjar
from nightjar.settings.environment import Environment


@contextmanager
def started(environment: Environment) -> Iterator[None]:
    """Ray while the block runs; one that was already running in this process is left running.

    Under `ray job submit`, and where RAY_ADDRESS says so, it is that cluster, whatever the environment says.
    """
    if ray.is_initialized():
        yield
        return
    # Tune's own result files repeat what we record, and its notices are for its developers.
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers of its use
    address = os.environ.get("RAY_ADDRESS") or environment.ray_address
    with _own_termination():
        if address == "local":
            _start(environment)
        else:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", runtime_env=_shipped())
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _own_termination() -> Iterator[None]:
    """Ray replaces the handler of SIGTERM by one that ends the process with that number; ours, if any, stays."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(handler) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _start(environment: Environment) -> None:
    """Ray on this machine, for this process only.

    Its servers listen on every network interface, whatever address a node is given, so a token has to keep others
    out. `ray.init` turns token mode on in all parts of a Ray that it starts itself, provided that RAY_AUTH_MODE is
    unset: set after `import ray`, it reaches the servers but not this process. The token never touches the disk.
    """
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    ray.init(
        address="local",
        num_cpus=environment.cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        # Ray replaces 127.0.0.1 by the machine's own address; the rest of 127/8 is loopback too, and kept.
        _node_ip_address="127.0.0.2" if sys.platform == "linux" else "127.0.0.1",
    )


def _shipped() -> dict[str, Any]:
    """A runtime environment for the workers: this package, and how threads share processors.

    A submitted job may have either already: what it says stays.
    """
    job = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")).get("runtime_env", {})
    given = job.get("env_vars", {})
    shipped: dict[str, Any] = {"env_vars": {name: os.environ[name] for name in nightjar.THREADS if name not in given}}
    if "py_modules" not in job:
        shipped["py_modules"] = [str(Path(nightjar.__file__).parent)]
    return shipped
