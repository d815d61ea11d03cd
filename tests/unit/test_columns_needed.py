"""Of a row only the columns are read that a destination makes its events of."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from tests.support.delivering import target
from uploader.delivery.chunks import needed


class Odd:
    """Meta, with a name and a place that depend on columns which its events do not have."""

    def __init__(self, base: object) -> None:
        self._base = base

    def __getattr__(self, name: str) -> object:
        return getattr(self._base, name)

    def event_name(self, _account: object) -> pl.Expr:
        """Name an event after the ad that it came by."""
        return pl.col("twclid")

    def place(self, _account: object) -> pl.Expr:
        """Send an event to the place of one of two other ads."""
        return pl.coalesce("rdt_cid", "sc_cid")


def test_names_and_places_are_made_of_columns_too() -> None:
    """A destination may tell events apart by what it does not send."""
    usual = target()
    odd = replace(usual, destination=Odd(usual.destination))  # type: ignore[arg-type]
    more = {"twclid", "rdt_cid", "sc_cid"}
    assert not needed(usual) & more
    assert needed(odd) - needed(usual) == more


def test_what_a_destination_does_not_send_is_not_read() -> None:
    """Meta takes one form of the address and one of the number, as its documentation says; reddit's stay here."""
    found = needed(target())
    assert {"email_sha256s", "phone_digits_sha256s", "client_ip", "consent_decided_at"} <= found
    assert not found & {"email_reddit_sha256", "email_microsoft_sha256", "phone_e164_sha256", "ttclid", "rdt_cid"}
