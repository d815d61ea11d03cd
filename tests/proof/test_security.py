"""The token and personal data stay where they belong, whatever goes wrong."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support import faulty_canaries as canaries
from tests.support import faulty_catalogue as catalogue
from tests.support.faulty_canaries import PERSONAL, TOKEN, Watch
from tests.support.faulty_server import FaultyServer
from tests.support.proof import full, size
from tests.support.shop import DATASET
from uploader.cli.send import Interruption
from uploader.sandbox import Sandbox
from uploader.sandbox.faults import KINDS

COMMANDS = ("send", "status", "explain 1", "plan --json")
MORE_COMMANDS = (
    "check",
    "send",
    "status --json",
    "explain purchase.2 --json",
    "plan",
    "doctor",
    "send --test",
    "nonsense",
)


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Watch:
    """A warehouse with canaries, and eyes everywhere."""
    # The pauses between tries are real in a command.
    monkeypatch.setattr(Interruption, "sleep", lambda *_: None)
    found = Watch(tmp_path / "rounds", monkeypatch, capfd)
    found.prepare()
    return found


def meet_the_sandbox(watch: Watch) -> None:
    """Let the platform's stand-in do everything that it can do, and refuse the token."""
    commands = COMMANDS + MORE_COMMANDS if full() else COMMANDS
    with Sandbox(token=TOKEN, clock=lambda: canaries.NOW, dataset_ids=[DATASET]) as sandbox:
        for kind in list(KINDS)[:: size(2, 1)]:
            sandbox.faults.add(kind, times=20)
            watch.round(kind, canaries.settings_for(sandbox.url), commands)
            sandbox.reset()
    with Sandbox(token="another", clock=lambda: canaries.NOW, dataset_ids=[DATASET]) as sandbox:
        watch.round("refused token", canaries.settings_for(sandbox.url), COMMANDS + MORE_COMMANDS)


def meet_the_faulty_server(watch: Watch) -> list[bytes]:
    """Let a server break every rule; return what it read of the last request."""
    for fault in catalogue.all_faults()[:: size(4, 1)]:
        with FaultyServer(fault.act).open() as server:
            commands = COMMANDS + MORE_COMMANDS if full() else COMMANDS
            watch.round(fault.name, canaries.settings_for(f"{fault.scheme}://127.0.0.1:{server.port}"), commands)
    return server.heads


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {TOKEN}",
        f"GET /?access_token={quote(TOKEN, safe='')}",
        TOKEN[:12],
        base64.b64encode(f"user:{TOKEN}".encode()).decode(),
        base64.urlsafe_b64encode(f"x{TOKEN}".encode()).decode(),
        json.dumps({"token": TOKEN}),
        f"the client was {PERSONAL['client_ip']}",
        PERSONAL["email_sha256"].upper(),
        canaries.EMAIL,
    ],
)
def test_the_search_finds_what_it_is_for(text: str) -> None:
    """In every form in which it could leak."""
    assert any(form in text.encode() for form in canaries.forms_of_token() | canaries.forms_of_personal_data())


def test_neither_the_token_nor_personal_data_is_left_anywhere(watch: Watch, figure: Callable[[str, str], None]) -> None:
    """Not in an output, a log of any library, a traceback or a file, under every fault, at the lowest level of logs."""
    meet_the_sandbox(watch)
    heads = meet_the_faulty_server(watch)
    assert watch.hits == []
    assert watch.runs >= size(40, 200)
    # The search would find it: where the token belongs, it is.
    assert any(form in heads[-1] for form in canaries.forms_of_token())
    assert {0, 4, 75} <= watch.codes
    figure(
        "S1",
        f"{watch.runs} runs, {watch.bytes_searched / 2**20:.0f} MiB of output, logs and files searched: "
        f"{len(watch.hits)} hits of the token",
    )
    figure("S2", f"the same runs: {len(watch.hits)} hits of {len(PERSONAL) + len(canaries.RAW)} personal values")
