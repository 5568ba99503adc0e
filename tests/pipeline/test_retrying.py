"""A step is run once more after what may pass by itself, and after nothing else."""

import pytest

from nightjar.errors import BusyError, HeldError, LeaseError, MachineError, ModelError, NightjarError
from nightjar.pipeline.retrying import LOOK, retrying
from nightjar.runtime import outages
from nightjar.runtime.outages import Cause
from nightjar.settings.retries import Passing, Retries

LOST = "SparkException: Lost task 1.0 in stage 12.0 (TID 1) (host executor driver)"
THREE = Retries(attempts=3, wait=10, longest_wait=15, lease=2.5 * LOOK)


class Counted:
    """Sessions that count how often they are stopped."""

    stopped = 0

    def stop(self):
        self.stopped += 1


def tried(failures, retries=THREE, lasts=0.0):
    """What comes of work that fails so, one after another, and then succeeds; waits; and stops of Spark.

    What it is told of each error is what happens: whether there is another attempt.
    """
    waits, sessions, left, spent, promised = [], Counted(), list(failures), [], []

    def work(will_retry):
        if left:
            spent.append(lasts)
            if isinstance(left[0], NightjarError) and not isinstance(left[0], HeldError):
                promised.append(will_retry(left[0]))
            raise left.pop(0)
        return "done"

    try:
        result = retrying(
            work, "score for 2024-04-01", retries, sessions, waits.append, lambda: sum(waits) + sum(spent)
        )
    except NightjarError as error:
        result = error
    is_last = isinstance(result, NightjarError) and not isinstance(result, HeldError)
    assert promised == [True] * (len(promised) - is_last) + [False] * is_last
    return result, waits, sessions.stopped


def test_what_may_pass_is_tried_again_after_longer_and_longer_with_another_spark():
    java = MachineError("Java is gone.", "java")
    assert tried([java, BusyError("others write")]) == ("done", [10, 15], 2)
    assert tried([java] * 3) == (java, [10, 15], 2)


@pytest.mark.parametrize("failure", [ModelError("none"), MachineError("full"), LeaseError("taken over")])
def test_what_does_not_pass_stops_at_once(failure):
    assert tried([failure]) == (failure, [], 0)


def test_a_lease_is_waited_for_until_its_time_is_over_and_costs_no_attempt():
    held = HeldError("held by run x")
    assert tried([held, held]) == ("done", [LOOK, LOOK], 0)
    assert tried([held] * 4) == (held, [LOOK] * 3, 0)
    assert tried([held], Retries(of=[Passing.JAVA])) == (held, [], 0)
    java = MachineError("Java is gone.", "java")
    assert tried([java, held], lasts=2 * THREE.lease) == ("done", [10, LOOK], 1)  # what has worked has not waited
    assert tried([held, held, java, held, held]) == ("done", [LOOK, LOOK, 10, LOOK, LOOK], 1)


def test_a_failure_of_a_library_is_looked_through():
    result, waits, _ = tried([ConnectionRefusedError(111, "Connection refused")])
    assert (result, waits) == ("done", [10])


@pytest.mark.parametrize(
    ("message", "passing"),
    [
        ("SparkException: Python worker exited unexpectedly (crashed)", "python_worker"),
        ("SparkException: ExecutorLostFailure (executor 1 exited)", "executor"),
        ("Py4JNetworkError: Answer from Java side is empty", "java"),
        ("OSError: Generic S3 error: error sending request", "object_store"),
        (
            "OSError: Generic S3 error: Server returned non-2xx status code: 503 Service Unavailable: SlowDown",
            "object_store",
        ),
        (
            "OSError: Generic S3 error: Server returned non-2xx status code: 403 Forbidden: <Code>AccessDenied</Code>",
            None,
        ),
        ("OSError: AWS Error NO_SUCH_BUCKET during PutObject operation: The bucket does not exist", None),
        ("OSError: AWS Error UNKNOWN (HTTP status 403) during HeadObject operation: No response body.", None),
        ("OSError: No space left on device", None),
        (f"{LOST}: java.io.IOException: Input/output error", None),
        (f"{LOST}: java.io.IOException: Disk quota exceeded", None),
        (f"{LOST}: [FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:///w/t/part-1.parquet", None),
        ("java.lang.OutOfMemoryError: GC overhead limit exceeded (executor driver)", None),
        ("OutOfMemoryError: Java heap space", None),
        ("PySparkRuntimeError: [JAVA_GATEWAY_EXITED] Java gateway process exited", None),
    ],
)
def test_each_failure_of_the_machine_says_whether_it_may_pass(message, passing):
    kind, _, text = message.partition(": ")
    error = outages.machine_error([Cause(kind, text)])
    assert error.passing == passing
    assert passing is None or passing in {one.value for one in Passing}
