"""The repository's own rules, as far as its files alone can tell; those of the dbt graph are in tests/pipeline."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support import repository as repo
from uploader import destinations

if TYPE_CHECKING:
    from collections.abc import Callable

MODELS = repo.matching(r"models/.*\.sql$")
MACROS = repo.matching(r"macros/.*\.sql$")
PYTHON = repo.matching(r".*\.py$")
WORKFLOWS = repo.matching(r"\.github/workflows/.*\.yml$")

LIMITS = {
    "a SQL model": (r"models/.*\.sql$", 80),
    "a Python module": (r".*\.py$", 300),
    "a property file": (r"(models|macros|seeds|tests/sql)/.*\.yml$", 120),
}

MODEL_NAMES = {
    "staging": r"stg_[a-z]+__[a-z_]+",
    "intermediate": r"int_[a-z_]+__[a-z_]+",
    "marts": r"(fct|audit)_[a-z_]+",
}

WAREHOUSES = r"(?i)\b(duckdb|postgres|postgresql|spark|databricks|snowflake|bigquery|redshift|trino|athena)\b"

# The ones that stand for a platform, or show one: everything else must go on without knowing any.
MAY_NAME_PLATFORMS = r"uploader/(destinations/[a-z0-9_/]+|sandbox/.*|cli/(demo|sandbox))\.py$"
NAMES = [name for name in destinations.names() if len(name) > 1]  # a letter may mean anything
PLATFORMS = r"\b(M(eta|ETA)|[Ff]acebook|[Gg]oogle|[Tt]ik[Tt]ok|[Ss]nap(chat)?|[Pp]interest|[Rr]eddit|[Ll]inked[Ii]n)\b"


def offenders(names: list[str], is_wrong: Callable[[str], object]) -> list[str]:
    """Name the files for which ``is_wrong`` finds something."""
    return [name for name in names if is_wrong(name)]


def test_the_repository_is_found() -> None:
    """Rules over an empty list would all hold."""
    assert len(MODELS) > 10
    assert len(MACROS) > 30
    assert len(PYTHON) > 60


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize("kind", LIMITS)
def test_files_are_short_or_say_why_not(kind: str) -> None:
    """A file over its limit says in its first remark that it is longer than usual because …"""
    pattern, limit = LIMITS[kind]
    too_long = [name for name in repo.matching(pattern) if repo.lines(name) > limit]
    assert [name for name in too_long if not repo.gives_reason(repo.text(name)[:600])] == []


def test_functions_are_short_or_say_why_not() -> None:
    """At most 40 lines, a test 25; a longer one gives its reason in its docstring."""
    too_long = [
        f"{name}: {function.name}"
        for name in PYTHON
        for function in repo.functions(name)
        if repo.length(function) > (25 if function.name.startswith("test_") else 40)
        and not repo.gives_reason(ast.get_docstring(function))
    ]
    assert too_long == []


def test_functions_take_few_parameters() -> None:
    """At most five; a command's options are parameters, so the command line may have more."""
    greedy = [
        f"{name}: {function.name}"
        for name in repo.matching(r"uploader/(?!cli/).*\.py$")
        for function in repo.functions(name)
        if len(repo.parameters(function)) > 5
    ]
    assert greedy == []


# ---------------------------------------------------------------- SQL


def test_models_are_named_by_the_scheme() -> None:
    """The name says layer, subject, and what was done to it."""
    assert (
        offenders(MODELS, lambda name: not re.fullmatch(MODEL_NAMES[name.split("/")[1]], name.split("/")[-1][:-4]))
        == []
    )


def test_models_are_configured_by_folder() -> None:
    """Materializations stand in dbt_project.yml, where they can be seen together."""
    assert offenders(MODELS, lambda name: re.search(r"\bconfig\s*\(", repo.sql_code(name))) == []


def test_only_adapters_know_the_warehouse() -> None:
    """Neither a warehouse's name nor a look at its type stands anywhere else."""
    others = [name for name in MODELS + MACROS if not name.startswith("macros/adapters/")]
    assert offenders(others, lambda name: re.search(WAREHOUSES, repo.sql_code(name))) == []
    assert offenders(others, lambda name: re.search(r"\btarget\s*\.\s*type\b", repo.sql_code(name))) == []


def test_no_platform_is_named_in_sql() -> None:
    """What a platform asks for is a row in a seed; SQL knows rules, not platforms."""
    names = "|".join(map(re.escape, NAMES))
    pattern = rf"(?i)'({names})'|{PLATFORMS}"
    assert offenders(MODELS + MACROS, lambda name: re.search(pattern, repo.sql_code(name))) == []


def test_macros_begin_with_a_remark() -> None:
    """The first thing in a macro's file says what the macro gives."""
    assert offenders(MACROS, lambda name: not repo.text(name).startswith("{#")) == []


def test_a_macro_lives_in_the_file_of_its_name() -> None:
    """So that it can be found; helpers may stand below it."""
    assert offenders(MACROS, lambda name: f"macro {name.split('/')[-1][:-4]}(" not in repo.text(name)) == []


# ---------------------------------------------------------------- Python


def test_no_platform_is_named_in_python() -> None:
    """A platform's name stands in its own module, in what stands in for it, and nowhere else in the package."""
    code = [name for name in repo.matching(r"uploader/.*\.py$") if not re.match(MAY_NAME_PLATFORMS, name)]
    named = [
        f"{name}: {found}"
        for name in code
        for found in repo.texts_in_code(name)
        if found in NAMES or re.search(PLATFORMS, found)
    ]
    assert named == []


def test_every_module_and_every_test_says_what_it_is_for() -> None:
    """A module has a docstring, and a test states the behaviour in words."""
    silent = [name for name in PYTHON if not ast.get_docstring(repo.tree(name))]
    silent += [
        f"{name}: {function.name}"
        for name in repo.matching(r"tests/.*\.py$")
        for function in repo.functions(name)
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert silent == []


def test_tests_do_not_sleep() -> None:
    """A test that waits is slow, and fails on a slow machine: time is passed in."""
    tests = repo.matching(r"tests/.*\.py$")
    assert offenders(tests, lambda name: re.search(r"\b(time\.)?sleep\(\s*[0-9]", repo.text(name))) == []


# ---------------------------------------------------------------- everything


def test_nothing_is_left_undone() -> None:
    """What is to be done later stands in the tracker, not in the code."""
    pattern = r"\b(TO" + r"DO|FIX" + r"ME)\b"
    assert offenders(list(repo.files()), lambda name: re.search(pattern, repo.text(name))) == []


def test_no_file_knows_a_machine() -> None:
    """No absolute path of anybody's machine, and no address of a package host."""
    pattern = r"(?<![\w.])/(?:work|home|root|Users|tmp)/|pypi\.(?:org|io)|pythonhosted|(?:extra-)?index-url"
    mine = "tests/unit/test_repository.py"
    assert (
        offenders([name for name in repo.files() if name != mine], lambda name: re.search(pattern, repo.text(name)))
        == []
    )


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock", "benchmarks/requirements.lock"])
def test_locks_hold_versions_and_hashes_alone(lock: str) -> None:
    """Every requirement is pinned and hashed; where it is fetched from is the machine's affair."""
    requirement = r"[a-z0-9._-]+(\[[a-z0-9,_-]+\])?==[^\s;]+( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert re.fullmatch(f"({requirement})+", repo.text(lock))


def test_the_test_lock_contains_the_runtime_lock() -> None:
    """Tests run against the very versions that users get."""
    pinned = [
        set(re.findall(r"^\S+==\S+", repo.text(f"{name}.lock"), re.MULTILINE))
        for name in ("requirements", "requirements-test")
    ]
    assert pinned[0] - pinned[1] == set()


def test_nobody_is_told_about_runs() -> None:
    """The usage statistics of dbt and of Great Expectations are off, wherever they are started from."""
    assert yaml.safe_load(repo.text("dbt_project.yml"))["flags"]["send_anonymous_usage_stats"] is False
    assert "DBT_SEND_ANONYMOUS_USAGE_STATS := false" in repo.text("Makefile")
    assert '"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"' in repo.text("uploader/cli/demo.py")
    assert "analytics_enabled=False" in repo.text("uploader/quality/expectations.py")


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_workflows_pin_and_ask_for_little(workflow: str) -> None:
    """An action goes by the full hash of its commit; a job may read the code, and no more."""
    content = yaml.safe_load(repo.text(workflow))
    steps = [step for job in content["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert [name for name in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", name)] == []
    assert content["permissions"] == {"contents": "read"}
    assert "secrets." not in repo.text(workflow)
