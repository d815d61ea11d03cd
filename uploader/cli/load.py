"""``uploader load``: files into raw tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uploader.cli.console import errors, print_json, stdout
from uploader.cli.context import Context
from uploader.errors import UsageError
from uploader.report import is_text, printable
from uploader.warehouse import writing
from uploader.warehouse.loading import RAW_TABLES, files_in, load_files


def load(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with orders.csv, sessions.parquet, …")],
    append: Annotated[bool, typer.Option("--append", help="Add to the tables instead of replacing them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Load CSV and Parquet files as raw tables, one table per file; each replaces the table of its name.

    Example: uploader load exports/
    """
    files = files_in(folder)
    for file in files:
        if not is_text(str(file)):
            raise UsageError(f"The name of {printable(str(file))} is not UTF-8. Rename it.")
    context = Context.load()
    with writing(context.profile) as connection:
        loaded = load_files(connection, context.profile, files, append=append)
    for name in sorted(set(loaded) - RAW_TABLES):
        known = ", ".join(sorted(RAW_TABLES))
        errors.print(f"No model reads {context.profile.raw_schema}.{name}; the tables are: {known}.", markup=False)
    if as_json:
        print_json({"schema": context.profile.raw_schema, "tables": loaded})
        return
    for table, rows in loaded.items():
        done = "added" if append else "loaded"
        stdout().print(f"{context.profile.raw_schema}.{table}: {rows} rows {done}", markup=False)
