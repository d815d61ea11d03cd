"""Whom a request to be forgotten means: their events, and every text by which a table could know them.

The models say who that is. A request is written into a table that they read, what they make of it is read, and the
request is taken back, all in one transaction: so an e-mail is read by the same rules here as anywhere else, and no
file ever sees it.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import duckdb

from uploader.errors import ConfigurationError, UsageError
from uploader.warehouse.duckdb import Connection, frame, quoted, table_columns
from uploader.warehouse.outbox import OUTBOX_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from uploader.warehouse.profile import Profile

KINDS: Final = ("customer", "visitor", "email", "phone")
"""The kinds of ids by which a person can be forgotten."""
SUPPRESSIONS: Final = "suppressions"
REQUESTS: Final = "suppression_requests"
_SLICE: Final = "build_slice"
_STATE: Final = "build_state"
_NEEDED: Final = (SUPPRESSIONS, REQUESTS, "int_values__suppressed", "int_events__suppressed", "int_events__located")

# What an event shares with somebody else's is not the person's: a device, a session that two people had.
_VISITED: Final = ("session_id", "fbp", "fbc", "ga_client_id")
_DEVICES: Final = (
    *_VISITED,
    *("madid", "anon_id", "vendor_id", "page_scoped_user_id", "ctwa_clid", "ig_sid"),
)
_OWN: Final = ("order_id", "subscription_id", "lead_id")
_HASHES: Final = (
    *("email_sha256", "email_gmail_sha256", "email_microsoft_sha256", "email_reddit_sha256"),
    *("phone_digits_sha256", "phone_e164_sha256", "external_id_sha256"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One id that a person gave."""

    kind: str
    value: str = field(repr=False)
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is to be forgotten, as far as the warehouse knows.

    ``suppressions``: ``kind`` and ``suppression_sha256`` of all their ids. ``keys``: ``event_name`` and ``event_id`` of
    their events. ``texts``: by kind, what a table may know them by. ``is_shared``: an id that was given belongs to
    several people, so only what has that very id is meant.
    """

    suppressions: pl.DataFrame
    keys: pl.DataFrame
    texts: Mapping[str, frozenset[str]] = field(repr=False)
    events: int
    people: int
    is_shared: bool

    def named(self, kinds: Sequence[str]) -> frozenset[str]:
        """Return all texts of some kinds."""
        return frozenset().union(*(self.texts.get(kind, frozenset()) for kind in kinds))

    @property
    def every_text(self) -> frozenset[str]:
        """All texts, of whatever kind."""
        return self.named(list(self.texts))


def find(connection: Connection, profile: Profile, asked: Sequence[Asked]) -> Subject:
    """Say who is meant; without ids, everybody who is to be forgotten already. Nothing is written."""
    missing = [name for name in _NEEDED if not table_columns(connection, profile.schema, name)]
    if missing:
        raise ConfigurationError(f"The warehouse {profile.path} lacks {', '.join(missing)}. Run `dbt build`.")
    with _asking(connection, profile, asked):
        condition = "is_asked" if asked else "1 = 1"
        _require_readable(connection, profile, asked)
        return _Search(connection, profile, condition).subject()


@contextmanager
def _asking(connection: Connection, profile: Profile, asked: Sequence[Asked]) -> Iterator[None]:
    """Let the models see a request, for as long as this lasts."""
    connection.execute("begin")
    try:
        # What a run of dbt that was killed has left: with it the models show only a part.
        if table_columns(connection, profile.schema, _SLICE):
            connection.execute(f"delete from {quoted(profile.schema, _SLICE)}")
        table = quoted(profile.schema, REQUESTS)
        for one in asked:
            connection.execute(f"insert into {table} values (?, ?, ?)", [one.kind, one.value, one.country])
        yield
    except duckdb.Error as error:
        # Not the error's own words: they may repeat a value.
        kind = type(error).__name__
        raise ConfigurationError(f"The warehouse cannot say who is meant ({kind}). Run `dbt build`.") from None
    finally:
        connection.execute("rollback")


def _require_readable(connection: Connection, profile: Profile, asked: Sequence[Asked]) -> None:
    """Raise for a value that is no such id: what cannot be read would find nobody, and look like success."""
    table = quoted(profile.schema, "int_suppressions__hashed")
    query = f"select distinct kind from {table} where is_asked and suppression_sha256 is null order by 1"
    unreadable = frame(connection, query)["kind"].to_list() if asked else []
    if unreadable:
        hint = " A number without + needs its --country." if "phone" in unreadable else ""
        raise UsageError(f"Nothing was changed: this cannot be read: {', '.join(unreadable)}.{hint}")


# Asked once each: the models stand one upon the other, and to plan a query over all of them takes seconds.
_SNAPSHOTS: Final = {
    "found_events": "select event_key from {int_events__suppressed} where {condition}",
    "found_people": "select person_id from {int_people__suppressed} where {condition}",
    "found_values": "select kind, subject_value, suppression_sha256 from {int_values__suppressed} where {condition}",
    "found_among": f"""
        select located.event_key, event_name, event_id, {", ".join((*_OWN, *_DEVICES))},
            found_events.event_key is not null as is_mine
        from {{int_events__located}} as located left join found_events on located.event_key = found_events.event_key
    """,
}
_VISITS: Final = """
    select {column} from {stg_raw__sessions} where
        customer_id in (select subject_value from found_values where kind = 'customer')
        or visitor_id in (select subject_value from found_values where kind = 'visitor')
    except select {column} from found_among where not is_mine
"""
_ORDERS: Final = """
    select order_id from {stg_raw__orders} where
        customer_id in (select subject_value from found_values where kind = 'customer')
        or email in (select subject_value from found_values where kind = 'email')
        or phone in (select subject_value from found_values where kind = 'phone')
        or session_id in (select session_id from found_visits)
"""
_NODES: Final = """
    select node from {int_people__resolved} where person_id in (select person_id from found_people)
    union select node from {int_values__traced}
    where (kind, subject_value) in (select (kind, subject_value) from found_values)
"""
# What the sent log knows the events by; an id that somebody else's event has too stays there.
_KEYS: Final = """
    select distinct event_name, event_id from found_among where is_mine and event_id is not null
    except select event_name, event_id from found_among where not is_mine
"""
_SUPPRESSIONS: Final = """
    select kind, suppression_sha256 from found_values
    union select kind, suppression_sha256 from {int_suppressions__unioned} where {condition} order by 1, 2
"""
_SHARED: Final = """
    select 1 from {int_events__traced} as traces
    inner join {int_suppressions__unioned} as suppressions using (kind, suppression_sha256)
    where {condition} group by kind, suppression_sha256 having count(distinct traces.person_id) > 1
"""


@dataclass(frozen=True, slots=True)
class _Search:
    """Asks the models, while they see a request; ``condition`` is which of their rows count."""

    connection: Connection
    profile: Profile
    condition: str

    def query(self, template: str, **words: str) -> str:
        """Fill in a query: a name in braces is a table of ours."""
        names = set(re.findall(r"\{(\w+__\w+)\}", template))
        tables = {name: quoted(self.profile.schema, name) for name in names}
        return template.format(condition=self.condition, **tables, **words)

    def texts(self, template: str, **words: str) -> frozenset[str]:
        """Return the first column of a query."""
        rows = self.connection.execute(self.query(template, **words)).fetchall()
        return frozenset(str(value) for (value,) in rows if value is not None)

    def subject(self) -> Subject:
        """Put together all that is known."""
        for name, template in _SNAPSHOTS.items():
            self.connection.execute(f"create temporary table {name} as {self.query(template)}")
        keys = frame(self.connection, f"select * from ({_KEYS}) as keys order by 1, 2")
        events = self.texts("select event_key from found_events")
        texts = {
            **{kind: self.texts(f"select subject_value from found_values where kind = '{kind}'") for kind in KINDS},
            **{name: self.texts(f"select {name} from found_among where is_mine") for name in _OWN},
            **self._devices(),
            "event": events,
            "event_id": frozenset(keys["event_id"].to_list()),
            "node": self.texts(_NODES),
        }
        visits = self.query(_VISITS, column="session_id")
        self.connection.execute(f"create temporary table found_visits as {visits}")
        texts["order_id"] |= self.texts(_ORDERS)
        texts["lead"] = frozenset(node.removeprefix("lead:") for node in texts["node"] if node.startswith("lead:"))
        texts["hash"] = self._hashes() | {node[6:] for node in texts["node"] if node.startswith("email:")}
        suppressions = frame(self.connection, self.query(_SUPPRESSIONS))
        people = len(self.texts("select person_id from found_people"))
        return Subject(suppressions, keys, texts, len(events), people, bool(self.texts(_SHARED)))

    def _devices(self) -> dict[str, frozenset[str]]:
        """Return what events and visits say of devices; not what others' events have."""
        seen = "select {column} from found_among where"
        found = {name: self.texts(f"{seen} is_mine except {seen} not is_mine", column=name) for name in _DEVICES}
        return found | {name: found[name] | self.texts(_VISITS, column=name) for name in _VISITED}

    def _hashes(self) -> frozenset[str]:
        """Return the hashes that platforms get, and that belong to one person alone."""
        query = "select {column} from {int_events__identified} where event_key in (select event_key from found_events)"
        return frozenset().union(*(self.texts(query, column=name) for name in _HASHES))


def hold(connection: Connection, profile: Profile, subject: Subject) -> int:
    """Take a person's rows out of the outbox, in which no build has held them yet; return how many there were.

    The next build makes everything anew, also where this is as far as it gets: a slice would not find the rows.
    """
    if table_columns(connection, profile.schema, _STATE):
        connection.execute(f"delete from {quoted(profile.schema, _STATE)}")
    if not table_columns(connection, profile.schema, OUTBOX_TABLE):
        return 0
    table, events = quoted(profile.schema, OUTBOX_TABLE), sorted(subject.named(["event"]))
    rows = connection.execute(f"delete from {table} where event_key in (select unnest(?))", [events]).fetchall()
    return int(rows[0][0])


def suppress(connection: Connection, profile: Profile, subject: Subject, now: datetime) -> int:
    """Remember by hashes who is to be forgotten; return how many are new. From the next build on, they are held."""
    table = quoted(profile.schema, SUPPRESSIONS)
    connection.register("found", subject.suppressions.to_arrow())
    try:
        rows = connection.execute(
            f"insert into {table} select kind, suppression_sha256, cast(? as timestamp) from found"
            f" where (kind, suppression_sha256) not in (select kind, suppression_sha256 from {table})",
            [now.replace(tzinfo=None)],
        ).fetchall()
    finally:
        connection.unregister("found")
    return int(rows[0][0])
