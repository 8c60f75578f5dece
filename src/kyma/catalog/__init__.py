"""What is sold, who serves it, at what price: the data in `kyma/data` and an operator's overlay, as a snapshot."""

from kyma.catalog.catalog import Catalog, Resolved
from kyma.catalog.load import assemble, load
from kyma.catalog.sheets import CatalogError, Sheets, builtin_data, read

__all__ = ["Catalog", "CatalogError", "Resolved", "Sheets", "assemble", "builtin_data", "load", "read"]
