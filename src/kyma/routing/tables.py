"""What operators have switched by hand. `target` is a route's id (it has a slash) or a provider's (it has none).

A row stays when its target is switched on again, and says by whom and when (epoch milliseconds).
"""

from sqlalchemy import BigInteger, Boolean, Column, Table, Text

from kyma.storage.database import metadata

route_switch = Table(
    "route_switch",
    metadata,
    Column("target", Text, primary_key=True),
    Column("is_on", Boolean, nullable=False),
    Column("switched_by", Text, nullable=False),
    Column("switched_at", BigInteger, nullable=False),
)
