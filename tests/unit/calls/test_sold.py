"""What a vendor would charge for beside tokens is sold with a price, a limit and a count, or it is refused."""

import msgspec
import pytest

from kyma.calls.abilities import check_abilities
from kyma.core.chat import ChatRequest
from kyma.core.errors import InvalidRequest
from kyma.core.model import Model
from tests.unit.calls.rows import PLAIN_PRICE, PRICE, chat, model, route


def native(served: Model) -> Model:
    """The same model with a source that speaks the dialect of the request."""
    return msgspec.structs.replace(served, routes=(route(),))


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (chat(searches=1), "owl is sold without searches"),
        (chat(unpriced="tools.code_execution_20250825"), "tools.code_execution_20250825 is not sold here"),
    ],
)
def test_what_has_no_price_is_refused_before_anything_is_sent(request_: ChatRequest, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as caught:
        check_abilities(request_, native(model(price=PLAIN_PRICE)))
    assert caught.value.code == "tool_not_sold"


def test_searches_with_a_price_are_taken() -> None:
    check_abilities(chat(searches=1), native(model(price=PRICE)))


def test_what_is_never_counted_is_refused_at_any_price() -> None:
    with pytest.raises(InvalidRequest, match="web_search_options"):
        check_abilities(chat(unpriced="web_search_options"), native(model(price=PRICE)))


@pytest.mark.parametrize("request_", [chat(searches=1), chat(unpriced="tools.x")])
def test_sources_of_other_dialects_leave_it_out_and_say_so(request_: ChatRequest) -> None:
    check_abilities(request_, model(price=PLAIN_PRICE))
