"""The contract with other languages: JSON Schemas of everything that is sent and answered."""

from starter.client.contracts import Contract, contracts, documents, write

__all__ = ["Contract", "contracts", "documents", "write"]
