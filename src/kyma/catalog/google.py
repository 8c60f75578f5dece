"""Where Vertex AI is: its host depends on the location in a way that no template says."""

from collections.abc import Mapping

VERTEX_ENDPOINT = "GOOGLE_VERTEX_ENDPOINT"
"""An operator sets it for a private endpoint; otherwise it follows from the location."""

LOCATION = "GOOGLE_VERTEX_LOCATION"
MULTI_REGIONS = ("us", "eu")


def vertex_endpoint(environment: Mapping[str, str]) -> str | None:
    """Scheme and host for a region, a multi-region or `global`; None without a location.

    Source: the clients of google-genai 3.4.0 and anthropic 2.12.0, 2026-11-21.
    """
    location = environment.get(LOCATION)
    if not location:
        return None
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"
