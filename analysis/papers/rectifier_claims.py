"""Every claim of the paper, judged by numbers that are computed here."""

from .base import Claim
from .rectifier_claims_conductance import CONDUCTANCE_CLAIMS
from .rectifier_claims_currents import CURRENT_CLAIMS
from .rectifier_claims_entanglement import ENTANGLEMENT_CLAIMS
from .rectifier_claims_strong import STRONG_CLAIMS


def claims() -> list[Claim]:
    """Every claim: weak coupling, strong coupling, entanglement and entropy."""
    judged = (*CURRENT_CLAIMS, *CONDUCTANCE_CLAIMS, *ENTANGLEMENT_CLAIMS, *STRONG_CLAIMS)
    return [make() for make in judged]
