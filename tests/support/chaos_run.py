"""What a process of the chaos does: one run of the uploader, which may be killed at any moment."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.chaos_clock import SharedClock
from tests.support.driver import Parts, Warehouse, run
from uploader.delivery.run import exit_code
from uploader.delivery.targets import Target, targets
from uploader.errors import UploaderError
from uploader.ledger import SqliteStore, Store
from uploader.ledger.upkeep import keep
from uploader.settings import DestinationSettings, LedgerSettings, Settings
from uploader.transport import Timeouts, Transport
from uploader.warehouse import Profile

BATCH = 10


@dataclass(frozen=True, slots=True)
class Order:
    """Where a run finds its things. The sent log is a file in the folder, or in PostgreSQL at ``ledger_url``."""

    folder: Path
    platform_url: str
    token: str
    ledger_url: str | None = None

    @property
    def profile(self) -> Profile:
        """The warehouse."""
        return Profile(self.folder / "warehouse.duckdb", "main", "raw")

    @property
    def report(self) -> Path:
        """Where a run that came to its end leaves its books."""
        return self.folder / "report.json"

    def store(self) -> Store:
        """Return the place of the sent log."""
        if self.ledger_url is None:
            return SqliteStore(self.folder / "sent_log.sqlite")
        from uploader.ledger.postgres import PostgresStore

        return PostgresStore(self.ledger_url)

    def target(self) -> Target:
        """Return the one destination."""
        about = DestinationSettings(dataset_id="42", base_url=self.platform_url, batch_size=BATCH)
        return targets(["meta"], Settings(destinations={"meta": about}), {"META_ACCESS_TOKEN": self.token})[0]


def work(order: Order) -> None:
    """Run once, and end with the exit code of `uploader send`. What it would sleep is soon over, for all clocks."""
    clock = SharedClock(order.folder / "clock")

    def sleep(seconds: float) -> None:
        clock.forward(seconds=seconds)
        time.sleep(min(seconds, 0.02))

    # Short, so that a platform that hangs does not hold up the chaos; too short is one fault more.
    transport = Transport(Timeouts(connect=2, read=0.8, total=1.5))
    try:
        parts = Parts(
            store=order.store(),
            post=transport.post,
            clock=clock,
            sleep=sleep,
            keep=lambda ledger: keep(ledger, clock, LedgerSettings()),
        )
        report = run(Warehouse(order.profile, sleep), order.target(), parts)
    except UploaderError as error:
        print(error, file=sys.stderr)  # noqa: T201, pytest shows it with a failure
        sys.exit(error.exit_code)
    order.report.write_text(json.dumps(report.books.as_dict()))
    sys.exit(exit_code([report]))
