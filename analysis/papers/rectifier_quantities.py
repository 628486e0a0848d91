r"""Every quantity of the rectifier's reference table, from the generic exact side, at any parameters.

The paper's current is :math:`J = Q_L - Q_R`, twice the heat from L in the steady state.
"""

from collections.abc import Callable, Mapping
import math
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray
from scipy.optimize import brentq

from collide.machines.rectifier_counting import quanta_distribution as gaussian_quanta

from ..entanglement import concurrence
from .base import Params, Quantity
from .rectifier_models import (
    COLLISION_OPTIONS,
    STEADY,
    averages,
    by_moments,
    collision_model,
    ends,
    global_model,
    heat_rates,
    local_model,
    point,
    start_of,
    starts_steady,
    state,
    steady_only,
)

Floats = NDArray[np.float64]
TEMPERATURES = ("T_L", "T_R")
START = {"initial_state": None}
NODES = 12  # of an interpolation over two steps of a grid: ten digits of a function smooth on the grid's scale
NOT_PHYSICS = 1e-15  # of the larger current: what is left of a current that is zero


# -------------------------------------------------------------------- the local equation


def _local(params: Params) -> dict[str, Any]:
    return point(params, *TEMPERATURES, optional=START)


def _of_averages(read: Callable[[Any, dict[str, Any]], float]) -> Quantity:
    def quantity(params: Params) -> float:
        p = _local(params)
        return float(read(averages(p), p))

    return quantity


def _occupation(site: int) -> Quantity:
    def quantity(params: Params) -> float:
        p = _local(params)
        if p["N"] <= site:
            raise ValueError(f"`N` = {p['N']}: there is no site {site + 1}")
        return float(averages(p).occupations[site])

    return quantity


def _coherence_imag(params: Params) -> float:
    p = _local(params)
    if p["N"] < 2:
        raise ValueError(f"`N` = {p['N']}: a coherence needs two sites")
    return averages(p).coherence.imag


def entropy_rate(p: Mapping[str, Any], heat: Mapping[str, float]) -> float:
    """Entropy production rate -sum beta Q; infinite where heat enters a bath at zero temperature."""
    total = 0.0
    for side in "LR":
        T, Q = p[f"T_{side}"], heat[side]
        if T == 0:
            total += 0.0 if abs(Q) <= NOT_PHYSICS * max(map(abs, heat.values())) else math.copysign(math.inf, -Q)
        else:
            total -= Q / T
    return total


def _entropy_local(params: Params) -> float:
    p = _local(params)
    return entropy_rate(p, averages(p).heat)


def two_qubits(p: Mapping[str, Any], quantity: str) -> None:
    """Refuse what is defined for two qubits only."""
    if p["N"] != 2 or p["eps_a"] != -1:
        raise ValueError(f"`N` = {p['N']}, `eps_a` = {p['eps_a']}: the {quantity} is one of two qubits")


def _concurrence(params: Params) -> float:
    p = _local(params)
    two_qubits(p, "concurrence")
    return float(concurrence(state(local_model(p), p)))


def critical_current_of(rho: NDArray[np.complex128], g: float, omega: float) -> float:
    r"""Critical current :math:`J_c = 4g\omega\sqrt{p_1p_4}` of a state; a current beyond it is entangled (Eq. 39)."""
    lowest, highest = float(rho[0, 0].real), float(rho[3, 3].real)
    return 4 * g * omega * math.sqrt(max(lowest, 0.0) * max(highest, 0.0))


def _critical_current(params: Params) -> float:
    # at T_R -> 0 tables leave T_R out; it is 0 there
    p = point(params, "T_L", optional=START | {"T_R": 0.0})
    two_qubits(p, "critical current")
    return critical_current_of(state(local_model(p), p), p["g"], p["omega"])


def _local_rate(order: int) -> Quantity:
    def quantity(params: Params) -> float:
        return float(heat_rates(point(params, *TEMPERATURES), order)[order - 1])

    return quantity


def uncertainty(variance: float, entropy: float, mean: float) -> float:
    """Uncertainty ratio: variance rate times entropy production rate over mean squared; 2 in equilibrium, its limit."""
    return 2.0 if mean == 0.0 else variance * entropy / mean**2


def _tur_local(params: Params) -> float:
    p = point(params, *TEMPERATURES)
    mean, variance = heat_rates(p, 2)
    return uncertainty(variance, entropy_rate(p, averages(p).heat), mean)


# -------------------------------------------------------------------- both equations


def contrast_of(forward: float, backward: float) -> float:
    """The magnitude of (J-> + J<-) / (J-> - J<-); 0 without a difference of temperatures, its limit."""
    return 0.0 if forward == backward == 0.0 else abs((forward + backward) / (forward - backward))


def _contrast_local(params: Params) -> float:
    p = point(params, *TEMPERATURES)
    steady_only(p)
    if p["T_L"] == p["T_R"]:
        return 0.0
    forward = averages(p).heat["L"]
    return contrast_of(forward, averages(p, p["T_R"], p["T_L"]).heat["L"])


def _contrast_global(params: Params) -> float:
    p = point(params, *TEMPERATURES)
    steady_only(p)
    if p["T_L"] == p["T_R"]:
        return 0.0
    forward = global_model(p).heat_currents()["L"]
    return contrast_of(forward, global_model(p, p["T_R"], p["T_L"]).heat_currents()["L"])


def conductance_at(p: Mapping[str, Any], T: float, equation: str) -> float:
    r"""Linear conductance :math:`dJ/d\Delta T` at equal temperatures, from the noise in equilibrium.

    The symmetry :math:`\lambda(\chi) = \lambda(-\chi-\beta_R+\beta_L)` of the generating function of Q_L gives
    :math:`Q_L = \frac12\Delta\beta\,\langle\!\langle Q_L^2\rangle\!\rangle` to first order, so the derivative is exact:
    :math:`\kappa = dJ/d\Delta T = \langle\!\langle Q_L^2\rangle\!\rangle_{T_L = T_R = T}/T^2`.
    """
    at = dict(p) | {"T_L": T, "T_R": T}
    variance = heat_rates(at, 2)[1] if equation == "local" else global_model(at).heat_cumulants("L", 2)[1]
    return float(variance) / T**2


def _conductance(equation: str) -> Quantity:
    def quantity(params: Params) -> float:
        p = point(params, optional={"T_L": None, "T_R": None, "T": None})
        given = {p[name] for name in ("T_L", "T_R", "T")} - {None}
        if len(given) != 1:
            raise ValueError(f"`T_L` and `T_R` must be equal for a conductance, but are {p['T_L']} and {p['T_R']}")
        (T,) = given
        if not T > 0:
            raise ValueError(f"`T_L` must be positive for a conductance, but is {T}")
        return conductance_at(p, float(T), equation)

    return quantity


def highest(function: Callable[[float], float], grid: Floats) -> float:
    """Position of the global maximum of a smooth function within a grid; inf if it is still rising at its end.

    Around the highest point of the grid the function is interpolated, and the root of its slope found: at a maximum
    itself rounding errors hide all but the square root of the digits.
    """
    values = np.array([function(float(x)) for x in grid])
    k = int(np.argmax(values))
    if k == len(grid) - 1:
        return math.inf
    low, high = float(grid[max(k - 1, 0)]), float(grid[k + 1])
    scale = abs(values[k]) or 1.0
    near = Chebyshev.interpolate(np.vectorize(lambda x: function(float(x)) / scale), NODES, domain=[low, high])
    slope = near.deriv()
    return float(brentq(slope, low, high, xtol=1e-12 * high)) if slope(low) > 0 > slope(high) else float(grid[k])


def _peak_temperature(equation: str) -> Quantity:
    def quantity(params: Params) -> float:
        p = point(params)
        grid = p["omega"] * np.geomspace(0.02, 5.0, 50)
        return highest(lambda T: conductance_at(p, T, equation), grid)

    return quantity


def _ndtc_onset(params: Params) -> float:
    """Temperature T_L beyond which the current falls: its maximum in 0 < T_L < 50 omega."""
    p = point(params, optional={"T_R": 0.0})
    steady_only(p)
    grid = p["omega"] * np.geomspace(0.05, 50.0, 60)
    return highest(lambda T: averages(p, T, p["T_R"]).heat["L"], grid)


def _two_peak_threshold(params: Params) -> float:
    """Smallest g / omega with two maxima of the global conductance."""
    p = point(dict(params) | {"g": 0.0})
    return float(brentq(lambda x: _dip(dict(p) | {"g": x * p["omega"]}), 0.5, 0.95, xtol=1e-7))


def _dip(p: Mapping[str, Any]) -> float:
    """Least slope of the conductance before its highest peak: negative where another peak precedes it.

    The conductance is interpolated in ln T (a smooth function: 36 Chebyshev nodes give ten digits), and minima of its
    slope are found among the roots of a polynomial.
    """
    domain = [math.log(0.25 * (p["omega"] - p["g"])), math.log(1.3 * p["omega"])]
    unit = conductance_at(p, p["omega"], "global")
    kappa = Chebyshev.interpolate(
        np.vectorize(lambda x: conductance_at(p, math.exp(x), "global") / unit), 36, domain=domain
    )
    slope, curvature = kappa.deriv(), kappa.deriv(2)
    roots: Any = curvature.roots()
    found = [float(x.real) for x in roots if abs(x.imag) < 1e-9 and domain[0] < x.real < domain[1]]
    minima = [x for x in found if float(kappa.deriv(3)(x)) > 0]
    rising = [float(slope(x)) for x in minima if slope(np.linspace(x, domain[1], 50)).max() > 0]
    return min(rising, default=1.0)


# -------------------------------------------------------------------- finite time


def _net_quanta(params: Params) -> float:
    p = point(params, *TEMPERATURES, "time", "n", optional=START)
    n, P = quanta_distribution(p)
    return dict(zip(n, P, strict=True)).get(int(p["n"]), 0.0)


def quanta_distribution(p: Mapping[str, Any]) -> tuple[list[int], list[float]]:
    """Probabilities of the net quanta received from L by the point's time."""
    if p["time"] in STEADY:
        raise ValueError(f"`time` must be a number for a distribution of counts, but is {p['time']!r}")
    time, start = float(p["time"]), "steady" if starts_steady(p) else "empty"
    if p["eps_a"] == 1 or by_moments(p):
        baths = ends(p, p["T_L"], p["T_R"])
        n, P = gaussian_quanta(p["N"], p["omega"], p["g"], p["eps_a"], baths, "L", time, start)
    else:
        model = local_model(p)
        n, P = model.quanta_distribution("L", time, start_of(model, p))
    return n.tolist(), P.tolist()


# -------------------------------------------------------------------- global equation and collisions


def _of_global(read: Callable[[Any, dict[str, Any]], float]) -> Quantity:
    def quantity(params: Params) -> float:
        p = point(params, *TEMPERATURES)
        steady_only(p)
        return float(read(global_model(p), p))

    return quantity


def _of_collisions(construction: str, read: Callable[[Any, dict[str, Any]], float]) -> Quantity:
    def quantity(params: Params) -> float:
        p = point(params, *TEMPERATURES, "tau", optional=COLLISION_OPTIONS)
        steady_only(p)
        return float(read(collision_model(p, construction), p))

    return quantity


def _deviation(model: Any, p: Mapping[str, Any]) -> float:
    limit = averages(p).heat["L"]
    return (model.heat_currents()["L"] - limit) / limit


def _tur(model: Any, p: Mapping[str, Any]) -> float:
    mean, variance = model.heat_cumulants("L", 2)
    return uncertainty(variance, entropy_rate(p, model.heat_currents()), mean)


OF_ANY_MODEL: dict[str, Callable[[Any, dict[str, Any]], float]] = {
    "heat_current_L": lambda model, p: model.heat_currents()["L"],
    "J": lambda model, p: model.heat_currents()["L"] - model.heat_currents()["R"],
    "power": lambda model, p: model.power(),
    "entropy_production_rate": lambda model, p: entropy_rate(p, model.heat_currents()),
    "heat_L_variance_rate": lambda model, p: model.heat_cumulants("L", 2)[1],
    "heat_L_third_cumulant_rate": lambda model, p: model.heat_cumulants("L", 3)[2],
    "tur_ratio": _tur,
}

QUANTITIES: dict[tuple[str, str], Quantity] = {
    ("rectifier_local", "heat_current_L"): _of_averages(lambda a, p: a.heat["L"]),
    ("rectifier_local", "J"): _of_averages(lambda a, p: a.heat["L"] - a.heat["R"]),
    ("rectifier_local", "power"): _of_averages(lambda a, p: a.power),
    ("rectifier_local", "occupation_1"): _occupation(0),
    ("rectifier_local", "occupation_2"): _occupation(1),
    ("rectifier_local", "coherence_imag"): _coherence_imag,
    ("rectifier_local", "concurrence"): _concurrence,
    ("rectifier_local", "critical_current"): _critical_current,
    ("rectifier_local", "entropy_production_rate"): _entropy_local,
    ("rectifier_local", "heat_L_variance_rate"): _local_rate(2),
    ("rectifier_local", "heat_L_third_cumulant_rate"): _local_rate(3),
    ("rectifier_local", "tur_ratio"): _tur_local,
    ("rectifier_local", "contrast"): _contrast_local,
    ("rectifier_local", "conductance"): _conductance("local"),
    ("rectifier_local", "conductance_peak_temperature"): _peak_temperature("local"),
    ("rectifier_local", "ndtc_onset_T_L"): _ndtc_onset,
    ("rectifier_local", "net_quanta_L_probability"): _net_quanta,
    ("rectifier_global", "contrast"): _contrast_global,
    ("rectifier_global", "conductance"): _conductance("global"),
    ("rectifier_global", "conductance_peak_temperature"): _peak_temperature("global"),
    ("rectifier_global", "two_peak_threshold_g"): _two_peak_threshold,
    **{("rectifier_global", name): _of_global(read) for name, read in OF_ANY_MODEL.items()},
    **{
        (f"rectifier_collision_{construction}", name): _of_collisions(construction, read)
        for construction in ("split", "joint")
        for name, read in (OF_ANY_MODEL | {"relative_deviation_from_lindblad": _deviation}).items()
    },
}
