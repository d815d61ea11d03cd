"""What the user may configure, and what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from uploader import settings
from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Write ``uploader.toml`` in a folder of the test's own, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return lambda text: settings.FILE.write_text(text, encoding="utf-8") and None


@pytest.mark.usefixtures("toml")
def test_without_a_file_and_variables_everything_has_a_default() -> None:
    """A newcomer needs no uploader.toml."""
    found = settings.load()
    assert found.ledger.path == Path("sent_log.sqlite")
    assert found.quality.max_duplicate_rate == 0.05
    assert found.destinations == {}


@pytest.mark.usefixtures("toml")
def test_a_destination_without_settings_has_the_defaults() -> None:
    """Asking for an unconfigured destination is no error: what it lacks is said where it is needed."""
    found = settings.load().destination("meta")
    assert (found.dataset_id, found.batch_size, found.pixel_redundant) == (None, None, False)


def test_the_file_is_read(toml: Callable[[str], None]) -> None:
    """Keys of every table arrive, and a dataset id may stand there as a number."""
    toml("[ledger]\npath = 'state/log.sqlite'\n[destinations.meta]\ndataset_id = 1234567890\nbatch_size = 50\n")
    found = settings.load()
    assert found.ledger.path == Path("state/log.sqlite")
    assert found.destination("meta").dataset_id == "1234567890"
    assert found.destination("meta").batch_size == 50


def test_a_variable_wins_over_the_file(toml: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """UPLOADER__SECTION__KEY overrides one key and leaves its neighbours alone."""
    toml("[destinations.meta]\ndataset_id = '1'\nbatch_size = 50\n")
    monkeypatch.setenv("UPLOADER__DESTINATIONS__META__DATASET_ID", "2")
    found = settings.load().destination("meta")
    assert (found.dataset_id, found.batch_size) == ("2", 50)


@pytest.mark.usefixtures("toml")
def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Schedulers hand over empty variables for what nobody filled in."""
    monkeypatch.setenv("UPLOADER__LEDGER__PATH", "")
    assert settings.load().ledger.path == Path("sent_log.sqlite")


def test_all_that_is_wrong_is_named_at_once(toml: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to run a command once per mistake, wherever the mistakes stand."""
    toml(
        "[destinations.meta]\nbatch_size = 0\n[quality]\nmax_duplicate_rate = 3\n[delivery]\nmax_outbox_age_hours = 0\n"
    )
    monkeypatch.setenv("UPLOADER__QUALITY__HISTORY_DAYS", "many")
    with pytest.raises(ConfigurationError) as caught:
        settings.load()
    for key in ("destinations.meta.batch_size", "quality.max_duplicate_rate", "delivery.max_outbox_age_hours"):
        assert f"{key}: " in str(caught.value)
    assert "quality.history_days: " in str(caught.value)
    assert caught.value.exit_code == 78


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[ledgre]\npath = 'x'\n", "ledgre"),
        ("[quality]\nmax_duplicates = 1\n", "quality.max_duplicates"),
        ("[destinations.meta]\ndataset = '1'\n", "destinations.meta.dataset"),
    ],
)
def test_an_unknown_key_is_named(toml: Callable[[str], None], text: str, key: str) -> None:
    """A slip of the pen must not silently mean the default."""
    toml(text)
    with pytest.raises(ConfigurationError, match=rf"(?m)^  {key}: "):
        settings.load()


@pytest.mark.usefixtures("toml")
def test_an_unknown_key_in_a_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same holds for an environment variable."""
    monkeypatch.setenv("UPLOADER__LEDGER__PTAH", "log.sqlite")
    with pytest.raises(ConfigurationError, match=r"(?m)^  ledger\.ptah: "):
        settings.load()


@pytest.mark.usefixtures("toml")
@pytest.mark.parametrize("name", ["UPLOADER__LEGDER__PATH", "UPLOADER__LEDGER", "UPLOADER__DESTINATIONS"])
def test_a_variable_that_is_no_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A misspelt table, or a table without a key, is a message: not a traceback, and not the default."""
    monkeypatch.setenv(name, "log.sqlite")
    with pytest.raises(ConfigurationError, match=name):
        settings.load()


@pytest.mark.usefixtures("toml")
def test_a_file_that_is_no_utf_8_is_a_message() -> None:
    """Some editors save something else."""
    settings.FILE.write_bytes(b"[ledger]\npath = 'caf\xe9'\n")
    with pytest.raises(ConfigurationError, match=r"uploader\.toml is not valid TOML"):
        settings.load()


@pytest.mark.parametrize("key", ["access_token", "token", "secret"])
def test_a_secret_is_no_setting(toml: Callable[[str], None], key: str) -> None:
    """A token in the file is refused by its key, and the message does not repeat it."""
    toml(f"[destinations.meta]\n{key} = 'EAAB-very-secret'\n")
    with pytest.raises(ConfigurationError, match=f"destinations.meta.{key}") as caught:
        settings.load()
    assert "EAAB" not in str(caught.value)


def test_broken_toml_names_the_line(toml: Callable[[str], None]) -> None:
    """The message says where to look."""
    toml("[ledger]\npath = sent_log.sqlite\n")
    with pytest.raises(ConfigurationError, match=r"uploader\.toml is not valid TOML: .*line 2"):
        settings.load()


@pytest.mark.parametrize("dataset_id", ["", "12/34", "12 34", "../42", "x" * 101])
def test_a_dataset_id_must_fit_into_an_address(toml: Callable[[str], None], dataset_id: str) -> None:
    """It becomes a part of the URL and of the sent log's keys."""
    toml(f"[destinations.meta]\ndataset_id = '{dataset_id}'\n")
    with pytest.raises(ConfigurationError, match=r"destinations\.meta\.dataset_id"):
        settings.load()


@pytest.mark.usefixtures("toml")
@pytest.mark.parametrize("name", ["Purchase", "104012", "CRM: won", "Käufe, bezahlt", "x" * 200])
def test_a_goal_has_the_name_that_the_platform_gave_it(toml: Callable[[str], None], name: str) -> None:
    """With blanks, and in any script."""
    toml(f'[destinations.meta.events]\nClosedWon = "{name}"')
    assert settings.load().destination("meta").events == {"ClosedWon": name}


@pytest.mark.parametrize("name", ["", " won", "won ", "a\\nb", "won\\n", "a\\u0000b", "x" * 201])
def test_a_goal_has_no_name_that_nobody_can_see(toml: Callable[[str], None], name: str) -> None:
    """Neither an empty one, nor blanks around it, nor control characters in it."""
    toml(f'[destinations.meta.events]\nClosedWon = "{name}"')
    with pytest.raises(ConfigurationError, match=r"destinations\.meta\.events\.ClosedWon: must be 1 to 200 signs"):
        settings.load()


def test_the_environment_names_the_sent_logs_place(
    toml: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rehearsal's file wins over the database that the shop's own settings name, and the other way round."""
    toml("[ledger]\nurl_env = 'SHOP_LOG'\nretention_days = 200\n")
    monkeypatch.setenv("UPLOADER__LEDGER__PATH", "rehearsal.sqlite")
    found = settings.load().ledger
    assert (found.path, found.url_env, found.retention_days) == (Path("rehearsal.sqlite"), None, 200)
    toml("[ledger]\npath = 'log.sqlite'\n")
    monkeypatch.delenv("UPLOADER__LEDGER__PATH")
    monkeypatch.setenv("UPLOADER__LEDGER__URL_ENV", "SHOP_LOG")
    assert settings.load().ledger.url_env == "SHOP_LOG"


def test_a_sent_log_in_two_places_is_refused(toml: Callable[[str], None]) -> None:
    """Which of them is meant, only the user knows."""
    toml("[ledger]\nurl_env = 'SHOP_LOG'\npath = 'log.sqlite'\n")
    with pytest.raises(ConfigurationError, match="ledger: has both path and url_env"):
        settings.load()


def test_another_file_may_hold_the_settings(toml: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """UPLOADER_SETTINGS names it; one that is not there is no empty one."""
    toml("[quality]\nmax_zero_value_rate = 0.5\n")
    monkeypatch.setenv("UPLOADER_SETTINGS", "other.toml")
    with pytest.raises(ConfigurationError, match=r"no file other\.toml, which .* UPLOADER_SETTINGS names"):
        settings.load()
    Path("other.toml").write_text("[quality]\nmax_zero_value_rate = 0.25\n", encoding="utf-8")
    assert settings.load().quality.max_zero_value_rate == 0.25


@pytest.mark.usefixtures("toml")
def test_a_byte_order_mark_is_named() -> None:
    """The line that the parser would name is right."""
    settings.FILE.write_bytes(b"\xef\xbb\xbf[ledger]\npath = 'log.sqlite'\n")
    with pytest.raises(ConfigurationError, match="begins with a byte order mark"):
        settings.load()


def test_a_history_has_an_end(toml: Callable[[str], None]) -> None:
    """Days before the year one are none."""
    toml("[quality]\nhistory_days = 1000000\n")
    with pytest.raises(ConfigurationError, match=r"quality\.history_days: "):
        settings.load()


def test_settings_cannot_change_during_a_run() -> None:
    """They are read once and frozen."""
    found = settings.load()
    with pytest.raises(ValidationError):
        found.ledger.path = Path("elsewhere")
