"""The sent log: what was intended, what became of it, and proof that it is the same log as yesterday."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uploader.errors import ConfigurationError
from uploader.ledger.guard import Publication, guarded, verify
from uploader.ledger.log import Ledger
from uploader.ledger.sqlite import SqliteStore
from uploader.ledger.states import QUARANTINE, STATES, Breaker, Intent, Settled, State, empty_states
from uploader.ledger.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.settings import LedgerSettings

__all__ = [
    "QUARANTINE",
    "STATES",
    "Breaker",
    "Intent",
    "Ledger",
    "Publication",
    "Settled",
    "SqliteStore",
    "State",
    "Store",
    "empty_states",
    "guarded",
    "store_for",
    "verify",
]


def store_for(settings: LedgerSettings, environment: Mapping[str, str]) -> Store:
    """Return the place that the settings name: PostgreSQL where ``url_env`` is set, else a file."""
    if settings.url_env is None:
        return SqliteStore(settings.path, allow_network_filesystem=settings.allow_network_filesystem)
    from uploader.ledger.postgres import PostgresStore  # only those who use it have the driver

    url = environment.get(settings.url_env, "").strip()
    if not url:
        raise ConfigurationError(
            f"The environment variable {settings.url_env} is not set, which ledger.url_env names: it holds the "
            "address of the sent log, like postgresql://user:password@host/database."
        )
    return PostgresStore(url)
