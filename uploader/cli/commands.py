"""The list of commands, which must not take long to show."""

from __future__ import annotations

from typing import Final

COMMANDS: Final = {
    "check": "Judge the rows about to be sent.",
    "demo": "Show the whole way with a made-up shop, on this machine.",
    "doctor": "Look whether everything is there that a run needs.",
    "explain": "Tell why an order was sent or not.",
    "forget": "Forget a person, here; and say what the platforms have.",
    "load": "Load CSV and Parquet files as raw tables.",
    "plan": "Show what would be sent, and what is held and why.",
    "prove": "Write evidence of what left, and on which consent.",
    "register": "List which data leaves to whom, and why.",
    "requeue": "Send events again that the platform refused.",
    "resolve": "Decide about events that are held.",
    "sandbox": "Run a local stand-in of the platforms.",
    "send": "Send every due event once.",
    "status": "Show what the sent log says.",
}
"""Each command: the function of its name in the module of its name, and what the list of commands says of it."""
