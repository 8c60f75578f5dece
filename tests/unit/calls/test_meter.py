"""What each way for a call to end is billed for."""

import pytest

from kyma.calls.meter import SETTLEMENT, Basis, Meter, Outcome, input_estimate
from kyma.core.answer import (
    ChatEvent,
    ChatResponse,
    Choice,
    Finish,
    FinishReason,
    NativeDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    UsageReport,
)
from kyma.core.chat import TextPart, ThinkingPart, ToolCallPart
from kyma.core.model import Usage
from tests.unit.calls.rows import PLAIN_PRICE, PRICE, chat, model

REPORTED = Usage(input=7, cached_input=5, output=30, reasoning=10)
DELIVERED = 4
COUNTED = Usage(input=10, output=DELIVERED)
"""40 bytes are ten tokens."""

COUNTED_WITH_REPORTED_INPUT = Usage(input=7, cached_input=5, output=DELIVERED)
NOTHING = Usage()


def counted(*events: ChatEvent, max_tokens: int = 100, n: int = 1) -> Meter:
    meter = Meter(chat(max_tokens=max_tokens, n=n), model())
    for event in events:
        meter.see(event)
    return meter


def words(number: int) -> list[ChatEvent]:
    return [TextDelta(0, f" w{index}") for index in range(number)]


@pytest.mark.parametrize(
    ("outcome", "is_reported", "usage", "is_estimated"),
    [
        (Outcome.FINISHED, True, REPORTED, False),
        (Outcome.FINISHED, False, COUNTED, True),
        (Outcome.DRAINED, True, REPORTED, False),
        (Outcome.DRAINED, False, COUNTED, True),
        (Outcome.CANCELLED, True, COUNTED_WITH_REPORTED_INPUT, True),
        (Outcome.CANCELLED, False, COUNTED, True),
        (Outcome.CUT, True, COUNTED_WITH_REPORTED_INPUT, True),
        (Outcome.CUT, False, COUNTED, True),
        (Outcome.FAILED, True, NOTHING, False),
        (Outcome.FAILED, False, NOTHING, False),
        (Outcome.BLANK, True, NOTHING, False),
        (Outcome.BLANK, False, NOTHING, False),
    ],
)
def test_a_call_is_billed_as_the_settlement_table_says(
    outcome: Outcome, is_reported: bool, usage: Usage, is_estimated: bool
) -> None:
    meter = counted(*words(DELIVERED), *([UsageReport(REPORTED)] if is_reported else []))
    bill = meter.bill(outcome, PRICE)
    assert (bill.usage, bill.is_estimated) == (usage, is_estimated)
    assert bill.cost == usage.cost(PRICE)
    assert bill.cache_discount == usage.cache_discount(PRICE)


def test_the_settlement_table_knows_every_end() -> None:
    assert set(SETTLEMENT) == {(outcome, is_reported) for outcome in Outcome for is_reported in (False, True)}
    assert set(SETTLEMENT.values()) == set(Basis)


@pytest.mark.parametrize(
    ("event", "tokens"),
    [
        (TextDelta(0, "w"), 1),
        (TextDelta(0, ""), 0),
        (TextDelta(0, "x" * 16), 1),
        (TextDelta(0, "x" * 17), 5),
        (TextDelta(0, "việt" * 3), 5),
        (ThinkingDelta(0, "hm"), 1),
        (ToolCallStart(0, 0, "call_1", "weather", ""), 1),
        (ToolCallStart(0, 0, "call_1", "weather", '{"city":'), 2),
        (ToolCallDelta(0, 0, '"Paris"}'), 1),
        (NativeDelta(0, "openai_chat", {}, {}, text_bytes=9), 3),
        (Finish(0, FinishReason.STOP), 0),
    ],
)
def test_a_delta_counts_as_a_token_unless_it_is_too_long_for_one(event: ChatEvent, tokens: int) -> None:
    assert counted(event).delivered_tokens == tokens


def test_a_whole_answer_is_counted_by_its_bytes() -> None:
    meter = Meter(chat(), model())
    parts = (ThinkingPart("hmmm"), TextPart("x" * 9), ToolCallPart("call_1", "f", '{"a":1}'))
    meter.see_response(ChatResponse((Choice(0, parts, FinishReason.STOP),), None))
    assert meter.delivered_tokens == 1 + 3 + 2


def test_a_whole_answer_with_a_count_is_billed_by_it() -> None:
    meter = Meter(chat(), model())
    choice = Choice(0, (TextPart("x" * 400),), FinishReason.STOP)
    meter.see_response(ChatResponse((choice,), UsageReport(REPORTED)))
    assert meter.bill(Outcome.FINISHED, PRICE).usage == REPORTED


@pytest.mark.parametrize(("max_tokens", "n", "billed"), [(3, 1, 3), (3, 2, 6), (100, 1, 50)])
def test_an_own_count_never_exceeds_what_was_asked_for(max_tokens: int, n: int, billed: int) -> None:
    meter = counted(*words(50), max_tokens=max_tokens, n=n)
    assert meter.bill(Outcome.FINISHED, PRICE).usage.output == billed


@pytest.mark.parametrize(
    "nonsense",
    [
        UsageReport(NOTHING, is_valid=False),
        UsageReport(Usage(input=16_001, output=1)),
        UsageReport(Usage(input=1, output=16_001)),
    ],
)
@pytest.mark.parametrize("follow_up", [[], [UsageReport(REPORTED)]])
def test_nonsense_is_flagged_and_not_billed(nonsense: UsageReport, follow_up: list[ChatEvent]) -> None:
    meter = counted(*words(DELIVERED), nonsense, *follow_up)
    assert meter.is_flagged
    bill = meter.bill(Outcome.FINISHED, PRICE)
    assert (bill.usage, bill.is_estimated) == (COUNTED, True)


def test_twice_the_models_window_is_still_believed() -> None:
    meter = counted(UsageReport(Usage(input=16_000, output=16_000)))
    assert not meter.is_flagged
    assert meter.bill(Outcome.FINISHED, PRICE).usage.total == 32_000


def test_a_report_of_several_choices_may_be_as_many_times_as_large() -> None:
    assert not counted(UsageReport(Usage(input=1, output=30_000)), n=2).is_flagged


def test_a_later_report_replaces_an_earlier_one() -> None:
    meter = counted(UsageReport(Usage(input=1, output=1)), UsageReport(REPORTED))
    assert meter.bill(Outcome.FINISHED, PRICE).usage == REPORTED
    assert not meter.is_flagged


def test_images_are_part_of_the_estimated_input() -> None:
    assert input_estimate(chat(input_bytes=41, image_count=2), model(image_tokens=1_000)) == 11 + 2_000


def test_a_document_is_part_of_the_estimated_input_as_text_of_its_size() -> None:
    """Source: Anthropic's page on web fetch: a PDF of 500 kB is about 125,000 tokens."""
    served = model(context_window=1_000_000)
    assert input_estimate(chat(input_bytes=40, document_bytes=500_000), served) == 10 + 125_000
    assert input_estimate(chat(input_bytes=40, document_bytes=10**8), served) == 10 + 1_000_000


LOOKED_UP = Usage(7, 5, 3, 30, 10, cache_write_1h=2, searches=1, fetches=2)


def test_every_bucket_is_billed_at_its_own_price() -> None:
    meter = Meter(chat(searches=1), model())
    meter.see(UsageReport(LOOKED_UP))
    bill = meter.bill(Outcome.FINISHED, PRICE)
    assert bill.cost == 7_000 + 5 * 100 + 3 * 1_250 + 2 * 2_000 + 30 * 2_000 + 10_000_000
    assert bill.cache_discount == 5 * 900
    assert not meter.is_flagged


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.CUT])
def test_what_was_written_and_looked_up_is_billed_though_the_answer_broke_off(outcome: Outcome) -> None:
    meter = Meter(chat(searches=1), model())
    for event in (UsageReport(LOOKED_UP), *words(DELIVERED)):
        meter.see(event)
    counted = Usage(7, 5, 3, DELIVERED, cache_write_1h=2, searches=1, fetches=2)
    assert meter.bill(outcome, PRICE).usage == counted


def test_searches_that_nobody_asked_for_are_billed_and_flagged() -> None:
    meter = counted(UsageReport(Usage(input=1, output=1, searches=1)))
    assert meter.is_flagged
    assert meter.bill(Outcome.FINISHED, PRICE).usage.searches == 1


def test_a_search_without_a_price_costs_nothing() -> None:
    meter = counted(UsageReport(Usage(input=1, output=1, searches=1)))
    assert meter.bill(Outcome.FINISHED, PLAIN_PRICE).cost == 1_000 + 2_000


def test_each_lookup_has_the_input_read_again() -> None:
    for searches, is_sane in ((0, False), (2, True)):
        meter = Meter(chat(searches=searches), model())
        meter.see(UsageReport(Usage(input=40_000, output=1)))
        assert meter.is_flagged is not is_sane


def test_pictures_are_counted_as_the_model_reads_them_that_answers() -> None:
    request = chat(image_count=2)
    meter = Meter(request, model(image_tokens=4_000))
    meter.serve(request, model(image_tokens=500))
    assert meter.bill(Outcome.CUT, PRICE).usage == Usage(input=10 + 2 * 500)
