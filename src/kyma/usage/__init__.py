"""The request log and the price books: written with the charge, in one transaction."""

from kyma.usage.apps import Apps as Apps
from kyma.usage.apps import app_of as app_of
from kyma.usage.usage import UsageRow as UsageRow
