"""A person is taken out of tables and files: by what a column holds, not by what it looks like."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.support.delivering import Platform, World, orders
from tests.support.repository import text
from uploader.cli.leftovers import clear_files
from uploader.errors import ConfigurationError, TryLater
from uploader.transport import Answer
from uploader.warehouse.duckdb import Connection
from uploader.warehouse.erasing import BOOKS, SAID_BY_BOOKS, Erasure, Held
from uploader.warehouse.profile import Profile
from uploader.warehouse.rewriting import rewrite
from uploader.warehouse.subjects import Subject

HASH = "a" * 64


def _subject(**texts: str) -> Subject:
    """Return a person whom tables know by one text of each kind."""
    nothing = pl.DataFrame({"kind": [], "suppression_sha256": []})
    return Subject(nothing, nothing, {kind: frozenset([text]) for kind, text in texts.items()}, 1, 1, is_shared=False)


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A warehouse in a folder of its own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return Profile(tmp_path / "shop.duckdb", "main", "raw")


@pytest.fixture
def connection(profile: Profile) -> Iterator[Connection]:
    """A connection to it."""
    with duckdb.connect(str(profile.path)) as opened:
        opened.execute("create schema raw")
        yield opened


def _make(connection: Connection, tables: Mapping[str, str]) -> None:
    for name, values in tables.items():
        connection.execute(f"create table {name} as select * from (values {values}")


def _rows(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select * from {table} order by all").fetchall()


def test_the_customer_17_is_not_the_order_17(profile: Profile, connection: Connection) -> None:
    """A column is searched for what its name says that it holds."""
    _make(connection, {"int_orders__latest": "('17', '1'), ('2', '17')) as t(order_id, customer_id)"})
    assert Erasure(connection, profile, _subject(customer="17")).derived() == {"int_orders__latest": 1}
    assert _rows(connection, "int_orders__latest") == [("17", "1")]


def test_the_customer_17_is_not_the_visitor_17(profile: Profile, connection: Connection) -> None:
    """A denial and a request of somebody else's stay; a row that says of nobody's kind what it is about goes."""
    _make(
        connection,
        {
            "raw.consent": "('1', 'Customer', '17'), ('2', 'visitor', '17'), ('3', null, '17')) as t(i, "
            "subject_type, subject_id)",
            "raw.suppressions": "('customer_id', '17'), ('Visitor', '17'), ('phone', '17')) as t(subject_type, "
            "subject_value)",
        },
    )
    erased = Erasure(connection, profile, _subject(customer="17")).erase_raw()
    assert erased == {"consent": 2, "suppressions": 1}
    assert _rows(connection, "raw.consent") == [("2", "visitor", "17")]
    assert _rows(connection, "raw.suppressions") == [("Visitor", "17"), ("phone", "17")]


def test_every_stage_of_a_lead_is_found(profile: Profile, connection: Connection) -> None:
    """A CRM exports later stages without an address; the platform's id of a lead is no lead's own."""
    _make(connection, {"raw.leads": "('L1', null), (null, 'P1'), ('P1', 'L1')) as t(lead_id, platform_lead_id)"})
    found = Erasure(connection, profile, _subject(lead="L1", lead_id="P1")).erase_raw()
    assert (found, _rows(connection, "raw.leads")) == ({"leads": 2}, [("P1", "L1")])


def test_hashes_and_lists_of_hashes_are_found(profile: Profile, connection: Connection) -> None:
    """Of e-mail, phone and customer; a first name is shared with many, so its hash finds nobody."""
    _make(
        connection,
        {
            "fct_events": f"('1', '{HASH}', ['x'], 'x'), ('2', 'x', ['x', '{HASH}'], 'x'), ('3', 'x', ['x'], '{HASH}'))"
            " as t(event_key, email_gmail_sha256, email_sha256s, first_name_sha256)",
        },
    )
    assert Erasure(connection, profile, _subject(hash=HASH)).derived() == {"fct_events": 2}
    assert [row[0] for row in _rows(connection, "fct_events")] == ["3"]


def test_reports_are_searched_in_every_column_and_seeds_in_none(profile: Profile, connection: Connection) -> None:
    """A row of an audit or of a stored failure is written anew; a seed holds no people, whatever it looks like."""
    (Path("seeds") / "more").mkdir(parents=True)
    (Path("seeds") / "more" / "vectors.csv").touch()
    _make(
        connection,
        {
            "audit_unreadable_values": "('total', '17'), ('tax', '18')) as t(column_name, example_key)",
            "repeated_order_ids": "('17')) as t(anything)",
            "vectors": "('17')) as t(anything)",
            "suppressions": "('17')) as t(kind)",
        },
    )
    found = Erasure(connection, profile, _subject(order_id="17")).derived()
    assert found == {"audit_unreadable_values": 1, "repeated_order_ids": 1}
    assert (_rows(connection, "vectors"), _rows(connection, "suppressions")) == ([("17",)], [("17",)])


def test_a_look_changes_nothing(profile: Profile, connection: Connection) -> None:
    """It counts what would go, and names raw tables, also those that no model reads."""
    _make(
        connection,
        {
            "raw.orders": "(' 17 ', 5), ('18', 6)) as t(order_id, total)",
            "raw.newsletter": "('a@b.example')) as t(email)",
            "raw.prices": "('17')) as t(product_id)",
        },
    )
    found = Erasure(connection, profile, _subject(order_id="17", email="a@b.example")).raw()
    assert found == [Held("newsletter", 1, is_ours=False), Held("orders", 1, is_ours=True)]
    assert len(_rows(connection, "raw.orders")) == 2


def test_books_keep_the_money_under_a_made_up_id(profile: Profile, connection: Connection) -> None:
    """The same one in every table; what nobody knows the meaning of goes, unless it is a figure."""
    _make(
        connection,
        {
            "raw.orders": "('17', 'c1', 5, 'A. Person', 9, 'DE'), ('18', 'c2', 6, 'B', 8, 'DE'))"
            " as t(order_id, customer_id, total, note, margin, country_code)",
            "raw.order_lines": "('17', 'hat', 'for A. Person')) as t(order_id, title, engraving)",
            "raw.sessions": "('s1', 'c1'), ('s2', 'c2')) as t(session_id, customer_id)",
        },
    )
    found = Erasure(connection, profile, _subject(order_id="17", customer="c1")).erase_raw()
    assert found == {"order_lines": 1, "orders": 1, "sessions": 1}
    ((made_up, *line),) = _rows(connection, "raw.order_lines")
    assert line == ["hat", None]
    assert made_up.startswith("erased-")
    assert _rows(connection, "raw.orders") == [("18", "c2", 6, "B", 8, "DE"), (made_up, None, 5, None, 9, "DE")]
    assert _rows(connection, "raw.sessions") == [("s2", "c2")]


def test_an_id_that_is_a_number_is_taken_away(profile: Profile, connection: Connection) -> None:
    """No made-up text fits there; an order without an id is never sent."""
    _make(connection, {"raw.orders": "(17, 5)) as t(order_id, total)"})
    Erasure(connection, profile, _subject(order_id="17")).erase_raw()
    assert _rows(connection, "raw.orders") == [(None, 5)]


def test_a_table_that_refuses_is_named_without_values(profile: Profile, connection: Connection) -> None:
    """A message is read by others; DuckDB's own would repeat the row."""
    connection.execute("create table raw.orders (order_id varchar, email varchar not null)")
    connection.execute("insert into raw.orders values ('17', 'a@b.example')")
    with pytest.raises(ConfigurationError, match="orders cannot be erased") as caught:
        Erasure(connection, profile, _subject(order_id="17")).erase_raw()
    assert "a@b" not in str(caught.value)


def _literal(file: str, pattern: str) -> Any:
    found = re.search(pattern, text(file), re.DOTALL)
    assert found
    return ast.literal_eval(found[1].replace(": true", ": True"))


def test_every_raw_table_that_knows_people_is_searched() -> None:
    """A new raw table is not forgotten by those who forget; and its money and times stay in the books."""
    contract = _literal("macros/staging/raw_contract.sql", r"return\((\{.*\})\)")
    searched = _literal("models/intermediate/int_values__traced.sql", r"set tables = (\{.*?\}) -")
    ids = {"customer_id", "visitor_id", "email", "phone"}
    told = {name: {**table["required"], **table["optional"]} for name, table in contract.items()}
    expected = {name: sorted(ids & set(columns)) for name, columns in told.items()}
    assert {name: sorted(columns) for name, columns in searched.items()} == {
        name: columns for name, columns in expected.items() if columns
    }
    figures = {name for table in BOOKS for name, kind in told[table].items() if kind != "text"}
    assert figures - SAID_BY_BOOKS == set()
    assert {table for table in told if "order_id" in told[table] and not ids & set(told[table])} <= set(BOOKS)


# ---------------------------------------------------------------- files


def test_deleted_bytes_leave_the_file(profile: Profile, connection: Connection) -> None:
    """Rows, views and rights stay; the name of a view's database too."""
    _make(connection, {"raw.orders": "('a-person-of-this-shop'), ('other')) as t(order_id)"})
    connection.execute('create view later as select * from "shop"."raw"."orders"')
    connection.execute("delete from raw.orders where order_id <> 'other'")
    connection.close()
    profile.path.chmod(0o600)
    assert b"a-person-of-this-shop" in profile.path.read_bytes()
    rewrite(profile)
    assert b"a-person-of-this-shop" not in profile.path.read_bytes()
    assert [path.name for path in profile.path.parent.iterdir()] == ["shop.duckdb"]
    assert profile.path.stat().st_mode & 0o777 == 0o600
    with duckdb.connect(str(profile.path)) as again:
        assert _rows(again, "later") == [("other",)]


def test_what_a_killed_query_put_aside_goes(profile: Profile, connection: Connection) -> None:
    """DuckDB writes what does not fit into memory beside the file, and a kill leaves it there."""
    connection.close()
    aside = profile.path.with_name(profile.path.name + ".tmp")
    aside.mkdir()
    (aside / "duckdb_temp_storage-0.tmp").write_bytes(b"jane@example.com")
    rewrite(profile)
    assert not aside.exists()


def test_a_warehouse_that_is_written_to_is_left(profile: Profile, connection: Connection) -> None:
    """Another process has it open: try later."""
    connection.close()
    script = f"import duckdb; c = duckdb.connect({str(profile.path)!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(TryLater, match="is busy"):
            rewrite(profile)
        other.communicate(b"\n")
    assert [path.name for path in profile.path.parent.iterdir()] == ["shop.duckdb"]


def test_reports_go_and_of_dbts_files_those_that_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate's all; dbt's where a text stands by itself. A short one like 17 says nothing there."""
    monkeypatch.chdir(tmp_path)
    files = {"target/uploader/quality.json": "", "target/run_results.json": "got order-4711.", "logs/dbt.log": "a@b.c",
             "target/manifest.json": "17, order-47112", "elsewhere/x": "order-4711"}  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert clear_files({"order-4711", "a@b.c", "17"}) == ["target/uploader", "target/run_results.json", "logs/dbt.log"]
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"target/manifest.json", "elsewhere/x"}


# ---------------------------------------------------------------- delivery


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A shop that delivers."""
    return World(tmp_path)


def test_what_is_suppressed_never_counts_as_expired(world: World) -> None:
    """Forgotten keys are gone from the sent log, and their rows are held: nothing was due, so nothing expired."""
    world.run(orders(2))
    gone = orders(3, is_sendable=False, hold_reason="suppressed", event_at="2026-11-13T12:00:00",
                  expires_at="2026-11-20T12:00:00")  # fmt: skip
    report = world.run(gone)
    assert (report.books.read, report.books.expired, report.books.suppressed) == (0, 0, 0)


def test_a_request_in_doubt_is_not_repeated_for_a_person_who_is_forgotten(world: World) -> None:
    """Bulk requests do not touch the sent log: the next run closes the key."""
    world.platform.judge = lambda events: Answer(500, b"", {})
    world.run(orders(1))
    world.platform = Platform()
    report = world.run(orders(1, is_sendable=False, hold_reason="suppressed"))
    assert (report.books.suppressed, world.platform.requests) == (1, [])
