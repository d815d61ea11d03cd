"""Deliver conversion events from a warehouse: the outbox, minus the sent log, to each platform once.

The way through, and the module that does it:

    warehouse   reads the outbox that dbt built, writes the published sent log
    diff        outbox rows minus the sent log: what is due
    quality     Great Expectations over the rows due: may this batch leave?
    destinations  one pure module per platform: body, limits, how to read an answer
    encode      frame to compact JSON, in columns
    ledger      the sent log: write-ahead intents and their outcomes
    transport   HTTP: the only place with a socket
    delivery    the loop that composes the rest
    spool       rows that wait in a temporary file, so that they need no memory
    report      what was sent, held and why
    cli         the commands
    sandbox     a stand-in of the platforms, for demos and tests; it imports nothing of the rest
"""

__version__ = "0.1.0"
