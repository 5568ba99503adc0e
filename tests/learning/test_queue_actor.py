"""Tasks in the queue reach a worker that lives, whichever was lost in the meantime."""

import asyncio

from nightjar.learning.fitting.candidates import Candidate
from nightjar.learning.search.fold_tasks import FoldTask
from nightjar.learning.search.queue_actor import QueueActor
from nightjar.settings.model import Estimator, Model

ONE, TWO = (FoldTask(Candidate(name, Model(Estimator.MAJORITY)), 0) for name in ("one", "two"))


def test_workers_are_served_in_turn_and_end_when_the_queue_is_closed():
    async def scenario():
        actor = QueueActor(None, [])
        await actor.put([ONE, TWO])
        await actor.close()
        return [await actor.next(worker, 0) for worker in (0, 1, 0, 1)]

    assert asyncio.run(scenario()) == [ONE, TWO, None, None]


def test_what_a_lost_worker_was_at_is_given_back_once():
    async def scenario():
        actor = QueueActor(None, [])
        await actor.put([ONE])
        return [await actor.next(0, 0), await actor.release(0), await actor.release(0)]

    assert asyncio.run(scenario()) == [ONE, ONE, None]


def test_a_worker_that_is_lost_while_it_waits_takes_no_unit_with_it():
    async def scenario():
        actor = QueueActor(None, [])
        waiting = asyncio.create_task(actor.next(0, 0))
        await asyncio.sleep(0)
        lost = await actor.release(0)
        again = asyncio.create_task(actor.next(0, 1))
        await asyncio.sleep(0)
        await actor.put([ONE])
        return lost, await waiting, await again

    assert asyncio.run(scenario()) == (None, None, ONE)


def test_a_question_that_is_heard_after_its_asker_was_lost_takes_no_unit():
    async def scenario():
        actor = QueueActor(None, ["problem"])
        first = await actor.begin(0)
        lost = await actor.release(0)
        second = await actor.begin(0)
        await actor.put([ONE])
        late = await actor.next(0, first[1])
        return first[0], lost, late, await actor.next(0, second[1]), await actor.release(0)

    assert asyncio.run(scenario()) == (["problem"], None, None, ONE, ONE)


def test_when_the_time_is_up_nothing_is_handed_out():
    async def scenario():
        actor = QueueActor(0.0, [])
        await actor.put([ONE])
        return await actor.next(0, 0)

    assert asyncio.run(scenario()) is None
