"""What is sold, who serves it, at what price: the data in `kyma/data` and an operator's overlay, as a snapshot."""

from kyma.catalog.agents import (
    KEY_BLANK,
    Agent,
    AgentFile,
    Blanks,
    Choice,
    Pick,
    UseCase,
    base_url_for,
    file_text,
    fill,
    picks,
    read_agents,
    read_use_cases,
)
from kyma.catalog.auto import Need, Needs
from kyma.catalog.catalog import AskedElsewhere, Catalog, Resolved
from kyma.catalog.filters import PURPOSES, Filter, SkuCapability, SkuModality, capability_of, modality_of
from kyma.catalog.load import assemble, load
from kyma.catalog.sheets import CatalogError, Sheets, builtin_data, read

__all__ = [
    "KEY_BLANK",
    "PURPOSES",
    "Agent",
    "AgentFile",
    "AskedElsewhere",
    "Blanks",
    "Catalog",
    "CatalogError",
    "Choice",
    "Filter",
    "Need",
    "Needs",
    "Pick",
    "Resolved",
    "Sheets",
    "SkuCapability",
    "SkuModality",
    "UseCase",
    "assemble",
    "base_url_for",
    "builtin_data",
    "capability_of",
    "file_text",
    "fill",
    "load",
    "modality_of",
    "picks",
    "read",
    "read_agents",
    "read_use_cases",
]
