"""A step is run once more after what may pass by itself, and after nothing else."""

import pytest

from nightjar.errors import BusyError, HeldError, LeaseError, MachineError, ModelError, NightjarError
from nightjar.pipeline.retrying import LOOK, retrying
from nightjar.runtime import outages
from nightjar.runtime.outages import Cause
from nightjar.settings.retries import Passing, Retries

THREE = Retries(attempts=3, wait=10, longest_wait=15, lease=2.5 * LOOK)


class Counted:
    """Sessions that count how often they are stopped."""

    stopped = 0

    def stop(self):
        self.stopped += 1


def tried(failures, retries=THREE):
    """What comes of work that fails so, one after another, and then succeeds; waits; and stops of Spark."""
    waits, sessions, left = [], Counted(), list(failures)

    def work():
        if left:
            raise left.pop(0)
        return "done"

    try:
        result = retrying(work, "score for 2024-04-01", retries, sessions, waits.append, lambda: sum(waits))
    except NightjarError as error:
        result = error
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
        ("OSError: No space left on device", None),
        ("OutOfMemoryError: Java heap space", None),
        ("PySparkRuntimeError: [JAVA_GATEWAY_EXITED] Java gateway process exited", None),
    ],
)
def test_each_failure_of_the_machine_says_whether_it_may_pass(message, passing):
    kind, _, text = message.partition(": ")
    error = outages.machine_error([Cause(kind, text)])
    assert error.passing == passing
    assert passing is None or passing in {one.value for one in Passing}
