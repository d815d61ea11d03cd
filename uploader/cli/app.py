"""The application: its commands, each imported when it is asked for, and what becomes of an error."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from importlib import import_module
from typing import Annotated, Any

import typer

from uploader import __version__
from uploader.cli.commands import COMMANDS
from uploader.cli.console import errors, print_json
from uploader.errors import ConfigurationError, UploaderError, UsageError
from uploader.redaction import Redactor, secrets_of
from uploader.report import is_text


def application(asked: str | None) -> typer.Typer:
    """Return the application, ready to run the command that is asked for; only that one's module is imported."""
    app = typer.Typer(
        name="uploader",
        help="Deliver conversion events from your warehouse to ad platforms: each one once, only with consent.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, line in COMMANDS.items():
        function = getattr(import_module(f"uploader.cli.{name}"), name) if name == asked else _not_asked_for
        app.command(name, short_help=line)(function)
    return app


def command_in(words: list[str]) -> str | None:
    """Return the command that is asked for; None where there is none, as in ``uploader --help``."""
    # What stands before a command are options without a value.
    word = next((word for word in words if not word.startswith("-")), None)
    return word if word in COMMANDS else None


def _not_asked_for() -> None:
    """Stand for the other commands: of these the list of commands needs no more than the name."""
    raise AssertionError


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code; a mistake of the user's is a message, never a traceback."""
    words = sys.argv[1:] if arguments is None else arguments
    sys.excepthook = _redactor(words).excepthook
    try:
        code = run(words)
    finally:
        # What stays frozen to Python's end is told of as a leak, by the library that DuckDB is bound with.
        gc.unfreeze()
    _end(code)


def run(words: list[str]) -> int:
    """Run a command and return its exit code."""
    with _redactor(words).guarding():
        return _run(words)


def _redactor(words: list[str]) -> Redactor:
    return Redactor(secrets_of(os.environ, _settings() if command_in(words) else {}))


def _settings() -> dict[str, Any]:
    from uploader import settings as configuration  # what shows the help only is quick without

    try:
        return configuration.load().model_dump()
    except (ConfigurationError, OSError):  # which the command itself tells of
        return {}


class _Signalled(BaseException):
    """A signal came. No `Exception`: in the middle of a library that would be taken for a mistake of its input's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _run(words: list[str]) -> int:
    as_json = "--json" in words
    try:
        app = application(command_in(words))
        _collect_garbage()
        # Not before: what a handler raises in the middle of an import may be lost.
        _listen()
        _require_text(words)
        result = typer.main.get_command(app)(words, standalone_mode=False)
    except _Signalled as signalled:
        return _tell("Interrupted. Nothing was sent.", 128 + signalled.number, as_json=as_json)
    except UploaderError as error:
        return _tell(str(error), error.exit_code, as_json=as_json)
    except OSError as error:
        path = f" {error.filename}" if error.filename else ""
        return _tell(f"The file{path} cannot be used: {error.strerror or error}.", 78, as_json=as_json)
    except Exception as error:
        # typer's own errors about the words of the command; any other exception is a bug and shows itself.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            text = error.format_message().rstrip()
            text = text if text.startswith("Usage:") else f"{text} See `uploader --help`."
            return _tell(text, UsageError.exit_code, as_json=as_json)
        if type(error).__name__ == "Abort":
            return _tell("Cancelled.", 130, as_json=as_json)
        if as_json:
            print_json({"error": f"A bug: {type(error).__name__}. See the traceback.", "exit_code": 1})
        raise
    return result if isinstance(result, int) else 0


def _end(code: int) -> None:
    """End at once, everything being closed: to take apart what was imported takes Python a fifth of a short command."""
    with contextlib.suppress(OSError):  # which Python tells in its own way
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _collect_garbage() -> None:
    """Let Python look for garbage again, but not in what was imported."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _listen() -> None:
    """Let SIGINT and SIGTERM end a command with a message; `send` finishes its request first."""

    def interrupt(number: int, _frame: object) -> None:
        raise _Signalled(number)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, interrupt)


def _require_text(words: list[str]) -> None:
    """Raise for a word that is no text in this machine's encoding."""
    if not is_text("".join(words)):
        raise UsageError("A word of the command is not UTF-8 text.")


def _tell(message: str, code: int, *, as_json: bool) -> int:
    if as_json:
        print_json({"error": message, "exit_code": code})
    errors.print(message, markup=False, style="bold red" if code not in (75, 130) else "yellow")
    return code
