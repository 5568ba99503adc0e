"""Ray: started here, or joined where the environment says."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray

import nightjar
from nightjar.settings.environment import Environment


@contextmanager
def started(environment: Environment) -> Iterator[None]:
    """Ray while the block runs; one that was already running (under `ray job submit`, in tests) is left running."""
    if ray.is_initialized():
        yield
        return
    # Tune's own result files repeat what we record, and its notices are for its developers.
    os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    address = os.environ.get("RAY_ADDRESS") or environment.ray_address
    if address == "local":
        ray.init(
            address="local",
            num_cpus=environment.cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            _node_ip_address="127.0.0.1",
        )
    else:
        ray.init(
            address=address, logging_level="ERROR", runtime_env={"py_modules": [str(Path(nightjar.__file__).parent)]}
        )
    try:
        yield
    finally:
        ray.shutdown()
