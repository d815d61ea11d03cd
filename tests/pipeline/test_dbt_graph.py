"""The rules of the dbt project, read from its parsed graph."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.repository import ROOT, matching, text

if TYPE_CHECKING:
    from pathlib import Path

Manifest = dict[str, Any]

RAW_IDENTIFIERS = {
    *("email", "phone", "first_name", "last_name", "name", "city", "region", "state", "postal_code", "zip", "country"),
    *("address", "street", "date_of_birth", "birthday", "gender", "customer_id", "visitor_id", "external_id"),
    *("landing_url", "session_id"),
}
"""Names under which a shop's personal data could slip into a mart."""

MAY_READ = {
    "staging": {"source"},
    "intermediate": {"staging", "intermediate", "seed"},
    "marts": {"intermediate", "marts", "seed"},
}

NOTHING_TO_TEST = {"int_events__unioned", "audit_field_sources"}
"""Lists without logic; a unit test of one would have to repeat it."""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Let dbt parse the project, away from the checkout's own target folder."""
    folder: Path = tmp_path_factory.mktemp("dbt")
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "parse"]
    paths = ["--target-path", str(folder), "--log-path", str(folder), "--profiles-dir", str(ROOT)]
    environment = os.environ | {"UPLOADER_WAREHOUSE": str(folder / "warehouse.duckdb")}
    done = subprocess.run([*command, *paths], cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    found: Manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def models(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the project's models."""
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def layer(manifest: Manifest, unique_id: str) -> str:
    """Return a model's layer by its folder, or what else a node is."""
    node = manifest["nodes"].get(unique_id) or manifest["sources"][unique_id]
    return str(node["fqn"][1]) if node["resource_type"] == "model" else str(node["resource_type"])


def test_every_model_is_described_with_its_grain(manifest: Manifest) -> None:
    """A description ends with one row per what."""
    grain = re.compile(r"One row per [^.]+\.\s*$")
    assert [node["name"] for node in models(manifest) if not grain.search(node["description"])] == []


def test_every_source_and_seed_is_described_with_its_grain(manifest: Manifest) -> None:
    """The same for what comes in."""
    seeds = [node for node in manifest["nodes"].values() if node["resource_type"] == "seed"]
    known = [*manifest["sources"].values(), *seeds]
    assert [node["name"] for node in known if "One row per " not in node["description"]] == []


def test_every_model_has_its_properties_beside_it(manifest: Manifest) -> None:
    """The yml has the model's name, or is the folder's own."""
    homeless = []
    for node in models(manifest):
        folder = node["original_file_path"].rsplit("/", 1)[0]
        homes = [f"{folder}/{node['name']}.yml", f"{folder}/_{node['fqn'][1]}.yml"]
        if (node["patch_path"] or "").split("://")[-1] not in homes:
            homeless.append(node["name"])
    assert homeless == []


def test_every_transforming_model_has_a_unit_test(manifest: Manifest) -> None:
    """Logic that nothing tests is logic that the next change breaks."""
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    assert {node["name"] for node in models(manifest)} - tested - NOTHING_TO_TEST == set()


def test_layers_read_only_what_stands_before_them(manifest: Manifest) -> None:
    """Staging reads the raw tables, intermediate models read staging, marts read intermediate models."""
    wrong = [
        f"{node['name']} reads {read}"
        for node in models(manifest)
        for read in node["depends_on"]["nodes"]
        if layer(manifest, read) not in MAY_READ[node["fqn"][1]]
    ]
    assert wrong == []


def test_nothing_but_the_uploader_reads_a_mart(manifest: Manifest) -> None:
    """The marts are the end of the way: what stands behind them is the exposure."""
    marts = {node["unique_id"] for node in models(manifest) if node["fqn"][1] == "marts"}
    read = {one for node in models(manifest) for one in node["depends_on"]["nodes"]}
    assert read & marts == set()
    assert marts == set(manifest["exposures"]["exposure.conversions.uploader"]["depends_on"]["nodes"])


def test_every_event_is_in_the_union(manifest: Manifest) -> None:
    """A file in models/intermediate/events/ that the union forgets would send nothing, and say nothing."""
    names = {name.split("/")[-1][:-4] for name in matching(r"models/intermediate/events/.*\.sql$")}
    union = manifest["nodes"]["model.conversions.int_events__unioned"]["depends_on"]["nodes"]
    assert {name.split(".")[-1] for name in union} == names - {"int_events__unioned"}


def test_marts_have_an_enforced_contract(manifest: Manifest) -> None:
    """A column that changes its name or type stops the build, not the sending."""
    marts = [node for node in models(manifest) if node["fqn"][1] == "marts"]
    assert [node["name"] for node in marts if not node["contract"]["enforced"]] == []
    assert [node["name"] for node in marts if any(not c["data_type"] for c in node["columns"].values())] == []


def test_no_mart_has_a_column_of_raw_identifiers(manifest: Manifest) -> None:
    """Personal data ends in the intermediate layer; marts have hashes, and in clear only what platforms ask for."""
    marts = [node for node in models(manifest) if node["fqn"][1] == "marts"]
    assert [(node["name"], name) for node in marts for name in node["columns"] if name.lower() in RAW_IDENTIFIERS] == []


def test_every_hash_is_tested_to_be_one(manifest: Manifest) -> None:
    """A column that ends in _sha256 carries is_sha256_hex."""
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    tested = {node["column_name"] for node in tests if (node.get("test_metadata") or {}).get("name") == "is_sha256_hex"}
    columns = manifest["nodes"]["model.conversions.fct_conversion_events"]["columns"]
    assert {name for name in columns if name.endswith("_sha256")} - tested == set()


def test_every_macro_is_described_with_its_arguments(manifest: Manifest) -> None:
    """What a macro gives, and what it takes: dbt's documentation shows it. An adapter's body is no macro of its own."""
    wrong = []
    for macro in (one for one in manifest["macros"].values() if one["package_name"] == "conversions"):
        signature = re.search(rf"macro {macro['name']}\(([^)]*)\)", text(macro["original_file_path"]))
        taken = re.findall(r"(?:^|,)\s*(\w+)", signature[1]) if signature else []
        documented = [argument["name"] for argument in macro["arguments"]]
        is_public = macro["original_file_path"].endswith(f"/{macro['name']}.sql")
        if is_public and (not macro["description"] or documented != taken):
            wrong.append(macro["name"])
    assert wrong == []


def test_demo_seeds_are_off(manifest: Manifest) -> None:
    """Nobody's warehouse gets the made-up shop by accident."""
    assert [
        name for name in manifest["nodes"] if name.startswith("seed.") and "demo" in manifest["nodes"][name]["fqn"]
    ] == []
