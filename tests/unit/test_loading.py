"""Files into raw tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from uploader.errors import ConfigurationError, UsageError
from uploader.warehouse import Connection, Profile
from uploader.warehouse.loading import RAW_TABLES, files_in, load_file, load_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROFILE = Profile(Path("unused.duckdb"), "main", "raw")


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Open an empty warehouse in memory."""
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a CSV file for a table, in the test's own folder."""

    def write(table: str, text: str) -> Path:
        file = tmp_path / f"{table}.csv"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def rows(connection: Connection, table: str = "orders") -> list[tuple[object, ...]]:
    """Return a raw table."""
    return connection.execute(f"select * from raw.{table} order by all").fetchall()


def test_csv_values_stay_text(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """A postal code keeps its leading zero, and an amount is left to staging."""
    file = csv("orders", "order_id,postal_code,total\n1,01234,10.50\n")
    assert load_file(connection, PROFILE, file, append=False) == 1
    assert rows(connection) == [("1", "01234", "10.50")]


def test_quotes_commas_and_line_breaks(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """What CSV must quote arrives as it was."""
    file = csv("orders", 'order_id,title\n1,"a ""b"", c\nd"\n2,é\n')
    load_file(connection, PROFILE, file, append=False)
    assert rows(connection) == [("1", 'a "b", c\nd'), ("2", "é")]


def test_a_header_without_rows_makes_an_empty_table(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """A shop may have no refunds yet."""
    assert load_file(connection, PROFILE, csv("orders", "order_id,total\n"), append=False) == 0
    assert rows(connection) == []


def test_loading_again_replaces(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """Without --append a table is what the last file says, its columns included."""
    load_file(connection, PROFILE, csv("orders", "order_id,total\n1,10\n"), append=False)
    load_file(connection, PROFILE, csv("orders", "order_id\n2\n"), append=False)
    assert rows(connection) == [("2",)]


def test_append_goes_by_name(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """Columns may come in another order or be missing; the order in the file never shifts values."""
    load_file(connection, PROFILE, csv("orders", "order_id,total,city\n1,10,Lyon\n"), append=False)
    assert load_file(connection, PROFILE, csv("orders", "Total,order_id\n20,2\n"), append=True) == 1
    assert rows(connection) == [("1", "10", "Lyon"), ("2", "20", None)]


def test_append_to_a_table_that_is_not_there_makes_it(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """The first load may use --append like all later ones."""
    load_file(connection, PROFILE, csv("orders", "order_id\n1\n"), append=True)
    assert rows(connection) == [("1",)]


def test_append_names_the_columns_that_the_table_lacks(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """All of them at once, and nothing is added."""
    load_file(connection, PROFILE, csv("orders", "order_id\n1\n"), append=False)
    with pytest.raises(ConfigurationError, match="columns that the table orders lacks: vat, tip"):
        load_file(connection, PROFILE, csv("orders", "order_id,vat,tip\n2,1,1\n"), append=True)
    assert rows(connection) == [("1",)]


def test_parquet_keeps_its_types(connection: Connection, tmp_path: Path) -> None:
    """A typed export is taken as it is."""
    pl.DataFrame({"order_id": [1], "total": [10.5]}).write_parquet(tmp_path / "orders.parquet")
    assert load_file(connection, PROFILE, tmp_path / "orders.parquet", append=False) == 1
    assert rows(connection) == [(1, 10.5)]


@pytest.mark.parametrize(
    "text",
    [
        "order_id,total\n1,2,3\n",
        "order_id,total\n1,2\n3\n",
        'order_id,total\n1,"2\n',
        "exported today\norder_id,total\n1,2\n",
    ],
)
def test_a_broken_csv_is_a_message(connection: Connection, csv: Callable[[str, str], Path], text: str) -> None:
    """Too many fields, too few, a quote that is not closed: never a guess, and told with the file in one line."""
    with pytest.raises(ConfigurationError, match=r"orders\.csv cannot be loaded: ") as caught:
        load_file(connection, PROFILE, csv("orders", text), append=False)
    assert "\n" not in str(caught.value)


def test_a_broken_csv_leaves_the_table_as_it_was(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """Yesterday's orders are better than none."""
    load_file(connection, PROFILE, csv("orders", "order_id,total\n1,10\n"), append=False)
    with pytest.raises(ConfigurationError):
        load_file(connection, PROFILE, csv("orders", "order_id,total\n1,2,3\n"), append=False)
    assert rows(connection) == [("1", "10")]


def test_a_number_sign_is_no_comment(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """Shops write order ids like #1001; no row and no part of one may be taken for a comment."""
    load_file(connection, PROFILE, csv("orders", "order_id,city\n1,5 # Main St\n#1002,Lyon\n"), append=False)
    assert rows(connection) == [("#1002", "Lyon"), ("1", "5 # Main St")]


def test_a_file_that_is_no_parquet_is_a_message(connection: Connection, tmp_path: Path) -> None:
    """Neither does a broken Parquet file end in a traceback."""
    (tmp_path / "orders.parquet").write_text("nothing of the kind", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"orders\.parquet cannot be loaded: "):
        load_file(connection, PROFILE, tmp_path / "orders.parquet", append=False)


def test_a_file_name_cannot_carry_sql(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """Names are quoted wherever they come from."""
    load_file(connection, PROFILE, csv('or"ders; drop', "order_id\n1\n"), append=False)
    assert connection.execute('select * from raw."or""ders; drop"').fetchall() == [("1",)]


def test_files_are_found_by_their_endings(tmp_path: Path) -> None:
    """CSV and Parquet, in whatever case; all else is left alone."""
    for name in ("orders.csv", "sessions.PARQUET", "notes.txt"):
        (tmp_path / name).write_text("order_id\n", encoding="utf-8")
    assert [file.name for file in files_in(tmp_path)] == ["orders.csv", "sessions.PARQUET"]


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    """Wrong use, with an example of a right name."""
    with pytest.raises(UsageError, match=r"holds no \*\.csv and no \*\.parquet file.*orders\.csv"):
        files_in(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong path is no empty folder."""
    with pytest.raises(UsageError, match=r"There is no folder .*nowhere"):
        files_in(tmp_path / "nowhere")


@pytest.mark.parametrize(("name", "like"), [("ex[1]", "ex1"), ("a*b", "axb"), ("q?", "qz")])
def test_a_folders_name_is_no_pattern(connection: Connection, tmp_path: Path, name: str, like: str) -> None:
    """The file that was listed is the one that is read, whatever lies beside it."""
    for folder in (name, like):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "orders.csv").write_text(f"order_id\n{folder}\n", encoding="utf-8")
    load_files(connection, PROFILE, files_in(tmp_path / name), append=False)
    assert rows(connection) == [(name,)]


def test_a_folders_name_is_no_column(connection: Connection, tmp_path: Path) -> None:
    """Exports are kept by day, and a file has the columns that it has."""
    folder = tmp_path / "day=2026-11-20"
    folder.mkdir()
    (folder / "orders.csv").write_text("order_id\n1\n", encoding="utf-8")
    pl.DataFrame({"session_id": ["1"]}).write_parquet(folder / "sessions.parquet")
    load_files(connection, PROFILE, files_in(folder), append=False)
    assert (rows(connection), rows(connection, "sessions")) == ([("1",)], [("1",)])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_value_of_another_type_is_not_repeated(connection: Connection, tmp_path: Path, ending: str) -> None:
    """The message has the column and both types; the number is a person's."""
    load_file(connection, PROFILE, _parquet(tmp_path, {"order_id": [1], "phone": [491717654321]}), append=False)
    wrong = {"order_id": ["2"], "phone": ["+49 171 7654321"]}
    file = _parquet(tmp_path, wrong)
    if ending == "csv":
        file = tmp_path / "orders.csv"
        pl.DataFrame(wrong).write_csv(file)
    with pytest.raises(ConfigurationError, match=r"phone \(BIGINT, here VARCHAR\)") as caught:
        load_file(connection, PROFILE, file, append=True)
    assert "7654321" not in str(caught.value)
    assert rows(connection) == [(1, 491717654321)]


def _parquet(folder: Path, columns: dict[str, list[object]]) -> Path:
    pl.DataFrame(columns).write_parquet(folder / "orders.parquet")
    return folder / "orders.parquet"


def test_one_table_in_two_forms_is_refused(tmp_path: Path) -> None:
    """Which of them is the truth, only the user knows."""
    for name in ("orders.csv", "orders.parquet", "sessions.csv"):
        (tmp_path / name).write_text("order_id\n", encoding="utf-8")
    with pytest.raises(UsageError, match="holds orders both as CSV and as Parquet"):
        files_in(tmp_path)


def test_all_files_are_loaded_or_none(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """A broken file leaves the others as they were, so that --append can be tried again."""
    files = [csv("consent", "consent_id\n1\n"), csv("orders", "order_id,total\n1,2,3\n")]
    load_file(connection, PROFILE, csv("consent", "consent_id\n0\n"), append=False)
    files[0].write_text("consent_id\n1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        load_files(connection, PROFILE, files, append=True)
    assert rows(connection, "consent") == [("0",)]


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"order_id;total\n1;2\n", "with commas"),
        (b"order_id\ttotal\n1\t2\n", "with commas"),
        ("order_id\n1\n".encode("utf-16"), "UTF-8"),
        (b"", "is empty"),
    ],
    ids=["semicolons", "tabs", "UTF-16", "empty"],
)
def test_a_file_of_another_form_is_told_apart(tmp_path: Path, content: bytes, advice: str) -> None:
    """It would be loaded as one column, or would replace a good table by an empty one."""
    (tmp_path / "orders.csv").write_bytes(content)
    with pytest.raises(ConfigurationError, match=advice):
        files_in(tmp_path)


def test_latin_1_is_named_as_such(connection: Connection, tmp_path: Path) -> None:
    """The message says what to do."""
    (tmp_path / "orders.csv").write_bytes("order_id,city\n1,Köln\n".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="save it as UTF-8"):
        load_file(connection, PROFILE, tmp_path / "orders.csv", append=False)


def test_the_case_of_a_files_name_does_not_matter(connection: Connection, csv: Callable[[str, str], Path]) -> None:
    """Orders.csv is the table orders."""
    load_file(connection, PROFILE, csv("orders", "order_id\n1\n"), append=False)
    load_file(connection, PROFILE, csv("Orders", "order_id\n2\n"), append=True)
    assert rows(connection) == [("1",), ("2",)]


def test_the_raw_tables_are_those_that_the_models_read() -> None:
    """The list that load warns by is the list of the macro with the raw tables' columns."""
    contract = (Path(__file__).parent.parent.parent / "macros" / "staging" / "raw_contract.sql").read_text("utf-8")
    assert set(re.findall(r"^        '(\w+)': \{$", contract, re.MULTILINE)) == RAW_TABLES
