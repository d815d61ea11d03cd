"""A made-up shop of any size in a DuckDB file: orders from ten countries, with sessions, lines, payments and consent.

Every value is made from the number of its row, so two shops of one size are equal; names and formats are those of the
country. Rows are made by DuckDB itself: a million orders take seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import duckdb

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

SPAN_DAYS: Final = 6
"""All orders lie within the days that Meta accepts, so that each of them is in the window."""

# Country, currency, how a phone number is written there, region, then names and cities as people type them.
_COUNTRIES: Final = (
    ("DE", "EUR", "0171 {a}{b}", "Bayern", "{c:05d}", "Jürgen|Anna|Lukas|Sofía", "Müller|Schmidt|Weiß", "München|Köln"),
    ("FR", "EUR", "06 {a}{b}0", "Bretagne", "{c:05d}", "Zoé|Léa|Hugo|Inès", "Dupont|Lefèvre|D'Arc", "Saint-Malo|Paris"),
    ("GB", "GBP", "07700 {a}{b}", "Kent", "SW1A {d}AA", "Olivia|Noah|Amélie", "O'Brien|Smith|Jones", "London|York"),
    (
        "US",
        "USD",
        "(415) 55{a}-{b}",
        "California",
        "{c:05d}-1234",
        "Emma|Liam|José",
        "Johnson|Garcia",
        "San Jose|Oakland",
    ),
    (
        "BR",
        "BRL",
        "(11) 9{a}0-{b}1",
        "São Paulo",
        "{c:05d}-000",
        "João|Ana|Conceição",
        "da Silva|Souza",
        "São Paulo|Rio",
    ),
    ("JP", "JPY", "090-{a}1-{b}2", "東京都", "100-{b}", "陽葵|蓮|さくら", "佐藤|鈴木|高橋", "千代田区|大阪市"),
    ("IT", "EUR", "347 {a}{b}", "Lazio", "{c:05d}", "Niccolò|Giulia|Luca", "Rossi|D'Angelo", "Roma|L'Aquila"),
    ("ES", "EUR", "612 {a} {b}", "Madrid", "{c:05d}", "Lucía|Martín|Íñigo", "García|Muñoz", "Madrid|A Coruña"),
    (
        "NL",
        "EUR",
        "06-1{a}{b}",
        "Utrecht",
        "{b} AB",
        "Daan|Noor|Björn",
        "de Vries|van Dijk",
        "Utrecht|'s-Hertogenbosch",
    ),
    ("PL", "PLN", "512 {a} 1{b}", "Mazowieckie", "00-{a}", "Łukasz|Zofia|Michał", "Kowalski|Wójcik", "Łódź|Warszawa"),
)


def make(path: Path, orders: int, end: datetime, first: int = 0) -> None:
    """Write the raw tables of ``orders`` orders, the last of them minutes before ``end`` (UTC without a zone).

    Three orders in four are a customer's first one; seven in ten customers agreed to marketing, two refused.
    """
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'; create schema if not exists raw")
        add(warehouse, orders, end, first)


def add(warehouse: duckdb.DuckDBPyConnection, orders: int, end: datetime, first: int = 0) -> None:
    """Add orders to the raw tables, numbered from ``first`` on, and make the tables where there are none."""
    warehouse.execute("create or replace temp table countries as select * from " + _values(_countries()))
    named = {"orders": orders, "first": first, "end": end, "seconds": SPAN_DAYS * 86_400}
    warehouse.execute(_NUMBERED, named)
    for table, query in _TABLES.items():
        warehouse.execute(f"create table if not exists raw.{table} as {query} limit 0")
        warehouse.execute(f"insert into raw.{table} by name {query}")


def _countries() -> list[tuple[object, ...]]:
    return [(position, *row) for position, row in enumerate(_COUNTRIES)]


def _values(rows: list[tuple[object, ...]]) -> str:
    quoted = ", ".join("(" + ", ".join(_literal(value) for value in row) + ")" for row in rows)
    names = "position, country_code, currency, phone_form, region, postal_form, first_names, last_names, cities"
    return f"(values {quoted}) as countries ({names})"


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


_NUMBERED: Final = """
create or replace temp table numbered as
with rows as (
    select
        n,
        hash(n + 1) as dice,
        n * 3 // 4 as customer,
        hash(n * 3 // 4 + 1) as face,
        $end - to_seconds(60 + (hash(n, 'at') % $seconds)::bigint) as paid_at
    from range($first, $first + $orders) as numbers (n)
)
select
    rows.*,
    countries.*,
    list_extract(string_split(first_names, '|'), 1 + (face % len(string_split(first_names, '|')))::int) as first_name,
    list_extract(string_split(last_names, '|'), 1 + (face // 7 % len(string_split(last_names, '|')))::int) as last_name,
    list_extract(string_split(cities, '|'), 1 + (face // 11 % len(string_split(cities, '|')))::int) as city,
    replace(replace(phone_form, '{a}', lpad((face % 1000)::varchar, 3, '0')), '{b}',
        lpad((face // 1000 % 10000)::varchar, 4, '0')) as phone,
    replace(replace(replace(replace(postal_form, '{c:05d}', lpad((face // 13 % 100000)::varchar, 5, '0')), '{d}',
        (face // 17 % 10)::varchar), '{b}', lpad((face // 19 % 10000)::varchar, 4, '0')), '{a}',
        lpad((face // 23 % 1000)::varchar, 3, '0')) as postal_code,
    round(5 + (dice % 30000) / 100, 2)::decimal(18, 2) as total
from rows
inner join countries on rows.face % 10 = countries.position
"""

_TABLES: Final = {
    "orders": """
        select
            n::varchar as order_id, 'c' || customer as customer_id, 's' || n as session_id, 'web' as channel,
            case when dice % 100 = 0 then 'pending' when dice % 100 = 1 then 'refunded' else 'paid' end
                as financial_status,
            paid_at - interval 2 minute as created_at, paid_at, null::timestamp as cancelled_at, paid_at as updated_at,
            currency, total as subtotal, 0::decimal(18, 2) as shipping, 0::decimal(18, 2) as tax, total,
            ' ' || first_name || '.' || customer || '@' || if(face % 3 = 0, 'Gmail.com', 'example.com') as email,
            phone, first_name, last_name, city, region, postal_code, country_code,
            strftime(date '1950-01-01' + (face // 29 % 18000)::int, '%Y-%m-%d') as date_of_birth,
            case when face % 2 = 0 then 'female' else 'M' end as gender,
            '203.0.' || (face % 256) || '.' || (face // 256 % 256) as client_ip,
            'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/'
                || (100 + face % 40) || '.0.0.0 Safari/537.36' as user_agent,
            'https://shop.example/p/' || (dice % 5000) || '?utm_source=meta&fbclid=IwAR' || md5(n::varchar)
                as landing_url,
            false as is_test
        from numbered""",
    "order_lines": """
        select
            n::varchar as order_id, line as line_number, 'sku-' || ((dice + line) % 5000) as product_id,
            'Product ' || ((dice + line) % 5000) as title, 'category-' || ((dice + line) % 40) as category,
            1 as quantity, (total / 2)::decimal(18, 2) as unit_price
        from numbered cross join range(1, 3) as lines (line)""",
    "sessions": """
        select
            's' || n as session_id, 'v' || customer as visitor_id, 'c' || customer as customer_id,
            paid_at - interval 20 minute as started_at,
            'https://shop.example/p/' || (dice % 5000) || '?utm_source=meta&fbclid=IwAR' || md5(n::varchar)
                as landing_url,
            'https://www.facebook.com/' as referrer_url,
            'fb.1.' || epoch_ms(paid_at - interval 20 minute) || '.' || (face % 10000000000) as fbp,
            null::varchar as fbc,
            'GA1.1.' || (face % 1000000000) || '.' || epoch(paid_at - interval 20 minute)::bigint as ga_client_id,
            '203.0.' || (face % 256) || '.' || (face // 256 % 256) as client_ip,
            'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/'
                || (100 + face % 40) || '.0.0.0 Safari/537.36' as user_agent,
            country_code
        from numbered""",
    "consent": """
        select
            'k' || n as consent_id, 'customer' as subject_type, 'c' || customer as subject_id,
            'marketing' as purpose, case when face % 10 < 7 then 'granted' else 'denied' end as status,
            paid_at - interval 30 day as recorded_at, country_code as jurisdiction, 'banner' as source
        from numbered
        where n % 4 <> 1 and face % 10 < 9""",
    "payments": """
        select
            'p' || n as payment_id, n::varchar as order_id, 'succeeded' as status, total as amount, currency,
            paid_at as confirmed_at, 'card' as method
        from numbered""",
}
