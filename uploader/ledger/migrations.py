"""The schema of the sent log, as numbered steps that only go forward.

``migrations/0001.sql`` is the first; a log of an older version is brought forward in one transaction, after a
copy of it was kept. They are written for SQLite; `uploader.ledger.postgres` translates the few words that differ.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uploader.clock import Clock
    from uploader.ledger.store import Store

_COMMENT = re.compile(r"--.*")


def _steps() -> list[str]:
    folder = resources.files("uploader.ledger").joinpath("migrations")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [file.read_text(encoding="utf-8") for file in files]


def newest() -> int:
    """Return the schema version that this code reads and writes."""
    return len(_steps())


def statements(after: int) -> Sequence[str]:
    """Return what brings a log of version ``after`` (0: an empty one) to the newest."""
    steps = _steps()
    found = [part.strip() for step in steps[after:] for part in _COMMENT.sub("", step).split(";") if part.strip()]
    change = (
        f"insert into meta values ('schema_version', '{len(steps)}')"
        if after == 0
        else f"update meta set value = '{len(steps)}' where key = 'schema_version'"
    )
    return [*found, change]


def version_of(store: Store) -> int:
    """Return the schema version of an open log."""
    found = store.rows("select value from meta where key = 'schema_version'", {})
    return int(found[0][0]) if found else 0


def migrate(store: Store, clock: Clock) -> None:
    """Bring an open log to the newest version; raise for one that is newer than this code."""
    version = version_of(store)
    require_known(store, version)
    if version == newest():
        return
    store.back_up(clock)
    with store.transaction():
        for statement in statements(version):
            store.execute(statement, {})


def require_known(store: Store, version: int) -> None:
    """Raise `ConfigurationError` for a version that this code does not know."""
    if version > newest():
        raise ConfigurationError(f"The sent log {store} was written by a newer version (schema {version}). Update.")


def require_newest(store: Store) -> None:
    """Raise `ConfigurationError` when a log that may only be read is of another version."""
    version = version_of(store)
    require_known(store, version)
    if version < newest():
        raise ConfigurationError(
            f"The sent log {store} is of an older version (schema {version}, this one reads {newest()}). "
            "The next `uploader send` brings it forward."
        )
