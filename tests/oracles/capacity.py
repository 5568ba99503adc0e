"""Who gets a place in tiers of so many rows a night: all its rows ranked in one list, one tier after another."""

import hashlib


def tiers(rows, places):
    """The tier of each row of a night.

    Args:
        rows: dictionaries with prediction_id, raw_score, tier (by thresholds), abstained and assignment.
        places: (name, rows at most or None), in the order of the tiers.
    """
    order = [name for name, _ in places]
    result = {row["prediction_id"]: row["tier"] for row in rows}
    without = {row["prediction_id"] for row in rows if row["abstained"] is None and row["assignment"] == "score"}
    for number, (name, most) in enumerate(places):
        if most is None:
            continue
        ranked = sorted(
            (row for row in rows if row["prediction_id"] in without),
            key=lambda row: (-row["raw_score"], hashlib.sha256(row["prediction_id"].encode()).hexdigest()),
        )
        later = [row for row in ranked if row["tier"] is None or order.index(row["tier"]) > number]
        for row in later[:most]:
            result[row["prediction_id"]] = name
            without.discard(row["prediction_id"])
    return result
