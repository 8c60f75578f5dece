"""A scripted upstream in its own process that speaks like three families of vendors and fails as the request asks."""
