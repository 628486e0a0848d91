"""Collisions by look-up: the records of the lanes' engine, number by number, on models of every kind.

A record may differ only where a norm and its threshold, or a sum of probabilities and its random number, agree to
thirteen digits: less than one in 10^8 of the events compared here.
"""

from itertools import pairwise
import math
from typing import Any

import numpy as np
import pytest

from collide import Bath, Collision, CollisionModel, Space, oscillator, qubit
from collide.engines import event_tables, renewal_tables
from collide.kernels.event_tables import EventProgram
from collide.kernels.events import run_events
from collide.kernels.jumps import Record
from collide.kernels.renewal import run_renewal
from collide.kernels.renewal_laws import BEYOND, BINS
from collide.kernels.renewal_tables import LARGEST, prepare_renewal
from collide.machines import rectifier
from collide.operators import lowering
from collide.program import Program, compile_program
from random_models import hermitian_basis, random_collisions
from systems import SPACE, coherent_ket, coherent_mixture, collision_pair

EVERYTHING = Record(jumps=True, final_state=True, states=True, rho=True)


def both(program: Program, seed: int, start: int, stop: int, record: Record = EVERYTHING) -> tuple[Any, Any]:
    """Raw records by look-up, whatever its share of searches, and by lanes."""
    tables = prepare_renewal(EventProgram(*(program.arrays[name] for name in EventProgram._fields)), 1.0)
    assert tables is not None
    return run_renewal(tables, seed, start, stop, record), run_events(event_tables(program), seed, start, stop, record)


def assert_same(ours: Any, lanes: Any) -> None:
    """The same records; kets up to their phases, sums and expectation values up to rounding."""
    assert ours.keys() == lanes.keys()
    for name in ("initial", "final", "counts", "status", "row_size", "jump_time", "jump_channel"):
        if name in lanes:
            assert np.array_equal(ours[name], lanes[name]), name
            assert ours[name].dtype == lanes[name].dtype, name
    for name in ("closing_energy", "expect_sum", "heat_power_sums", "heat_pair_sums", "rho_sum"):
        if name in lanes:
            assert ours[name].shape == lanes[name].shape, name
            scale = max(1.0, np.abs(np.nan_to_num(lanes[name])).max(initial=0.0))
            assert np.allclose(ours[name], lanes[name], rtol=0, atol=1e-10 * scale, equal_nan=True), name
    for name in ("final_state", "states"):
        if name in lanes:
            overlap = np.abs(np.sum(ours[name].conj() * lanes[name], axis=-1))
            assert np.allclose(overlap, np.linalg.norm(lanes[name], axis=-1), rtol=0, atol=1e-10), name


def oscillator_ends(rng: np.random.Generator, levels: int, tau: float) -> CollisionModel:
    """An oscillator of few levels between qubit ancillas: blocks of one state."""
    space = Space(oscillator(levels))
    items = []
    for k in range(2):
        bath = Bath(f"b{k}", beta=rng.uniform(-0.5, 2.0), statistics="spin")
        items.append(Collision(bath, lowering(levels), 0, bath.ancilla(1.0), rng.uniform(0.05, 0.5)))
    return CollisionModel(space.number(0), items, tau, dims=space)


def pair(rng: np.random.Generator, tau: float, cold: bool = False) -> CollisionModel:
    """Two detuned qubits with exchange between thermal or cold ancillas."""
    H = SPACE.number(0) + rng.uniform(0.7, 1.3) * SPACE.number(1) + rng.uniform(0.02, 0.4) * SPACE.exchange(0, 1)
    items = []
    for k in range(2):
        bath = Bath(f"b{k}", temperature=0.0 if cold and k else rng.uniform(0.3, 2.0), statistics="spin")
        items.append(Collision(bath, lowering(2), k, bath.ancilla(1.0), rng.uniform(0.02, 0.5)))
    return CollisionModel(H, items, tau, dims=SPACE, construction=["split", "alternating", "joint"][rng.integers(3)])


def three(rng: np.random.Generator, tau: float) -> CollisionModel:
    """Three qubits, of which blocks have three states; half of the events prepare none."""
    space = Space(qubit(), qubit(), qubit())
    H: Any = sum((rng.uniform(0.8, 1.2) * space.number(k) for k in range(3)), 0 * space.identity())
    H = H + rng.uniform(0.05, 0.3) * space.exchange(0, 1) + rng.uniform(0.05, 0.3) * space.exchange(1, 2)
    items = []
    for k in (0, 2):
        bath = Bath(f"b{k}", temperature=rng.uniform(0.3, 2.0), statistics="spin")
        items.append(Collision(bath, lowering(2), k, bath.ancilla(1.0), rng.uniform(0.05, 0.5)))
    return CollisionModel(H, items, tau, dims=space)


def models() -> list[Any]:
    """Named random models: what prepares states always, partly and never; from rare to dominant events."""
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        tau = float(rng.choice([0.05, 0.3, 1.0, 2.5]))
        found += [
            pytest.param(pair(rng, tau), id=f"pair-{seed}"),
            pytest.param(pair(rng, tau, cold=True), id=f"cold-{seed}"),
            pytest.param(oscillator_ends(rng, 2 + seed, tau), id=f"oscillator-{seed}"),
            pytest.param(three(rng, tau), id=f"three-{seed}"),
            pytest.param(random_collisions(rng), id=f"dense-{seed}"),
        ]
    return found


@pytest.mark.parametrize("model", models())
def test_records_are_those_of_the_lanes(model: CollisionModel) -> None:
    """Stops of every kind: at the start, twice the same, close together, far apart, where events fall on them."""
    assert model.process.tau is not None
    d, tau = model.process.d, model.process.tau
    steps = np.array([0, 1, 2, 17, 18, 60, 400])
    rng = np.random.default_rng(d)
    for initial in ("steady", random_ket(rng, d) if d <= LARGEST else ("thermal", 0.3)):
        program = compile_program(
            model, steps * tau, initial=initial, e_ops=hermitian_basis(d)[:5], keep=("jumps", "final_state")
        )
        program.arrays["steps"][4] = 17
        ours, lanes = both(program, 11, 0, 150)
        assert_same(ours, lanes)
    assert lanes["row_size"].sum() > 100


def random_ket(rng: np.random.Generator, d: int) -> Any:
    """(d,) normalised."""
    ket = rng.normal(size=d) + 1j * rng.normal(size=d)
    return ket / np.linalg.norm(ket)


def test_ten_thousand_long_trajectories() -> None:
    """The workload for which the tables are made: half a million events, each the same."""
    model = rectifier(picture="collision", tau=0.5, eps_L=-1, eps_R=-1, g=0.05, gamma_L=0.04, gamma_R=0.08)
    program = compile_program(model, 2500.0)
    assert renewal_tables(program) is not None
    ours, lanes = both(program, 3, 0, 10_000, Record())
    assert_same(ours, lanes)
    assert ours["counts"].sum() > 400_000


@pytest.mark.parametrize("cuts", [[1, 2, 3], [31, 32, 33], [50], [7, 64, 65, 128]])
def test_bits_do_not_depend_on_how_ids_are_split(cuts: list[int]) -> None:
    program = compile_program(
        collision_pair(0.5, "spin"), [10.0, 400.0], e_ops=[SPACE.number(0)], keep=("jumps", "final_state")
    )
    tables = renewal_tables(program)
    assert tables is not None
    first = 2**64 - 100  # ids wrap around nowhere
    whole = run_renewal(tables, 9, first, first + 130 - 40, EVERYTHING)
    bounds = [0, *(cut for cut in cuts if cut < 90), 90]
    parts = [run_renewal(tables, 9, first + a, first + b, EVERYTHING) for a, b in pairwise(bounds)]
    for name, value in whole.items():
        if not name.endswith(("_sum", "_sums")):
            assert np.array_equal(value, np.concatenate([part[name] for part in parts])), name
    again = run_renewal(tables, 9, first, first + 90, EVERYTHING)
    assert all(np.array_equal(value, again[name]) for name, value in whole.items())


def test_room_that_was_too_small_is_made_and_nothing_is_cut() -> None:
    """From the state with by far the fastest events: more of them than the mean rate of all states makes one expect."""
    program = compile_program(collision_pair(0.5, "spin"), 2000.0, keep=("jumps",))
    tables = renewal_tables(program)
    assert tables is not None
    ours = run_renewal(tables._replace(rate=0.0), 1, 0, 50, Record(jumps=True))
    full = run_renewal(tables, 1, 0, 50, Record(jumps=True))
    assert full["row_size"].max() > 16  # for which there was room
    assert all(np.array_equal(value, full[name]) for name, value in ours.items())


def test_the_choice_of_the_engine() -> None:
    """Tables where events prepare states; lanes in blocks that are too large and where states are never prepared."""
    wanted = {
        "pair": (pair(np.random.default_rng(1), 0.5), "steady", True),
        "oscillator": (oscillator_ends(np.random.default_rng(1), 9, 0.5), "steady", True),
        "three": (three(np.random.default_rng(1), 0.5), "steady", False),
        "one block of four": (collision_pair(0.5), coherent_ket(), False),
    }
    for name, (model, initial, by_tables) in wanted.items():
        program = compile_program(model, 50.0, initial=initial)
        assert (renewal_tables(program) is not None) is by_tables, name
    chain = Space(*[qubit()] * 4)
    H: Any = sum(chain.number(k) for k in range(4)) + 0.1 * sum(chain.exchange(k, k + 1) for k in range(3))
    bath = Bath("b", temperature=1.0, statistics="spin")
    large = CollisionModel(H, [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.1)], 0.5, dims=chain)
    assert renewal_tables(compile_program(large, 5.0)) is None


def test_a_survival_that_is_not_tabulated_to_its_end() -> None:
    """Waits of 10^5 periods in blocks of one state, by closed form; of 10^4 in larger blocks, by search."""
    bath = Bath("b", beta=10.0, statistics="spin")
    lonely = CollisionModel(np.diag([0.0, 1.0]), [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.4)], 0.5)
    program = compile_program(lonely, [1e4, 2e6], initial=np.array([1.0, 0.0]), keep=("jumps",))
    tables = renewal_tables(program)
    assert tables is not None
    assert np.all(tables.guide[:BINS] == BEYOND)
    ours, lanes = both(program, 4, 0, 100)
    assert_same(ours, lanes)
    assert ours["row_size"].sum() > 500
    slow = pair(np.random.default_rng(2), 1e-3)
    program = compile_program(slow, [10.0, 100.0], keep=("jumps",))
    ours, lanes = both(program, 4, 0, 100)
    assert_same(ours, lanes)
    assert ours["row_size"].sum() > 500


def test_damaged_events_are_a_status_not_a_number() -> None:
    program = compile_program(pair(np.random.default_rng(3), 0.5), 500.0, initial=coherent_mixture())
    program.arrays["target"][:] = -1
    ours, lanes = both(program, 1, 0, 50)
    assert_same(ours, lanes)
    assert np.all(ours["status"] == 1)
    program = compile_program(pair(np.random.default_rng(3), 0.5), [2.0, 8.0], keep=("jumps",))
    program.arrays["target"][:, np.flatnonzero(program.arrays["size"] > 1)] = -1
    ours, lanes = both(program, 1, 0, 200)
    assert_same(ours, lanes)
    assert 0 < ours["status"].mean() < 1


def test_prepared_states_are_found_once_and_normalised() -> None:
    """Two product states of one excitation, however many events lead to them."""
    program = compile_program(collision_pair(0.5, "spin"), 100.0)
    tables = renewal_tables(program)
    assert tables is not None
    assert len(tables.prepared) == 4
    assert np.linalg.norm(tables.vector, axis=1) == pytest.approx(1.0, abs=1e-15)
    larger = tables.prepared["block"] == int(np.flatnonzero(program.arrays["size"] == 2)[0])
    overlap = np.abs(tables.vector[larger].conj() @ tables.vector[larger].T)
    assert np.allclose(overlap, np.eye(2), atol=1e-14)


def test_survival_and_probabilities_are_those_of_the_operators() -> None:
    """Every tabulated number against products of dense matrices."""
    program = compile_program(pair(np.random.default_rng(5), 1.0), 3000.0)
    a, tables = program.arrays, renewal_tables(program)
    assert tables is not None
    nb, m = a["basis"].shape
    ops = np.zeros((len(a["target"]), nb, m, m), complex)
    for place in range(ops.shape[0] * nb):
        at = slice(a["jump_start"][place], a["jump_start"][place + 1])
        ops[place // nb, place % nb, a["jump_row"][at], a["jump_column"][at]] = a["jump_value"][at]
    numbers = m * m
    for s, here in enumerate(tables.prepared):
        b, psi, S = int(here["block"]), tables.vector[s], tables.survival[here["row"] :].reshape(-1)
        exits = tables.exit[tables.block["exit_first"][b] : tables.block["exit_end"][b]]
        reach = tables.reach[here["reach"] :][:numbers, : len(exits)]
        n = 0
        while S[n] > 0:
            assert S[n] == pytest.approx(np.vdot(psi, psi).real, rel=1e-12)
            density = tables.density[here["density"] + n * here["stride"] :][:numbers]
            weight = [np.sum(np.abs(ops[x["event"], b] @ psi) ** 2) for x in exits]
            if density.any():
                assert density @ reach == pytest.approx(np.cumsum(weight) / np.sum(weight), abs=1e-12)
            psi, n = a["null"][b] @ psi, n + 1
        assert n > 10
        assert math.isclose(S[0], 1.0)


def test_tiny_weights_are_not_lost_in_the_powers_of_almost_one() -> None:
    """A weight of 4e-10 per period: 1 - S_n to ten digits, of which powers of a rounded 1 - 4e-10 would have seven."""
    bath = Bath("cold", beta=18.0, statistics="spin")
    model = CollisionModel(np.diag([0.0, 1.0]), [Collision(bath, lowering(2), 0, bath.ancilla(1.0), 0.05)], 0.5)
    program = compile_program(model, 2000.0, initial=np.array([1.0, 0.0]))
    tables = renewal_tables(program)
    assert tables is not None
    a = program.arrays
    ground = int(np.flatnonzero(a["basis"][:, 0] == 0)[0])
    pairs = np.arange(len(a["target"])) * len(a["size"]) + ground
    entries = [slice(a["jump_start"][pair], a["jump_start"][pair + 1]) for pair in pairs]
    happens = sum(float(np.sum(np.abs(a["jump_value"][own]) ** 2)) for own in entries)
    assert 1e-11 < happens < 1e-9
    here = tables.prepared[tables.block["state"][ground]]
    n = np.arange(1, 4001)
    lost = 1.0 - tables.survival[here["row"] :].reshape(-1)[n]
    assert lost[-1] == pytest.approx(-math.expm1(4000 * math.log1p(-happens)), rel=1e-9, abs=0)
    assert np.all(np.diff(lost) >= 0)


def test_without_tables_of_probabilities_events_are_the_same() -> None:
    """Zeros are how a weight is written that rounding would lose: every operator is applied instead."""
    program = compile_program(collision_pair(0.5, "spin"), [10.0, 400.0], keep=("jumps", "final_state"))
    tables = renewal_tables(program)
    assert tables is not None
    lost = run_renewal(tables._replace(density=np.zeros_like(tables.density)), 5, 0, 100, EVERYTHING)
    assert_same(lost, run_renewal(tables, 5, 0, 100, EVERYTHING))
