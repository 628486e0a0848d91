"""A trajectory replayed alone is the one in the ensemble, and its energies add up collision by collision."""

from pathlib import Path

import numpy as np
import pytest

import collide
from collide.program import compile_program, replay, run_chunk
from systems import SPACE, coherent_ket, coherent_mixture, collision_pair, jump_pair


@pytest.mark.parametrize("labels", ["heat", "all"])
@pytest.mark.parametrize("initial", ["steady", coherent_mixture(), coherent_ket()], ids=["steady", "mixture", "ket"])
@pytest.mark.parametrize(("statistics", "construction"), [("boson", "split"), ("spin", "joint")])
def test_energies_of_every_collision_reach_the_end_points(
    initial, statistics: str, construction: str, labels: str
) -> None:
    """Switching work of each collision = energy change less its heat; their sum closes the first law of the row."""
    program = compile_program(collision_pair(0.5, statistics, construction), 60.0, initial=initial, labels=labels)
    columns = run_chunk(program, 4, 0, 20).columns
    for id in range(20):
        path = replay(program, 4, id)
        assert np.array_equal(path.heat[-1], columns["heat"][id])
        opened = program.arrays["initial_energy"][columns["initial"][id]]
        closed = program.arrays["final_energy"][columns["final"][id]]
        assert path.energies[0] == pytest.approx(opened, abs=1e-12)
        switching = np.diff(path.energies) - np.diff(path.heat, axis=0).sum(axis=1)
        work = switching.sum() + columns["closing_energy"][id]
        assert work == pytest.approx(columns["work"][id], abs=1e-12)
        assert closed - path.energies[-1] == pytest.approx(columns["closing_energy"][id], abs=1e-12)
        # free evolution changes no energy: U conserves H, so the change over a collision is the collision's
        assert np.allclose((np.abs(path.states) ** 2).sum(axis=1), 1.0, atol=1e-12)


def test_jump_path_passes_through_the_jumps_of_the_ensemble() -> None:
    program = compile_program(jump_pair(), 80.0, initial=coherent_ket(), keep=("jumps", "final_state"))
    chunk = run_chunk(program, 4, 0, 10)
    ends = np.cumsum(chunk.ragged["row_size"])
    for id in range(10):
        path = replay(program, 4, id)
        mine = slice(ends[id] - chunk.ragged["row_size"][id], ends[id])
        assert np.allclose(path.event_time, chunk.ragged["jump_time"][mine], rtol=0, atol=1e-10)
        assert np.array_equal(path.event_channel, chunk.ragged["jump_channel"][mine])
        assert np.allclose(path.heat[-1], chunk.columns["heat"][id])
        assert abs(np.vdot(path.states[-1], chunk.columns["final_state"][id])) == pytest.approx(1.0, abs=1e-9)


def test_between_jumps_a_path_follows_the_no_jump_evolution() -> None:
    import scipy.linalg

    model = jump_pair()
    program = compile_program(model, 80.0, initial=coherent_ket(), keep=("jumps",))
    H, c_ops = model.to_qutip()
    heff = H.full() - 0.5j * sum(c.full().conj().T @ c.full() for c in c_ops)
    path = replay(program, 4, 1, times=np.linspace(0, 80, 400))
    checked = 0
    for a, b in zip(range(399), range(1, 400), strict=True):
        if np.any((path.event_time > path.times[a]) & (path.event_time <= path.times[b])):
            continue
        ket = scipy.linalg.expm(-1j * heff * (path.times[b] - path.times[a])) @ path.states[a]
        assert abs(np.vdot(ket / np.linalg.norm(ket), path.states[b])) == pytest.approx(1.0, abs=1e-10)
        checked += 1
    assert checked > 300


@pytest.mark.parametrize(("picture", "labels"), [("jump", "heat"), ("collision", "heat"), ("collision", "all")])
def test_an_ensemble_in_a_file_replays_its_trajectories(tmp_path: Path, picture: str, labels: str) -> None:
    model = jump_pair() if picture == "jump" else collision_pair(0.5)
    out, chosen = tmp_path / "run.h5", labels if picture == "collision" else None
    collide.run(model, 12, 60.0, seed=4, keep=("jumps",), labels=chosen, out=out, progress=False)
    ens = collide.load(out)
    ends = np.cumsum(ens.row_size)
    for id in (0, 7, 11):
        path = ens.replay(id)
        mine = slice(ends[id] - ens.row_size[id], ends[id])
        assert np.allclose(path.event_time, ens.jump_time[mine], rtol=0, atol=1e-10)
        if labels == "heat":  # else a path tells which collision it was, and the ensemble which outcome
            assert np.array_equal(path.event_channel, ens.jump_channel[mine])
        assert np.allclose(path.heat[-1], [ens.heat[bath][id] for bath in ens.baths], rtol=0, atol=1e-12)
        assert path.states.shape == (len(path.times), 4)
        assert len(path.energies) == len(path.times)


def test_messages() -> None:
    with pytest.raises(ValueError, match="`times` cannot be chosen for collisions"):
        replay(compile_program(collision_pair(0.5), 5.0), 1, 0, times=[0.0, 1.0])
    with pytest.raises(ValueError, match="`times` must ascend within the trajectory, from 0 to 5"):
        replay(compile_program(jump_pair(), 5.0), 1, 0, times=[0.0, 6.0])


def test_plot_and_report() -> None:
    path = replay(compile_program(jump_pair(), 50.0, e_ops=[SPACE.number(0)]), 1, 3)
    assert repr(path).startswith("Path of ")
    ax = path.plot()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["energy", "heat from L", "heat from R"]
