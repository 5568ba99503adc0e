"""Ray: start it on this machine, or connect to the cluster that the environment names."""

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
"""A port number that no server can listen on: Ray logs that, and goes on without the server."""


@contextmanager
def session(environment: Environment) -> Iterator[None]:
    """Run Ray while the block runs; if it was already running in this process, it is left running.

    Under `ray job submit`, and where RAY_ADDRESS is set, this connects to that cluster, whatever the environment says.
    """
    if ray.is_initialized():
        yield
        return
    # Tune's own result files repeat what we record, and its notices are for its developers.
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report its use to its developers
    address = os.environ.get("RAY_ADDRESS") or environment.ray_address
    with _own_termination():
        if address == "local":
            _start_locally(environment)
        else:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR", runtime_env=_worker_environment())
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _own_termination() -> Iterator[None]:
    """Keep our handler of SIGTERM, if any: Ray replaces it by one that ends the process with that signal."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(handler) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _start_locally(environment: Environment) -> None:
    """Start Ray on this machine, for this process only.

    Its servers listen on loopback alone and require a token, as other users of the machine reach loopback too.
    `ray.init` turns token mode on in all parts of a Ray that it starts itself, provided that RAY_AUTH_MODE is unset:
    set after `import ray`, it reaches the servers but not this process. The token is never written to disk. Servers of
    metrics do not support tokens: they are not started, or get no port. Ray makes its folder readable for everyone, so
    it is put into a private one.
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
            _temp_dir=str(folders.socket_folder() / "ray"),
        )


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Let a node have the address 127.0.0.1 and listen only there, as on platforms where Ray supports no clusters.

    Elsewhere Ray replaces that by the machine's own address, and for any other address it listens on all interfaces.
    """
    makes_clusters = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = makes_clusters


def _worker_environment() -> dict[str, Any]:
    """A runtime environment for the workers: this package, and the variables that limit threads.

    Settings that a submitted job has already are kept.
    """
    job = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")).get("runtime_env", {})
    job_variables = job.get("env_vars", {})
    shipped: dict[str, Any] = {
        "env_vars": {name: os.environ[name] for name in nightjar.THREADS if name not in job_variables}
    }
    if "py_modules" not in job:
        shipped["py_modules"] = [str(Path(nightjar.__file__).parent)]
    return shipped
