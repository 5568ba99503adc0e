"""Units on the desk reach a worker that lives, whoever was lost meanwhile."""

import asyncio

from nightjar.learning.search.candidates import Candidate
from nightjar.learning.search.desk import Desk
from nightjar.learning.search.race import Unit
from nightjar.settings.model import Estimator, Model

ONE, TWO = (Unit(Candidate(name, Model(Estimator.MAJORITY)), 0) for name in ("one", "two"))


def test_workers_are_served_in_turn_and_go_home_when_the_desk_is_closed():
    async def scenario():
        desk = Desk(None, [])
        await desk.put([ONE, TWO])
        await desk.close()
        return [await desk.next(worker, 0) for worker in (0, 1, 0, 1)]

    assert asyncio.run(scenario()) == [ONE, TWO, None, None]


def test_what_a_lost_worker_was_at_is_given_back_once():
    async def scenario():
        desk = Desk(None, [])
        await desk.put([ONE])
        return [await desk.next(0, 0), await desk.release(0), await desk.release(0)]

    assert asyncio.run(scenario()) == [ONE, ONE, None]


def test_a_worker_that_is_lost_while_it_waits_takes_no_unit_with_it():
    async def scenario():
        desk = Desk(None, [])
        waiting = asyncio.create_task(desk.next(0, 0))
        await asyncio.sleep(0)
        lost = await desk.release(0)
        again = asyncio.create_task(desk.next(0, 1))
        await asyncio.sleep(0)
        await desk.put([ONE])
        return lost, await waiting, await again

    assert asyncio.run(scenario()) == (None, None, ONE)


def test_a_question_that_is_heard_after_its_asker_was_lost_takes_no_unit():
    async def scenario():
        desk = Desk(None, ["problem"])
        first = await desk.begin(0)
        lost = await desk.release(0)
        second = await desk.begin(0)
        await desk.put([ONE])
        late = await desk.next(0, first[1])
        return first[0], lost, late, await desk.next(0, second[1]), await desk.release(0)

    assert asyncio.run(scenario()) == (["problem"], None, None, ONE, ONE)


def test_when_the_time_is_up_nothing_is_handed_out():
    async def scenario():
        desk = Desk(0.0, [])
        await desk.put([ONE])
        return await desk.next(0, 0)

    assert asyncio.run(scenario()) is None
