"""What `scores_latest` and its change feed hold, row by row, of what `scores` serves after each of its changes."""

NOT_SERVED_VALUES = ("run_id", "change")
SCORER = ("model_version", "role", "fallback")


def served(scores, entity):
    """Entity -> the newest of its served rows; `scores` are dictionaries, `entity` the name of the key."""
    newest = {}
    for row in scores:
        if row["role"] == "retrospective":
            continue
        if not (row["role"] == "champion" if row["served"] is None else row["served"]):
            continue
        other = newest.get(row[entity])
        if other is None or age(other) < age(row):
            newest[row[entity]] = {name: value for name, value in row.items() if name != "served"}
    return newest


def age(row):
    return row["prediction_time"], row["run_date"]


def advance(before, scores, entity):
    """The table after a change of `scores`, and the rows that its feed has as deleted and inserted.

    Args:
        before: entity -> row of the table.
        scores: all rows of `scores` now.
        entity: name of the key.
    """
    now, after, deleted, inserted = served(scores, entity), {}, [], []
    for name in {*before, *now}:
        old, new = before.get(name), now.get(name)
        if old is not None and new is not None and values(old) == values(new):
            after[name] = old
            continue
        if old is not None:
            deleted.append(old)
        if new is not None:
            after[name] = new | {"change": change(old, new)}
            inserted.append(after[name])
    return after, deleted, inserted


def values(row):
    return {name: value for name, value in row.items() if name not in NOT_SERVED_VALUES}


def change(old, new):
    if old is None:
        return "new"
    if old["prediction_id"] != new["prediction_id"]:
        return "new" if age(old) <= age(new) else "restored"
    return "corrected" if all(old[name] == new[name] for name in SCORER) else "rescored"
