"""The macros that differ per warehouse, and those of events: on DuckDB, and as DuckDB understands other dialects."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from decimal import Decimal

import duckdb
import pytest
import sqlglot
import yaml

from tests.support.macro_renderer import FOLDERS, ROOT, MacroError, evaluate, render, run, to_duckdb

ADAPTERS = ("duckdb", "postgres", "spark")
CALLS = (
    "add_days('t', 'n')",
    "add_hours('t', '-n')",
    "add_minutes('t', 'n')",
    "epoch_ms('t')",
    "joined_texts('e')",
    "line_ids()",
    "line_items()",
    "list_item('e', 5)",
    "list_of(['e', 'f'])",
    "lower_case('e')",
    "nfc('e')",
    "one_item('e', '2', '9.5')",
    "quoted('e')",
    "regexp_first('e', '^([a-z]+)')",
    "regexp_first_by('e', 'p')",
    "regexp_matches('e', '[^a-z]')",
    "regexp_remove('e', '[^a-z]')",
    "regexp_replace_all('e', '[^a-z]', '-')",
    "regexp_replace_between('e', '[a-z]', 'x', '$', 'y')",
    "seconds_between('t', 'u')",
    "sha256_hex('e')",
    "split_list('e')",
    "try_date('e')",
    "try_integer('e')",
    "try_number('e')",
    "try_timestamp('e')",
    "without_nul('e')",
)
TIMES = {
    "2026-01-02T03:04:05Z": "2026-01-02 03:04:05",
    "2026-01-02 03:04:05": "2026-01-02 03:04:05",
    "2026-01-02T03:04:05.678901": "2026-01-02 03:04:05.678901",
    "2026-01-02T03:04:05+02:00": "2026-01-02 01:04:05",
    "2026-01-02 03:04:05-05:30": "2026-01-02 08:34:05",
    "2026-01-02": "2026-01-02 00:00:00",
    **dict.fromkeys(["2026-02-30 00:00:00", "infinity", "now", "epoch", "1700000000", "02/01/2026", "soon", "", None]),
}
NUMBERS = {
    "12.5": "12.5000000000",
    "-0.01": "-0.0100000000",
    "+7": "7.0000000000",
    ".5": "0.5000000000",
    "5.": "5.0000000000",
    "10.00495": "10.0049500000",
    "1e3": "1000.0000000000",
    "1.5E-2": "0.0150000000",
    "99999999999999.99": "99999999999999.9900000000",
    **dict.fromkeys(
        ["1000000000000000000", "1e300", "nan", "inf", "-infinity", "1,234.50", "12,5", "1_000", "0x10", "€5", "", None]
    ),
}
INTEGERS = {"3": 3, "3.0": 3, "-2": -2, "007": 7, **dict.fromkeys(["3.5", "1e2", "9" * 30, "0x10", "x", "", None])}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("call", CALLS)
def test_each_adapter_has_a_body_in_its_own_dialect(call: str, adapter: str) -> None:
    """Each shim renders for each of the three warehouses, as SQL that the dialect's parser accepts."""
    sql = "select " + render("{{ " + call + " }}", adapter)
    assert sqlglot.parse_one(sql, read=adapter) is not None


@pytest.mark.parametrize("call", [*CALLS, "hashed('email', 'e')"])
def test_an_adapter_without_a_body_is_named(call: str) -> None:
    """On any other warehouse the error names the adapter, the macro and the file to write."""
    with pytest.raises(MacroError, match=r"macro '\w+' has no body for the adapter 'trino'.*macros/adapters/\w+\.sql"):
        render("{{ " + call + " }}", "trino")


def test_only_the_adapters_folder_names_a_warehouse() -> None:
    """Elsewhere no macro asks which warehouse it runs on."""
    named = re.compile(r"\b(duckdb|postgres|spark)__|target\.type|adapter\.type")
    files = [path for path in (ROOT / "macros").rglob("*.sql") if "adapters" not in path.parts]
    assert [path.name for path in files if named.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_hashes_are_sha256_of_utf8(adapter: str) -> None:
    """Lower-case hexadecimal SHA-256 of the UTF-8 bytes; NULL stays NULL."""
    texts = ["a@b.com", "정", "", "😀", "a\nb"]
    expected = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    assert evaluate("{{ sha256_hex('e') }}", [*texts, None], adapter) == [*expected, None]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("text", ["it's", "back\\slash", "'", "\\'", "a''b", "{x}"])
def test_a_text_becomes_a_literal(text: str, adapter: str) -> None:
    """Quotes and backslashes survive the way into SQL in every dialect."""
    assert evaluate("{{ quoted(" + repr(text) + ") }}", [None], adapter) == [text]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_times_are_read_in_utc(adapter: str) -> None:
    """An offset is honoured, a time without one is UTC, and words and impossible days are NULL."""
    zone = " at time zone 'UTC'" if adapter == "spark" else ""  # sqlglot takes Spark's timestamp for one with a zone
    found = evaluate("{{ try_timestamp('e') }}" + zone, list(TIMES), adapter)
    assert [moment and str(moment) for moment in found] == list(TIMES.values())


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_numbers_are_plain_decimals(adapter: str) -> None:
    """Four places, exponents of doubles, and NULL for whatever is no finite number or too large."""
    found = evaluate("{{ try_number('e') }}", list(NUMBERS), adapter)
    assert [number if number is None else str(number) for number in found] == list(NUMBERS.values())
    assert isinstance(found[0], Decimal)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_integers_are_whole(adapter: str) -> None:
    """A fraction of zeros is no fraction; anything else is NULL, never rounded."""
    assert evaluate("{{ try_integer('e') }}", list(INTEGERS), adapter) == list(INTEGERS.values())


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_time_arithmetic(adapter: str) -> None:
    """Milliseconds since 1970, seconds between, and moving by hours, days and minutes that are columns."""
    t, u = "cast('2026-01-02 03:04:05.678' as timestamp)", "cast('2026-01-01 03:04:05' as timestamp)"
    calls = (
        f'{{{{ epoch_ms("{t}") }}}}',
        f'{{{{ seconds_between("{t}", "{u}") }}}}',
        f'{{{{ seconds_between("{u}", add_hours("{u}", "length(e)")) }}}}',
        f'{{{{ seconds_between("{u}", add_days("{u}", "-length(e)")) }}}}',
        f'{{{{ seconds_between("{u}", add_minutes("{u}", "length(e)")) }}}}',
    )
    found = [evaluate(call, ["xx"], adapter)[0] for call in calls]
    assert found == [1767323045678, -86401, 7200, -172800, 120]


def test_as_of_is_the_variable_else_the_environment_else_the_start() -> None:
    """The run's moment is an argument, in UTC whatever its offset."""
    environ = {"UPLOADER_NOW": "2026-03-01T00:30:00+02:00"}
    given = {"as_of": "2026-02-01T12:00:00Z"}
    moments = [
        render("{{ as_of() }}", settings=given, environ=environ),
        render("{{ as_of() }}", environ=environ),
        render("{{ as_of() }}"),
        render("{{ as_of() }}", settings={"as_of": dt.date(2026, 2, 1)}),
    ]
    expected = ["2026-02-01 12:00:00", "2026-02-28 22:30:00", "2026-11-20 12:00:00", "2026-02-01 00:00:00"]
    assert moments == [f"cast('{moment}.000000' as timestamp)" for moment in expected]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_event_ids_are_those_a_page_can_make(adapter: str) -> None:
    """Event name in lower case and natural key; the browser's own id wins; no key, no id."""
    call = "{{ event_id(\"'Purchase'\", 'e', \"nullif(e, '1001')\") }}"
    assert evaluate(call, ["1001", "browser-7", None], adapter) == ["purchase.1001", "browser-7", None]
    assert evaluate("{{ event_id(\"'Purchase'\", 'e') }}", ["1001"], adapter) == ["purchase.1001"]


def test_every_macro_and_argument_is_documented() -> None:
    """A yml file beside the macros lists each macro that has a file, with its arguments in order."""
    files = [path for folder in FOLDERS for path in (ROOT / "macros" / folder).glob("*.sql")]
    defined = {}
    for path in files:
        arguments = re.findall(rf"{{% macro {path.stem}\((.*?)\)", path.read_text(encoding="utf-8"), re.DOTALL)
        names = [re.sub("=.*", "", name.strip()) for name in arguments[0].split(",")]
        defined[path.stem] = [name for name in names if name]
    pages = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "macros").rglob("*.yml")]
    listed = [macro for page in pages for macro in page["macros"] if macro["description"]]
    documented = {macro["name"]: [argument["name"] for argument in macro.get("arguments", [])] for macro in listed}
    assert {name: documented.get(name) for name in defined} == defined


LINES = "(values (2, 'b', 1, 2.5, null, 'x'), (null, 'c', 3, null, 'C', null), (1, 'a', 2, 10, 'A', null))"
LINE_COLUMNS = "line_number, product_id, quantity, unit_price, title, category"


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_line_ids_are_in_the_order_of_the_lines(adapter: str) -> None:
    """By number; a line without one comes last."""
    sql = render("select {{ line_ids() }} from " + f"{LINES} as lines ({LINE_COLUMNS})", adapter)
    assert duckdb.execute(to_duckdb(sql, adapter)).fetchall() == [(["a", "b", "c"],)]


# sqlglot has no DuckDB for PostgreSQL's ordered json_agg: there it is parsed only, above.
@pytest.mark.parametrize("adapter", ["duckdb", "spark"])
def test_lines_become_items(adapter: str) -> None:
    """One struct per line with the platform-neutral names, in the order of the lines."""
    sql = render("select {{ line_items() }} from " + f"{LINES} as lines ({LINE_COLUMNS})", adapter)
    items = duckdb.execute(to_duckdb(sql, adapter)).fetchall()[0][0]
    assert [list(item) for item in items] == [["id", "quantity", "item_price", "title", "category"]] * 3
    assert [(item["id"], item["quantity"], item["title"]) for item in items] == [
        ("a", 2, "A"),
        ("b", 1, None),
        ("c", 3, "C"),
    ]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_text_with_commas_becomes_a_list(adapter: str) -> None:
    """Without blanks around the parts and without empty parts; nothing at all is no list."""
    texts = ["a", " a , b c,,d ,", ",", "\u00a0,\u00a0", "", None]
    assert evaluate("{{ split_list('e') }}", texts, adapter) == [["a"], ["a", "b c", "d"], None, None, None, None]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_values_become_a_list(adapter: str) -> None:
    """In their order, a NULL at its place."""
    assert evaluate("{{ list_of(['e', \"'x'\"]) }}", ["a", None], adapter) == [["a", "x"], [None, "x"]]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_item_is_found_by_its_place(adapter: str) -> None:
    """Counted from one; beyond the end, and in no list, there is none."""
    call = "{{ list_item(split_list('e'), 2) }}"
    assert evaluate(call, ["a,b,c", "a", None], adapter) == ["b", None, None]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_texts_of_a_group_are_joined(adapter: str) -> None:
    """Each once, in alphabetical order, whatever the order of the rows; NULL is none of them."""
    rows = [("fbp",), ("client_ip",), (None,), ("fbp",)]
    assert run("select {{ joined_texts('e') }} from given", rows, ("e",), adapter) == [("client_ip fbp",)]


# As above: sqlglot has no DuckDB for PostgreSQL's json_build_array.
@pytest.mark.parametrize("adapter", ["duckdb", "spark"])
def test_a_product_becomes_an_item(adapter: str) -> None:
    """A list of one, with the fields of an order's items."""
    (items,) = evaluate("{{ one_item('e', '2', '9.5') }}", ["a"], adapter)
    plain = {"id": "a", "quantity": 2, "item_price": Decimal("9.5"), "title": None, "category": None}
    assert items == [plain]
