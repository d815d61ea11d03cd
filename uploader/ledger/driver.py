"""What the driver of PostgreSQL is given and what it says: addresses read with care, errors in our words.

An address holds a password, and a password that was written unquoted turns up in the driver's errors as part of
a host or a database. So an address that could have been misread is refused before it is used.
"""

from __future__ import annotations

import re
from typing import Any, Final

from uploader.errors import ConfigurationError, LedgerRegression, QualityGateFailed, TryLater, UploaderError

try:
    import psycopg
except ImportError:  # a shop that keeps its log in a file does not need the driver
    raise ConfigurationError(
        "ledger.url_env asks for PostgreSQL, whose driver is not installed: pip install 'warehouse-capi[postgres]'."
    ) from None

__all__ = ["arguments", "failure", "not_let_in", "place", "psycopg"]

_UNREADABLE: Final = (
    "The address of the sent log is none that PostgreSQL understands; write it like "
    "postgresql://user:password@host/database, with @ : / ? # % in a password as %40 %3A %2F %3F %23 %25."
)
_GIVEN: Final = {
    "client_encoding": "utf8",
    "connect_timeout": "10",
    "keepalives_idle": "60",
    "tcp_user_timeout": "60000",
}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
# A server sends no code to a client that it does not let in. These words mean that asking again is of no use.
_REFUSED: Final = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry|does not exist|not permitted|no such (user|data)"
    r"|does not support SSL|certificate|invalid "
)
_BROKEN: Final = ("22P02", "42P01", "42703", "42804", "42883", "XX001", "XX002")
_NOT_KEPT: Final = ("22021", "22P05")


def arguments(url: str) -> dict[str, Any]:
    """Read an address; encryption is asked for wherever the server is not this machine and nothing else is said."""
    try:
        found: dict[str, Any] = {**_GIVEN, **psycopg.conninfo.conninfo_to_dict(url)}
    except (psycopg.Error, UnicodeError):
        raise ConfigurationError(_UNREADABLE) from None
    places = [str(found.get(name, "")) for name in ("host", "port", "dbname")]
    if any("@" in place for place in places) or not re.fullmatch(r"[0-9,]*", places[1]):
        raise ConfigurationError(_UNREADABLE)
    defaults = {item.keyword.decode(): (item.val or b"").decode() for item in psycopg.pq.Conninfo.get_defaults()}
    hosts = str(found.get("host") or found.get("hostaddr") or defaults["host"] or defaults["hostaddr"])
    is_here = all(host in ("", *_LOOPBACK) or host.startswith("/") for host in hosts.split(","))
    if not is_here and defaults["sslmode"] == "prefer":
        found.setdefault("sslmode", "require")
    return found


def place(settings: dict[str, Any]) -> str:
    """Say which database an address means."""
    database = settings.get("dbname") or settings.get("user") or ""
    return f"the PostgreSQL database {database} on {settings.get('host') or 'this machine'}"


def not_let_in(error: psycopg.Error, log: object, password: str) -> UploaderError:
    """Say why there is no session."""
    first = (str(error).splitlines() or [""])[0].rpartition("failed: ")[2].removeprefix("connection is bad: ")
    said = first.replace(password, "…") if password else first
    if isinstance(error, psycopg.ProgrammingError):
        return ConfigurationError(_UNREADABLE)
    if _REFUSED.search(said):
        return ConfigurationError(f"The sent log {log} cannot be reached ({said}). Correct its address, or the server.")
    return TryLater(f"The sent log {log} cannot be reached ({said}). No request is made; try again later.")


def failure(error: psycopg.Error, log: object) -> UploaderError:
    """Say what went wrong in a session by the error's code; its text may hold values."""
    code = error.sqlstate or ""
    if code in _BROKEN:
        return LedgerRegression(
            f"The sent log {log} cannot be read (code {code}). No further request is made. Restore it from a backup; "
            "do not delete it: events that were sent would be sent again."
        )
    if code in _NOT_KEPT or (isinstance(error, psycopg.DataError) and not code):
        return QualityGateFailed(
            f"An event's name or id holds a character that the sent log {log} cannot keep, like NUL. No further "
            "request is made. The models as shipped leave such characters out: look at what was changed in them."
        )
    if code == "42501":
        return ConfigurationError(
            f"The sent log {log} may not be used ({error.diag.message_primary}). Let the user of the address be the "
            "owner of its schema and its tables."
        )
    if code == "25006":
        return ConfigurationError(
            f"The sent log {log} may only be read: the address leads to a standby, or the database is set so. "
            "Let it name the server that is written to."
        )
    why = f"code {code}" if code else "the connection failed"
    return TryLater(f"The sent log {log} cannot be used ({why}). No further request is made; try again later.")
