"""Bedrock Converse and ConverseStream: vendors' side only, since no customer speaks it.

The model and whether to stream stand in the path; streams are Amazon's binary frames. Source: botocore's service model
of bedrock-runtime, read in August 2026; AWS's Bedrock user guide, 2026.
"""

from kyma.dialects.aws_eventstream import MEDIA_TYPE as STREAM_TYPE
from kyma.dialects.bedrock_converse.errors import parse_error
from kyma.dialects.bedrock_converse.response import parse_response
from kyma.dialects.bedrock_converse.stream_in import stream_decoder
from kyma.dialects.bedrock_converse.upstream import render_request, target
from kyma.dialects.bedrock_converse.wire import NAME

__all__ = ["NAME", "STREAM_TYPE", "parse_error", "parse_response", "render_request", "stream_decoder", "target"]
