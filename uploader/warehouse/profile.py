"""Read the warehouse connection from dbt's own ``profiles.yml``, so that it stands in one place only.

dbt itself is not asked: importing it takes seconds.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jinja2
import yaml

from uploader.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT_FILE: Final = "dbt_project.yml"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The quick one, where there is one."""

_TEMPLATES: Final = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - no HTML
_FAILURES: Final = (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What an expression in a template may raise."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the marts are: a DuckDB file, the schema of the marts, and the schema of the raw tables."""

    path: Path
    schema: str
    raw_schema: str


def read_profile(project: Path, environment: Mapping[str, str] = os.environ) -> Profile:
    """Return the connection that dbt would use for the project in the folder ``project``."""
    project_file = project / PROJECT_FILE
    definition = _yaml(project_file)
    profiles_file = _profiles_file(project, environment)
    profiles = _yaml(profiles_file)
    name = _text(definition, "profile", project_file, environment)
    chosen = profiles.get(name)
    if not isinstance(chosen, dict):
        raise ConfigurationError(f"{profiles_file} has no profile {name!r}, which {PROJECT_FILE} asks for.")
    target = environment.get("DBT_TARGET") or _text(chosen, "target", profiles_file, environment, "default")
    outputs = chosen.get("outputs")
    # Only the chosen target, as in dbt: another one may need variables that this machine does not have.
    output = outputs.get(target) if isinstance(outputs, dict) else None
    if not isinstance(output, dict):
        known = ", ".join(sorted(map(str, outputs))) if isinstance(outputs, dict) else "none"
        raise ConfigurationError(f"{profiles_file}: profile {name!r} has no target {target!r}; it has: {known}.")
    kind = _text(output, "type", profiles_file, environment, "")
    if kind != "duckdb":
        message = f"{profiles_file}: target {target!r} is of type {kind!r}; the uploader reads duckdb."
        raise ConfigurationError(message)
    path = _text(output, "path", profiles_file, environment)
    if path.startswith(":memory:"):
        raise ConfigurationError(f"{profiles_file}: path is {path}, which is gone with the command. Name a file.")
    return Profile(
        project / path,
        _text(output, "schema", profiles_file, environment, "main"),
        _text(_variables(definition), "raw_schema", project_file, environment, "raw"),
    )


def _variables(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the project's ``vars``; as in dbt, those below its own name go before the others."""
    found = definition.get("vars")
    every = found if isinstance(found, dict) else {}
    own = every.get(definition.get("name"))
    return every | own if isinstance(own, dict) else every


def _profiles_file(project: Path, environment: Mapping[str, str]) -> Path:
    """Look where dbt looks: DBT_PROFILES_DIR, then the project's folder, then the home folder."""
    chosen = environment.get("DBT_PROFILES_DIR")
    folders = [Path(chosen)] if chosen else [project]
    if not chosen:
        with contextlib.suppress(RuntimeError):  # an account may have no home
            folders.append(Path.home() / ".dbt")
    for folder in folders:
        if (folder / "profiles.yml").is_file():
            return folder / "profiles.yml"
    looked = ", ".join(str(folder) for folder in folders)
    raise ConfigurationError(f"There is no profiles.yml in {looked}. Set DBT_PROFILES_DIR to its folder.")


def _yaml(file: Path) -> dict[str, Any]:
    """Read a YAML file of dbt's; `_text` fills in its ``env_var`` calls."""
    try:
        parsed = yaml.load(file.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - it is a safe one
    except FileNotFoundError:
        raise ConfigurationError(f"There is no {file}. Run the command in the folder of the dbt project.") from None
    except (yaml.YAMLError, ValueError) as error:
        # Not in its own words: they may repeat a password.
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ConfigurationError(f"{file} is not valid YAML{where}. Correct it, and save it as UTF-8.") from None
    if not isinstance(parsed, dict):
        raise ConfigurationError(f"{file} does not hold settings by name. Write it as dbt's documentation shows.")
    return parsed


def _text(
    found: Mapping[str, Any], key: str, file: Path, environment: Mapping[str, str], default: str | None = None
) -> str:
    """Return a text of a YAML file's, its ``env_var`` calls filled in."""
    value = found.get(key, default)

    def env_var(name: str, default: str | None = None) -> str:
        found = environment.get(name, default)
        if found is None:
            raise ConfigurationError(f"{file} needs the environment variable {name}, which is not set.")
        return found

    if isinstance(value, str) and "{" in value:
        try:
            value = _TEMPLATES.from_string(value).render(env_var=env_var)
        except _FAILURES as error:
            raise ConfigurationError(f"{file}: {key} cannot be read ({type(error).__name__}). Correct it.") from None
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{file}: {key} must be a text, and not empty.")
    return value
