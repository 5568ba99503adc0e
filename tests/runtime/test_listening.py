"""What listens while Spark and Ray run here: on loopback alone, and nothing answers without a secret.

Other users of a machine reach its loopback too.
"""

import contextlib
import ipaddress
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import ray
from py4j.protocol import Py4JJavaError

from nightjar.runtime import folders

LOOPBACK = ("127.", "::1", "::ffff:127.", "::ffff:7f")
METHODS = (
    "NodeInfoGcsService/GetAllNodeInfo",
    "NodeManagerService/GetNodeStats",
    "ObjectManagerService/Pull",
    "CoreWorkerService/GetCoreWorkerStats",
    "LogService/ListLogs",
)
"""Of Ray, harmless where they are answered."""
PATIENCE = 20
"""Seconds for an answer, on busy processors too."""


@dataclass(frozen=True)
class Listener:
    """A socket of this process, or of one that it has started, that anybody can talk to."""

    process: str
    address: str
    port: int


@pytest.fixture(scope="module")
def listeners(spark, ray_started):
    """All of them, once workers of both have been at work."""
    assert spark.range(2).mapInArrow(lambda batches: batches, "id long").count() == 2
    assert ray.get(ray.remote(lambda: 1).remote()) == 1
    return sorted(set(open_ports()), key=repr)


def open_ports() -> Iterator[Listener]:
    """As the kernel lists them: TCP that listens, UDP that is bound; whose they are, their numbers tell."""
    owners = {number: process for process in processes() for number in sockets(process)}
    for kind, waits in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            fields = line.split()
            local, state = fields[1], fields[3]
            if state == waits and fields[9] in owners:
                address, port = local.split(":")
                yield Listener(name(owners[fields[9]]), written(address), int(port, 16))


def processes() -> list[int]:
    """This process and all that it has started, and those have."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    own = [os.getpid()]
    for process in own:
        own += children.get(process, [])
    return own


def sockets(process: int) -> Iterator[str]:
    for file in Path(f"/proc/{process}/fd").glob("*"):
        with contextlib.suppress(OSError):
            if (target := str(file.readlink())).startswith("socket:["):
                yield target[8:-1]


def name(process: int) -> str:
    return Path(f"/proc/{process}/comm").read_text().strip()


def written(address: str) -> str:
    """The kernel writes words of four bytes, each in the machine's order, which is little-endian."""
    words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
    return str(ipaddress.ip_address(b"".join(words)))


def test_all_that_listens_listens_on_loopback(listeners):
    assert {one.process for one in listeners} > {"java", "gcs_server", "raylet"}
    assert [one for one in listeners if not one.address.startswith(LOOPBACK)] == []


def test_ray_answers_nobody_without_its_token(listeners):
    """Its servers are of gRPC and HTTP; those of metrics would answer everybody."""
    of_ray = [one for one in listeners if one.process != "java"]
    answers = {one: by_grpc(one.port) if speaks_grpc(one.port) else by_http(one.port) for one in of_ray}
    assert set(answers.values()) == {"UNAUTHENTICATED", "401 Unauthorized"}, answers


def speaks_grpc(port: int) -> bool:
    """A server of HTTP/2 begins with its settings; one of HTTP/1 says something about a request."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
        return connection.recv(9)[3:4] == b"\4"


def by_grpc(port: int) -> str:
    """What all of these services say that there are: each process has some."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.enable_http_proxy", 0)]) as channel:
        return ", ".join(sorted({refusal(channel, method) for method in METHODS} - {"UNIMPLEMENTED"}))


def refusal(channel: grpc.Channel, method: str) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(f"/ray.rpc.{method}")(b"", timeout=PATIENCE)
    return str(refused.value.code().name)


def by_http(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return connection.recv(100).decode().split("\r\n")[0].partition(" ")[2]


def test_spark_answers_nobody_without_its_secret(listeners, spark):
    """The port that Python talks to Java by closes; the others, of the driver and of its blocks, ask for SASL."""
    java = spark.sparkContext._jvm
    network, gateway = java.org.apache.spark.network, spark.sparkContext._gateway.gateway_parameters.port
    options = network.util.TransportConf("rpc", network.util.MapConfigProvider.EMPTY)
    strangers = network.TransportContext(options, network.server.NoOpRpcHandler()).createClientFactory()
    ports = {one.port for one in listeners if one.process == "java"}
    assert gateway in ports
    assert len(ports) == 3
    try:
        for port in ports - {gateway}:
            with pytest.raises(Py4JJavaError, match="SASL"):
                strangers.createClient("127.0.0.1", port).sendRpcSync(java.java.nio.ByteBuffer.allocate(16), 20_000)
    finally:
        strangers.close()
    with socket.create_connection(("127.0.0.1", gateway), PATIENCE) as connection:
        connection.sendall(b"c\nz:java.lang.System\ncurrentTimeMillis\ne\n")
        assert connection.recv(100)[:2] in (b"", b"!x")


def test_no_secret_stands_in_the_command_line_of_a_process(listeners):
    lines = [Path(f"/proc/{one}/cmdline").read_text().replace("\0", " ") for one in processes()[1:]]
    assert len(lines) > 3
    assert [line for line in lines if os.environ["RAY_AUTH_TOKEN"] in line or "secret" in line.lower()] == []


def test_other_users_can_enter_no_folder_of_ours(listeners):
    """Sockets, Ray's session, what Spark shuffles: each lies below a folder for its user alone."""
    session = Path(ray._private.worker.global_worker.node.get_session_dir_path())
    assert session.is_relative_to(folders.socket_folder())
    for folder in (folders.process_folder(), folders.socket_folder()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
