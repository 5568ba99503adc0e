"""Shapley values of trees: exact, of the path-dependent game, for many rows at once.

The value of a coalition is what the trees are expected to say where only its players' columns are given: at a node of
any other player a row goes both ways, by the training rows that did (Lundberg et al., "From local explanations to
global understanding with explainable AI for trees", 2020, algorithm 1).

That game is a sum over leaves. On the way to a leaf, each player j has a share z_j of the rows (the product over its
nodes), and the row fulfils all of its conditions, o_j = 1, or not, 0; a coalition S gets value * prod(o_j for j in S) *
prod(z_j for j not in S). The weights of Shapley's formula are integrals of t^|S| (1 - t)^(n - 1 - |S|), so that player
i has

    value * (o_i - z_i) * integral from 0 to 1 of prod(t o_j + (1 - t) z_j for j != i) dt

of a leaf: a polynomial of degree n - 1 in t, which Gauss's quadrature with n / 2 points integrates exactly. At each
point, a walk down gathers the products and a walk up the sums below each edge, as in linear TreeSHAP (Yu et al.,
"Linear TreeShap", 2022), here for a chunk of rows in each step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from nightjar.errors import ModelError
from nightjar.models.trees import LEAF, Tree, Trees

Floats = npt.NDArray[np.float64]
CHUNK_ROWS = 2048
"""Rows of a walk: enough that NumPy's calls cost little, few enough for the cache."""


@dataclass(frozen=True, eq=False)
class Edge:
    """The way from a node to one of its children.

    Attributes:
        node: where it begins.
        child: where it ends.
        is_lower: whether the child is the lower one.
        depth: of the child; the root's is 0.
        player: of the node's condition.
        previous: depth of the last edge of the same player above this one; 0: there is none.
        share: of the rows at the root that pass all edges of the player down to this one, those of others ignored.
        previous_share: the same at the previous edge; 1 where there is none.
        players: on the way down to the child.
        rows: share of the training rows that come to the child.
    """

    node: int
    child: int
    is_lower: bool
    depth: int
    player: int
    previous: int
    share: float
    previous_share: float
    players: int
    rows: float


@dataclass(frozen=True, eq=False)
class Walk:
    """A tree prepared for its rows.

    Attributes:
        tree: the tree.
        visits: its edges in the order of a walk through all of them, each with its number: first where it is entered,
            then (`False`) where it is left behind with all that is below.
        depth: of its deepest leaf.
        factors: of each edge at each point, (edges, points, 3): what the product is multiplied by, as coefficients of
            1, of whether the previous edges' conditions are fulfilled, and of whether this one's are, too.
        weights: of each edge, (edges, 2, points): what the integral of the sums below counts, as coefficients of
            whether this edge's conditions are fulfilled, and the previous ones'.
    """

    tree: Tree
    visits: Sequence[tuple[int, Edge, bool]]
    depth: int
    factors: Floats
    weights: Floats


def tree_shapley(trees: Trees, players: Sequence[int], columns: int, inputs: Floats) -> tuple[Floats, Floats]:
    """Shapley values, (rows, outputs, players), and the expected value that they are added to, (outputs,).

    Args:
        trees: their sum is explained.
        players: the player, from 0, that each input belongs to: inputs of one are given or left out together.
        columns: how many players there are.
        inputs: (rows, inputs), NaN where a value is missing.

    Raises:
        ModelError: no training rows are on record for a node.
    """
    base = trees.base.copy()
    starts = range(0, len(inputs), CHUNK_ROWS)
    chunks = [trees.read(inputs[start : start + CHUNK_ROWS]) for start in starts]
    sums = [np.zeros((len(base), columns, chunk.shape[1])) for chunk in chunks]
    for tree in trees.trees:  # one walk at a time: all those of a large forest take gigabytes
        outputs = slice(tree.output, tree.output + tree.value.shape[1])
        if tree.input[0] == LEAF:
            base[outputs] += tree.value[0]
            continue
        walk = _prepare(tree, players)
        ends = [(edge.child, edge.rows) for _, edge, enters in walk.visits if enters and tree.input[edge.child] == LEAF]
        base[outputs] += sum(rows * tree.value[leaf] for leaf, rows in ends)
        for chunk, of_chunk in zip(chunks, sums, strict=True):
            _add(walk, chunk, of_chunk)
    values = np.zeros((len(inputs), len(base), columns))
    for start, of_chunk in zip(starts, sums, strict=True):
        values[start : start + CHUNK_ROWS] = of_chunk.transpose(2, 0, 1)
    return values, base


def _prepare(tree: Tree, players: Sequence[int]) -> Walk:
    visits = list(_visits(tree, players))
    edges = [edge for _, edge, enters in visits if enters]
    points, weight = np.polynomial.legendre.leggauss((max(edge.players for edge in edges) + 1) // 2)
    t, weight = (points + 1) / 2, weight / 2
    share, previous_share = (
        np.array([getattr(edge, name) for edge in edges])[:, np.newaxis] for name in ("share", "previous_share")
    )
    unfulfilled, previous = (1 - t) * share, t + (1 - t) * previous_share
    fulfilled = t + unfulfilled
    neither, first, both = share / previous_share, unfulfilled / previous, fulfilled / previous
    if_fulfilled, if_not = weight * (1 - share) / fulfilled, -weight / (1 - t)
    if_previous = weight * (1 - previous_share) / previous
    return Walk(
        tree,
        visits,
        max(edge.depth for edge in edges),
        np.stack(np.broadcast_arrays(neither, first - neither, both - first), axis=-1),
        np.stack([if_fulfilled - if_not, if_not - if_previous], axis=1),
    )


def _visits(tree: Tree, players: Sequence[int]) -> Iterator[tuple[int, Edge, bool]]:
    """See `Walk`. Without recursion, as a tree may be as deep as it has rows."""
    numbers = count()
    states: list[dict[int, tuple[int, float]]] = [{}]  # of each depth: player -> depth and share at its last edge
    stack = [(-1, edge, True) for edge in _edges(tree, players, 0, 1.0, states)]
    while stack:
        number, edge, enters = stack.pop()
        if enters:
            number = next(numbers)
            stack.append((number, edge, False))
        yield number, edge, enters
        if enters and tree.input[edge.child] != LEAF:
            del states[edge.depth :]
            states.append({**states[-1], edge.player: (edge.depth, edge.share)})
            stack += [(-1, one, True) for one in _edges(tree, players, edge.child, edge.rows, states)]


def _edges(
    tree: Tree, players: Sequence[int], node: int, rows: float, states: Sequence[dict[int, tuple[int, float]]]
) -> list[Edge]:
    """The edges to a node's children, the upper one first."""
    children = tree.upper[node], tree.lower[node]
    total = sum(tree.cover[child] for child in children)
    if not total > 0:
        raise ModelError(
            "No training rows are on record for a node of this model, so that its scores have no exact contributions: "
            "an earlier version stored it without them, or all its rows there weigh 0. Train it again."
        )
    player, state = players[tree.input[node]], states[-1]
    previous, share = state.get(player, (0, 1.0))
    several = len(state) + (player not in state)
    parts = [tree.cover[child] / total for child in children]
    return [
        Edge(node, child, is_lower, len(states), player, previous, share * part, share, several, rows * part)
        for child, part, is_lower in zip(children, parts, (False, True), strict=True)
    ]


def _add(walk: Walk, inputs: Floats, sums: Floats) -> None:
    """Add a tree's Shapley values of rows, whose inputs are (inputs, rows), to `sums`, (outputs, players, rows)."""
    tree, rows = walk.tree, inputs.shape[1]
    width, points = tree.value.shape[1], walk.factors.shape[1]
    fulfilled = np.ones((walk.depth + 1, 3, rows))  # of each depth: 1; previous; this edge's and previous
    products = np.ones((walk.depth + 1, points, rows))
    below = np.empty((walk.depth + 1, width, points, rows))
    conditions = np.empty((walk.depth + 1, rows))
    integrals = np.empty((width, 2, rows))
    for number, edge, enters in walk.visits:
        depth = edge.depth
        own, values = fulfilled[depth], below[depth]
        if enters:
            condition = conditions[depth]
            if edge.is_lower:
                condition[:] = tree.fulfil(edge.node, inputs[tree.input[edge.node]])
            else:
                np.subtract(1, condition, out=condition)
            own[1] = fulfilled[edge.previous, 2]
            np.multiply(own[1], condition, out=own[2])
            np.matmul(walk.factors[number], own, out=products[depth])
            np.multiply(products[depth], products[depth - 1], out=products[depth])
            if tree.input[edge.child] == LEAF:
                np.multiply(tree.value[edge.child][:, np.newaxis, np.newaxis], products[depth], out=values)
            continue
        np.matmul(walk.weights[number], values, out=integrals)
        np.multiply(integrals, own[:0:-1], out=integrals)
        sums[tree.output : tree.output + width, edge.player] += integrals.sum(axis=1)
        if edge.is_lower:
            below[depth - 1] = values
        else:
            below[depth - 1] += values
