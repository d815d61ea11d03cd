"""A shop's raw tables through time: rows come late, change, come twice and go, in an order that nobody planned.

Everything is made by chance from a seed. People are of families: most of what a row names is its own family's, a little
is another's, so that changes reach further than the row that changed, and not everywhere. In every other family one
kind of id alone says what goes together: where a change does not reach along that one, the rows stay apart.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from tests.support.two_worlds import PLAIN, every_contract

Row = dict[str, str | None]
Tables = dict[str, list[Row]]

BEGIN: Final = datetime(2026, 11, 20, 12)
STRANGER: Final = 0.004
"""How often an id is another family's."""
WORDS: Final = {
    "channel": "web web web web app pos phone crm email subscription",
    "financial_status": "paid paid paid paid pending refunded voided partially_refunded",
    "status": "succeeded succeeded failed pending",
    "currency": "EUR EUR USD GBP XXX",
    "country_code": "DE DE FR US US GB BR Atlantis",
    "region": "California Texas Hessen Bayern",
    "stage": "lead contact qualified Won registration schedule nonsense",
    "change": "trial_started subscribed renewed renewed cancelled",
    "messaging_channel": "messenger whatsapp instagram",
    "platform": "android ios",
    "is_test": "false false false false false false true",
    "global_privacy_control": "false false true",
    "subject_type": "customer visitor",
    "purpose": "marketing marketing marketing analytics",
    "line_number": "1 2 3",
    "quantity": "1 2 two",
    "date_of_birth": "1980-01-02 1970-03-04 1960-05-06 1950-07-08 " * 20 + "2026-11-23",
}
EVENT_NAMES: Final = {
    "web_events": "PageView AddToCart Search Purchase ViewContent",
    "app_events": "AddToCart Purchase Search Renewal",
    "messages": "Purchase LeadSubmitted AddToCart",
}
CONSENT: Final = "granted granted granted granted denied maybe"
LINKS: Final = ("customer_id", "visitor_id", "order_id", "session_id", "email")
FAMILY_IDS: Final = (*LINKS, "phone")
KEYS: Final = {
    "orders": "order_id", "sessions": "session_id", "consent": "consent_id", "payments": "payment_id",
    "refunds": "refund_id", "leads": "lead_id", "subscriptions": "subscription_id", "web_events": "web_event_id",
    "app_events": "app_event_id", "messages": "message_id",
}  # fmt: skip
ALWAYS_SAID: Final = {"email", "is_test", "event_name", "channel", "status", "currency"}
PER_FAMILY: Final = {
    "orders": 3, "order_lines": 4, "sessions": 4, "consent": 4, "payments": 3, "refunds": 0.4, "leads": 1.5,
    "subscriptions": 0.8, "web_events": 3, "app_events": 1, "messages": 1,
}  # fmt: skip


@dataclass
class History:
    """``families`` of people whose rows change at each step; ``now`` is when the step is looked at."""

    families: int
    seed: int
    now: datetime = BEGIN
    tables: Tables = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._counts: dict[str, int] = {}
        self._columns = every_contract()
        self.tables = {table: [] for table in PER_FAMILY}
        for family in range(self.families):
            for table, often in PER_FAMILY.items():
                self.tables[table] += [self._row(table, family) for _ in range(self._some(often))]
        self._later = {table: self._take(rows, 0.3) for table, rows in self.tables.items()}

    def step(self, share: float = 0.002, hours: float = 13) -> None:
        """Let time pass: of each table this share of rows changes, comes, comes twice, and goes."""
        self.now += timedelta(hours=hours)
        for table, rows in self.tables.items():
            later = self._later[table]
            for row in self._chance.sample(rows, self._some(len(rows) * share)):
                other = self._row(table, self._chance.randrange(self.families))
                for column in self._chance.sample(sorted(row), 3):
                    if column != KEYS.get(table) or self._chance.random() < 0.1:
                        row[column] = other[column]
            later.extend(self._take(rows, share / 2))
            rows.extend(self._take(later, share * 2))
            rows.extend([dict(row) for row in self._chance.sample(rows, self._some(len(rows) * share / 4))])
            self._chance.shuffle(rows)

    def _some(self, average: float) -> int:
        return int(average) + (self._chance.random() < average % 1)

    def _take(self, rows: list[Row], share: float) -> list[Row]:
        count = min(self._some(len(rows) * share), len(rows))
        return [rows.pop(self._chance.randrange(len(rows))) for _ in range(count)]

    def _row(self, table: str, family: int) -> Row:
        number = self._counts[table] = self._counts.get(table, 0) + 1
        row: Row = {name: self._value(table, name, kind, family) for name, kind in self._columns[table].items()}
        if table in KEYS and self._chance.random() > 0.005:
            row[KEYS[table]] = f"o{family}-{number % 4}" if table == "orders" else f"{table[0]}{number}"
        if table == "sessions":
            row["session_id"] = f"s{family}-{number % 4}"
        if table == "consent":
            row["subject_id"] = row["subject_id"] and self._of_family(f"{row['subject_type']}_id", family)
        return row

    def _value(self, table: str, name: str, kind: str, family: int) -> str | None:
        chance = self._chance
        # A denial without a time is looked at anew in each run: few of them, or most of the shop would be.
        if name not in ALWAYS_SAID and chance.random() < (0.01 if kind == "time" else 0.15):
            return None
        if name in FAMILY_IDS or name == "subject_id":
            return self._of_family(name, family)
        if name in {"browser_event_id", "event_id"}:
            return chance.choice([None, None, f"b{chance.randrange(self.families * 90)}", f"purchase.o{family}-1"])
        words = EVENT_NAMES.get(table, "") if name == "event_name" else WORDS.get(name)
        if name == "status" and table == "consent":
            words = CONSENT
        if words:
            return chance.choice(words.split())
        makers: dict[str, Callable[[], str]] = {
            "time": self._moment,
            "number": lambda: chance.choice([f"{chance.randrange(1, 90)}.50", "10", "ten"]),
            "integer": lambda: str(chance.randrange(1, 5)),
            "bool": lambda: chance.choice(["true", "false"]),
        }
        return makers[kind]() if kind in makers else PLAIN.get(name, f"{name} {chance.randrange(9)}")

    def _of_family(self, name: str, family: int) -> str:
        chance = self._chance
        if chance.random() < STRANGER:
            family = chance.randrange(self.families)
        whose: int | str = family
        if family % 2 and name != LINKS[family // 2 % len(LINKS)]:
            whose = f"{family}x{chance.randrange(1_000_000)}"
        forms = {
            "customer_id": f"c{whose}-{chance.randrange(2)}",
            "visitor_id": f"v{whose}-{chance.randrange(3)}",
            "order_id": f"o{whose}-{chance.randrange(4)}",
            "session_id": f"s{whose}-{chance.randrange(4)}",
            "email": f"{chance.choice(['Ann', 'ann', 'bob'])}{whose}@example.com",
            "phone": f"+4930{1_000_000 + family * 7 + chance.randrange(9)}",
        }
        return forms.get(name, forms["customer_id"])

    def _moment(self) -> str:
        at = BEGIN + timedelta(minutes=self._chance.randrange(-14 * 1440, 4 * 1440))
        forms = (at.isoformat() + "Z", f"{at + timedelta(hours=2):%Y-%m-%d %H:%M:%S}+02:00", f"{at:%Y-%m-%d %H:%M:%S}")
        return "soon" if self._chance.random() < 0.005 else self._chance.choice(forms)


def steps(history: History, count: int) -> Iterator[int]:
    """Yield the number of each step, the first as it is."""
    for number in range(count):
        if number:
            history.step()
        yield number
