"""Everything the README shows in Python runs, and says what it shows."""

from pathlib import Path
import re

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"


def test_python_blocks_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    model, ens = names["model"], names["ens"]
    shown = re.search(r"\{'L': ([0-9.]+)\.\.\., 'R': -\1\.\.\.\}", text)
    assert shown
    assert f"{model.heat_currents()['L']:.10f}".startswith(shown[1])  # type: ignore[attr-defined]
    assert len(ens.work) == 20_000  # type: ignore[attr-defined]
    assert (tmp_path / "run.h5").exists()


def test_every_make_target_shown_exists() -> None:
    makefile = (README.parent / "Makefile").read_text()
    for target in re.findall(r"make ([a-z]+)", README.read_text(encoding="utf-8")):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
