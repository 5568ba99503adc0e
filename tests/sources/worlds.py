"""Days on which rows come, come late, change and vanish, wherever they lie; and nights that read them, out of order."""

from abc import ABC, abstractmethod
from datetime import UTC, date, datetime, timedelta

from nightjar.timeline import cutoff
from oracles.nights import Row, facts

DAYS = [date(2024, 4, 1) + timedelta(days=n) for n in range(10)]
CUTOFFS = {day: cutoff(day, "Europe/Paris") for day in DAYS}
AT = datetime(2024, 3, 30, 6, tzinfo=UTC)
STORED = ("machine", "stated_known_at", "temperature", "known_at", "ingested_on")


def moment(day, hour=7):
    """An hour of the day before a run date's midnight."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC) - timedelta(days=1)


class World(ABC):
    """Readings, one for each machine, with the moment at which each was written; where they lie, others say."""

    def __init__(self):
        self.rows, self.day = {}, 0

    @abstractmethod
    def sources(self):
        """Name -> settings of the sources that read them."""

    def write(self, row):
        """Insert a row, or update that of the same machine."""
        self.rows[row["machine"]] = row

    def remove(self, machine):
        del self.rows[machine]

    def live_until(self, n):
        """Let pass the days up to the one that ends with a night."""
        for number in range(self.day + 1, n + 1):
            day = DAYS[number - 1]
            if number != 3:  # a night without news
                self.put(f"m{number}" if number < 9 else "m1", moment(day), 10 + number, moment(day))
            self.at_odds(number, day)
        self.day = max(self.day, n)

    def at_odds(self, number, day):
        if number == 2:
            self.put("later", moment(DAYS[4]), 5, moment(day, 8))  # known three nights after it is written
        elif number == 4:
            self.put("late", moment(DAYS[0]), 6, moment(day, 9))
        elif number == 5:
            before = moment(DAYS[3], 1)  # behind what was read by the night before, within the overlap
            self.put("slow", before, 7, before)
        elif number == 6:
            self.put("m1", moment(DAYS[0]), 85, moment(day, 10))
            self.remove("m2")

    def put(self, machine, seen, temperature, written):
        self.write({"machine": machine, "at": AT, "seen": seen, "temperature": temperature, "written": written})

    def state(self):
        return {(row["machine"], AT): Row(row["seen"], (row["temperature"],)) for row in self.rows.values()}


def ten_nights(world, run):
    """Run ten nights, three of them after a later one, and one again; what an oracle stores that reads everything each
    night."""
    runs, read = [], {}
    for n in (1, 2, 3, 4, 8, 5, 6, 7, 9, 10, 4):
        day = DAYS[n - 1]
        world.live_until(n)
        read.setdefault(day, world.state())
        run(world.sources(), day, max((one for one, _ in runs if one < day), default=None), f"run-{len(runs)}")
        runs.append((day, read[day]))
    return sorted((one.key[0], one.stated, *one.values, one.known_at, one.ingested_on) for one in facts(runs, CUTOFFS))
