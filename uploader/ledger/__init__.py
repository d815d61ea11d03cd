"""The sent log: what was intended, what became of it, and proof that it is the same log as yesterday."""

from uploader.ledger.guard import Publication, guarded, verify
from uploader.ledger.lock import locked
from uploader.ledger.sqlite import Ledger
from uploader.ledger.states import STATES, Intent, State, empty_states

__all__ = ["STATES", "Intent", "Ledger", "Publication", "State", "empty_states", "guarded", "locked", "verify"]
