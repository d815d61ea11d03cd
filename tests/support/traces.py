"""Looks for texts in every byte of every file below a folder, and in every table of its warehouse."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import duckdb


def hashes(*texts: str) -> list[str]:
    """Return the SHA-256 of each text, as platforms get it."""
    return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def in_files(folder: Path, needles: Iterable[str]) -> dict[str, set[str]]:
    """Return which needles stand in which file, whatever their case."""
    wanted = {needle: needle.lower().encode() for needle in needles}
    found = {}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes().lower()
        if hits := {needle for needle, text in wanted.items() if text in content}:
            found[str(path.relative_to(folder))] = hits
    return found


def in_tables(warehouse: Path, needles: Collection[str]) -> dict[str, set[str]]:
    """Return which needles stand in which table of any schema: a file may be compressed, a row is not."""
    found: dict[str, set[str]] = {}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        query = "select schema_name || '.' || table_name from duckdb_tables() order by 1"
        for (table,) in connection.execute(query).fetchall():
            rows = connection.execute(f"select lower(cast(t as varchar)) from {table} as t").fetchall()
            text = "\n".join(row for (row,) in rows)
            if hits := {needle for needle in needles if needle.lower() in text}:
                found[table] = hits
    return found


def without(found: Mapping[str, set[str]], *names: str) -> dict[str, set[str]]:
    """Return what was found elsewhere than in files or tables that begin with one of the names."""
    return {where: hits for where, hits in found.items() if not where.startswith(names)}
