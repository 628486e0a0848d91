"""The analysis on real models: symmetry, rectification, conductance, convergence in τ, waits, sweeps."""

import math
from typing import Any

import numpy as np
import pytest

from collide.analysis import (
    carnot_cop,
    carnot_efficiency,
    certificate,
    convergence_in_ntraj,
    convergence_in_tau,
    cop,
    differential_conductance,
    efficiency,
    exact_waiting,
    gallavotti_cohen,
    linear_conductance,
    operation_regime,
    rectification,
    sweep,
    thermodynamic_uncertainty,
)
from collide.ensemble import run
from collide.machines.rectifier import rectifier
from collide.machines.rotor import rotor

HOT: dict[str, Any] = {"N": 2, "g": 0.05, "gamma_L": 0.04, "gamma_R": 0.08, "T_L": 1.0, "T_R": 0.3}


def device(T_L: float, T_R: float, **options: Any) -> Any:
    return rectifier(**{**HOT, "T_L": T_L, "T_R": T_R, **options})


@pytest.mark.parametrize("options", [{}, {"equation": "global"}, {"picture": "collision", "tau": 0.5}])
def test_gallavotti_cohen_of_models(options: dict[str, Any]) -> None:
    model = device(1.0, 0.3, **options)
    affinity = 1 / 0.3 - 1.0
    s = np.linspace(-affinity - 0.3, 0.3, 9)
    assert gallavotti_cohen(lambda x: model.scgf("L", x), affinity, s).residual < 1e-8
    assert gallavotti_cohen(lambda x: model.scgf("L", x), affinity + 0.05, s).residual > 1e-4


def test_contrast_and_conductance_of_two_qubits() -> None:
    """Santiago-García et al. 2024: Eq. (12) for the contrast, whatever g; κ of one qubit times α for two."""
    found = rectification(device, 1.0, 0.3)
    c_L, c_R = 1 / math.tanh(0.5 / 1.0), 1 / math.tanh(0.5 / 0.3)
    assert found.contrast.value == pytest.approx((0.04 / 0.12) * (c_L - c_R) / (c_L + c_R), rel=1e-8)
    T, coth = 0.6, 1 / math.tanh(0.5 / 0.6)
    alpha = 1 / (1 + 0.04 * 0.08 / (4 * 0.05**2) * coth**2)
    one = 0.04 * 0.08 / math.sinh(1 / T) / (2 * 0.12 * T**2)  # for J = Q_L
    kappa = linear_conductance(device, T)
    assert kappa.value == pytest.approx(alpha * one, rel=1e-6)
    assert abs(kappa.value - alpha * one) < 20 * kappa.error + 1e-9 * one


def test_negative_differential_conductance_beyond_the_onset() -> None:
    """Eq. (17) of the paper: at T_R → 0 the current falls with T_L above 1.9576 for g = 0.01, γ = 0.01, 0.02."""

    def weak(T_L: float, T_R: float) -> Any:
        return rectifier(N=2, g=0.01, gamma_L=0.01, gamma_R=0.02, T_L=T_L, T_R=T_R)

    assert differential_conductance(weak, 1.9, 0.0).value > 0
    assert differential_conductance(weak, 2.0, 0.0).value < 0


def test_sweep_of_a_model_in_threads() -> None:
    def currents(T_L: float, g: float) -> dict[str, float]:
        model = device(T_L, 0.3, g=g)
        return {"J": 2 * model.heat_currents()["L"], "sigma": model.entropy_production_rate()}

    table = sweep(currents, {"T_L": [0.5, 1.0], "g": [0.02, 0.05, 0.2]}, workers=2, progress=False)
    assert table["J"].shape == (2, 3)
    assert (np.diff(table["J"], axis=1) > 0).all()  # stronger coupling carries more
    beta = np.array([1 / 0.5, 1 / 1.0])[:, None]
    assert table["sigma"] == pytest.approx((1 / 0.3 - beta) * table["J"] / 2, rel=1e-6)


def test_order_of_the_constructions() -> None:
    """Split collisions approach the Lindblad equation as τ, matched angles as τ²; the certificate holds both."""
    spins: dict[str, Any] = {"eps_L": -1, "eps_R": -1}
    limit = device(1.0, 0.3, **spins).heat_currents()["L"]
    taus = [0.8, 0.4, 0.2, 0.1]

    def deviation(tau: float, **options: Any) -> float:
        return float(
            device(1.0, 0.3, picture="collision", tau=tau, **spins, **options).heat_currents()["L"] / limit - 1
        )

    split = convergence_in_tau(deviation, taus, name="split collisions")
    matched = convergence_in_tau(
        lambda tau: deviation(tau, construction="matched"), taus, expected=2.0, name="matched angles"
    )
    assert split.holds(tolerance=0.1)
    assert matched.holds(tolerance=0.1)
    assert not convergence_in_tau(deviation, taus, expected=2.0).holds(tolerance=0.1)
    ens = run(device(1.0, 0.3), 40_000, 10.0, 2, progress=False)
    exact = ens.program.exact.heat_cumulants_at(10.0, "L", 1)[0]
    trajectories = convergence_in_ntraj(ens, "L", exact=float(exact))
    assert certificate(trajectories, split, matched).holds


def test_waits_agree_with_the_exact_side_of_the_model() -> None:
    """Two routes to the same densities: plain superoperators here, sectors of the model there."""
    model = device(1.0, 0.3)
    flow = model.process.elements[0]
    here = exact_waiting(model.process.H.toarray(), [op.toarray() for op in flow.ops])
    there = model.waiting_times()
    t = np.linspace(0.0, 30.0, 7)
    for after in range(len(flow.ops)):
        for then in range(len(flow.ops)):
            assert here.density(t, after=[after], until=[then]) == pytest.approx(
                there.density(t, after, then), abs=1e-10
            )
        assert here.survival(t, after=[after]) == pytest.approx(there.survival(t, after), abs=1e-10)
    assert here.rate == pytest.approx(there.rates.sum(), rel=1e-9)


def test_uncertainty_ratio_of_an_ensemble_approaches_the_long_time_one() -> None:
    model = device(1.0, 0.5)
    current = model.heat_currents()["L"]
    exact = model.heat_cumulants("L", 2)[1] * model.entropy_production_rate() / current**2
    ens = run(model, 4000, 1500.0, 5, progress=False)
    result = thermodynamic_uncertainty(ens, "L")
    assert result.ratio.value == pytest.approx(exact, abs=4 * result.ratio.error + 0.02 * exact)
    assert result.bound == 2.0


@pytest.mark.parametrize(("x", "name"), [(0.3, "engine"), (0.47, "accelerator"), (0.7, "refrigerator")])
def test_regimes_of_the_rotor_machine(x: float, name: str) -> None:
    """Leitch et al. 2024, Fig. 2: borders at β_2/β_1 = 0.434 and (converged ladder, I = 1) 0.504; bounds hold."""
    beta_1 = 0.1
    model = rotor(beta1=beta_1, beta2=x * beta_1)
    q = model.heat_currents()
    regime = operation_regime(q["2"], q["1"], model.power())
    assert regime.name == name
    if name == "engine":
        assert 0 < efficiency(model.power(), q["2"]).value < carnot_efficiency(x * beta_1, beta_1)
    if name == "refrigerator":
        assert 0 < cop(model.power(), q["1"]).value < carnot_cop(x * beta_1, beta_1)
