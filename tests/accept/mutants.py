"""Bugs to plant, each of which its suite must find. Production code has no hooks for them."""

from tests.accept.planting import Edit, Mutant


def _one(suite: str, name: str, file: str, old: str, new: str, times: int = 1) -> Mutant:
    return Mutant(suite, name, (Edit(file, old, new),), times)


_PENDING = "state = 'pending' and "

MUTANTS = (
    Mutant(
        "ledger-crash",
        "usage and transfer in two transactions (design)",
        (
            Edit(
                "calls/settle.py",
                "new = insert_rows(connection, [item.row for item in items])",
                "new = insert_rows(connection, [item.row for item in items])\n"
                '    connection.exec_driver_sql("COMMIT")\n'
                '    connection.exec_driver_sql("BEGIN")',
            ),
        ),
    ),
    Mutant(
        "ledger-crash",
        "late finalize revives a hold (design)",
        (
            Edit(
                "ledger/store.py",
                f"select id, amount - resolved from hold where {_PENDING}id in (select value from json_each(?1))",
                "select id, amount - resolved from hold where id in (select value from json_each(?1))",
            ),
            Edit(
                "ledger/store.py",
                f"set resolved = resolved + ?2 where id = ?1 and {_PENDING}resolved + ?2 <= amount",
                "set resolved = resolved + ?2 where id = ?1 and resolved + ?2 <= amount",
            ),
        ),
    ),
    _one(
        "ledger-crash",
        "guard dropped from the update (design)",
        "ledger/lease.py",
        " and credits_posted - debits_posted - debits_pending >= :amount",
        "",
    ),
    _one(
        "ledger-crash",
        "rest of a lease not given back",
        "ledger/lease.py",
        "if any(rests.values()):",
        "if rests and not rests:",
    ),
    _one(
        "ledger-crash",
        "a trip to the books that is over is awaited again",
        "ledger/ledger.py",
        "if flight is None or flight.done():",
        "if flight is None:",
        times=2,
    ),
    _one(
        "kill-gateway",
        "settle after the last byte (design)",
        "calls/calls.py",
        "if bill.cost:\n            await written",
        "if bill.cost < 0:\n            await written",
        times=2,
    ),
    _one(
        "kill-gateway",
        "leases of the dead not returned (design)",
        "gateway/gateway.py",
        "await self.ledger.take_over()",
        "pass",
    ),
    _one(
        "kill-gateway",
        "leases not returned on drain (design)",
        "gateway/gateway.py",
        "await self.ledger.return_all()",
        "pass",
    ),
    _one(
        "race-cent",
        "check, then spend",
        "ledger/ledger.py",
        "lease.used += amount\n        lease.used_at = now\n",
        "amount = 0\n        lease.used += amount\n        lease.used_at = now\n",
    ),
    _one(
        "race-cent",
        "a hold smaller than the request",
        "calls/meter.py",
        "output = request.n * min(request.max_tokens, limit)",
        "output = request.n * min(request.max_tokens, limit) // 4",
    ),
    _one(
        "hot-path",
        "each charge a transaction of its own",
        "storage/writer.py",
        "size = min(len(self._waiting), self._max_batch)",
        "size = 1",
    ),
    _one(
        "hot-path",
        "a trip to the books for each hold",
        "ledger/lease.py",
        "        return available\n",
        "        return needed\n",
    ),
    _one(
        "price-exact",
        "float price (design)",
        "core/money.py",
        "return -(-picos // PICOS_PER_NANO)",
        "return int(-(-(picos / 1e12 * 1e9) // 1))",
    ),
    _one(
        "price-exact",
        "rounding down per token (design)",
        "core/model.py",
        "+ self.output * price.output",
        "+ self.output * (price.output // 1000 * 1000)",
    ),
    _one(
        "price-exact",
        "cached tokens billed twice",
        "dialects/openai_chat/wire.py",
        "fresh = wire.prompt_tokens - cached - written",
        "fresh = wire.prompt_tokens",
    ),
    _one(
        "price-exact",
        "mark-up rounded down",
        "core/money.py",
        "return -(-cost * MARKUP_NUMERATOR // MARKUP_DENOMINATOR)",
        "return cost * MARKUP_NUMERATOR // MARKUP_DENOMINATOR",
    ),
    Mutant(
        "negative-usage",
        "negative usage accepted (design)",
        (
            Edit(
                "dialects/openai_chat/wire.py",
                "min(fresh, cached, written, output, reasoning) >= 0 and wire.prompt_tokens + output < MAX_TOKENS",
                "wire.prompt_tokens + output < MAX_TOKENS",
            ),
            Edit("ledger/ledger.py", "        if cost < 0:\n", "        if cost < -(2**62):\n"),
        ),
    ),
    _one(
        "negative-usage",
        "absurd usage accepted",
        "calls/meter.py",
        "and usage.total_input <= ABSURD_FACTOR * window",
        "and usage.total_input >= 0",
    ),
    _one(
        "negative-usage",
        "nonsense forgotten for a later report",
        "calls/meter.py",
        "        if not self._is_sane:\n            return\n",
        "",
    ),
    _one(
        "failover-midstream",
        "error event replaced by a clean end",
        "calls/stream_pump.py",
        "self._encoder.error(_told(failure, bill))",
        "self._encoder.end(bill)",
    ),
    _one(
        "failover-midstream",
        "partial usage billed in full",
        "calls/meter.py",
        "output = min(self.delivered_tokens, self._room)",
        "output = self._room",
    ),
    _one(
        "failover-midstream",
        "a broken answer is free",
        "calls/meter.py",
        "(Outcome.CUT, False): Basis.COUNTED,",
        "(Outcome.CUT, False): Basis.NOTHING,",
    ),
    _one(
        "failover-midstream",
        "a chunk that cannot be read is skipped",
        "dialects/openai_chat/stream_in.py",
        'self._fail(Garbled("a chunk of the stream is no chat completion chunk"), events)',
        "return events",
    ),
    _one(
        "disconnect",
        "leaving cancels the pump (design: await in clean-up)",
        "api/text.py",
        "exchange.watch(call.abandon)",
        'exchange.watch(__import__("asyncio").current_task().cancel)',
    ),
    _one(
        "disconnect",
        "drained usage not billed",
        "calls/meter.py",
        "(Outcome.DRAINED, True): Basis.REPORTED,",
        "(Outcome.DRAINED, True): Basis.NOTHING,",
    ),
    _one(
        "disconnect",
        "delivered tokens of a cancelled call not billed",
        "calls/meter.py",
        "(Outcome.CANCELLED, False): Basis.COUNTED,",
        "(Outcome.CANCELLED, False): Basis.NOTHING,",
    ),
    _one("disconnect", "an upstream left by everybody goes on", "calls/call.py", "self.upstream.abort()", "pass"),
    _one(
        "disconnect",
        "a drain without an end",
        "calls/stream_pump.py",
        "if now - self._left_at > self._settings.drain_s:",
        "if now - self._left_at > 3600 * self._settings.drain_s:",
    ),
    _one(
        "agents",
        "the input of a tool told as one empty object",
        "dialects/anthropic_messages/stream_out.py",
        'return self._delta({"type": "input_json_delta", "partial_json": arguments})',
        'return b""',
    ),
    _one(
        "agents",
        "the id of a tool call lost",
        "dialects/openai_chat/translate_messages.py",
        '{"id": part.id, "type": "function"',
        '{"id": "", "type": "function"',
    ),
    _one(
        "agents",
        "a call in a namespace told by its last name alone",
        "dialects/openai_responses/output.py",
        'space = {"namespace": self._spoken.namespace} if self._spoken.namespace else {}',
        "space: Json = {}",
    ),
    _one(
        "agents",
        "tools in the input forgotten",
        "dialects/openai_responses/tools.py",
        'box.add(item.wire.tools, "input.additional_tools.tools", is_loaded=False)',
        "pass",
    ),
    _one(
        "agents",
        "a custom tool's text left in its wrapping",
        "dialects/openai_responses/output.py",
        'text = said.get("input")',
        "text = None",
    ),
    _one(
        "agents",
        "found tools not offered",
        "dialects/openai_chat/translate.py",
        "if not tool.is_deferred or tool.name in referenced",
        "if not tool.is_deferred",
    ),
)
