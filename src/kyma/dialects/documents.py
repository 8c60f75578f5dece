"""How large documents inside a request are, for all dialects. What is in them, nobody here looks at."""

UNSEEN_DOCUMENT_BYTES = 500_000
"""A document that is only named, by an address or a file id, counts as a research paper.

Source: Anthropic's page on its web fetch tool, whose example of one is a PDF of 500 kB, about 125,000 tokens; 2026.
"""


def decoded_size(base64: str) -> int:
    """The bytes of base64 text, padding included; the head of a `data:` URL may stand before it."""
    start = base64.find(",") + 1 if base64.startswith("data:") else 0
    return (len(base64) - start) * 3 // 4
