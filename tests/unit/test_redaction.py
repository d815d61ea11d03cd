"""No secret in a log or a traceback, in whatever form a library writes it."""

from __future__ import annotations

import base64
import io
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uploader.redaction import Redactor, secrets_of

TOKEN = "EAAB/canary+token=0123%456789"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that a library's logger writes, at the lowest level."""
    stream, logger = io.StringIO(), logging.getLogger("some.package")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)


@pytest.mark.parametrize(
    "written_as",
    [
        TOKEN,
        quote(TOKEN, safe=""),
        quote(TOKEN, safe="").lower().replace("eaab", "EAAB"),
        quote_plus(TOKEN),
        base64.b64encode(TOKEN.encode()).decode(),
        base64.urlsafe_b64encode(TOKEN.encode()).decode(),
    ],
)
def test_a_secret_is_replaced_in_every_form(written_as: str) -> None:
    """As it is, percent-encoded, in base64."""
    said = Redactor([TOKEN]).text(f"GET /?t={written_as}&x=1")
    assert said.startswith("GET /?t=***")
    assert said.endswith("&x=1")
    assert "canary" not in said


def test_parts_of_a_secret_in_json_are_secrets() -> None:
    """Each text in it, and each line of a private key; the variable is known by its name or by a setting."""
    key = "-----BEGIN PRIVATE KEY-----\\nMIIabcdefgh\\nijklmnopq12\\n-----END PRIVATE KEY-----"
    secret = f'{{"client_secret": "very-secret-1", "private_key": "{key}", "n": 1}}'
    redactor = Redactor(secrets_of({"GOOGLE_CREDENTIALS": secret, "OTHER": "plain-text-here"}, {}))
    assert redactor.text("a very-secret-1 b MIIabcdefgh c ijklmnopq12 d") == "a *** b *** c *** d"
    assert redactor.text("plain-text-here") == "plain-text-here"


@given(before=st.binary(max_size=5), secret=st.binary(min_size=8, max_size=40), after=st.binary(max_size=5))
def test_base64_of_a_longer_text_hides_nothing(before: bytes, secret: bytes, after: bytes) -> None:
    """Wherever the secret begins in it, at most the sign on each border is left, which it shares with its neighbour."""
    text = secret.hex()
    encoded = base64.b64encode(before + text.encode() + after).decode()
    left = Redactor([text]).text(encoded)
    assert "***" in left
    assert len(left) - len("***") <= len(base64.b64encode(before + b"xx" + after)) + 4


@pytest.mark.parametrize("secret", ["", " ", "short12", "   short   "])
def test_what_is_too_short_is_no_secret(secret: str) -> None:
    """An empty one would put a mark between all letters."""
    assert Redactor([secret]).text("a short12 text") == "a short12 text"


def test_the_longer_secret_goes_first() -> None:
    """One that begins with another leaves no rest."""
    assert Redactor(["12345678", "12345678-more"]).text("x 12345678-more y 12345678") == "x *** y ***"


def test_records_of_every_library_are_cleaned(written: io.StringIO) -> None:
    """Message, arguments, exception and stack."""
    logger = logging.getLogger("some.package")
    with Redactor([TOKEN]).guarding():
        logger.info("token %s", TOKEN)
        logger.info(f"{TOKEN} in the format %d", 1)  # noqa: G004 - what a library may do
        logger.warning({"Authorization": f"Bearer {TOKEN}"})
        logger.warning("wrong format %d", TOKEN)
        logger.debug("stack", stack_info=True)
        try:
            {}[TOKEN]
        except KeyError:
            logger.exception("failed for %s", quote(TOKEN, safe=""))
    said = written.getvalue()
    assert TOKEN not in said
    assert quote(TOKEN, safe="") not in said
    assert "INFO some.package token ***" in said
    assert "KeyError: '***'" in said
    assert said.count("***") == 5


def test_a_guard_ends() -> None:
    """What was in place before is in place again."""
    before = logging.getLogRecordFactory(), threading.excepthook
    with Redactor([TOKEN]).guarding():
        assert (logging.getLogRecordFactory(), threading.excepthook) != before
    assert (logging.getLogRecordFactory(), threading.excepthook) == before


def test_an_error_in_a_thread_is_cleaned(capsys: pytest.CaptureFixture[str]) -> None:
    """Its traceback is printed by Python itself."""

    def fail() -> None:
        raise ValueError(TOKEN)

    with Redactor([TOKEN]).guarding():
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    told = capsys.readouterr().err
    assert "ValueError: ***" in told
    assert TOKEN not in told


def test_secrets_are_what_settings_or_names_call_so() -> None:
    """The variables that settings name, those with a telling name, and passwords inside of addresses."""
    environment = {
        "META_ACCESS_TOKEN": "by-its-name",
        "WAREHOUSE_PASSWORD": "by-its-name-too",
        "CAPI": "by-the-settings",
        "LEDGER": "postgresql://user:pass-inside@db.example/log",
        "DSN": "host=db.example password=pass-of-a-dsn user=x",
        "HOME": "home-is-no-secret",
        "BASE_URL": "https://no-secret.example.com",
    }
    settings = {"destinations": {"meta": {"token_env": "CAPI", "base_url": "HOME"}}, "ledger": {"url_env": "LEDGER"}}
    found = {secret for secret in secrets_of(environment, settings) if secret}
    assert found == {
        *("by-its-name", "by-its-name-too", "by-the-settings", "pass-inside", "pass-of-a-dsn"),
        "postgresql://user:pass-inside@db.example/log",
    }


CRASH = """
import logging, typer.main, uploader.cli.app as app
def crash(_):
    logging.warning("a library logs %s", {token!r})
    raise RuntimeError("a library says " + {token!r})
typer.main.get_command = crash
app.main(["plan"])
"""


def test_a_crash_of_the_command_shows_no_secret() -> None:
    """Neither what was logged before, nor the traceback of the bug, which has its place."""
    done = subprocess.run(
        [sys.executable, "-c", CRASH.format(token=TOKEN)],
        env={"META_ACCESS_TOKEN": TOKEN, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "WARNING:root:a library logs ***" in done.stderr
    assert "RuntimeError: a library says ***" in done.stderr
    assert "in _run" in done.stderr
    assert TOKEN not in done.stderr
