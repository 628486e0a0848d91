"""What the records mean: fluctuations, rectification, convergence, figures and reports.

Reads records and exact results, never the internals of a model. The folder lies at the top of the repository and is
installed as ``collide.analysis``.

Every function takes an ensemble, a mapping of arrays or an array, and returns a small result: numbers with errors, a
``repr`` of one sentence, and ``plot(ax=None)`` which returns the axes.
"""

from .against_exact import compare_with_exact
from .averages import FunctionalEstimate, functional_of_mean, mean_of_functional
from .backwards import Backward, is_own_reverse, run_backwards
from .bounds import carnot_cop, carnot_efficiency, cop, efficiency
from .columns import Column, column
from .compare import Comparison, Verdict, compare_distribution, compare_mean, compare_variance, judge
from .conductance import differential_conductance, linear_conductance
from .convergence import Certificate, Convergence, certificate, convergence_in_ntraj, convergence_in_tau, local_slopes
from .cumulants import Covariance, Cumulants, covariance, cumulants, from_power_sums, joint_cumulant
from .detailed_theorem import (
    DetailedTheorem,
    HeatExchange,
    detailed_fluctuation_theorem,
    heat_exchange_fluctuation_theorem,
)
from .distributions import Atoms, Density, atoms, density, distribution
from .ensembles import channel_increments, heat_cumulants_in_time, jump_records, state_functional
from .entanglement import concurrence, negativity
from .ergotropy import ergotropy, local_ergotropy, passive_state
from .estimates import Estimate, bootstrap, count_error, count_interval, jackknife
from .exact_side import ExactSide
from .first_passage import FirstPassage, first_passage
from .generating_function import GeneratingFunction, generating_function
from .goodness import Goodness, chi_square, kolmogorov_smirnov
from .information import l1_coherence, mutual_information, purity, relative_entropy_of_coherence, von_neumann_entropy
from .integral_theorem import IntegralTheorem, integral_fluctuation_theorem
from .rectification import Rectification, rectification
from .regimes import Regime, operation_regime, regime_of
from .report import report
from .states import density_matrices, partial_trace, partial_transpose
from .stochastic_efficiency import EfficiencyDistribution, efficiency_distribution, ratio_of_means
from .sweep import sweep
from .symmetry import Symmetry, gallavotti_cohen
from .table import Table
from .time_resolved import CumulantsInTime, cumulants_in_time
from .uncertainty import UncertaintyRatio, kinetic_uncertainty, thermodynamic_uncertainty
from .waiting import Jumps, WaitingTimes, jumps, residence_times, successive_correlation, waiting_times
from .waiting_exact import ExactWaiting, exact_waiting

__all__ = [
    "Atoms",
    "Backward",
    "Certificate",
    "Column",
    "Comparison",
    "Convergence",
    "Covariance",
    "Cumulants",
    "CumulantsInTime",
    "Density",
    "DetailedTheorem",
    "EfficiencyDistribution",
    "Estimate",
    "ExactSide",
    "ExactWaiting",
    "FirstPassage",
    "FunctionalEstimate",
    "GeneratingFunction",
    "Goodness",
    "HeatExchange",
    "IntegralTheorem",
    "Jumps",
    "Rectification",
    "Regime",
    "Symmetry",
    "Table",
    "UncertaintyRatio",
    "Verdict",
    "WaitingTimes",
    "atoms",
    "bootstrap",
    "carnot_cop",
    "carnot_efficiency",
    "certificate",
    "channel_increments",
    "chi_square",
    "column",
    "compare_distribution",
    "compare_mean",
    "compare_variance",
    "compare_with_exact",
    "concurrence",
    "convergence_in_ntraj",
    "convergence_in_tau",
    "cop",
    "count_error",
    "count_interval",
    "covariance",
    "cumulants",
    "cumulants_in_time",
    "density",
    "density_matrices",
    "detailed_fluctuation_theorem",
    "differential_conductance",
    "distribution",
    "efficiency",
    "efficiency_distribution",
    "ergotropy",
    "exact_waiting",
    "first_passage",
    "from_power_sums",
    "functional_of_mean",
    "gallavotti_cohen",
    "generating_function",
    "heat_cumulants_in_time",
    "heat_exchange_fluctuation_theorem",
    "integral_fluctuation_theorem",
    "is_own_reverse",
    "jackknife",
    "joint_cumulant",
    "judge",
    "jump_records",
    "jumps",
    "kinetic_uncertainty",
    "kolmogorov_smirnov",
    "l1_coherence",
    "linear_conductance",
    "local_ergotropy",
    "local_slopes",
    "mean_of_functional",
    "mutual_information",
    "negativity",
    "operation_regime",
    "partial_trace",
    "partial_transpose",
    "passive_state",
    "purity",
    "ratio_of_means",
    "rectification",
    "report",
    "regime_of",
    "relative_entropy_of_coherence",
    "residence_times",
    "run_backwards",
    "state_functional",
    "successive_correlation",
    "sweep",
    "thermodynamic_uncertainty",
    "von_neumann_entropy",
    "waiting_times",
]
