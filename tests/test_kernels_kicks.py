"""What loads exchange between jumps: the panels against an adaptive quadrature of the same integrand, lane by lane."""

import numpy as np
import pytest
from scipy.integrate import quad_vec
import scipy.linalg as la

from collide.kernels.borrowed import lend
from collide.kernels.compile import kernel
from collide.kernels.kicks import FIRST_PHASE, NODES, dwell, gauss_rule, make_kick_bench, prepare_kicks
from collide.kernels.lanes import WIDTH, load
from jump_programs import program


@kernel
def sixteen(kicks, block, m, times, end, bench):
    """Lanes live inside kernels only."""
    dwell(lend(kicks), block, m, load(times, 0), end, lend(bench))


def hermitian(rng, m):
    A = rng.normal(size=(m, m)) + 1j * rng.normal(size=(m, m))
    return A + A.conj().T


def case(seed, m, nloads, blocks=None):
    """A random program with loads on some of its channels; H, ops, E of each load."""
    rng = np.random.default_rng(seed)
    H, energies = hermitian(rng, m), [hermitian(rng, m) for _ in range(nloads)]
    ops = [0.4 * hermitian(rng, m) for _ in range(nloads + 1)]
    made = program(H, ops, blocks)
    made = made._replace(
        load_energy=np.array(energies)[:, None],
        load_rest=np.array([H - E for E in energies])[:, None],
        load=np.array([*range(nloads), -1]),
    )
    return made, H, ops, energies


def integral(heff, G, A, psi, time):
    """Adaptive quadrature of <G><A> - <{G, A}>/2 in the normalised state."""

    def rate(t):
        x = la.expm(-1j * heff * t) @ psi
        x = x / la.norm(x)
        g, a = G @ x, A @ x
        return np.array([(x.conj() @ g).real * (x.conj() @ a).real - (g.conj() @ a).real])

    return quad_vec(rate, 0, time, epsabs=1e-13, epsrel=1e-13, limit=4000)[0][0]


@pytest.mark.parametrize(("m", "nloads"), [(2, 1), (2, 2), (3, 1), (5, 1)])
def test_panels_agree_with_adaptive_quadrature(m, nloads):
    made, H, ops, energies = case(7 + m, m, nloads)
    kicks, bench = prepare_kicks(made), make_kick_bench(m, nloads)
    rng = np.random.default_rng(m)
    times = np.concatenate([[0.0, 1e-6, 1e-3], rng.exponential(3.0, WIDTH - 3)])
    heff = H - 0.5j * sum(op.conj().T @ op for op in ops)
    start = rng.normal(size=(WIDTH, m)) + 1j * rng.normal(size=(WIDTH, m))
    end = np.zeros((2 * m, WIDTH))
    for lane, (psi, time) in enumerate(zip(start, times, strict=True)):
        last = la.expm(-1j * heff * time) @ psi
        bench.here[0::2, lane], bench.here[1::2, lane] = psi.real, psi.imag
        end[0::2, lane], end[1::2, lane] = last.real, last.imag
    sixteen(kicks, 0, m, times[None].copy(), end, bench)
    for n, E in enumerate(energies):
        G = ops[n].conj().T @ ops[n]
        for kind, A in enumerate((E, H - E)):
            most = np.ptp(la.eigvalsh(G)) * np.ptp(la.eigvalsh(A)) / 4
            for lane in range(0, WIDTH, 3):
                expected = integral(heff, G, A, start[lane], times[lane])
                found = bench.gained[2 * n + kind, lane]
                assert abs(found - expected) < 1e-9 * most * max(times[lane], 1 / la.norm(heff, 2)) + 1e-14


def test_blocks_of_different_sizes():
    """Two states beside three: the same numbers as in a program of two states alone."""
    rng = np.random.default_rng(8)
    H, E, op = (np.zeros((5, 5), complex) for _ in range(3))
    for matrix, scale in ((H, 1.0), (E, 1.0), (op, 0.3)):
        matrix[:2, :2], matrix[2:, 2:] = scale * hermitian(rng, 2), scale * hermitian(rng, 3)
    found = []
    for levels, blocks in ((5, [[0, 1], [2, 3, 4]]), (2, [[0, 1]])):
        inside = np.ix_(range(levels), range(levels))
        made = program(H[inside], [op[inside]], blocks)

        def cut(A, blocks=blocks, made=made):
            out = np.zeros((1, *made.heff.shape), complex)
            for b, states in enumerate(blocks):
                out[0, b, : len(states), : len(states)] = A[np.ix_(states, states)]
            return out

        made = made._replace(load_energy=cut(E), load_rest=cut(H - E), load=np.zeros(1, np.int64))
        bench, end = make_kick_bench(max(map(len, blocks)), 1), np.zeros((2 * made.heff.shape[1], WIDTH))
        bench.here[0], bench.here[3] = 0.8, 0.6
        times = np.linspace(0, 9, WIDTH)[None].copy()
        heff = H[:2, :2] - 0.5j * (op.conj().T @ op)[:2, :2]
        last = np.array([la.expm(-1j * heff * t) @ [0.8, 0.6j] for t in times[0]])
        end[0], end[1], end[2], end[3] = last[:, 0].real, last[:, 0].imag, last[:, 1].real, last[:, 1].imag
        sixteen(prepare_kicks(made), 0, 2, times, end, bench)
        found.append(bench.gained.copy())
    assert np.allclose(*found, rtol=1e-12, atol=1e-15)
    assert np.abs(found[0]).min(axis=0)[1:].min() > 0


def test_a_lane_does_not_see_its_neighbours():
    """The bits of one dwell are the same among long ones and among short ones."""
    made, *_ = case(3, 2, 1)
    kicks, found = prepare_kicks(made), []
    for others in (0.01, 30.0):
        bench, end = make_kick_bench(2, 1), np.full((4, WIDTH), 0.3)
        bench.here[:] = 0.6
        times = np.full((1, WIDTH), others)
        times[0, 5] = 1.7
        sixteen(kicks, 0, 2, times, end, bench)
        found.append(bench.gained[:, 5].copy())
    assert np.array_equal(*found)
    assert np.all(found[0] != 0)


def test_blocks_where_nothing_is_exchanged_cost_nothing():
    """G or both energies multiples of one: the covariance is zero, and the block is skipped."""
    made, *_ = case(4, 2, 1)
    flat = np.eye(2, dtype=complex)[None, None]
    assert prepare_kicks(made).longest[0] > 0
    assert prepare_kicks(made._replace(load_energy=flat, load_rest=2 * flat)).longest[0] == 0
    assert prepare_kicks(made._replace(load=np.full(2, -1))).longest[0] == 0
    assert prepare_kicks(program(np.diag([0.0, 1.0]), [np.eye(2)])).form.size == 0


@pytest.mark.parametrize("n", sorted(set(NODES)))
def test_gauss_rules_are_the_nearest_doubles(n):
    node, weight = gauss_rule(n)
    x, w = np.polynomial.legendre.leggauss(n)
    assert node == pytest.approx((x + 1) / 2, abs=2e-16)
    assert weight == pytest.approx(w / 2, abs=2e-16)
    for power in range(2 * n):
        assert weight @ node**power == pytest.approx(1 / (power + 1), rel=1e-14)


def test_each_level_has_the_nodes_its_beat_needs():
    """Error of a panel, times its share of a dwell of the first length, stays below 1e-9 for every slower beat."""
    for level, n in enumerate(NODES):
        node, weight = gauss_rule(n)
        phase = np.linspace(1e-9, FIRST_PHASE / 2**level, 400)[:, None]
        found = (weight * np.exp(1j * phase * node)).sum(axis=1)
        exact = np.expm1(1j * phase[:, 0]) / (1j * phase[:, 0])
        assert np.abs(found - exact).max() / 2**level < 1e-9
    assert (FIRST_PHASE / 2 ** (len(NODES) - 1)) ** 2 / 12 / 2 ** (len(NODES) - 1) < 1e-9  # the trapezium left over
