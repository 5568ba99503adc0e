"""The process group in which workers add up their gradients: its store listens on the node's own address only."""

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import ray
import ray.train
import torch.distributed as dist
from ray.train.backend import Backend
from ray.train.collective import broadcast_from_rank_zero
from ray.train.torch import TorchConfig
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # not in its list of exports

LOOPBACK = "lo" if sys.platform == "linux" else "lo0"


@dataclass
class OwnGroup(TorchConfig):  # type: ignore[misc]
    """Leaves the group to `process_group`: the store of Ray's own one listens on every interface, open to anybody."""

    @property
    def backend_cls(self) -> Any:
        """A backend that starts nothing."""
        return Backend


@contextmanager
def process_group(*, gpu: bool, timeout: float) -> Iterator[None]:
    """Join the group of all workers while the block runs: nccl between GPUs, gloo between processors.

    Args:
        gpu: whether each worker has a GPU.
        timeout: seconds that a worker waits for the others.
    """
    context, limit = ray.train.get_context(), timedelta(seconds=timeout)
    rank, workers = context.get_world_rank(), context.get_world_size()
    listener = _listen(ray.util.get_node_ip_address()) if rank == 0 else None
    host, port = broadcast_from_rank_zero(listener.getsockname()[:2] if listener else None)
    if ipaddress.ip_address(host).is_loopback:
        os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = LOOPBACK
    handle = listener.detach() if listener else None
    store = TCPStore(host, port, workers, rank == 0, limit, wait_for_workers=False, master_listen_fd=handle)
    dist.init_process_group("nccl" if gpu else "gloo", store=store, rank=rank, world_size=workers, timeout=limit)
    try:
        yield
    finally:
        dist.destroy_process_group()


def _listen(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.bind((address, 0))
    listener.listen()
    return listener
