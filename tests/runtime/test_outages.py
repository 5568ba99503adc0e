"""What the machine does to a job is stated: by the texts that Spark 4.2, delta-rs and the system were seen to give."""

import re

import pytest

from nightjar.errors import MachineError, ModelError, TableError
from nightjar.runtime import outages
from nightjar.runtime.outages import Cause
from nightjar.tables import opening

SPARK = "org.apache.spark.SparkException"
LOST = "Job aborted due to stage failure: Task 1 in stage 12.0 failed 1 times, most recent failure: Lost task 1.0"
CRASHED = "Python worker exited unexpectedly (crashed). Consider setting 'spark.python.worker.faulthandler.enabled'"
UNREAD = "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:///w/t/part-1.parquet.  SQLSTATE: KD001"


@pytest.mark.parametrize(
    ("chain", "parts"),
    [
        (
            [Cause(SPARK, LOST), Cause("java.io.IOException", "No space left on device")],
            ["A disk is full: java.io.IOException: No space left on device", "spark.local.dir"],
        ),
        (
            [Cause("OSError", "[Errno 28] No space left on device: '/w/t/part'")],
            ["A disk is full: OSError: [Errno 28] No space left on device: '/w/t/part'"],
        ),
        (
            [Cause("py4j.protocol.Py4JJavaError", LOST), Cause(SPARK, CRASHED), Cause("java.net.SocketException", "R")],
            ["A Python worker of Spark was killed or has crashed", "memory"],
        ),
        ([Cause("java.lang.OutOfMemoryError", "Java heap space")], ["Java has no memory left", "driver_memory"]),
        ([Cause("ConnectionRefusedError", "Connection refused")], ["Spark's Java", "was killed", "dmesg"]),
        ([Cause("py4j.protocol.Py4JNetworkError", "Answer from Java side is empty")], ["Spark's Java", "was killed"]),
        (
            [Cause("java.io.IOException", "Mkdirs failed to create file:/proc/x/_temporary/0")],
            ["may not read or write", "file:/proc/x/_temporary/0", "permissions"],
        ),
        ([Cause("PermissionError", "[Errno 13] Permission denied: '/w/t'")], ["may not read or write", "'/w/t'"]),
        ([Cause(SPARK, "ExecutorLostFailure (executor 3 exited)")], ["lost an executor", "executor 3 exited"]),
        (
            [Cause(SPARK, UNREAD), Cause("java.io.IOException", "FAILED_TO_UNCOMPRESS(5)")],
            ["cannot read a file", "file:///w/t/part-1.parquet", "Damaged data file"],
        ),
        ([Cause("ray.exceptions.WorkerCrashedError", "The worker died.")], ["Ray has failed", "The worker died"]),
        ([Cause("Exception", "The current node timed out during startup. This")], ["Ray did not start", "busy"]),
        (
            [Cause("PySparkRuntimeError", "[JAVA_GATEWAY_EXITED] Java")],
            ["Java did not start", "JAVA_HOME"],
        ),
        ([Cause("OSError", "AWS Error NETWORK_CONNECTION during GetObject")], ["object store does not answer"]),
    ],
)
def test_a_failure_of_the_machine_is_told_by_its_cause_with_what_to_do(chain, parts):
    error = outages.machine_error(chain)
    assert isinstance(error, MachineError)
    assert [part for part in parts if part not in str(error)] == []
    assert "\n" not in str(error)


def test_a_library_in_rust_that_crashes_is_stated_although_it_raises_no_exception():
    """What it raises cannot be imported: one of the same name stands for it."""
    crash = type("PanicException", (BaseException,), {})
    with (
        pytest.raises(MachineError, match=r"crashed on what it has read: .*RecvError.*Damaged log"),
        outages.translate_errors(),
    ):
        raise crash("executor has crashed: RecvError")
    message = r"Table features at /w/features cannot be opened: executor.*Damaged log"
    with pytest.raises(TableError, match=message), opening._translate_log_errors("features", "/w/features"):
        raise crash("executor has crashed: RecvError")


@pytest.mark.parametrize("error", [KeyError("load"), ValueError("Length mismatch"), ZeroDivisionError()])
def test_what_may_be_our_own_mistake_is_left_as_it_is(error):
    with pytest.raises(type(error)), outages.translate_errors():
        raise error


def test_what_was_stated_already_stays():
    with pytest.raises(ModelError, match="No space left on device"), outages.translate_errors():
        raise ModelError("MLflow: No space left on device")


class Gone:
    """A Java that was killed: whoever asks it for its exception is refused."""

    def getClass(self):  # noqa: N802
        raise ConnectionRefusedError(111, "Connection refused")


def test_an_error_that_java_took_along_is_one_of_java_being_gone():
    error = RuntimeError("told by Java")
    error.java_exception = Gone()
    with pytest.raises(MachineError, match="does not answer any more") as stated, outages.translate_errors():
        raise error
    assert stated.value.__cause__ is error


def test_a_full_disk_is_stated_when_a_file_is_written(tmp_path):
    """`/dev/full` is a device that has no space."""
    stated = pytest.raises(MachineError, match=re.escape("[Errno 28] No space left on device"))
    with stated, outages.translate_errors(), open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        full.write(b"x")
