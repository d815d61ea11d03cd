"""``uploader demo``: a made-up shop, from raw tables to counted events, on this machine alone."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.table import Table

from uploader.cli.console import stdout
from uploader.cli.demo_accounts import settings_of
from uploader.clock import NOW_VARIABLE, system_clock
from uploader.destinations import names
from uploader.errors import ConfigurationError
from uploader.report import money
from uploader.settings import FILE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uploader.sandbox import Sandbox

ANCHOR: Final = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
"""What 'now' is in the files of the demo shop."""
SEEDS: Final = Path("seeds") / "demo"
WORK: Final = Path("target") / "demo"
DBT: Final = Path("target") / "demo_dbt"
"""Kept between runs, so that dbt parses only what changed."""
SETTINGS: Final = "uploader.toml"
"""An empty file in the place of the shop's own, whose sent log and thresholds are none of the demo's business."""
ALL: Final = "enabled_destinations: all"
WITHDRAWN: Final = "100494"
"""An order whose buyer took the consent back after buying."""


def demo() -> int:
    """Load the demo shop, build, check and send to a local sandbox, and show what was sent, held and why.

    Everything happens below target/ and on this machine. Example: uploader demo
    """
    if not SEEDS.is_dir():
        raise ConfigurationError(f"There is no {SEEDS}. Run the demo in a checkout of the project.")
    from uploader.sandbox import Sandbox

    clock = system_clock()
    shutil.rmtree(WORK, ignore_errors=True)
    move_dates(SEEDS, WORK / "raw", timedelta(seconds=round((clock() - ANCHOR).total_seconds())))
    (WORK / SETTINGS).touch()
    with Sandbox(clock=clock) as sandbox:
        return _tour(sandbox, _environment(sandbox, clock()))


def _tour(sandbox: Sandbox, environment: dict[str, str]) -> int:
    python = sys.executable
    uploader = [python, "-m", "uploader"]
    dbt = [python, "-c", "from dbt.cli.main import cli; cli()"]
    steps: list[tuple[str, Sequence[str], str]] = [
        (f"uploader load {WORK / 'raw'}", [*uploader, "load", str(WORK / "raw")], "the shop's own tables"),
        # Unit tests try the models on rows of their own, which is of no use to the shop.
        (
            f"dbt build --exclude-resource-type unit_test --vars '{ALL}'",
            [*dbt, "--quiet", "build", "--exclude-resource-type", "unit_test", "--vars", ALL],
            "models, seeds and tests of the data; takes half a minute",
        ),
        ("uploader plan", [*uploader, "plan"], "what would be sent, and what is held and why"),
        ("uploader check", [*uploader, "check"], "may these rows leave?"),
        ("uploader send", [*uploader, "send"], f"to {sandbox.url}, a stand-in of all platforms"),
        ("uploader send", [*uploader, "send"], "again: nothing is due, so nothing is posted"),
        ("uploader status", [*uploader, "status"], "what the sent log says"),
        (f"uploader explain {WITHDRAWN}", [*uploader, "explain", WITHDRAWN], "why was this order not sent?"),
    ]
    for title, command, purpose in steps:
        stdout().rule(f"[bold]{title}[/bold]  {purpose}", align="left")
        sys.stdout.flush()
        code = subprocess.run(command, env=environment, check=False).returncode
        if code:
            stdout().print(f"`{title}` ended with exit code {code}.", style="bold red")
            return code
    return _tell(sandbox, [python, "-m", "uploader"], environment)


def _environment(sandbox: Sandbox, now: datetime) -> dict[str, str]:
    """Return an environment that points everything to the demo's own files and to the sandbox."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UPLOADER__", "DBT_"))}
    pretended = {NOW_VARIABLE: now.isoformat()} if os.environ.get(NOW_VARIABLE) else {}
    return (
        kept
        | pretended
        | {
            "DBT_PROFILES_DIR": str(Path().absolute()),
            "DBT_TARGET_PATH": str(DBT),
            "DBT_LOG_PATH": str(DBT / "logs"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            FILE_VARIABLE: str(WORK / SETTINGS),
            "UPLOADER_WAREHOUSE": str(WORK / "warehouse.duckdb"),
            "UPLOADER__LEDGER__PATH": str(WORK / "sent_log.sqlite"),
            # Only the demo uses the folder, wherever it is.
            "UPLOADER__LEDGER__ALLOW_NETWORK_FILESYSTEM": "true",
        }
        | {name: value for destination in names() for name, value in settings_of(destination, sandbox).items()}
    )


def _tell(sandbox: Sandbox, uploader: Sequence[str], environment: dict[str, str]) -> int:
    """Compare what each platform counted with what the sent log says; the exit code is 0 where all agree."""
    console = stdout()
    console.rule("[bold]What each platform counted[/bold]", align="left")
    told = subprocess.run([*uploader, "status", "--json"], env=environment, check=True, capture_output=True).stdout
    acked = {name: about["states"]["acked"] for name, about in json.loads(told)["destinations"].items()}
    wrong = list[str]()
    table = Table(box=None, pad_edge=False)
    table.add_column("platform")
    for title in ("acked", "counted", "duplicates", "requests"):
        table.add_column(title, justify="right")
    table.add_column("value")
    for name in sorted(acked):
        # A platform may have several places, each with an id of its own.
        mine = [found for found in sandbox.counts().values() if found["platform"] == name]
        figures = [sum(found[key] for found in mine) for key in ("counted", "duplicates", "requests")]
        value = Counter[str]()
        for found in mine:
            value.update(found["value"])
        table.add_row(name, str(acked[name]), *map(str, figures), money(sorted(value.items())))
        if figures[0] != acked[name]:
            wrong.append(name)
    console.print(table)
    console.print("The gate's report for people: target/uploader/data_docs/index.html", markup=False)
    if wrong:
        console.print(f"Not what the sent log says: {', '.join(wrong)}.", style="bold red")
    return 1 if wrong else 0


def move_dates(source: Path, folder: Path, by: timedelta) -> None:
    """Copy the shop's CSV files with every readable time in a column named ``*_at`` moved by ``by``."""
    folder.mkdir(parents=True)
    for file in sorted(source.glob("*.csv")):
        with (
            file.open(newline="", encoding="utf-8") as before,
            (folder / file.name).open("w", newline="", encoding="utf-8") as after,
        ):
            rows = csv.DictReader(before)
            writer = csv.DictWriter(after, fieldnames=rows.fieldnames or [])
            writer.writeheader()
            for row in rows:
                writer.writerow({key: moved(text, by) if key.endswith("_at") else text for key, text in row.items()})


def moved(text: str, by: timedelta) -> str:
    """Move a time and keep the way it is written; what is no time stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    written = (moment + by).isoformat(sep="T" if "T" in text else " ")
    return written.replace("+00:00", "Z") if text.endswith("Z") else written
