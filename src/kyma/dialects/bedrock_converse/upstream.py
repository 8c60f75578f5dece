"""A chat as a request to Bedrock's Converse. Model and streaming stand in the path."""

from urllib.parse import quote

from kyma.core.chat import ChatRequest, Rendered
from kyma.core.model import Quirks
from kyma.dialects.bedrock_converse.translate import translate


def target(upstream_model: str, is_streaming: bool) -> str:
    """Path behind the provider's base path; colons and slashes of an id are encoded, as Amazon's own SDKs do."""
    return f"/model/{quote(upstream_model, safe='~')}/{'converse-stream' if is_streaming else 'converse'}"


def render_request(request: ChatRequest, upstream_model: str, quirks: Quirks) -> Rendered:
    """The body to send. No customer speaks this dialect, so every request is translated."""
    return translate(request.chat(), upstream_model, quirks)
