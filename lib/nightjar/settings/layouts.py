"""Settings of a second copy of a source's facts."""

from collections.abc import Iterator

from nightjar.settings.checks import Issue, expect, expect_names
from nightjar.settings.fields import Count, Names
from nightjar.settings.validation import settings

BY, LONGEST_KEYS = "__by_", 150  # what stands before a layout's keys in its table's name, and their letters at most


@settings
class Layout:
    """A second copy of a source's facts, laid out for joins by one key set; worth it for facts of millions.

    Attributes:
        keys: stored columns of the source, in the order that facts are sorted by.
        buckets (buckets): parts that tasks take one by one; facts and spine rows of one must fit a task's memory.
    """

    keys: Names
    buckets: Count = 16

    def issues(self) -> Iterator[Issue]:
        """Whether the keys, which name its table, are few enough to do so."""
        yield from expect_names("keys", self.keys)
        yield from expect(
            len("_".join(self.keys)) <= LONGEST_KEYS, "keys", self.keys, f"at most {LONGEST_KEYS} letters together"
        )
