"""Ten mistakes that would lose events or count them twice, and the tests that must notice each of them.

A mistake is one small change of the product, made in a copy of it and never in the tree.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("uploader", "tests", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake: in ``file``, ``old`` becomes ``new``. ``tests`` must fail for it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


_COMMITTED = "        batch_id = self.around.ledger.intend(self._intent(batch))\n"

MUTANTS = (
    Mutant(
        "no intent before the request",
        "uploader/delivery/sending.py",
        _COMMITTED + "        return Started(batch, request, begun, batch_id)\n",
        "        outcome = self.exchange.first_try(self.around.post, request, batch.height)\n"
        + _COMMITTED
        + "        return Started(batch, request, begun, batch_id, outcome)\n",
        ("tests/unit/test_delivery_edges.py::test_a_crash_during_the_request_leaves_an_intent",),
    ),
    Mutant(
        "acked before the request",
        "uploader/delivery/sending.py",
        _COMMITTED,
        _COMMITTED + "        self.around.ledger.settle(batch_id, State.ACKED)\n",
        (
            "tests/unit/test_delivery_edges.py::test_a_crash_during_the_request_leaves_an_intent",
            "tests/unit/test_delivery.py",
        ),
    ),
    Mutant(
        "a resend begins the window anew",
        "uploader/ledger/log.py",
        'pl.col("first_intent_at").fill_null(now)',
        'pl.lit(now).alias("first_intent_at")',
        ("tests/unit/test_delivery_edges.py::test_a_lost_resend_does_not_move_the_first_intent",),
    ),
    Mutant(
        "no look at the window",
        "uploader/diff.py",
        "        .when(_IN_DOUBT & too_late)\n",
        "        .when(_IN_DOUBT & pl.lit(False))\n",
        ("tests/unit/test_delivery.py::test_a_lost_answer_is_held_once_the_platform_would_count_it_twice",),
    ),
    Mutant(
        "a commit that does not wait for the disk",
        "uploader/ledger/database.py",
        "pragma synchronous = full",
        "pragma synchronous = off",
        ("tests/unit/test_delivery_edges.py::test_a_commit_of_the_sent_log_reaches_the_disk",),
    ),
    Mutant(
        "a lock that lets everyone in",
        "uploader/ledger/lock.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        ("tests/unit/test_sent_log.py::test_a_second_run_is_told_who_holds_the_lock",),
    ),
    Mutant(
        "no look at how many events were taken",
        "uploader/destinations/meta/answers.py",
        " and is_count and received == sent:",
        " and is_count:",
        ("tests/unit/test_delivery.py::test_a_wrong_count_in_the_answer_is_no_success",),
    ),
    Mutant(
        "redirects are followed",
        "uploader/transport.py",
        "        with self._adapter.send(request,",
        "        session = requests.Session()\n"
        '        session.mount("http://", self._adapter)\n'
        "        with session.send(request,",
        ("tests/proof/test_mutants.py::test_a_redirect_leads_nowhere",),
    ),
    Mutant(
        "the whole batch is dead",
        "uploader/delivery/isolation.py",
        "        if refused.batch.height == 1:\n            self._sender.bury(refused)\n",
        "        if refused.batch.height >= 1:\n            self._sender.bury(refused)\n",
        ("tests/unit/test_delivery.py::test_the_bad_event_of_a_batch_is_dead_and_the_good_ones_are_delivered",),
    ),
    Mutant(
        "pruned while it can still be sent",
        "uploader/ledger/upkeep.py",
        "timedelta(days=settings.retention_days)",
        "timedelta(days=9)",
        ("tests/proof/test_mutants.py::test_an_event_is_remembered_as_long_as_it_can_be_sent",),
    ),
)


def copy_to(folder: Path, mutant: Mutant | None) -> Path:
    """Copy the product and its tests into a folder, with the mistake or without one."""
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    if mutant:
        file = folder / mutant.file
        file.write_text(file.read_text(encoding="utf-8").replace(mutant.old, mutant.new), encoding="utf-8")
    return folder


def run_tests(folder: Path, tests: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run tests of a copy; the first that fails ends it."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)


def origin(folder: Path) -> str:
    """Return the file of the product that the tests of a copy import."""
    command = [sys.executable, "-c", "import uploader; print(uploader.__file__)"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout
