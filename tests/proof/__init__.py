"""Proofs: what the delivery promises, shown by many runs under faults; their sizes follow PROOF_SIZE."""
