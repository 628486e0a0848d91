"""Events of real trajectories in the file: few bytes each, and the numbers that the kernel gave."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from collide.ensemble import extend, load, run_program
from collide.machines import rectifier
from collide.program import compile_program, run_chunk
from collide.records import Fields


def test_channels_take_one_byte_each_and_are_integers_again_when_read(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    program = compile_program(rectifier(g=0.05, picture="collision", tau=0.5), 50.0, keep=("jumps",), labels="all")
    channels = run_chunk(program, 5, 0, 20).ragged["jump_channel"]
    assert channels.max() > 8
    for out in (None, path):
        ens = run_program(program, 20, 5, out=out, threads=1)
        assert ens.jump_channel.dtype == np.int32
        assert np.array_equal(ens.jump_channel, channels)
    with h5py.File(path) as file:
        assert file["jump_channel"].dtype == np.uint8
    extend(path, 30, progress=False)
    assert np.array_equal(load(path).jump_channel[: len(channels)], channels)


def test_a_channel_that_does_not_exist_is_not_stored_as_another_one() -> None:
    program = compile_program(rectifier(g=0.05), 5.0, keep=("jumps",))
    field = Fields.of(program).ragged[1]
    assert field.to_disk(np.array([0, 255])).tolist() == [0, 255]
    for wrong, found in (([3, -1], "-1 to 3"), ([3, 256], "3 to 256")):
        with pytest.raises(ValueError, match=f"'jump_channel' must lie between 0 and 255, but is {found}"):
            field.to_disk(np.array(wrong))
