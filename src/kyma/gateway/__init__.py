"""The composition root: the only package that names concrete adapters, stores and engines."""

from kyma.gateway.gateway import LOCAL, LOCAL_EMBED, Gateway, open_gateway
from kyma.gateway.opening import (
    SchemaMismatch,
    assemble_catalog,
    ensure_schema,
    is_embedded,
    make_data_dir,
    migrate,
    open_accounts,
    open_database,
    overlay_of,
)

__all__ = [
    "LOCAL",
    "LOCAL_EMBED",
    "Gateway",
    "SchemaMismatch",
    "assemble_catalog",
    "ensure_schema",
    "is_embedded",
    "make_data_dir",
    "migrate",
    "open_accounts",
    "open_database",
    "open_gateway",
    "overlay_of",
]
