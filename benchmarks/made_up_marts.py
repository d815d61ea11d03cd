"""Both marts as dbt would leave them, of any size, without running dbt: for what is measured after the models.

Each row is a Purchase with 13 identifiers and two contents that may be sent now. The hashes are those of made-up texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb
import polars as pl

from uploader.events import EVENTS, MONEY, OUTBOX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from polars.datatypes import DataTypeClass

SPAN_DAYS: Final = 6

_HASHED: Final = (
    *("email_sha256", "email_gmail_sha256", "email_microsoft_sha256", "email_reddit_sha256", "phone_digits_sha256"),
    *("phone_e164_sha256", "first_name_sha256", "last_name_sha256", "city_sha256", "region_sha256"),
    *("postal_code_sha256", "country_sha256", "date_of_birth_sha256", "gender_sha256", "external_id_sha256"),
)
_EVENT: Final[Mapping[str, str]] = {
    "event_key": "'purchase.' || n",
    "event_name": "'Purchase'",
    "event_id": "'purchase.' || n",
    "event_at": "event_at",
    "action_source": "'website'",
    "order_id": "n::varchar",
    "value": "round(5 + (dice % 30000) / 100, 2)",
    "currency": "(['EUR', 'GBP', 'USD', 'BRL', 'JPY', 'PLN', 'EUR', 'EUR', 'SEK', 'CHF'])[1 + (dice % 10)::int]",
    "contents": """[
        {'id': 'sku-' || dice % 5000, 'quantity': 1, 'item_price': (dice % 15000) / 100,
         'title': 'Product ' || dice % 5000, 'category': 'category-' || dice % 40},
        {'id': 'sku-' || dice % 4999, 'quantity': 2, 'item_price': (dice % 14000) / 100,
         'title': 'Product ' || dice % 4999, 'category': 'category-' || dice % 39}]""",
    "content_ids": "['sku-' || dice % 5000, 'sku-' || dice % 4999]",
    "content_type": "'product'",
    "num_items": "3",
    "event_source_url": "'https://shop.example/p/' || dice % 5000",
    "referrer_url": "'https://www.facebook.com/'",
    **{name: f"sha256('{name}' || dice // {place + 1})" for place, name in enumerate(_HASHED)},
    "email_sha256s": "[sha256('email_sha256' || dice)]",
    "phone_digits_sha256s": "[sha256('phone_digits_sha256' || dice // 5)]",
    "client_ip": "'203.0.' || dice % 256 || '.' || dice // 256 % 256",
    "user_agent": "'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/'"
    " || (100 + dice % 40) || '.0.0.0 Safari/537.36'",
    "fbp": "'fb.1.1763600000000.' || dice % 10000000000",
    "fbc": "'fb.1.1763600000000.IwAR' || md5(n::varchar)",
    "country_code": "'DE'",
}
_DECISION: Final[Mapping[str, str]] = {
    "destination": "'meta'",
    "is_sendable": "true",
    "consent_purpose": "'marketing'",
    "consent_regime": "'opt_in'",
    "consent_at_event": "'granted'",
    "consent_at_as_of": "'granted'",
    "consent_decided_at": "event_at - interval 30 day",
    "is_limited_data_use": "false",
    "expires_at": "event_at + interval 7 day",
    "as_of": "as_of",
    "send_after": "event_at",
}


def write(path: Path, events: int, as_of: datetime, *, recent: int | None = None) -> None:
    """Write the marts, with events of the six days before ``as_of`` (UTC without a zone).

    Only the last ``recent`` rows, where that is given, lie in these days; the others are older and expired. Orders are
    numbered in the order of their time, as shops do, but for the hour that some payments take.
    """
    recent = events if recent is None else recent
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        warehouse.execute(
            """
            create or replace temp view made as
            select
                n, hash(n) >> 1 as dice, as_of,
                as_of - to_seconds(
                    60 + (86400.0 * $days * ($events - n) / $events)::bigint + (hash(n, 'at') % 3600)::bigint)
                    - to_days(case when n <= $events - $recent then 30 else 0 end) as event_at
            from range(1, $events + 1) as numbers (n), (select $as_of::timestamp as as_of)
            """.replace("$days", str(SPAN_DAYS))
            .replace("$events", str(events))
            .replace("$recent", str(recent))
            .replace("$as_of", f"'{as_of:%Y-%m-%d %H:%M:%S}'")
        )
        for table, columns in (("fct_conversion_events", EVENTS), ("fct_conversion_outbox", OUTBOX)):
            known = {**_EVENT, **_DECISION}
            chosen = ", ".join(
                f"cast({known.get(name, 'null')} as {_sql(dtype)}) as {name}" for name, dtype in columns.items()
            )
            warehouse.execute(f"create or replace table {table} as select {chosen} from made order by event_at, n")
        warehouse.execute(
            "update fct_conversion_outbox set is_sendable = false, hold_reason = 'expired' where expires_at < as_of"
        )
        warehouse.execute("create or replace table destinations as select 'meta' as destination, true as is_enabled")
        warehouse.execute("create or replace table build_failures (unique_id varchar, status varchar)")


def also(path: Path, destination: str) -> None:
    """Let another destination be sent all events too."""
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute("create or replace temp table once as from fct_conversion_outbox")
        warehouse.execute(f"update once set destination = '{destination}'")
        warehouse.execute(
            "create or replace table fct_conversion_outbox as from (from fct_conversion_outbox union all from once) "
            "order by event_at, event_key"
        )
        warehouse.execute(f"insert into destinations values ('{destination}', true)")


def shuffle(path: Path) -> None:
    """Let all events have ids in no order, as of shops whose orders have a UUID."""
    with duckdb.connect(str(path)) as warehouse:
        for table in ("fct_conversion_events", "fct_conversion_outbox"):
            ids = ", ".join(f"'purchase.' || md5({name}) as {name}" for name in ("event_key", "event_id"))
            query = f"select * replace ({ids}) from {table} order by event_at, event_key"
            warehouse.execute(f"create or replace table {table} as {query}")


def _sql(kind: pl.DataType | DataTypeClass) -> str:
    dtype = kind() if isinstance(kind, type) else kind
    if isinstance(dtype, pl.List):
        return f"{_sql(dtype.inner)}[]"
    if isinstance(dtype, pl.Struct):
        return "struct(" + ", ".join(f"{field.name} {_sql(field.dtype)}" for field in dtype.fields) + ")"
    if dtype == MONEY:
        return "decimal(18, 4)"
    names = {pl.String: "varchar", pl.Int64: "bigint", pl.Boolean: "boolean", pl.Datetime: "timestamp"}
    return names[type(dtype)]
