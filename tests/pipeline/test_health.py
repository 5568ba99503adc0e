"""What a run is measured by, and when it is too much."""

from nightjar.pipeline.health import exceeded
from nightjar.runtime.memory import Sampler
from nightjar.runtime.spark_stages import Stage, parse, skew_of, wall_times
from nightjar.settings.serving.budgets import Budget
from nightjar.tables.runs import Health
from waiting import wait_until


def test_a_budget_is_exceeded_by_what_is_measured_alone():
    health = Health(rows_per_second=50.0, spilled_bytes=3 << 30, skew=2.0, peak_memory_bytes=1 << 30)
    budget = Budget(seconds=10, rows_per_second=100, peak_memory=0.5, spilled=2, skew=1.5)
    assert [text.split()[0] for text in exceeded(budget, 11.0, health)] == [
        *("seconds", "peak_memory", "spilled", "skew", "rows_per_second")
    ]
    assert list(exceeded(budget, 9.0, Health())) == []
    assert list(exceeded(Budget(), 1e9, health)) == []


def listed(number, name, begins, ends, **others):
    fields = {"attemptId": 0, "numTasks": 2, "diskBytesSpilled": 7}
    return {"stageId": number, "name": name, "submissionTime": begins, "completionTime": ends} | fields | others


def test_stages_are_named_by_action_and_module_and_those_of_before_or_unfinished_are_left_out():
    stages = parse(
        [
            listed(3, "collect at /some/where/sink.py:120", 2000, 4500),
            listed(2, "count at rows.py:3", 2000, 3000),
            listed(1, "collect at /some/where/sink.py:99", 900, 1000),
            listed(4, "collect at /some/where/sink.py:99", 4000, None),
            listed(5, "$anonfun at Thread.java:1", 5000, 5250, numTasks=1),
        ],
        1500,
    )
    assert stages == [
        Stage(2, 0, "count at rows.py", 2000, 3000, 2, 7),
        Stage(3, 0, "collect at sink.py", 2000, 4500, 2, 7),
        Stage(5, 0, "$anonfun at Thread.java", 5000, 5250, 1, 7),
    ]
    assert wall_times(stages) == {"count at rows.py": 1.0, "collect at sink.py": 1.5, "$anonfun at Thread.java": 0.25}


def test_skew_is_the_longest_task_by_the_median_one():
    assert skew_of(200.0, 500.0) == 2.5
    assert skew_of(0.0, 500.0) is None


def test_memory_is_that_of_the_largest_moment():
    sampler = Sampler(every=0.01)
    before = sampler.stop()
    sampler, ballast = Sampler(every=0.01), bytearray(64 << 20)
    wait_until(lambda: (sampler._most or 0) > before + (48 << 20), "the ballast was never seen")
    del ballast
    assert sampler.stop() > before + (48 << 20)
