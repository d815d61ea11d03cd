"""Two hosts with one sent log in PostgreSQL: whoever loses the session, and whenever, nothing is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import psycopg
import pytest

from tests.support import delivering
from tests.support.delivering import Clock
from tests.support.postgres import Pooler, Server
from tests.support.proof import full, size
from tests.support.two_kinds import Counting, Host, Log
from uploader.errors import ConfigurationError, TryLater
from uploader.ledger.postgres import PostgresStore
from uploader.transport import Answer, InDoubt

EVENTS = 5
BAD = "purchase.3"
GOOD = [f"purchase.{number}" for number in range(1, EVENTS + 1) if f"purchase.{number}" != BAD]


def orders() -> pl.DataFrame:
    """Return five orders, of which the platform refuses one."""
    made = delivering.orders(EVENTS, external_id_sha256="a" * 64)
    is_bad = pl.col("event_id") == BAD
    return made.with_columns(email_sha256s=pl.when(is_bad).then(pl.concat_list(pl.lit("no hash"))))


@dataclass
class Moments:
    """Counts the moments around each commit of a run, and does something at one of them."""

    do: Callable[[], None] = lambda: None
    at: int | None = None
    count: int = 0

    def pass_one(self) -> None:
        """Let a moment pass."""
        if self.count == self.at:
            self.do()
        self.count += 1


class WatchedStore(PostgresStore):
    """A sent log that tells of the moments before and after each of its commits."""

    def __init__(self, url: str, moments: Moments) -> None:
        super().__init__(url)
        self.moments = moments

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Store.transaction`."""
        with super().transaction():
            yield
            self.moments.pass_one()
        self.moments.pass_one()


@dataclass
class Shop:
    """One log, one platform, one true time, and two hosts: the first is watched, the second takes over."""

    url: str
    folder: Path
    clock: Clock = field(default_factory=Clock)
    moments: Moments = field(default_factory=Moments)

    def __post_init__(self) -> None:
        self.platform = Counting(self.clock)
        self.log = Log(lambda: PostgresStore(self.url), self.clock)
        self.first = self.host("first", lambda: WatchedStore(self.url, self.moments))
        self.second = self.host("second", self.log.new_store)

    def host(self, name: str, new_store: Callable[[], PostgresStore]) -> Host:
        """Return a host that sends two events at a time."""
        settings = {"batch_size": 2}
        return Host(self.folder, self.platform, self.clock, settings=settings, new_store=new_store, name=name)

    def take_over(self, minutes: float) -> None:
        """End the first host's session while it stands still, and let the second do the work."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            query = "select pg_terminate_backend(pid, 10000) from pg_locks where locktype = 'advisory' and granted"
            assert connection.execute(query).fetchall() == [(True,)]
        self.clock.forward(minutes=minutes)
        self.second.run(orders())
        self.asked = len(self.platform.requests)

    def judge(self) -> None:
        """Everything good was counted once, the bad one never, and nothing is left to do."""
        assert self.platform.counted() == dict.fromkeys(GOOD, 1)
        states = self.log.states()
        assert {key: states[key][0] for key in GOOD} == dict.fromkeys(GOOD, "acked")
        assert states[BAD][0] in ("dead", "held")
        before = len(self.platform.requests)
        assert self.second.run(orders()).books.already == EVENTS
        assert len(self.platform.requests) == before


@pytest.fixture
def urls(postgres: Server) -> Iterator[Callable[[], str]]:
    """Return what says where an emptied database is: another one would take much longer to make."""
    url = postgres.fresh()

    def emptied() -> str:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("drop schema if exists uploader_sent_log cascade")
        return url

    return emptied


def _moments_of_a_run(url: str, folder: Path) -> int:
    """Count the moments of a run that nobody disturbs."""
    shop = Shop(url, folder)
    shop.first.run(orders())
    shop.judge()
    return shop.moments.count


@pytest.mark.parametrize(("minutes", "late"), [(0, 1), (9, 1), (20, 0)])
def test_a_host_without_its_session_stops_at_its_next_write(
    minutes: int, late: int, urls: Callable[[], str], tmp_path: Path, figure: Callable[[str, str], None]
) -> None:
    """Before and after every commit of a run; what it had intended is posted within ten minutes, or never."""
    count = _moments_of_a_run(urls(), tmp_path)
    resent = 0
    chosen = range(count) if full() else range(minutes % 2, count, 2 if minutes == 20 else 3)
    for at in chosen:
        shop = Shop(urls(), tmp_path)
        shop.moments.do, shop.moments.at = lambda shop=shop: shop.take_over(minutes), at
        with pytest.raises(TryLater) as caught:
            shop.first.run(orders())
        assert caught.value.exit_code == 75
        assert len(shop.platform.requests) - shop.asked <= late, f"moment {at}: {shop.platform.requests}"
        shop.judge()
        resent += shop.platform.sandbox.counts()["42"]["duplicates"]
    figure(
        "D5", f"session ended, {minutes} min, takeover at {len(chosen)} of {count} moments: {resent} resends, 0 double"
    )


def test_a_host_that_pauses_between_two_tries_is_dropped_as_a_repetition(
    urls: Callable[[], str], tmp_path: Path
) -> None:
    """An answer is lost; while the host waits to ask again, another takes over. Its late try counts for nothing."""
    shop = Shop(urls(), tmp_path)
    tries = []

    def lossy(*call: object) -> Answer:
        answer = shop.platform(*call)
        tries.append(call)
        if len(tries) == 1:
            raise InDoubt("the answer was lost")
        return answer

    def pause(_seconds: float) -> None:
        shop.first.platform = shop.platform
        shop.take_over(1)

    shop.first.platform = lossy
    with pytest.raises(TryLater):
        shop.first.run(orders(), sleep=pause)
    assert len(shop.platform.requests) == shop.asked + 1
    shop.judge()


def test_a_host_that_stands_still_keeps_the_lock(
    urls: Callable[[], str], tmp_path: Path, figure: Callable[[str, str], None]
) -> None:
    """Twenty minutes at any moment: the other is refused, and an intent from before is not posted but made anew."""
    chosen = range(0, _moments_of_a_run(urls(), tmp_path), size(5, 1))
    for at in chosen:
        shop = Shop(urls(), tmp_path)

        def stand_still(shop: Shop = shop) -> None:
            shop.clock.forward(minutes=20)
            with pytest.raises(TryLater, match=r"Another run holds the lock .*since 2026-11-20T14:00:00Z"):
                shop.second.run(orders())

        shop.moments.do, shop.moments.at = stand_still, at
        shop.first.run(orders())
        assert shop.second.run(orders()).problem is None
        shop.judge()
        assert shop.platform.sandbox.counts()["42"]["duplicates"] == 0
    figure("D5", f"host stands still for 20 min at {len(chosen)} moments: the other refused, 0 resends, 0 double")


def test_a_host_behind_a_pooler_sends_nothing(pgbouncer: Pooler, tmp_path: Path) -> None:
    """Transaction mode lends a session, and the lock with it, to whoever comes: refused before the first request."""
    url = pgbouncer.fresh()
    shop = Shop(url, tmp_path)
    for host in (shop.first, shop.second):
        with pytest.raises(ConfigurationError, match="through a pooler"):
            host.run(orders())
    assert shop.platform.requests == []
