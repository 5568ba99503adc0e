"""Ray: started here, or joined where the environment says."""

import json
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants

import nightjar
from nightjar.runtime import folders
from nightjar.settings.environment import Environment

NO_PORT = "65536"
"""A number that no server can listen on: Ray writes that into a log, and does without it."""


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

    Its servers listen on loopback alone, and ask for a token: other users of the machine reach loopback too. `ray.init`
    turns token mode on in all parts of a Ray that it starts itself, provided that RAY_AUTH_MODE is unset: set after
    `import ray`, it reaches the servers but not this process. The token never touches the disk. Servers of metrics know
    no token: they are not started, or find no port. Ray opens its folder to everyone: it lies in one that is ours.
    """
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    os.environ["RAY_enable_metrics_collection"] = "0"  # noqa: SIM112  (as Ray spells it)
    os.environ["DASHBOARD_METRIC_PORT"] = os.environ["AUTOSCALER_METRIC_PORT"] = NO_PORT
    with _on_loopback():
        ray.init(
            address="local",
            num_cpus=environment.cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            _node_ip_address="127.0.0.1",
            _temp_dir=str(folders.own_for_sockets() / "ray"),
        )


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Let a node have the address 127.0.0.1 and listen there alone, as where Ray makes no clusters.

    Elsewhere Ray replaces that by the machine's own address, and for any other one it listens on every interface.
    """
    makes_clusters = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = makes_clusters


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
