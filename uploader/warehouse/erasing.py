"""Takes a person out of the tables: rows that the models derived, and, if asked, the shop's own.

A column is looked at by what its name says it holds, because the customer 17 is not the order 17. A table that only
reports, and whose next build writes it anew, is looked at in every column.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import duckdb

from uploader.errors import ConfigurationError
from uploader.warehouse.duckdb import Connection, quoted
from uploader.warehouse.loading import RAW_TABLES
from uploader.warehouse.outbox import BUILD_FAILURES
from uploader.warehouse.sent_log import META
from uploader.warehouse.subjects import REQUESTS, SUPPRESSIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.warehouse.profile import Profile
    from uploader.warehouse.subjects import Subject

PREFIX: Final = "erased-"
"""How an id begins that stands for an erased one; `int_events__suppressed` knows it."""
_KEPT: Final = frozenset({SUPPRESSIONS, REQUESTS, META})
_BUILD: Final = "build_"
"""How a table's name begins in which dbt's runs keep what they go on from: hashes and times, no texts of the shop."""
_DERIVED: Final = ("int_", "fct_", "stg_", "sent_log")

_STRONG: Final[Mapping[str, tuple[str, ...]]] = {
    "event_key": ("event",),
    "event_id": ("event_id",),
    "order_id": ("order_id",),
    "order_key": ("order_id",),
    "subscription_id": ("subscription_id",),
    "customer_id": ("customer",),
    "visitor_id": ("visitor",),
    "session_visitor_id": ("visitor",),
    "subject_id": ("customer", "visitor"),
    "subject_value": ("customer", "visitor", "email", "phone"),
    "lead_id": ("lead",),
    "lead_key": ("lead",),
    "platform_lead_id": ("lead_id",),
    "person_id": ("node",),
    "node": ("node",),
    "other_node": ("node",),
    "email": ("email",),
    "phone": ("phone",),
    "session_id": ("session_id",),
    "record_id": ("event", "session_id"),
}
"""What the columns of a name hold of a person."""
_TYPED: Final = ("subject_id", "subject_value")
_SPELLED: Final = {
    "customer": ("customer", "customer_id"),
    "visitor": ("visitor", "visitor_id"),
    "email": ("email", "e-mail"),
    "phone": ("phone", "telephone"),
}
"""What stands beside them in ``subject_type``, by kind, as the models read it."""
_DEVICES: Final = (
    *("fbp", "fbc", "ga_client_id", "madid", "anon_id", "vendor_id", "page_scoped_user_id", "ctwa_clid", "ig_sid"),
)
_HASHED: Final = ("email", "phone", "external_id")

BOOKS: Final[Mapping[str, tuple[str, ...]]] = {
    "orders": ("order_id",),
    "order_lines": ("order_id",),
    "payments": ("payment_id", "order_id"),
    "refunds": ("refund_id", "order_id"),
    "subscriptions": ("subscription_id", "order_id"),
}
"""The raw tables whose rows stay, because they have money, and the ids of their rows."""
SAID_BY_BOOKS: Final = frozenset(
    {
        *(
            "channel",
            "financial_status",
            "status",
            "created_at",
            "paid_at",
            "cancelled_at",
            "updated_at",
            "confirmed_at",
        ),
        *("refunded_at", "changed_at", "change", "period", "plan_name", "method", "is_test", "is_new_customer"),
        *("currency", "subtotal", "discount", "shipping", "tax", "total", "amount", "net_revenue", "predicted_ltv"),
        *("line_number", "product_id", "title", "category", "quantity", "unit_price", "country_code"),
    }
)
"""What of such a row stays: money, times, and what was bought."""


@dataclass(frozen=True, slots=True)
class Held:
    """A raw table that has rows of the person. ``is_ours``: the models read it, so that it can be erased here."""

    table: str
    rows: int
    is_ours: bool


class Erasure:
    """One person's, in one warehouse, on one connection; the caller's transaction makes it all or nothing."""

    def __init__(self, connection: Connection, profile: Profile, subject: Subject) -> None:
        self._connection = connection
        self._profile = profile
        self._subject = subject
        self._lists: dict[tuple[str, ...], str] = {}

    def derived(self, *, dry_run: bool = False) -> dict[str, int]:
        """Delete, or count, the rows that the models derived and what was published of the sent log, by table."""
        schema, seeds = self._profile.schema, _seeds()
        raw = RAW_TABLES if schema == self._profile.raw_schema else frozenset()
        found = {}
        for table in self._tables(schema):
            if table in _KEPT | seeds | raw or table.startswith(_BUILD):
                continue
            rows = self._apply(schema, table, self._condition(schema, table), dry_run=dry_run)
            if rows:
                found[table] = rows
        if not dry_run:
            self._forget_build()
        return found

    def raw(self) -> list[Held]:
        """Say which raw tables have rows of the person, also those that the models do not read."""
        schema, found = self._profile.raw_schema, []
        for table in self._tables(schema):
            if schema == self._profile.schema and table not in RAW_TABLES:
                continue
            rows = self._apply(schema, table, self._condition(schema, table), dry_run=True)
            if rows:
                found.append(Held(table, rows, table in RAW_TABLES))
        return found

    def erase_raw(self) -> dict[str, int]:
        """Delete the person's raw rows; in the books, leave rows with money and made-up ids. Rows by table."""
        schema = self._profile.raw_schema
        # Before any row changes: each table is searched by ids that another one may be about to lose.
        conditions = {table: self._condition(schema, table) for table in self._tables(schema) if table in RAW_TABLES}
        found = {}
        for table, condition in conditions.items():
            if table in BOOKS:
                rows = self._blank(table, condition)
            else:
                rows = self._apply(schema, table, condition, dry_run=False)
            if rows:
                found[table] = rows
        return found

    # ------------------------------------------------------------------ which rows

    def _condition(self, schema: str, table: str) -> str:
        """Return what holds for the person's rows of a table."""
        columns = self._columns(schema, table)
        is_derived = schema == self._profile.raw_schema or table.startswith(_DERIVED)
        parts = []
        for name, kind in columns.items():
            kinds = _kinds(name) if is_derived else tuple(self._subject.texts)
            if not kinds or not self._subject.named(kinds):
                continue
            if name.lower() in _TYPED and "subject_type" in map(str.lower, columns):
                value = _text(name, kind)
                parts += [f"{_may_be(one)} and {value} in (select value from {self._list((one,))})" for one in kinds]
            elif kind == "VARCHAR[]":
                parts.append(f"list_has_any({quoted(name)}, (select list(value) from {self._list(kinds)}))")
            elif "[" not in kind and "STRUCT" not in kind:
                parts.append(f"{_text(name, kind)} in (select value from {self._list(kinds)})")
        return " or ".join(parts) or "1 = 0"

    def _list(self, kinds: tuple[str, ...]) -> str:
        """Return a temporary table with the texts of some kinds."""
        if kinds not in self._lists:
            name = f"erased_texts_{len(self._lists)}"
            self._connection.execute(f"create or replace temporary table {name} (value varchar)")
            texts = sorted(self._subject.named(kinds))
            self._connection.execute(f"insert into {name} select unnest(?)", [texts])
            self._lists[kinds] = name
        return self._lists[kinds]

    def _apply(self, schema: str, table: str, condition: str, *, dry_run: bool) -> int:
        name = quoted(schema, table)
        verb = f"select count(*) from {name}" if dry_run else f"delete from {name}"
        return self._changed(f"{verb} where {condition}", table)

    def _forget_build(self) -> None:
        """Let the next run of dbt build everything: the tables lack rows now, and no hash of an id is to stay."""
        for table in self._tables(self._profile.schema):
            if table.startswith(_BUILD) and table != BUILD_FAILURES:
                self._changed(f"delete from {quoted(self._profile.schema, table)}", table)

    # ------------------------------------------------------------------ the shop's own

    def _blank(self, table: str, condition: str) -> int:
        """Leave of the person's rows what the books need. An id that is no text can only be taken away."""
        schema = self._profile.raw_schema
        columns = self._columns(schema, table)
        changes = []
        for name, kind in columns.items():
            if name.lower() in BOOKS[table]:
                replaced = self._replacements(table, name, condition) if kind == "VARCHAR" else "null"
                changes.append(f"{quoted(name)} = {replaced}")
            elif name.lower() not in SAID_BY_BOOKS and not _is_figure(name, kind):
                changes.append(f"{quoted(name)} = null")
        return self._changed(f"update {quoted(schema, table)} as old set {', '.join(changes)} where {condition}", table)

    def _replacements(self, table: str, column: str, condition: str) -> str:
        """Make up an id for each that is erased, the same in every table that has it; return the SQL of the new one."""
        name = f"erased_{column.lower()}"
        self._connection.execute(f"create temporary table if not exists {name} (value varchar, made_up varchar)")
        self._connection.execute(
            f"insert into {name} select value, '{PREFIX}' || replace(cast(uuid() as varchar), '-', '') from"
            f" (select distinct {quoted(column)} as value from {quoted(self._profile.raw_schema, table)}"
            f" where {condition}) as ids where value is not null and value not in (select value from {name})"
        )
        return f"(select made_up from {name} where value = old.{quoted(column)})"

    # ------------------------------------------------------------------ the warehouse

    def _tables(self, schema: str) -> list[str]:
        query = (
            "select table_name from duckdb_tables() where schema_name = ? and database_name = current_database()"
            " order by 1"
        )
        return [name for (name,) in self._connection.execute(query, [schema]).fetchall()]

    def _columns(self, schema: str, table: str) -> dict[str, str]:
        query = (
            "select column_name, data_type from duckdb_columns() where schema_name = ? and table_name = ?"
            " and database_name = current_database() order by column_index"
        )
        return dict(self._connection.execute(query, [schema, table]).fetchall())

    def _changed(self, statement: str, table: str) -> int:
        try:
            return int(self._connection.execute(statement).fetchall()[0][0])
        except duckdb.Error as error:
            # Not the error's own words: they may repeat a value.
            message = (
                f"The table {table} cannot be erased ({type(error).__name__}). Nothing in the warehouse was changed."
            )
            raise ConfigurationError(message) from None


def _kinds(column: str) -> tuple[str, ...]:
    """Return what a column of that name can hold of a person; nothing for one that says nothing."""
    name = column.lower()
    if name in _STRONG:
        return _STRONG[name]
    if name in _DEVICES:
        return (name,)
    if name.startswith(_HASHED) and name.removesuffix("s").endswith("_sha256"):
        return ("hash",)
    return ()


def _may_be(kind: str) -> str:
    """Return the condition that a row's ``subject_type`` names no other kind."""
    others = ", ".join(f"'{word}'" for other, words in _SPELLED.items() if other != kind for word in words)
    return f"coalesce(lower(trim(subject_type)), '') not in ({others})"


def _text(column: str, kind: str) -> str:
    """Return a column as the models read it: without blanks around it, and 7 for the float 7.0."""
    text = f"regexp_replace(cast({quoted(column)} as varchar), '^[\\s\\pZ\\pC]+|[\\s\\pZ\\pC]+$', '', 'g')"
    return f"regexp_replace({text}, '[.]0+$', '')" if kind in ("DOUBLE", "FLOAT") else text


def _is_figure(column: str, kind: str) -> bool:
    """Tell whether a column that nobody knows holds a number, a time or a yes and no."""
    return kind != "VARCHAR" and "[" not in kind and "STRUCT" not in kind and not column.lower().endswith("_id")


def _seeds() -> frozenset[str]:
    """Name the tables that come with the project: they hold no people, though a value may look like one."""
    return frozenset(file.stem for file in Path("seeds").rglob("*.csv"))
