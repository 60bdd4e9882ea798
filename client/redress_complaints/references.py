"""References: derived from source and key, and read as people write them."""

from domain.ground.reference import COMPLAINT, INCIDENT, InvalidReference, parse_reference, reference_for

__all__ = ["COMPLAINT", "INCIDENT", "InvalidReference", "parse_reference", "reference_for"]
