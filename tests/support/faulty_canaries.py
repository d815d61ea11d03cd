"""A token and personal data that are easy to find again, a shop that holds them, and the search for them."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import shutil
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, quote_plus

import duckdb
import pytest

from tests.support.frames import event_frame
from tests.support.shop import DATASET, ROOT, orders, write_marts
from uploader.cli.app import run

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
TOKEN = "EAAcanaryQ7/token+of=the%test:x9Z3k"
EMAIL = "canary.person@example.com"
PERSONAL = {
    "client_ip": "203.0.113.77",
    "user_agent": "CanaryBrowser/9.87 (like no other)",
    "fbp": "fb.1.1763640000000.7770001112",
    "fbc": "fb.1.1763640000000.CanaryClick99",
    "email_sha256": hashlib.sha256(EMAIL.encode()).hexdigest(),
    "phone_digits_sha256": hashlib.sha256(b"491701234567").hexdigest(),
    "last_name_sha256": hashlib.sha256(b"kanarienvogel").hexdigest(),
}
RAW = (EMAIL, "Kanarienvogel", "+49 170 1234567")
"""What the raw tables of the same warehouse hold."""


def forms_of_token() -> set[bytes]:
    """Return the token as it is, percent-encoded, in base64 wherever it begins, and its first twelve signs."""
    raw = TOKEN.encode()
    pieces = {TOKEN, TOKEN[:12], quote(TOKEN, safe=""), quote(TOKEN), quote_plus(TOKEN), quote(TOKEN, safe="").lower()}
    found = {piece.encode() for piece in pieces} | {json.dumps(TOKEN)[1:-1].encode()}
    for before in (b"", b"x", b"xx"):
        # Without the signs at the borders, which depend on what stands there.
        whole = base64.b64encode(before + raw)[4:-4]
        found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def forms_of_personal_data() -> set[bytes]:
    """Return what is personal, hashed or not, also as bytes and in capitals."""
    hashes = [text for name, text in PERSONAL.items() if name.endswith("sha256")]
    plain = [text.encode() for text in (*PERSONAL.values(), *RAW, *(hash_.upper() for hash_ in hashes))]
    return {*plain, *(quote(text).encode() for text in PERSONAL.values()), *map(bytes.fromhex, hashes)}


def write_warehouse(path: Path) -> None:
    """Write the marts of three orders with personal data, and a table beside them that holds it in clear."""
    write_marts(path, event_frame(*orders(3, **PERSONAL)))
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute(
            "create table int_orders__latest as select '1' as order_id, 'paid' as financial_status, "
            f"'{RAW[0]}' as email, '{RAW[1]}' as last_name, '{RAW[2]}' as phone"
        ).fetchall()


def settings_for(url: str) -> dict[str, str]:
    """Return the environment of a run that knows the token, and gives up soon."""
    meta = "UPLOADER__DESTINATIONS__META__"
    return {
        "UPLOADER_NOW": NOW.isoformat(),
        "META_ACCESS_TOKEN": TOKEN,
        f"{meta}DATASET_ID": DATASET,
        f"{meta}BASE_URL": url,
        f"{meta}CONNECT_TIMEOUT_S": "0.2",
        f"{meta}READ_TIMEOUT_S": "0.2",
        f"{meta}TOTAL_TIMEOUT_S": "0.25",
    }


@contextmanager
def every_record() -> Iterator[list[str]]:
    """Collect what any logger of the process writes, at every level, with all that the record carries."""
    told: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(f"{self.format(record)} {record.__dict__!r}")

    root, collector = logging.getLogger(), Collector(1)
    loggers = [root, *(logging.getLogger(name) for name in root.manager.loggerDict)]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate, logger.disabled = True, False
    root.addHandler(collector)
    try:
        yield told
    finally:
        root.removeHandler(collector)
        for logger, level, propagate, disabled in before:
            logger.setLevel(level)
            logger.propagate, logger.disabled = propagate, disabled


@dataclass
class Watch:
    """Runs commands, each round in a folder of its own, and searches all that they leave for what must not be there."""

    folder: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    runs: int = 0
    codes: set[int] = field(default_factory=set)
    bytes_searched: int = 0
    hits: list[str] = field(default_factory=list)

    @property
    def model(self) -> Path:
        """The folder that every round begins with a copy of."""
        return self.folder / "model"

    def prepare(self) -> None:
        """Make the project, its warehouse, and the verdict of the gate, so that not every round needs its own."""
        self.model.mkdir(parents=True)
        for file in ("dbt_project.yml", "profiles.yml"):
            shutil.copy(ROOT / file, self.model)
        write_warehouse(self.model / "warehouse.duckdb")
        self._enter(self.model, settings_for("http://127.0.0.1:9"))
        self._run("prepare: check", ["check"])
        self._search_files("prepare")

    def round(self, name: str, environment: Mapping[str, str], commands: Iterable[str]) -> None:
        """Run commands one after the other in a new folder, and search it."""
        place = self.folder / "round"
        shutil.copytree(self.model, place)
        self._enter(place, environment)
        for command in commands:
            self._run(f"{name}: {command}", command.split())
        self._search_files(name)
        self.patch.chdir(self.folder)
        shutil.rmtree(place)

    def _enter(self, place: Path, environment: Mapping[str, str]) -> None:
        self.patch.chdir(place)
        for variable, value in environment.items():
            self.patch.setenv(variable, value)

    def _search_files(self, name: str) -> None:
        for path in sorted(found for found in Path().rglob("*") if found.is_file()):
            self._search(f"{name}: {path}", path.read_bytes(), is_warehouse=path.name.startswith("warehouse"))

    def _run(self, name: str, words: list[str]) -> None:
        self.runs += 1
        with every_record() as records:
            try:
                self.codes.add(run(words))
            except Exception:  # noqa: BLE001 - a crash is searched like everything else, and then counted
                records.append(traceback.format_exc())
                self.hits.append(f"{name}: crashed")
        told = self.capture.readouterr()
        for where, text in (("stdout", told.out), ("stderr", told.err), ("log", "\n".join(records))):
            self._search(f"{name}: {where}", text.encode("utf-8", "surrogateescape"))

    def _search(self, name: str, content: bytes, *, is_warehouse: bool = False) -> None:
        self.bytes_searched += len(content)
        wanted = forms_of_token() | (set() if is_warehouse else forms_of_personal_data())
        self.hits += [f"{name}: {needle!r}" for needle in wanted if needle in content]
