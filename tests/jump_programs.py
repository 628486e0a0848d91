"""Jump programs filled by hand, without a compiler of models: what the kernels are tested on.

`program` cuts given matrices into given blocks; the functions below it return systems that are known from theory.
"""

import numpy as np

from collide.kernels.jump_program import JumpProgram, pack_jumps


def program(H, ops, blocks=None, *, times=(1.0,), initial=None, e_ops=(), count=None, quantum=None):
    """Cut H and the jump operators into blocks of basis states; open in, and close in, the basis.

    H, ops, e_ops: (d, d) matrices.  blocks: lists of basis states, one block if None.  initial: (d,) probabilities.
    count, quantum: as in `JumpProgram`; by default one bath, each channel counted apart, each with one quantum.
    """
    H, ops = np.asarray(H, complex), [np.asarray(op, complex) for op in ops]
    d, channels = len(H), len(ops)
    blocks = [list(range(d))] if blocks is None else [list(states) for states in blocks]
    m = max(map(len, blocks))
    label = np.empty(d, np.int64)
    basis = np.full((len(blocks), m), -1, np.int64)
    for b, states in enumerate(blocks):
        label[states] = b
        basis[b, : len(states)] = states
    heff = H - 0.5j * sum((op.conj().T @ op for op in ops), np.zeros((d, d), complex))

    def diagonal(matrix):
        cut = np.zeros((len(blocks), m, m), complex)
        for b, states in enumerate(blocks):
            cut[b, : len(states), : len(states)] = np.asarray(matrix)[np.ix_(states, states)]
        return cut

    jump = np.zeros((channels, len(blocks), m, m), complex)
    target = np.full((channels, len(blocks)), -1, np.int64)
    for c, op in enumerate(ops):
        for b, states in enumerate(blocks):
            reached = {int(label[row]) for row in np.flatnonzero(np.abs(op[:, states]).sum(1))}
            assert len(reached) <= 1, "a jump leads from one block to two"
            for b_target in reached:
                target[c, b] = b_target
                jump[c, b, : len(blocks[b_target]), : len(states)] = op[np.ix_(blocks[b_target], states)]
    start, row, column, value = pack_jumps(jump, target)
    ket = np.zeros((d, m), complex)
    ket[np.arange(d), [blocks[label[k]].index(k) for k in range(d)]] = 1.0
    centre = np.zeros((len(blocks), m, m))
    for b, states in enumerate(blocks):
        energies = np.linalg.eigvalsh(H[np.ix_(states, states)])
        centre[b, range(len(states)), range(len(states))] = 0.5 * (energies[0] + energies[-1])
    return JumpProgram(
        size=np.array([len(states) for states in blocks]),
        basis=basis,
        heff=diagonal(heff) - centre,
        energy=diagonal(H),
        target=target,
        jump_start=start,
        jump_row=row,
        jump_column=column,
        jump_value=value,
        count=np.arange(channels)[:, None] if count is None else np.asarray(count),
        quantum=np.ones((channels, 1)) if quantum is None else np.asarray(quantum, float),
        initial_cdf=np.cumsum(np.full(d, 1 / d) if initial is None else initial),
        initial_block=label.copy(),
        initial_vec=ket,
        final_block=label.copy(),
        final_vec=ket.copy(),
        final_energy=np.diag(H).real.copy(),
        e_ops=np.array([diagonal(A) for A in e_ops]).reshape(-1, len(blocks), m, m),
        times=np.asarray(times, float),
        load_energy=np.zeros((0, len(blocks), m, m), complex),
        load_rest=np.zeros((0, len(blocks), m, m), complex),
        load=np.full(channels, -1),
    )


SM = np.array([[0, 1], [0, 0]], complex)  # lowers basis state 1 to basis state 0


def only(state, d):
    """Probabilities of an opening in one basis state."""
    return np.eye(d)[state]


def decaying_qubit(gamma=1.0, **kwargs):
    """One channel down: opened in the upper state, it jumps once, after -ln(r) / gamma."""
    return np.diag([0.0, 1.0]), [np.sqrt(gamma) * SM], {"initial": only(1, 2)} | kwargs


def driven_qubit(drive=1.3, detuning=0.4, gamma=0.3, dephasing=0.1):
    """Resonance fluorescence: waiting times that oscillate."""
    H = detuning * np.diag([0, 1.0]) + drive / 2 * (SM + SM.T)
    return H, [np.sqrt(gamma) * SM, np.sqrt(dephasing) * np.diag([-1.0, 1.0])]


def two_qubits(g=0.05, gammas=(0.01, 0.02), temperatures=(1.0, 0.1), omega=1.0):
    """Two coupled qubits between two baths: blocks of 1, 2 and 1 states.  H, ops, blocks, count, quantum."""
    s1, s2 = np.kron(SM, np.eye(2)), np.kron(np.eye(2), SM)
    H = omega * (s1.T @ s1 + s2.T @ s2) + g * (s1.T @ s2 + s2.T @ s1)
    ops = []
    for s, gamma, T in zip((s1, s2), gammas, temperatures, strict=True):
        n = 1 / np.expm1(omega / T)
        ops += [np.sqrt(gamma * (1 + n)) * s, np.sqrt(gamma * n) * s.T]
    count = [[0, -1], [1, -1], [-1, 2], [-1, 3]]
    quantum = [[-omega, 0], [omega, 0], [0, -omega], [0, omega]]
    return H, ops, [[0], [1, 2], [3]], count, quantum


def cascade(n, gamma=1.0):
    """n emitters along a one-way line, one excitation at most: H_eff is a single Jordan block with no eigenbasis.

    L = sqrt(gamma) sum_i |0><i| and H = -(i gamma / 2) sum_{i>j} (|i><j| - |j><i|) give
    H_eff = -(i gamma / 2) (1 + 2 sum_{i>j} |i><j|): one eigenvalue, defective.
    """
    lower = np.zeros((n + 1, n + 1))
    lower[1:, 1:] = np.tril(np.ones((n, n)), -1)
    L = np.zeros((n + 1, n + 1))
    L[0, 1:] = np.sqrt(gamma)
    return -0.5j * gamma * (lower - lower.T), [L]


def lambda_atom(omega1=1.0, omega2=0.7, gamma=2.0):
    """Two ground states, one excited: the combination omega2 |0> - omega1 |1> is dark for ever."""
    H = np.zeros((3, 3))
    H[2, 0] = H[0, 2] = omega1 / 2
    H[2, 1] = H[1, 2] = omega2 / 2
    down = np.zeros((2, 3, 3))
    down[0, 0, 2] = down[1, 1, 2] = np.sqrt(gamma / 2)
    return H, list(down)


def driven_cavity(levels, drive=1.0, g=0.5, kappa=0.4, gamma=0.2, n=0.3):
    """A driven qubit in a cavity, five channels, no symmetry; d = 2 levels."""
    a = np.kron(np.eye(2), np.diag(np.sqrt(np.arange(1.0, levels)), 1))
    s = np.kron(SM, np.eye(levels))
    H = 0.3 * a.T @ a + 0.2 * s.T @ s + g * (a.T @ s + s.T @ a) + drive * (a + a.T)
    ops = [np.sqrt(kappa * (1 + n)) * a, np.sqrt(kappa * n) * a.T, np.sqrt(gamma) * s, np.sqrt(0.1 * gamma) * s.T]
    return H, [*ops, np.sqrt(0.05) * s.T @ s]


def random_system(d, channels, seed):
    """Dense random Hamiltonian and jump operators, entries of which share rows and columns."""
    rng = np.random.default_rng(seed)

    def matrix():
        return rng.normal(size=(d, d)) + 1j * rng.normal(size=(d, d))

    H = matrix()
    return (H + H.conj().T) / np.sqrt(8 * d), [0.4 * matrix() / d for _ in range(channels)]
