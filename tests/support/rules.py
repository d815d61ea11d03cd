"""Why an order is not sent, a second time: in plain Python over the raw CSV files, without the project's SQL.

It knows one opt-in country and web orders only, which is what the real orders are.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

LOOKBACK = timedelta(days=7)
Row = dict[str, str]


def read_table(folder: Path, name: str) -> list[Row]:
    """Read one of the CSV files."""
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Rules:
    """The shop's files, ready to be asked. Times are texts of one form, so they compare as texts."""

    orders: list[Row]
    confirmed: set[str]
    sessions: dict[str, Row]
    by_customer: dict[str, list[Row]]
    decisions: dict[tuple[str, str], list[Row]]
    now: str

    @classmethod
    def read(cls, folder: Path, now: datetime) -> Rules:
        """Read the files of a folder; ``now`` is when the shop asks."""
        sessions = {row["session_id"]: row for row in read_table(folder, "sessions")}
        by_customer, decisions = defaultdict(list), defaultdict(list)
        for row in sessions.values():
            by_customer[row["customer_id"]].append(row)
        for row in read_table(folder, "consent"):
            if row["purpose"] == "marketing":
                decisions[row["subject_type"], row["subject_id"]].append(row)
        payments = {row["order_id"] for row in read_table(folder, "payments") if row["status"] == "succeeded"}
        orders = read_table(folder, "orders")
        return cls(orders, payments, sessions, by_customer, decisions, now.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def reasons(self) -> dict[str, str | None]:
        """Return for each order why it is not sent, None if it is."""
        return {order["order_id"]: self._reason(order) for order in self.orders}

    def _reason(self, order: Row) -> str | None:
        rules = {
            "not_paid": not order["paid_at"],
            "order_cancelled": order["cancelled_at"] or order["financial_status"] == "voided",
            "order_refunded": order["financial_status"] == "refunded",
            "payment_unconfirmed": order["order_id"] not in self.confirmed,
        }
        return next((reason for reason, holds in rules.items() if holds), None) or self._objection(order)

    def _objection(self, order: Row) -> str | None:
        subjects = [("customer", order["customer_id"]), ("visitor", self._visitor(order))]
        said = [row for subject in subjects for row in self.decisions[subject] if row["recorded_at"] <= self.now]
        before = [row for row in said if row["recorded_at"] <= order["paid_at"]]
        latest = max(before, key=lambda row: (row["recorded_at"], row["status"] == "denied"), default=None)
        if latest is None:
            return "consent_missing"
        if latest["status"] == "denied":
            return "consent_denied"
        # What was withdrawn stays withdrawn, even if consent is given again.
        is_withdrawn = any(row["status"] == "denied" and row["recorded_at"] > order["paid_at"] for row in said)
        return "consent_withdrawn" if is_withdrawn else None

    def _visitor(self, order: Row) -> str:
        if order["session_id"] in self.sessions:
            return self.sessions[order["session_id"]]["visitor_id"]
        created = datetime.fromisoformat(order["created_at"])
        earlier = [
            row
            for row in self.by_customer[order["customer_id"]]
            if timedelta(0) <= created - datetime.fromisoformat(row["started_at"]) <= LOOKBACK
        ]
        return max(earlier, key=lambda row: row["started_at"])["visitor_id"] if earlier else ""
