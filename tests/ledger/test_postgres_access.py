"""Addresses, rights and servers that do not fit: each is told in a sentence, and no password is ever told."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import traceback
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from tests.support.delivering import Clock
from tests.support.postgres import Server
from tests.support.two_kinds import Log, send
from uploader.errors import ConfigurationError, TryLater, UploaderError
from uploader.ledger import State, store_for
from uploader.ledger.postgres import PostgresStore
from uploader.settings import LedgerSettings

CANARY = "Can4ry-s3cret"
PASSWORD = f"{CANARY}@:/?#% '\\=&"


def make_shop(postgres: Server) -> str:
    """Make a database whose user has a password with every sign that addresses mind; return its address."""
    role = f"shop_{next(postgres.numbers)}"
    quoted = psycopg.sql.Literal(PASSWORD).as_string()
    postgres.admin(f"create role {role} login password {quoted}")
    postgres.admin(f"create database {role} owner {role} template template0")
    return postgres.url(role, role).replace(postgres.daemon.password, quote(PASSWORD, safe=""))


@pytest.fixture(scope="module")
def shop(postgres: Server) -> str:
    """Return the address of such a database, which stays as it is."""
    return make_shop(postgres)


def refusal(url: str, caplog: pytest.LogCaptureFixture) -> UploaderError:
    """Try each way to a log; return the error, after a look for the password in all that was told."""
    told = []
    with caplog.at_level(logging.DEBUG):
        for attempt in (_locks, _asks, _reads):
            with pytest.raises(UploaderError) as caught:
                attempt(url)
            told += ["".join(traceback.format_exception(caught.value)), repr(caught.value)]
    for text in (*told, caplog.text):
        assert CANARY not in text
        assert quote(CANARY, safe="") not in text
    return caught.value


def _locks(url: str) -> None:
    with PostgresStore(url).locked(Clock()):
        pass


def _asks(url: str) -> None:
    PostgresStore(url).exists()


def _reads(url: str) -> None:
    PostgresStore(url).open(read_only=True)


# ------------------------------------------------------------------ addresses


def test_a_password_may_hold_any_sign(shop: str, caplog: pytest.LogCaptureFixture) -> None:
    """Written with %40 and so on; what is told of the store does not show it."""
    store = PostgresStore(shop)
    with caplog.at_level(logging.DEBUG), store.locked(Clock()):
        told = [str(store), repr(store), repr(vars(store)["_connection"]), caplog.text]
    assert not [text for text in told if CANARY in text]


@pytest.mark.parametrize(
    "password", ["a@{}", "a/{}", "{}/b", "a:@{}", "{}@x", "a/{}@b", "5432/{}", "%zz{}", "a/b?{}", "a?/{}"]
)
def test_a_password_that_is_not_quoted_is_refused_unused(password: str, caplog: pytest.LogCaptureFixture) -> None:
    """A part of it would be taken for the host or the database, and be asked for in public."""
    found = refusal(f"postgresql://user:{password.format(CANARY)}@127.0.0.1:1/shop", caplog)
    assert isinstance(found, ConfigurationError)
    assert "none that PostgreSQL understands" in str(found)
    assert "%40" in str(found)


@pytest.mark.parametrize(
    "url",
    [
        CANARY,
        f"mysql://u:{CANARY}@h/d",
        f"postgresql://u:{CANARY}@[::1/d",
        f"postgresql://u:{CANARY}@h/d?no_such_setting=1",
        f"host=h password={CANARY} nonsense",
        f"host=h password='{CANARY}",
        f"postgresql://u:{CANARY}@127.0.0.1:port/d",
        f"postgresql://u:{CANARY}@127.0.0.1:1/d?connect_timeout=soon",
        f"postgresql://u:{CANARY}@127.0.0.1:1/d?sslmode=perhaps",
        f"postgresql://u:{CANARY}@127.0.0.1:99999/d",
        f"postgresql://u:{CANARY}\udcff@h/d",
    ],
)
def test_an_address_that_cannot_be_read_is_told(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Exit 78, and never a piece of it."""
    assert refusal(url, caplog).exit_code == 78


def test_a_variable_that_is_not_set_is_named() -> None:
    """Exit 78, with an example."""
    for environment in ({}, {"SENT_LOG_URL": " "}):
        with pytest.raises(
            ConfigurationError, match=r"SENT_LOG_URL is not set.*postgresql://user:password@host/database"
        ):
            store_for(LedgerSettings(url_env="SENT_LOG_URL"), environment)


def test_an_address_may_name_its_own_application(url: str) -> None:
    """What an address sets beside the place is taken, except the name that says who holds the lock."""
    with (
        PostgresStore(f"{url}?application_name=x&connect_timeout=7").locked(Clock()),
        pytest.raises(TryLater, match=r"\(pid \d+ on "),
        PostgresStore(url).locked(Clock()),
    ):
        pass


def test_the_driver_is_asked_for_by_those_who_use_it_only() -> None:
    """A log in a file works without it."""
    script = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from uploader.errors import UploaderError\n"
        "from uploader.ledger import store_for\n"
        "from uploader.settings import LedgerSettings\n"
        "print(type(store_for(LedgerSettings(), {})).__name__)\n"
        "try:\n    store_for(LedgerSettings(url_env='LOG'), {'LOG': 'postgresql://u:p@h/d'})\n"
        "except UploaderError as error:\n    print(error.exit_code, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "SqliteStore"
    assert re.fullmatch(r"78 .*driver is not installed: pip install 'warehouse-capi\[postgres\]'\.", second)


# ------------------------------------------------------------------ servers and rights


def _at(url: str, **parts: str) -> str:
    """Change parts of an address."""
    split = urlsplit(url)
    user, password = parts.get("user", split.username), parts.get("password", split.password)
    host, port = parts.get("host", split.hostname), parts.get("port", split.port)
    return f"postgresql://{user}:{password}@{host}:{port}{parts.get('path', split.path)}"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"password": CANARY}, "password authentication failed"),
        ({"user": "nobody_known"}, "password authentication failed"),
        ({"path": "/no_such_database"}, 'database "no_such_database" does not exist'),
    ],
)
def test_who_is_not_let_in_is_told_why(
    shop: str, change: dict[str, str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Exit 78: asking again is of no use."""
    found = refusal(_at(shop, **change), caplog)
    assert isinstance(found, ConfigurationError)
    assert told in str(found)


def test_a_server_that_is_not_there_may_come_back(shop: str, caplog: pytest.LogCaptureFixture) -> None:
    """Exit 75."""
    found = refusal(_at(shop, port="1"), caplog)
    assert isinstance(found, TryLater)
    assert "Connection refused" in str(found)


def test_a_server_elsewhere_must_be_spoken_to_in_private(
    shop: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Encryption is asked for unless somebody says otherwise, and this server has none. ``hostaddr`` spares a name."""
    elsewhere = _at(shop, host="db.example.org") + "?hostaddr=127.0.0.1"
    found = refusal(elsewhere, caplog)
    assert isinstance(found, ConfigurationError)
    assert "does not support SSL" in str(found)
    _locks(f"{elsewhere}&sslmode=disable")
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert refusal(elsewhere, caplog).exit_code == 78
    monkeypatch.setenv("PGSSLMODE", "disable")
    _locks(elsewhere)


def test_who_may_not_make_a_schema_is_told_what_to_ask_for(postgres: Server) -> None:
    """The statement that is told, run by an administrator, is all that is needed."""
    shop = make_shop(postgres)
    role = urlsplit(shop).username
    postgres.admin(f"alter database {role} owner to admin")
    log = Log(lambda: PostgresStore(shop))
    with pytest.raises(ConfigurationError, match="may not create a schema") as caught:
        _open(log)
    assert not PostgresStore(shop).exists()
    statement = str(caught.value).partition("run: ")[2]
    assert statement == f'create schema uploader_sent_log authorization "{role}"'
    postgres.admin(statement, str(role))
    with log.open(locked=True) as ledger:
        send(ledger, "a", state=State.ACKED)
    assert log.states() == {"a": ("acked", None)}


@pytest.mark.parametrize(
    ("grant", "told"),
    [
        ("select 1", "has no rights in the schema uploader_sent_log"),
        ("grant usage on schema uploader_sent_log to {}", "permission denied for table meta"),
    ],
)
def test_who_may_not_read_the_log_is_told_so(url: str, postgres: Server, grant: str, told: str) -> None:
    """A log without the right to see it must not look like a broken one, nor like none."""
    with Log(lambda: PostgresStore(url)).open():
        pass
    stranger = f"stranger_{next(postgres.numbers)}"
    postgres.admin(f"create role {stranger} login password '{postgres.daemon.password}'")
    postgres.admin(grant.format(stranger), url.rpartition("/")[2])
    log = Log(lambda: PostgresStore(_at(url, user=stranger)))
    with pytest.raises(ConfigurationError, match=told):
        _open(log)


def test_who_may_only_read_the_log_cannot_send(url: str, postgres: Server) -> None:
    """The first intent fails, so nothing leaves; to look at the log is allowed. Anybody is told who holds the lock."""
    with Log(lambda: PostgresStore(url)).open(locked=True) as ledger:
        send(ledger, "a", state=State.ACKED)
    reader = f"reader_{next(postgres.numbers)}"
    postgres.admin(f"create role {reader} login password '{postgres.daemon.password}'")
    for right in ("usage on schema uploader_sent_log", "select on all tables in schema uploader_sent_log"):
        postgres.admin(f"grant {right} to {reader}", url.rpartition("/")[2])
    log = Log(lambda: PostgresStore(_at(url, user=reader)))
    assert log.states() == {"a": ("acked", None)}
    with log.open() as ledger, pytest.raises(ConfigurationError, match="permission denied for table"):
        send(ledger, "b")
    with PostgresStore(url).locked(Clock()), pytest.raises(TryLater, match=r"\(pid \d+ on \S+ since 2026"):
        _locks(_at(url, user=reader))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("alter database {} set default_transaction_read_only = on", "leads to a standby"),
        ("alter database {} connection limit 0", "too many connections"),
    ],
)
def test_a_server_that_takes_nothing_is_told(postgres: Server, how: str, told: str) -> None:
    """A database that may only be read is a wrong address; one that is full may have room later."""
    shop = make_shop(postgres)
    postgres.admin(how.format(urlsplit(shop).username))
    with pytest.raises(UploaderError, match=told) as caught:
        _open(Log(lambda: PostgresStore(shop)))
    assert caught.value.exit_code == (78 if "standby" in told else 75)


def test_a_database_that_cannot_write_every_id_is_refused(postgres: Server) -> None:
    """An id may hold any letter, so the encoding must be UTF-8."""
    postgres.admin(
        "create database latin owner uploader encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"
    )
    with pytest.raises(ConfigurationError, match="has the encoding LATIN1"):
        _locks(postgres.url("latin"))


def _open(log: Log) -> None:
    with log.open():
        pass
