"""What the user configured: ``uploader.toml``, overridden by environment variables ``UPLOADER__SECTION__KEY``.

Secrets stand in neither: a setting names the environment variable that holds the secret.
"""

from __future__ import annotations

import codecs
import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from uploader.errors import ConfigurationError
from uploader.hosts import plain_host

if TYPE_CHECKING:
    from typing import Self

    from pydantic_core import ErrorDetails

FILE: Final = Path("uploader.toml")
FILE_VARIABLE: Final = "UPLOADER_SETTINGS"
"""Names another file."""
Host = Annotated[str, AfterValidator(plain_host)]
Rate = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
_LEAST_RETENTION_DAYS: Final = 100
"""90 days that events may be old, 2 in which a platform knows a repeated one, a week for outages, and a margin."""
_LONGEST_NAME: Final = 200


def _named(text: str) -> str:
    """Let a name or id at a platform be what people can see there: blanks and any script, but no control characters."""
    if not 1 <= len(text) <= _LONGEST_NAME or text != text.strip() or not text.isprintable():
        raise ValueError(f"must be 1 to {_LONGEST_NAME} signs, without control characters and blanks around them")
    return text


def _listed(value: Any) -> Any:
    """Let a variable of the environment write a list as ``a, b``."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class _Section(BaseModel):
    """One table of ``uploader.toml``; a key it does not know is an error that names it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class LedgerSettings(_Section):
    """``[ledger]``: where the sent log is, and for how long it remembers."""

    path: Path = Path("sent_log.sqlite")
    url_env: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]{0,63}$")] | None = None
    """The name of the variable that holds the address of a PostgreSQL database, instead of ``path``."""
    allow_network_filesystem: bool = False
    """Also where other machines could write, and a lock may not hold."""
    retention_days: Annotated[int, Field(le=36_500)] = 120
    """How old the events must be that the sent log forgets."""

    @field_validator("path")
    @classmethod
    def _is_a_file(cls, path: Path) -> Path:
        if not path.name or path.is_dir():
            raise ValueError("must name a file, like sent_log.sqlite")
        return path

    @field_validator("retention_days")
    @classmethod
    def _is_longer_than_events_live(cls, days: int) -> int:
        if days < _LEAST_RETENTION_DAYS:
            raise ValueError(
                f"must be {_LEAST_RETENTION_DAYS} or more: a platform takes events of up to 90 days, and knows a "
                "repeated one for days more; what the sent log forgot before that could be sent and counted again"
            )
        return days

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if self.url_env and "path" in self.model_fields_set:
            raise ValueError("has both path and url_env: the sent log is in one place, so remove one of them")
        return self


class DestinationSettings(_Section):
    """``[destinations.NAME]``: one asset of one platform. None means: the platform's own default."""

    dataset_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")] | None = None
    api_version: str | None = None
    base_url: str | None = None
    allowed_hosts: Annotated[list[Host], NoDecode, BeforeValidator(_listed)] = []
    """Hosts that base_url may lead to beside the platform's own, like a gateway of yours."""
    token_env: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]{0,63}$")] | None = None
    """The name of a variable, never a token."""
    test_event_code: str | None = None
    events: dict[str, Annotated[str, AfterValidator(_named)]] = {}
    """Your own names or ids at the platform for our event names, whose case does not matter here."""
    options: dict[str, str] = {}
    """The settings that only this platform has."""
    batch_size: Annotated[int, Field(ge=1, le=10_000)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=8)] = 1
    """Requests at a time; this version sends one at a time."""
    connect_timeout_s: Seconds = 5
    read_timeout_s: Seconds = 30
    total_timeout_s: Seconds = 60
    pixel_redundant: bool = False


class QualitySettings(_Section):
    """``[quality]``: the thresholds of the gate. Rates are shares between 0 and 1."""

    max_duplicate_rate: Rate = 0.05
    duplicate_window_minutes: Annotated[float, Field(ge=0)] = 10
    max_duplicate_event_id_rate: Rate = 0.0
    max_no_match_key_rate: Rate = 0.2
    max_zero_value_rate: Rate = 1.0
    max_pixel_duplicate_rate: Rate = 1.0
    value_band_factor: Annotated[float, Field(gt=1)] = 1000
    history_days: Annotated[int, Field(ge=1, le=36_500)] = 90
    max_outlier_rate: Rate = 0.01


class DeliverySettings(_Section):
    """``[delivery]``: rules of a run."""

    max_outbox_age_hours: Annotated[float, Field(gt=0, le=24 * 365)] = 24


class _File(TomlConfigSettingsSource):
    """``uploader.toml``, but for the sent log's place where the environment names one, of either kind."""

    def __call__(self) -> dict[str, Any]:
        """See pydantic-settings."""
        found, ledger = super().__call__(), ("path", "url_env")
        named = {name.lower() for name, value in os.environ.items() if value}
        if not named.isdisjoint(f"uploader__ledger__{key}" for key in ledger) and isinstance(found.get("ledger"), dict):
            found["ledger"] = {key: value for key, value in found["ledger"].items() if key not in ledger}
        return found


def _file() -> Path:
    return Path(os.environ.get(FILE_VARIABLE) or FILE)


class Settings(BaseSettings):
    """All settings of a run."""

    model_config = SettingsConfigDict(
        env_prefix="UPLOADER__",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
    )

    ledger: LedgerSettings = LedgerSettings()
    destinations: dict[str, DestinationSettings] = {}
    quality: QualitySettings = QualitySettings()
    delivery: DeliverySettings = DeliverySettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment variables win over ``uploader.toml``; there are no other sources."""
        return init_settings, env_settings, _File(settings_cls, toml_file=_file())

    def destination(self, name: str) -> DestinationSettings:
        """Return a destination's settings, all defaults where it has none."""
        return self.destinations.get(name, DestinationSettings())


def _said(problem: ErrorDetails) -> str:
    """Say in our words what pydantic minds; never the value, which may be a secret in the wrong place."""
    if problem["type"] == "extra_forbidden":
        return "there is no such setting"
    return problem["msg"].removeprefix("Value error, ")


def load() -> Settings:
    """Read the settings, or name everything that is wrong with them at once."""
    if unknown := _unknown_variables():
        text = ", ".join(unknown)
        raise ConfigurationError(f"There is no such setting: {text}. Variables are UPLOADER__SECTION__KEY.")
    file = _file()
    if os.environ.get(FILE_VARIABLE) and not file.is_file():
        raise ConfigurationError(
            f"There is no file {file}, which the environment variable {FILE_VARIABLE} names. Correct or unset it."
        )
    try:
        return Settings()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        if file.read_bytes().startswith(codecs.BOM_UTF8):
            raise ConfigurationError(f"{file} begins with a byte order mark. Save it as UTF-8 without one.") from None
        raise ConfigurationError(f"{file} is not valid TOML: {error}. Correct that line.") from None
    except SettingsError as error:
        raise ConfigurationError(f"{error}. Name the key too: UPLOADER__SECTION__KEY.") from None
    except ValidationError as error:
        problems = [
            f"  {'.'.join(str(part) for part in problem['loc'])}: {_said(problem)}" for problem in error.errors()
        ]
        text = "\n".join(problems)
        raise ConfigurationError(f"Settings ({file} or UPLOADER__SECTION__KEY) to correct:\n{text}") from None


def _unknown_variables() -> list[str]:
    """Name the variables that are no setting: pydantic passes over them, and the default would count."""
    sections = tuple(f"uploader__{section}__" for section in Settings.model_fields)
    names = [name for name in os.environ if name.lower().startswith("uploader__")]
    return sorted(name for name in names if not name.lower().startswith(sections))
