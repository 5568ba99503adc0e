"""A sample by stratum, one stratum after another."""


def sampled(order, older, strata, share_of):
    """Row -> weight, for lists of one entry a row: which numbers come first in each stratum, how many each stands for.

    Args:
        order: number of each row.
        older: whether it may be left out.
        strata: value of each row.
        share_of: value -> share to keep.
    """
    weight = {row: 1.0 for row, is_older in enumerate(older) if not is_older}
    for value in set(strata):
        rows = [row for row in range(len(order)) if older[row] and strata[row] == value]
        numbers = sorted({order[row] for row in rows})
        kept = max(1, round(share_of(value) * len(numbers))) if numbers else 0
        weight |= {row: len(numbers) / kept for row in rows if order[row] in numbers[:kept]}
    return weight
