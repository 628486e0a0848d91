"""Every result draws itself on the axes it is given, or on its own, and tells itself in a sentence."""

import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

import collide.analysis as analysis

generator = np.random.default_rng(0)
NET = (generator.poisson(2.0, 4000) - generator.poisson(1.0, 4000)).astype(float)
SOURCE = {
    "L": NET,
    "R": -NET,
    "work": generator.normal(-0.2, 0.3, 4000),
    "hot": generator.normal(1.0, 0.3, 4000),
    "cold": generator.normal(-0.8, 0.3, 4000),
    "entropy_production": NET * math.log(2.0),
    "activity": np.abs(NET) + 1,
}
RECORDS = analysis.jumps([2] * 500, np.sort(generator.uniform(0, 4, (500, 2)), axis=1).ravel(), [0, 1] * 500, 4.0)

RESULTS: dict[str, Any] = {
    "cumulants": analysis.cumulants(NET, "heat"),
    "covariance": analysis.covariance(SOURCE, ("L", "R", "work")),
    "in time": analysis.cumulants_in_time(np.ones((3, 2, 4)) * [[[10.0, 12.0, 15.0, 20.0]]], [9, 9, 9], [1.0, 2.0]),
    "atoms": analysis.distribution(NET, "heat"),
    "density": analysis.density(SOURCE, "work"),
    "generating function": analysis.generating_function(NET, "heat"),
    "integral": analysis.integral_fluctuation_theorem(SOURCE, "entropy_production"),
    "detailed": analysis.detailed_fluctuation_theorem(SOURCE, "entropy_production"),
    "heat exchange": analysis.heat_exchange_fluctuation_theorem(SOURCE, "L", "R", beta=(0.3, 1.0)),
    "symmetry": analysis.gallavotti_cohen(lambda s: s * (s + 1), 1.0),
    "tur": analysis.thermodynamic_uncertainty(SOURCE, "L"),
    "efficiency": analysis.efficiency_distribution(SOURCE, "hot", "cold", beta=(0.5, 1.0)),
    "regime": analysis.regime_of(SOURCE, "hot", "cold"),
    "waiting": analysis.waiting_times(RECORDS),
    "first passage": analysis.first_passage(RECORDS, [1.0, 1.0], 2.0),
    "functional": analysis.functional_of_mean(analysis.purity, np.tile(np.eye(2) / 2, (5, 1, 1))),
    "rectification": analysis.Rectification(analysis.Estimate(1.0, 0.1), analysis.Estimate(-0.5, 0.1)),
    "sweep": analysis.sweep(lambda x, y: x * y, {"x": [1.0, 2.0], "y": [3.0, 4.0]}, progress=False),
    "convergence": analysis.convergence_in_tau([0.1, 0.2, 0.4], [0.1, 0.2, 0.4]),
    "verdict": analysis.judge([analysis.Comparison("a", analysis.Estimate(1.0, 0.1), 1.05)]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_plot_takes_axes_and_gives_axes(name: str) -> None:
    figure, ax = plt.subplots()
    try:
        assert RESULTS[name].plot(ax) is ax
        assert ax.has_data()
        figure.canvas.draw()
    finally:
        plt.close("all")


def test_plot_makes_its_own_axes_and_leaves_settings_alone() -> None:
    before = dict(plt.rcParams)
    ax = RESULTS["atoms"].plot()
    assert not ax.spines["top"].get_visible()
    assert dict(plt.rcParams) == before
    plt.close("all")


@pytest.mark.parametrize("name", [n for n in RESULTS if n not in ("sweep", "verdict")])
def test_repr_is_one_sentence(name: str) -> None:
    text = repr(RESULTS[name])
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 500


def test_exact_curves_are_laid_over() -> None:
    from scipy import stats

    k = np.arange(-10, 15)
    ax = RESULTS["atoms"].plot(exact=(k, stats.skellam.pmf(k, 2, 1)), log=True)
    assert "exact" in ax.get_legend_handles_labels()[1]
    ax = RESULTS["density"].plot(exact=stats.norm(-0.2, 0.3).pdf)
    assert "exact" in ax.get_legend_handles_labels()[1]
    plt.close("all")
