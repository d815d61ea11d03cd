"""Read the warehouse connection from dbt's own ``profiles.yml``, so that it stands in one place only.

dbt itself is not asked: importing it takes seconds.
"""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the marts are: a DuckDB file, the schema of the marts, and the schema of the raw tables."""

    path: Path
    schema: str
    raw_schema: str


def read_profile(project: Path, environment: Mapping[str, str] = os.environ) -> Profile:
    """Return the connection that dbt would use for the project in the folder ``project``."""
    definition = _yaml(project / PROJECT_FILE)
    name = _rendered(definition.get("profile"), environment)
    profiles_file = _profiles_file(project, environment)
    profiles = _yaml(profiles_file)
    if not isinstance(profiles.get(name), dict):
        raise ConfigurationError(f"{profiles_file} has no profile {name!r}, which {PROJECT_FILE} asks for.")
    target = environment.get("DBT_TARGET") or _rendered(profiles[name].get("target", "default"), environment)
    outputs = profiles[name].get("outputs")
    if not isinstance(outputs, dict) or not isinstance(outputs.get(str(target)), dict):
        known = ", ".join(sorted(map(str, outputs))) if isinstance(outputs, dict) else "none"
        raise ConfigurationError(f"{profiles_file}: profile {name!r} has no target {target!r}; it has: {known}.")
    # Only the chosen target, as in dbt: another one may need variables that this machine does not have.
    output = _rendered(outputs[str(target)], environment)
    if output.get("type") != "duckdb":
        message = f"{profiles_file}: target {target!r} is of type {output.get('type')!r}; the uploader reads duckdb."
        raise ConfigurationError(message)
    variables = definition.get("vars")
    raw_schema = variables.get("raw_schema", "raw") if isinstance(variables, dict) else "raw"
    path = Path(str(output.get("path", "")))
    return Profile(
        path if path.is_absolute() else project / path,
        str(output.get("schema", "main")),
        str(_rendered(raw_schema, environment)),
    )


def _profiles_file(project: Path, environment: Mapping[str, str]) -> Path:
    """Look where dbt looks: DBT_PROFILES_DIR, then the project's folder, then the home folder."""
    chosen = environment.get("DBT_PROFILES_DIR")
    folders = [Path(chosen)] if chosen else [project, Path.home() / ".dbt"]
    for folder in folders:
        if (folder / "profiles.yml").is_file():
            return folder / "profiles.yml"
    looked = ", ".join(str(folder) for folder in folders)
    raise ConfigurationError(f"There is no profiles.yml in {looked}. Set DBT_PROFILES_DIR to its folder.")


def _yaml(file: Path) -> dict[str, Any]:
    """Read a YAML file of dbt's; `_rendered` fills in its ``env_var`` calls."""
    try:
        parsed = yaml.load(file.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - it is a safe one
    except FileNotFoundError:
        raise ConfigurationError(f"There is no {file}. Run the command in the folder of the dbt project.") from None
    except (yaml.YAMLError, ValueError, OSError) as error:
        raise ConfigurationError(f"{file} is not valid YAML: {error}") from None
    if not isinstance(parsed, dict):
        raise ConfigurationError(f"{file} does not hold settings by name. Write it as dbt's documentation shows.")
    return parsed


def _rendered(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _rendered(inner, environment) for key, inner in value.items()}
    if not isinstance(value, str) or "{" not in value:
        return value

    def env_var(name: str, default: str | None = None) -> str:
        found = environment.get(name, default)
        if found is None:
            raise ConfigurationError(f"profiles.yml needs the environment variable {name}, which is not set.")
        return found

    # ``config`` blocks of dbt_project.yml may use more of dbt than this; only what is read must render.
    undefined = jinja2.ChainableUndefined
    try:
        return jinja2.Environment(undefined=undefined, autoescape=False).from_string(value).render(env_var=env_var)  # noqa: S701 - no HTML
    except jinja2.TemplateError:
        return value
