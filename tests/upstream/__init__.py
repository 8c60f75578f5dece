"""A scripted upstream: an OpenAI-shaped server in its own process that fails as the request asks it to."""
