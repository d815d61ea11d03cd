"""Reading the connection from dbt's own profiles.yml."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.errors import ConfigurationError
from uploader.warehouse import read_profile

ROOT = Path(__file__).parents[2]

PROJECT = "name: shop\nprofile: shop\n"
PROFILE = """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: dev.duckdb}
    prod: {type: duckdb, path: "{{ env_var('SHOP_FILE', 'prod.duckdb') }}", schema: marts}
    pg: {type: postgres, host: localhost}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a dbt project with a profile of its own."""
    (tmp_path / "dbt_project.yml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "profiles.yml").write_text(PROFILE, encoding="utf-8")
    return tmp_path


def test_the_default_target_is_read(project: Path) -> None:
    """A relative path is in the project's folder; the schemas have dbt's and the project's defaults."""
    profile = read_profile(project, {})
    assert (profile.path, profile.schema, profile.raw_schema) == (project / "dev.duckdb", "main", "raw")


def test_another_target_and_an_environment_variable(project: Path) -> None:
    """DBT_TARGET chooses, env_var is filled in, and an absolute path stays."""
    profile = read_profile(project, {"DBT_TARGET": "prod", "SHOP_FILE": "/data/shop.duckdb"})
    assert (profile.path, profile.schema) == (Path("/data/shop.duckdb"), "marts")


def test_a_missing_environment_variable_is_named(project: Path) -> None:
    """As in dbt, a variable without a default must be set."""
    (project / "profiles.yml").write_text(PROFILE.replace(", 'prod.duckdb'", ""), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="needs the environment variable SHOP_FILE"):
        read_profile(project, {"DBT_TARGET": "prod"})


def test_a_target_that_is_not_chosen_may_lack_its_variables(project: Path) -> None:
    """As in dbt, only the chosen target must render: a laptop has no variables of the production's."""
    (project / "profiles.yml").write_text(PROFILE.replace(", 'prod.duckdb'", ""), encoding="utf-8")
    assert read_profile(project, {}).path == project / "dev.duckdb"


def test_the_raw_schema_follows_the_project(project: Path) -> None:
    """The dbt variable raw_schema moves the raw tables for both sides."""
    (project / "dbt_project.yml").write_text(PROJECT + "vars: {raw_schema: shop_raw}\n", encoding="utf-8")
    assert read_profile(project, {}).raw_schema == "shop_raw"


def test_profiles_may_live_in_another_folder(project: Path, tmp_path: Path) -> None:
    """DBT_PROFILES_DIR wins over the project's folder."""
    other = tmp_path / "profiles"
    other.mkdir()
    (other / "profiles.yml").write_text(PROFILE.replace("dev.duckdb", "other.duckdb"), encoding="utf-8")
    assert read_profile(project, {"DBT_PROFILES_DIR": str(other)}).path == project / "other.duckdb"


def test_a_folder_without_profiles_is_named(project: Path, tmp_path: Path) -> None:
    """Where DBT_PROFILES_DIR points, nothing else is looked at."""
    with pytest.raises(ConfigurationError, match=r"no profiles\.yml in .*nowhere.*DBT_PROFILES_DIR"):
        read_profile(project, {"DBT_PROFILES_DIR": str(tmp_path / "nowhere")})


def test_the_home_folder_comes_last(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a profile in the project, dbt's own place in the home folder counts."""
    home = tmp_path / "home"
    (home / ".dbt").mkdir(parents=True)
    (project / "profiles.yml").rename(home / ".dbt" / "profiles.yml")
    monkeypatch.setattr(Path, "home", lambda: home)
    assert read_profile(project, {}).path == project / "dev.duckdb"


def test_an_unknown_target_lists_what_there_is(project: Path) -> None:
    """A wrong DBT_TARGET is told with the right ones."""
    with pytest.raises(ConfigurationError, match="has no target 'live'; it has: dev, pg, prod"):
        read_profile(project, {"DBT_TARGET": "live"})


def test_an_unknown_profile_is_named(project: Path) -> None:
    """The project asks for a profile that is not there."""
    (project / "dbt_project.yml").write_text("name: shop\nprofile: store\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="has no profile 'store'"):
        read_profile(project, {})


def test_another_warehouse_is_refused(project: Path) -> None:
    """The uploader reads DuckDB; it says so, not something about a missing path."""
    with pytest.raises(ConfigurationError, match="target 'pg' is of type 'postgres'; the uploader reads duckdb"):
        read_profile(project, {"DBT_TARGET": "pg"})


def test_outside_of_a_project_the_message_says_where_to_go(tmp_path: Path) -> None:
    """Run in the wrong folder."""
    with pytest.raises(ConfigurationError, match=r"no .*dbt_project\.yml\. Run the command in the folder of the dbt"):
        read_profile(tmp_path, {})


def test_broken_yaml_is_a_message(project: Path) -> None:
    """No traceback for a slip in profiles.yml."""
    (project / "profiles.yml").write_text("shop: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"profiles\.yml is not valid YAML"):
        read_profile(project, {})


def test_broken_yaml_does_not_repeat_a_password(project: Path) -> None:
    """YAML takes an unquoted ! for a tag of its own; the message says where, and not what."""
    broken = PROFILE.replace("path: dev.duckdb", "path: dev.duckdb, password: !S3cretPass")
    (project / "profiles.yml").write_text(broken, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"profiles\.yml is not valid YAML \(line 5, column \d+\)") as caught:
        read_profile(project, {})
    assert "S3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "path", ["{{ '/srv/' + 1 }}", "{{ env_var() }}", "{{ 1 / 0 }}", "{{ env_var('A') }", "{{ x.y }}"]
)
def test_a_template_that_fails_is_named_by_its_key(project: Path, path: str) -> None:
    """It is no path, and its mistake no traceback."""
    (project / "profiles.yml").write_text(PROFILE.replace("path: dev.duckdb", f'path: "{path}"'), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"profiles\.yml: path cannot be read"):
        read_profile(project, {"A": "1"})


@pytest.mark.parametrize("text", ["profile: [c]", "profile: shop\nvars: {raw_schema: }"])
def test_what_must_be_a_text_is_named(project: Path, text: str) -> None:
    """An empty schema would be called None."""
    (project / "dbt_project.yml").write_text(f"name: shop\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"(profile|raw_schema) must be a text, and not empty"):
        read_profile(project, {})


def test_the_raw_schema_below_the_projects_name_goes_first(project: Path) -> None:
    """As in dbt."""
    text = PROJECT + "vars: {raw_schema: other, shop: {raw_schema: shop_raw}}\n"
    (project / "dbt_project.yml").write_text(text, encoding="utf-8")
    assert read_profile(project, {}).raw_schema == "shop_raw"


def test_an_account_without_a_home(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers run as numbers that no name belongs to; the project's own profile is enough."""

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    assert read_profile(project, {}).path == project / "dev.duckdb"


@pytest.mark.parametrize(
    ("environment", "file"),
    [({}, ROOT / "warehouse.duckdb"), ({"UPLOADER_WAREHOUSE": "/data/w.duckdb"}, Path("/data/w.duckdb"))],
)
def test_the_shipped_profile(environment: dict[str, str], file: Path) -> None:
    """The repository's own profile: warehouse.duckdb, or what UPLOADER_WAREHOUSE names."""
    profile = read_profile(ROOT, environment)
    assert (profile.path, profile.schema, profile.raw_schema) == (file, "main", "raw")
