"""The OpenAPI 3.1 document of everything served."""

from kyma.api.openapi.document import served_document

__all__ = ["served_document"]
