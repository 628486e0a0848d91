"""All figures of the rectifier: those of the paper, and what goes beyond it."""

from . import rectifier_beyond as beyond
from . import rectifier_curves as curves
from . import rectifier_drawing as drawing
from . import rectifier_drawing_beyond as drawing_beyond
from . import rectifier_thermodynamics as thermodynamics
from .base import Figure

FIGURES: tuple[Figure, ...] = (
    Figure("fig2", "Linear conductance of one and two qubits (Fig. 2)", curves.conductances, drawing.draw_conductances),
    Figure(
        "fig4",
        "Contrast of strongly coupled qubits against the ratio of couplings and against temperature (Fig. 4)",
        curves.strong_contrasts,
        drawing.draw_strong_contrasts,
    ),
    Figure(
        "fig5",
        "Linear conductance of strongly coupled qubits (Fig. 5)",
        curves.strong_conductances,
        drawing.draw_strong_conductances,
    ),
    Figure("fig6", "Scaling factors of the current (Fig. 6)", curves.scaling_factors, drawing.draw_scaling_factors),
    Figure("fig7", "Position of the largest conductance (Fig. 7)", curves.intersection, drawing.draw_intersection),
    Figure(
        "ndtc",
        "Negative differential conductance (Eq. 17)",
        beyond.negative_conductance,
        drawing_beyond.draw_negative_conductance,
    ),
    Figure("chain", "Current of chains (Eq. 19)", beyond.chains, drawing_beyond.draw_chains),
    Figure("noise", "Noise of chains", beyond.noise_of_chains, drawing_beyond.draw_noise_of_chains),
    Figure(
        "entanglement",
        "Entanglement and the critical current (Eqs. 37-40)",
        thermodynamics.entanglement,
        drawing_beyond.draw_entanglement,
    ),
    Figure(
        "entropy",
        "Entropy production of trajectories (Eqs. 41 and 42)",
        thermodynamics.entropy,
        drawing_beyond.draw_entropy,
    ),
    Figure(
        "uncertainty",
        "Uncertainty ratio below the classical bound",
        beyond.uncertainty_ratios,
        drawing_beyond.draw_uncertainty_ratios,
    ),
    Figure(
        "convergence",
        "Convergence of the collisions in tau, four constructions",
        beyond.convergence,
        drawing_beyond.draw_convergence,
    ),
)
