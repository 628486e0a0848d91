"""Every claim of Leitch, Hammam and De Chiara 2024, with the paper's number, ours, and whether it holds."""

from .base import Claim
from .rotor_claims_beyond import beyond_claims
from .rotor_claims_model import model_claims
from .rotor_claims_operation import ergotropy_claims, operation_claims
from .rotor_claims_rectification import rectification_claims
from .rotor_claims_time import power_claims, truncation_claims


def claims() -> list[Claim]:
    """All claims, in the order of the paper, then what the paper does not ask."""
    return [
        *model_claims(),
        *operation_claims(),
        *ergotropy_claims(),
        *rectification_claims(),
        *truncation_claims(),
        *power_claims(),
        *beyond_claims(),
    ]
