"""Keeps secrets out of what this program, and every library in it, writes into logs and tracebacks.

The second line of defence: secrets travel in headers only, and no message of ours shows one.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

_SHORTEST: Final = 8
"""Shorter ones are no secrets, and replacing them would make every text unreadable."""
_SECRET_NAME: Final = re.compile(r"(?i).*(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|KEY)")
_PASSWORD_INSIDE: Final = re.compile(r"://[^/\s:@]*:([^/\s]+)@|\bpassword\s*=\s*'?([^\s']+)")
_MARK: Final = "***"


def secrets_of(environment: Mapping[str, str], settings: Mapping[str, Any]) -> list[str]:
    """Return the values of variables that the settings or their own names call secret, and passwords in addresses."""
    named = set(_variables_in(settings))
    values = [value for name, value in environment.items() if name in named or _SECRET_NAME.fullmatch(name)]
    inside = [found for value in environment.values() for pair in _PASSWORD_INSIDE.findall(value) for found in pair]
    return [*values, *inside, *(part for value in values for part in _texts_in(value))]


def _texts_in(value: str) -> Iterator[str]:
    """Return the texts of a secret that is a JSON object, as credentials are; a private key line by line too."""
    try:
        found = json.loads(value) if value.lstrip().startswith("{") else {}
    except ValueError:
        return
    for text in found.values():
        if isinstance(text, str):
            yield text
            yield from text.splitlines()


def _variables_in(settings: Mapping[str, Any]) -> Iterator[str]:
    """Find the names of variables in settings: those of every ``…_env``."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _variables_in(value)
        elif key.endswith("_env") and isinstance(value, str):
            yield value


class Redactor:
    """Replaces secrets in a text, in the forms in which libraries write them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret.strip() for secret in secrets}
        forms = {form for secret in known if len(secret) >= _SHORTEST for form in _forms(secret)}
        # The longest first, so that no rest of one is left by a part of it.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return self._pattern.sub(_MARK, text) if self._pattern else text

    def traceback(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> str:
        """Write a traceback without secrets; it never shows the values of variables."""
        return self.text("".join(traceback.format_exception(kind, error, trace)))

    def excepthook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Tell of an error that nobody caught, in the place of `sys.excepthook`."""
        sys.stderr.write(self.traceback(kind, error, trace))

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Let no record of any logger, and no error in any thread, show a secret meanwhile."""
        make, tell = logging.getLogRecordFactory(), threading.excepthook

        def factory(*args: Any, **options: Any) -> logging.LogRecord:
            return self._clean(make(*args, **options))

        def excepthook(problem: threading.ExceptHookArgs) -> None:
            if problem.exc_value is not None and problem.exc_type is not SystemExit:
                self.excepthook(problem.exc_type, problem.exc_value, problem.exc_traceback)

        logging.setLogRecordFactory(factory)
        threading.excepthook = excepthook
        try:
            yield
        finally:
            logging.setLogRecordFactory(make)
            threading.excepthook = tell

    def _clean(self, record: logging.LogRecord) -> logging.LogRecord:
        """Put the finished text in the place of its parts: whoever handles the record has nothing else."""
        try:
            said = record.getMessage()
        except Exception:  # noqa: BLE001 - a library's wrong format; logging would print all its parts
            said = str(record.msg)
        record.msg, record.args = self.text(said), None
        if record.exc_info:
            kind, error, trace = record.exc_info
            if kind is not None and error is not None:
                record.exc_text = self.traceback(kind, error, trace).rstrip("\n")
            record.exc_info = None
        if record.stack_info:
            record.stack_info = self.text(record.stack_info)
        return record


def _forms(secret: str) -> Iterator[str]:
    """Write a secret as it is, escaped, percent-encoded, and in base64 wherever in a longer text it began."""
    yield secret
    yield repr(secret)[1:-1]
    raw = secret.encode("utf-8", "surrogateescape")
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield encoded
        yield re.sub("%..", lambda found: found[0].lower(), encoded)
    for offset, skipped in ((0, 0), (1, 2), (2, 3)):
        # Only the signs that are the secret's alone, whatever stands before and after it.
        whole = base64.b64encode(bytes(offset) + raw).decode()[skipped : (offset + len(raw)) * 8 // 6]
        yield whole
        yield whole.translate(str.maketrans("+/", "-_"))
