"""Counts of models at their sources by the hour, and what the gateways on one database share about probes.

`uptime` has a column for every count of a `Tally`; `hour` is in hours since the epoch, and counts that no source can be
blamed for have an empty `route`. `source_asked` says when a source was last asked for a model, by anybody;
`probe_budget` what the probes of a UTC day, in days since the epoch, have cost or may come to cost, in nano-dollars.
"""

from sqlalchemy import BigInteger, Column, Table, Text

from kyma.core.tally import BUCKETS, COUNTERS
from kyma.storage.database import metadata

COUNTS = (
    *COUNTERS,
    *(f"first_token_{number}" for number in range(BUCKETS)),
    *(f"whole_{number}" for number in range(BUCKETS)),
)
"""Names of the columns in the order of `Tally.values()`."""

uptime = Table(
    "uptime",
    metadata,
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("model", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    *(Column(name, BigInteger, nullable=False) for name in COUNTS),
)

source_asked = Table(
    "source_asked",
    metadata,
    Column("model", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
)

probe_budget = Table(
    "probe_budget",
    metadata,
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    Column("taken", BigInteger, nullable=False),
)
