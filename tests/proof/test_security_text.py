"""What stands in rows and answers is shown as text: it moves no cursor, begins no line, hides nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.table import Table

from tests.support.faulty_catalogue import answering, reply
from tests.support.faulty_server import FaultyServer
from tests.support.shop import Shop, opened, orders
from uploader.cli.console import PlainConsole
from uploader.cli.send import Interruption

# What a terminal, a log viewer or a reader's eye could take for something else.
NASTY = {
    "line feed": "1\nINJECTED",
    "carriage return": "1\r\nINJECTED",
    "form feed": "1\x0cINJECTED",
    "next line": "1\x85INJECTED",
    "line separator": "1\u2028INJECTED",
    "paragraph separator": "1\u2029INJECTED",
    "erase the screen": "1\x1b[2J\x1b[HINJECTED",
    "set the title": "1\x1b]0;INJECTED\x07",
    "eight-bit control": "1\x9b31mINJECTED",
    "backspace": "1\x08\x08INJECTED",
    "right to left": "1\u202eINJECTED\u202c",
    "isolate": "1\u2066INJECTED\u2069",
    "zero width": "1\u200bINJECTED\ufeff",
    "delete": "1\x7fINJECTED",
    "markup": "1[bold red]INJECTED[/]",
    "emoji code": "1:warning:INJECTED",
    "link": "1[link=https://evil.example]INJECTED[/link]",
}
COMMANDS = ("send", "status", "status --held --dead", "plan", "plan --show 3", "check", "doctor")
HEAD = ("X-Fb-Trace-Id: \x1b[2JINJECTED", "Retry-After: \x1b[2JINJECTED")
CONFUSED = reply(b"\x1b[2J\nINJECTED", "200 \x1b[2J", *HEAD)
REFUSAL = {"code": 100, "error_subcode": 2804050, "message": "\x1b[2J\nINJECTED", "fbtrace_id": "\x1b[2J\nINJECTED"}
REFUSED = reply(json.dumps({"error": REFUSAL}).encode(), "400 \x1b[2J", *HEAD)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shop]:
    """A shop with one order; what it is called is each test's affair."""
    with opened(tmp_path, monkeypatch, capsys) as it:
        yield it


def unprintable(text: str) -> list[str]:
    """Return what is no printable sign, except the ends of lines; and lines that somebody else began."""
    found = [sign for sign in text if not (sign.isprintable() or sign == "\n")]
    return found + [line for line in text.splitlines() if line.lstrip().startswith("INJECTED")]


def test_the_consoles_show_what_a_terminal_would_obey() -> None:
    """In a line, in a table and in its title, also where a command forgot; markup and lines of our own stay."""
    stream = io.StringIO()
    console = PlainConsole(file=stream, width=200)
    for name in NASTY.values():
        table = Table(title=name)
        table.add_row(name)
        console.print("[bold]ours\n[/bold]", table)
        console.print(name, markup=False)
    said = stream.getvalue()
    assert [sign for sign in said if not (sign.isprintable() or sign == "\n")] == []
    assert said.count("ours\n") == len(NASTY)


def sells(shop: Shop, *names: str) -> None:
    """Let the shop have sold something under each name."""
    named = ({"order_id": name, "event_id": name, "event_key": name, "event_source_url": name} for name in names)
    shop.sells(*(order | name for order, name in zip(orders(len(names)), named, strict=True)))


def outputs(shop: Shop, *commands: str) -> Iterator[tuple[str, str]]:
    """Run commands; return what each wrote, to people and to programs."""
    for command in commands:
        code, out = shop.run(*command.split())
        yield f"{command}: {code}", out + shop.error


def test_rows_and_answers_are_shown_as_text(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str, str], None]
) -> None:
    """Whatever orders are called and a platform says: every output is lines of printable signs, as JSON it parses."""
    # The pauses between tries are real in a command.
    monkeypatch.setattr(Interruption, "sleep", lambda *_: None)
    found: list[tuple[str, str]] = []
    meta = "UPLOADER__DESTINATIONS__META__"
    for dataset, answer, names in (("42", CONFUSED, list(NASTY.values())), ("43", REFUSED, [NASTY["line feed"]])):
        monkeypatch.setenv(f"{meta}DATASET_ID", dataset)
        with FaultyServer(answering(answer)).open() as server:
            monkeypatch.setenv(f"{meta}BASE_URL", f"http://127.0.0.1:{server.port}")
            sells(shop, *names)
            found += outputs(shop, *COMMANDS)
            assert shop.json("status")[0] == 0
            found += [(name, shop.run("explain", name)[1]) for name in names]
            assert [shop.json("explain", name)[1]["key"] for name in names[:3]] == names[:3]
    wrong = [f"{command}: {sign!r}" for command, text in found for sign in unprintable(text)]
    assert wrong == []
    # The names are seen: as they are written here, escaped.
    assert sum("INJECTED" in text for _, text in found) >= len(NASTY) + 2
    figure("S9", f"{len(NASTY)} names that attack, {len(found)} outputs: every line is ours, every sign printable")
