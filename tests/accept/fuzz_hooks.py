"""What schemathesis loads for the suite `fuzz`: most requests that name a model name one that is served here.

A name made up by chance is refused before anything else is looked at. Which requests are left as they are depends on
nothing but the name, so a seed plays the same ones again.
"""

import zlib
from typing import Any

import schemathesis

SERVED = {
    "/v1/embeddings": "fuzz-embedding",
    "/v1/rerank": "fuzz-rerank",
    "/v1/moderations": "fuzz-moderation",
}
"""By path; every other takes `CHAT`."""
CHAT = "fuzz"
SWITCH = "/v1/admin/routes/switch"
LEFT_ALONE = 6
"""One name of so many."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Put a served model in the place of a made-up one, in the body or in the path; switch nothing off."""
    served = SERVED.get(case.operation.path, CHAT)
    if case.operation.path == SWITCH and isinstance(case.body, dict) and case.body.get("on") is False:
        case.body["on"] = True  # what is off is answered for with 503 from then on, as it should be
    for fields in (case.body, case.path_parameters):
        if isinstance(fields, dict) and isinstance(named := fields.get("model"), str) and named:
            if zlib.crc32(named.encode("utf-8", "surrogatepass")) % LEFT_ALONE:
                fields["model"] = served
