"""What became of each active entity, night by night."""


def nights(facts, within, last_night):
    """(entity, midnight) of each night on which an entity has a fact of the days before, `within` at most."""
    entities, first = {entity for entity, _ in facts}, min(day for _, day in facts)
    return [
        (entity, night)
        for entity in entities
        for night in range(first, last_night + 1)
        if any(one == entity and night - within <= day < night for one, day in facts)
    ]


def outcomes(facts, true, within, horizon):
    """Rows whose horizon has passed; of them, those that have a fact; of these, those that have a true one."""
    last = max(day for _, day in facts)
    rows = nights(facts, within, last - horizon + 1)
    met = [row for row in rows if _within(facts, row, horizon)]
    return len(rows), len(met), sum(_within(true, row, horizon) for row in met)


def _within(facts, row, horizon):
    entity, night = row
    return any(one == entity and night <= day < night + horizon for one, day in facts)
