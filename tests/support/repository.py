"""What stands in the repository: its files, and their code without the remarks."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files() -> tuple[str, ...]:
    """Name the files that git tracks or would track, relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(sorted(name for name in found.splitlines() if (ROOT / name).is_file()))


def matching(pattern: str) -> list[str]:
    """Name the files whose path matches a regular expression from its beginning."""
    return [name for name in files() if re.match(pattern, name)]


@cache
def text(name: str) -> str:
    """Read one file; what is no UTF-8 shows as question marks."""
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def lines(name: str) -> int:
    """Count a file's lines."""
    return len(text(name).splitlines())


@cache
def tree(name: str) -> ast.Module:
    """Parse a Python file."""
    return ast.parse(text(name))


def functions(name: str) -> Iterator[Function]:
    """Find every function of a Python file, methods and inner ones included."""
    return (node for node in ast.walk(tree(name)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Count a function's lines, its docstring included and its decorators not."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def parameters(function: Function) -> list[str]:
    """Name a function's parameters beside self and cls."""
    args = function.args
    names = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def texts_in_code(name: str) -> Iterator[str]:
    """Find the text constants of a Python file that are no docstrings."""
    remarks = {id(node.value) for node in ast.walk(tree(name)) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in remarks:
            yield node.value


def sql_code(name: str) -> str:
    """Return the SQL and Jinja of a file without its remarks."""
    without_blocks = re.sub(r"\{#.*?#\}", "", text(name), flags=re.DOTALL)
    return re.sub(r"--.*", "", without_blocks)


def gives_reason(remark: str | None) -> bool:
    """Tell whether a remark says why its file or function is longer than the house rules allow."""
    return re.search(r"(?i)\blonger than (usual|other)", remark or "") is not None
