"""The errors a user can meet, each with its exit code.

UploaderError
├── UsageError            64  wrong use of the command
├── QualityGateFailed     65  the gate, or the last build, failed, or rows do not fit: they are not sent
├── BooksDoNotBalance     70  a bug: rows read are not the sum of their states
├── TryLater              75  lock, busy warehouse, stale outbox, platform asks to wait, deadline
├── Interrupted          130  or 143: a signal ended the run before it sent
├── ConfigurationError    78  a setting or a column is missing or wrong
├── LedgerRegression       3  the sent log is missing, unreadable, or older than it was
└── PlatformRefused        4  token, permission, wrong dataset, mapping: not the rows' fault
"""

from __future__ import annotations


class UploaderError(Exception):
    """Something went wrong that the user can mend; the message says how."""

    exit_code: int = 1


class UsageError(UploaderError):
    """The command was used in a way it does not understand."""

    exit_code = 64


class QualityGateFailed(UploaderError):
    """The quality gate or the last dbt build failed, or rows do not fit what was judged: they are not sent."""

    exit_code = 65


class BooksDoNotBalance(UploaderError):
    """Rows read are not the sum of their states. This is a bug: please report it."""

    exit_code = 70


class TryLater(UploaderError):
    """Nothing is wrong with the data or the settings: run the command again later."""

    exit_code = 75


class ConfigurationError(UploaderError):
    """A setting or a column is missing or wrong; all of them are named at once."""

    exit_code = 78


class Interrupted(UploaderError):
    """A signal ended the run before it could send; the books are in order."""

    exit_code = 130

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


class LedgerRegression(UploaderError):
    """The sent log is missing, unreadable, or older than it was: sending could count events twice."""

    exit_code = 3


class PlatformRefused(UploaderError):
    """The platform refused for a reason that is not the rows': nothing was dead-lettered."""

    exit_code = 4
