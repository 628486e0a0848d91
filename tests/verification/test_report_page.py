"""`collide report FILE` in a headless browser: silent console, no sideways scrolling, readable, all images drawn."""

from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from test_analysis_report import CHROMIUM, probe

MACHINES: dict[str, list[str]] = {
    "rectifier, jumps": ["rectifier", "--set", "g=0.05", "--t-final", "100"],
    "rectifier, collisions": ["rectifier", "--picture", "collision", "--set", "tau=1.0", "--t-final", "50"],
    "ising": ["ising", "--t-final", "2"],
    "xy chain at zero temperature": ["xy_chain", "--set", "N=3", "--t-final", "5"],
    "collective qubits": ["collective_qubits", "--set", "beta_A=-0.5", "--t-final", "1"],
    "junction": ["junction", "--t-final", "5"],
    "tavis-cummings": ["tavis_cummings", "--t-final", "20"],
    "rotor with its load": ["rotor", "--t-final", "200"],
}


def collide(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "collide", *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def page_of(folder: Path, machine: str) -> str:
    """The page that the command line makes of a fresh ensemble."""
    file = folder / "run.h5"
    settings = ["--points", "4", "--ntraj", "4000", "--seed", "3", "--keep", "jumps", "-o", str(file)]
    collide("run", *MACHINES[machine], *settings)
    collide("report", str(file))
    return (folder / "run.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("machine", MACHINES)
def test_report_in_a_browser(court: Any, tmp_path: Path, machine: str) -> None:
    with court("`collide report` in headless Chromium, 1200 and 400 px: console, width, images, size of text") as row:
        if CHROMIUM is None:
            pytest.skip("there is no Chromium here to open the report with")
        text = page_of(tmp_path, machine)
        for width in (1200, 400):
            assert probe(text, tmp_path, width) == (width, True, True)
            row.checks(4)


def test_faults_of_a_page_are_seen(court: Any, tmp_path: Path) -> None:
    """Planted: something too wide, a broken image, an error on the console."""
    with court("planted: faults of a page") as row:
        if CHROMIUM is None:
            pytest.skip("there is no Chromium here to open the report with")
        text = page_of(tmp_path, "ising")
        wide = text.replace("</main>", '<div style="width:700px">x</div></main>')
        assert probe(wide, tmp_path, 400)[0] > 400
        broken = text.replace("svg+xml;base64,", "svg+xml;base64,AAAA", 1)
        assert probe(broken, tmp_path, 400)[1] is False
        with pytest.raises(AssertionError, match="console"):
            probe(text.replace("</main>", "<script>console.error('no')</script></main>"), tmp_path, 400)
        row.checks(3)
