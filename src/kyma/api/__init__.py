"""The JSON surface, one file per resource. Hot routes are plain ASGI; the rest is FastAPI. No logic lives here."""
