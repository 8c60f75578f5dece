"""The composition root: the only package that names concrete adapters, stores and engines."""

from kyma.gateway.control import Control, find_control
from kyma.gateway.gateway import LOCAL, LOCAL_EMBED, Gateway, open_gateway
from kyma.gateway.opening import (
    SchemaMismatch,
    agents_of,
    assemble_catalog,
    ensure_schema,
    is_embedded,
    make_data_dir,
    migrate,
    open_accounts,
    open_database,
    sheets_of,
    today_of,
)

__all__ = [
    "LOCAL",
    "LOCAL_EMBED",
    "Control",
    "Gateway",
    "SchemaMismatch",
    "agents_of",
    "assemble_catalog",
    "ensure_schema",
    "find_control",
    "is_embedded",
    "make_data_dir",
    "migrate",
    "open_accounts",
    "open_database",
    "open_gateway",
    "sheets_of",
    "today_of",
]
