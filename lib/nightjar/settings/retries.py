"""Settings of a nightly that goes on after what passes by itself."""

from dataclasses import field

from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, Positive
from nightjar.settings.validation import settings


class Passing(Choice):
    """Failures that may pass by themselves: the same step, run once more, can succeed.

    object_store: it does not answer. python_worker, executor, java: a process of Spark has ended. ray: one of Ray's.
    contention: too many others write to the same table. lease: another run that lives works on what the step needs.
    """

    OBJECT_STORE = "object_store"
    PYTHON_WORKER = "python_worker"
    EXECUTOR = "executor"
    JAVA = "java"
    RAY = "ray"
    CONTENTION = "contention"
    LEASE = "lease"


@settings
class Retries:
    """When a step of a nightly is run once more by itself, and after how long.

    Attributes:
        of: the failures after which it is; all others stop the night.
        attempts (runs): of a step at most, the first one among them; a lease is waited for as long as `lease` says.
        wait (s): before the second attempt; before each later one twice as long.
        longest_wait (s): the most.
        lease (s): how long a step waits for another run that works on what it needs.
    """

    of: list[Passing] = field(default_factory=lambda: list(Passing))
    attempts: Count = 3
    wait: Positive = 10.0
    longest_wait: Positive = 300.0
    lease: Positive = 3600.0

    def pause(self, attempt: int) -> float:
        """Seconds to wait after an attempt, the first one being 1.

        Example:
            >>> [Retries(wait=10, longest_wait=35).pause(attempt) for attempt in (1, 2, 3)]
            [10.0, 20.0, 35.0]
        """
        return float(min(self.wait * 2 ** (attempt - 1), self.longest_wait))
