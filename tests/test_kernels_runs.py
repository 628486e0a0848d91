"""Runs of collisions: their tickets, a twin that takes every collision, and the law that they leave unchanged.

Comparisons with exact values are made at 4.5 standard errors, about 30 of them.
"""

from itertools import pairwise, product
import math

import numpy as np
import pytest

from collide import Bath, Collision, CollisionModel
from collide.engines import collision_program, run_tables
from collide.exact.process import Instrument, Unitary, embed
from collide.kernels import run_tables as kernels_run_tables
from collide.kernels.collision_runs import run_path
from collide.operators import lowering
from collide.program import compile_program, run_chunk
from systems import SPACE, coherent_ket, coherent_mixture, collision_pair, hamiltonian

LIMIT = 4.5


def labels_of(tables, node: int) -> list[int]:
    """First outcomes of a run, in the order of its collisions."""
    labels: list[int] = []
    while tables.node[node]["length"] > 0:
        labels.insert(0, int(tables.node[node]["level"]))
        node = int(tables.node[node]["parent"])
    return labels


def drawn(tables, start: int, u: float) -> int:
    """The node that a number draws."""
    first, end = tables.ticket_start[start : start + 2]
    place = u * (end - first)
    ticket = tables.ticket[first + int(place)]
    return int(ticket["node"] if place - int(place) < ticket["keep"] else ticket["other"])


def share_of(tables, start: int) -> np.ndarray:
    """(nodes,) chance with which each is drawn."""
    tickets = tables.ticket[tables.ticket_start[start] : tables.ticket_start[start + 1]]
    share = np.zeros(len(tables.node))
    np.add.at(share, tickets["node"], tickets["keep"] / len(tickets))
    np.add.at(share, tickets["other"], (1 - tickets["keep"]) / len(tickets))
    return share


def operators(program) -> tuple[np.ndarray, np.ndarray]:
    """(outcomes, nb, m, m) operators and (outcomes,) whether something is counted."""
    a = program.arrays
    outcomes, nb = a["target"].shape
    m = a["basis"].shape[1]
    ops = np.zeros((outcomes, nb, m, m), complex)
    for pair in range(outcomes * nb):
        at = slice(a["entry_start"][pair], a["entry_start"][pair + 1])
        ops[pair // nb, pair % nb, a["entry_row"][at], a["entry_column"][at]] = a["entry_value"][at]
    return ops, np.any(a["count"] >= 0, axis=1)


def twin(program, seed: int, id: int):
    """One trajectory in plain NumPy, collision by collision: (counts, (period, outcome) of exchanges, final state)."""
    a, tables = program.arrays, run_tables(program)
    ops, counted = operators(program)
    elements = len(a["prior_start"]) - 1
    u = iter(np.random.Generator(np.random.Philox(key=[seed, id])).random(20_000))
    i = int(np.searchsorted(a["initial_cdf"], next(u), side="right"))
    block, psi, threshold = int(a["initial_block"][i]), a["initial_vec"][i].copy(), next(u)
    counts, happened, place = np.zeros(len(a["count_bath"]), int), list[tuple[int, int]](), 0
    for stop in a["steps"] * elements:
        while place < stop:
            alone = tables.first[block] < 0
            run = labels_of(tables, drawn(tables, place % elements + elements * alone, next(u)))
            for level in run[: stop - place]:
                outcomes = range(a["outcome_start"][level], a["outcome_start"][level + 1])
                kets = [ops[k, block] @ psi for k in outcomes]
                p = [float(np.vdot(ket, ket).real) for ket in kets]
                usual = a["target"][outcomes[0], block] == block and not counted[outcomes[0]]
                chosen, taken = 0, p[0] > threshold
                if not taken:
                    others = np.cumsum(p[1:])
                    chosen = 1 if len(p) == 2 else 1 + int(np.searchsorted(others, next(u) * others[-1], side="right"))
                    threshold = next(u)
                block, psi = int(a["target"][outcomes[chosen], block]), kets[chosen]
                if not taken:
                    psi = psi / math.sqrt(p[chosen])
                place += 1
                if counted[outcomes[chosen]]:
                    happened.append(((place - 1) // elements + 1, outcomes[chosen]))
                    for row in a["count"][outcomes[chosen]]:
                        counts[row] += row >= 0
                if not (taken and usual):
                    break
    state = np.zeros(program.d, complex)
    size = a["size"][block]
    state[a["basis"][block, :size]] = psi[:size] / np.linalg.norm(psi)
    return counts, happened, state


@pytest.mark.parametrize("initial", ["steady", coherent_mixture(), coherent_ket()], ids=["steady", "mixture", "ket"])
@pytest.mark.parametrize(
    ("statistics", "construction", "levels", "tau", "room"),
    [
        ("spin", "split", None, 0.5, 2**14),
        ("spin", "split", None, 2.0, 2**14),
        ("spin", "alternating", None, 0.3, 2**10),
        ("boson", "split", None, 0.4, 2**14),
        ("boson", "joint", 16, 0.5, 2**14),
        ("boson", "split", 14, 1.0, 0),
    ],
)
def test_runs_equal_a_twin_that_takes_every_collision(
    initial, statistics: str, construction: str, levels: int | None, tau: float, room: int, monkeypatch
) -> None:
    """The same exchanges in the same periods and the same states, across a stop, in blocks of one state and of more."""
    monkeypatch.setattr(kernels_run_tables, "MOST_ENTRIES", room)
    model = collision_pair(tau, statistics, construction, levels)
    program = compile_program(
        model, [21 * tau, 200 * tau], initial=initial, keep=("jumps", "final_state"), labels="all"
    )
    chunk = run_chunk(program, 5, 0, 10)
    ends = np.cumsum(chunk.ragged["row_size"])
    total = 0
    for id in range(10):
        counts, happened, state = twin(program, 5, id)
        assert np.array_equal(chunk.columns["counts"][id], counts)
        mine = slice(ends[id] - chunk.ragged["row_size"][id], ends[id])
        assert np.array_equal(chunk.ragged["jump_channel"][mine], [outcome for _, outcome in happened])
        assert np.allclose(chunk.ragged["jump_time"][mine], [period * tau for period, _ in happened], rtol=1e-14)
        assert abs(np.vdot(state, chunk.columns["final_state"][id])) == pytest.approx(1.0, abs=1e-10)
        total += len(happened)
    assert total > 10


@pytest.mark.parametrize(
    ("statistics", "levels", "room"),
    [("spin", None, 2**14), ("spin", None, 2**9), ("boson", None, 2**14), ("boson", 66, 2**14), ("boson", 66, 0)],
)
def test_tickets_have_the_chance_of_their_levels(statistics: str, levels: int | None, room: int, monkeypatch) -> None:
    """Every list of levels is drawn with the product of its populations; runs are long where there is room."""
    monkeypatch.setattr(kernels_run_tables, "MOST_ENTRIES", room)
    program = compile_program(collision_pair(0.1, statistics, "split", levels), 1.0, labels="all")
    a, tables = program.arrays, run_tables(program)
    elements = len(a["prior_start"]) - 1
    population = np.concatenate(
        [np.diff(a["prior_cdf"][first:end], prepend=0.0) for first, end in pairwise(a["prior_start"].tolist())]
    )
    for start in range(2 * elements):
        share = share_of(tables, start)
        runs = np.flatnonzero(share)
        assert share.min() >= 0
        assert share.sum() == pytest.approx(1.0, abs=1e-13)
        for node in runs.tolist():
            labels = labels_of(tables, node)
            assert share[node] == pytest.approx(math.prod(population[labels]), rel=1e-10, abs=1e-15)
            assert all(a["prior_start"][(start + k) % elements] <= n for k, n in enumerate(labels))
            assert all(n < a["prior_start"][(start + k) % elements + 1] for k, n in enumerate(labels))
        if start >= elements:
            assert np.all(tables.node["length"][runs] == 1)
    share = share_of(tables, 0)
    mean = (share * tables.node["length"]).sum()
    assert mean > {0: 1 - 1e-12, 2**9: 6, 2**14: 4}[room]
    if statistics == "spin" and room == 2**14:
        assert np.all(tables.node["end"][share > 0] == 0)  # they end with a period
        assert mean > 12


@pytest.mark.parametrize(("share", "gamma_tau"), [(0.01, 0.0087), (0.2, 0.19), (0.6, 1.0)])
def test_three_cumulants_of_heat_and_work_at_many_collisions(share: float, gamma_tau: float) -> None:
    """From rare to dominant exchanges, at the angle whose exchanges per collision are asserted to be about `share`."""
    ends = []
    for name, site, beta in (("L", 0, 0.0), ("R", 1, -0.5)):
        bath = Bath(name, beta=beta, statistics="spin")
        ends.append(Collision(bath, lowering(2), site, bath.ancilla(1.0), 2 * gamma_tau))
    model = CollisionModel(hamiltonian(0.4), ends, 1.0, dims=SPACE)
    periods, n = 400 if share < 0.1 else 60, 40_000
    program = compile_program(model, float(periods), initial=coherent_mixture(), labels="all")
    columns = run_chunk(program, 3, 0, n).columns
    per_collision = columns["counts"].sum() / (2 * periods * n)
    assert share / 2.5 < per_collision < 2.5 * share
    a = program.arrays
    exact = model.trajectory_statistics(
        float(periods), a["rho_initial"], opening=a["initial_kets"], closing=a["final_kets"]
    )
    found = {"heat L": columns["heat"][:, 0], "heat R": columns["heat"][:, 1], "work": columns["work"]}
    for name, column in found.items():
        k = exact.cumulants(name, 6)
        assert abs(column.mean() - k[0]) < LIMIT * math.sqrt(k[1] / n)
        assert abs(column.var(ddof=1) - k[1]) < LIMIT * math.sqrt(k[3] / n + 2 * k[1] ** 2 / (n - 1))
        third = ((column - column.mean()) ** 3).mean()
        # variance of the third k-statistic (Kendall & Stuart, The Advanced Theory of Statistics 1, Eq. 12.37)
        spread = k[5] + 9 * k[3] * k[1] + 9 * k[2] ** 2 + 6 * k[1] ** 3
        assert abs(third - k[2]) < LIMIT * math.sqrt(spread / n), name


@pytest.mark.parametrize("gamma_tau", [0.0087, 0.19, 1.0], ids=["rare", "some", "most"])
def test_states_know_every_label(gamma_tau: float) -> None:
    """The mean of <A>^2 over all lists of labels of two periods, which unread labels would make smaller."""
    ends = []
    for name, site, beta in (("L", 0, 0.5), ("R", 1, 1.5)):
        bath = Bath(name, beta=beta, statistics="spin")
        ends.append(Collision(bath, np.array([[0, 1], [0, 0.3]]), site, bath.ancilla(1.0), 2 * gamma_tau))
    model = CollisionModel(hamiltonian(0.4), ends, 1.0, dims=SPACE)
    A = SPACE.number(0) + 0.3 * SPACE.exchange(0, 1)
    program = compile_program(model, 2.0, initial=coherent_ket(), e_ops={"A": A}, labels="all")
    n = 40_000
    moments = _moments(model, np.asarray(A.toarray() if hasattr(A, "toarray") else A), 2)
    sums = run_chunk(program, 11, 0, n).partial["expect_sum"][-1, 0]
    assert abs(sums[0] / n - moments[1]) < LIMIT * math.sqrt((moments[2] - moments[1] ** 2) / n)
    assert abs(sums[1] / n - moments[2]) < LIMIT * math.sqrt((moments[4] - moments[2] ** 2) / n)
    unread = compile_program(model, 2.0, initial=coherent_ket(), e_ops={"A": A}, labels="heat")
    other = run_chunk(unread, 11, 0, n).partial["expect_sum"][-1, 0, 1]
    if gamma_tau == 1.0:  # otherwise the labels tell too little
        assert abs(other / n - moments[2]) > LIMIT * math.sqrt((moments[4] - moments[2] ** 2) / n)


def _moments(model: CollisionModel, A: np.ndarray, periods: int) -> list[float]:
    """Powers 0 ... 4 of <A> averaged over all lists of labels."""
    process = model.process
    steps = [
        [embed(k, e.sites, process.dims).toarray() for k in e.kraus]
        if isinstance(e, Instrument)
        else [e.matrix.toarray()]
        for e in process.elements
        if isinstance(e, Instrument | Unitary)
    ] * periods
    out = np.zeros(5)
    for history in product(*steps):
        ket = coherent_ket()
        for op in history:
            ket = op @ ket
        p = float(np.vdot(ket, ket).real)
        if p > 0:
            out += p * (float(np.vdot(ket, A @ ket).real) / p) ** np.arange(5)
    return out.tolist()


@pytest.mark.parametrize(("initial", "room"), [("steady", 2**14), (coherent_ket(), 2**14), (coherent_ket(), 0)])
def test_a_path_passes_the_stops_of_its_trajectory(initial, room: int, monkeypatch) -> None:
    """Seen after every collision: the same exchanges, the same state at the end, each state follows from the last."""
    monkeypatch.setattr(kernels_run_tables, "MOST_ENTRIES", room)
    program = compile_program(
        collision_pair(0.5, "spin"), [10.5, 11.0, 200.0], initial=initial, keep=("final_state",), labels="all"
    )
    ops, _ = operators(program)
    a = program.arrays
    columns = run_chunk(program, 8, 0, 4).columns
    for id in range(4):
        states, counts = run_path(collision_program(program), run_tables(program), 8, id)
        assert len(states) == 1 + 2 * 400
        assert np.array_equal(counts[-1], columns["counts"][id])
        assert np.allclose(states[-1], columns["final_state"][id], atol=1e-14)
        for place, (before, after) in enumerate(pairwise(states)):
            assert _best_overlap(a, ops, place % 2, before, after) == pytest.approx(1.0, abs=1e-12)


def _best_overlap(a, ops: np.ndarray, element: int, before: np.ndarray, after: np.ndarray) -> float:
    """How near a state is to what some outcome of a collision makes of the one before it."""
    block = next(b for b, basis in enumerate(a["basis"]) if np.any(before[basis[: a["size"][b]]]))
    psi = np.zeros(ops.shape[2], complex)
    psi[: a["size"][block]] = before[a["basis"][block, : a["size"][block]]]
    best = 0.0
    first, end = a["outcome_start"][a["prior_start"][element : element + 2]]
    for k in range(first, end):
        to = a["target"][k, block]
        ket = ops[k, block] @ psi
        if to >= 0 and np.any(ket):
            full = np.zeros(len(before), complex)
            full[a["basis"][to, : a["size"][to]]] = ket[: a["size"][to]]
            best = max(best, abs(np.vdot(full, after)) / np.linalg.norm(full))
    return best
