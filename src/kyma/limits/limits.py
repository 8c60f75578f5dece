"""Admission by tier: requests a minute, requests a minute to one model, tokens a minute, tokens in one request.

Limits are per account, whatever key is used, and in the memory of this process. All of them are taken or none; a
refusal takes nothing. A unit comes back as soon as its share of a minute is over, so there is no window to wait for.
Tokens are charged by estimate and corrected when the call has ended.
"""

from collections.abc import Sequence

from kyma.core.errors import InvalidRequest, RateLimited
from kyma.core.ids import DAY_MS, Clock
from kyma.core.principal import Principal, Tier
from kyma.limits.headers import HeaderLines, HeaderList, pairs, refusal_headers, success_lines
from kyma.limits.state import Admission, Buckets, LimitsView, Rate, Rates, Standing, rates_of

_SLACK_NS = 1_000
"""Clocks count in floats: somebody who waited exactly as long as told must not be a nanosecond early."""

_MINUTE_MS = 60_000
_MAX_ACCOUNTS = 100_000
_MAX_MODELS = 16


class Limits:
    """The limits of every account, as far as it was seen lately. Not for use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._accounts: dict[str, Buckets] = {}
        self._rates: dict[int, Rates] = {}
        self._day = -1
        self._day_good_until = self._now()

    def admit(self, principal: Principal, tier: Tier, model_id: str, tokens: int) -> Admission:
        """Let a request of an estimated `tokens` tokens through, or raise; about 1 µs, no await.

        A request that needs more tokens than a whole minute has is let through when the account's bucket is full.
        Raises: InvalidRequest (`max_single_request_exceeded`); RateLimited with `retry_after_s` and `headers`.
        """
        rates = self._rates.get(tier.tier)
        if rates is None or rates.tier is not tier:
            rates = self._rates[tier.tier] = rates_of(tier)
        if tokens > rates.max_single_request:
            raise _too_large(tier, tokens)
        now = int(self._clock.monotonic() * 1e9)
        if now >= self._day_good_until:
            self._read_day(now)
        buckets = self._accounts.get(principal.account_id)
        if buckets is None:
            buckets = self._open(principal.account_id, now)
        model_full_at = buckets.models_full_at.get(model_id)
        if model_full_at is None:
            model_full_at = _open_model(buckets, model_id, now)
        requests_ns = buckets.requests_full_at - now if buckets.requests_full_at > now else 0
        model_ns = model_full_at - now if model_full_at > now else 0
        tokens_ns = buckets.tokens_full_at - now if buckets.tokens_full_at > now else 0
        requests, model_requests, per_token = rates.requests, rates.model_requests, rates.tokens
        after_requests_ns = requests_ns + requests.unit_ns
        after_model_ns = model_ns + model_requests.unit_ns
        after_tokens_ns = tokens_ns + tokens * per_token.unit_ns
        if (
            after_requests_ns > requests.room_ns + _SLACK_NS
            or after_model_ns > model_requests.room_ns + _SLACK_NS
            or (after_tokens_ns > per_token.room_ns + _SLACK_NS and tokens_ns > _SLACK_NS)
        ):
            raise self._refusal(rates, model_id, tokens, Standing(requests_ns, model_ns, tokens_ns))
        buckets.requests_full_at = now + after_requests_ns
        buckets.models_full_at[model_id] = now + after_model_ns
        buckets.tokens_full_at = now + after_tokens_ns
        if buckets.day != self._day:
            buckets.day, buckets.used_today = self._day, 0
        buckets.used_today += 1
        return Admission(buckets, rates, tokens, Standing(after_requests_ns, after_model_ns, after_tokens_ns))

    def correct(self, admission: Admission, actual_tokens: int) -> None:
        """Charge the tokens that were really used instead of the estimate; only the first call counts.

        0 for a call that failed: its tokens come back, its request stays counted. What comes back never makes a
        bucket fuller than full.
        """
        if admission.is_corrected:
            return
        admission.is_corrected = True
        buckets, now = admission.buckets, self._now()
        full_at = buckets.tokens_full_at
        change_ns = (actual_tokens - admission.tokens) * admission.rates.tokens.unit_ns
        buckets.tokens_full_at = (full_at if full_at > now else now) + change_ns

    def header_lines(self, admission: Admission) -> HeaderLines:
        """What a successful reply says about the limits, as they stood right after the request was let through."""
        return success_lines(admission.rates, admission.standing)

    def headers(self, admission: Admission) -> HeaderList:
        """The same as names and values."""
        return pairs(self.header_lines(admission))

    def snapshot(self, principal: Principal, tiers: Sequence[Tier]) -> LimitsView:
        """How an account stands now. `tiers` is the whole matrix, the principal's own among it, in rising order."""
        tier = next(tier for tier in tiers if tier.tier == principal.tier)
        rates, now = rates_of(tier), self._now()
        if now >= self._day_good_until:
            self._read_day(now)
        buckets = self._accounts.get(principal.account_id) or Buckets(now, now, {})
        requests_ns = max(0, buckets.requests_full_at - now)
        requests_left = rates.requests.left(requests_ns)
        tokens_left = rates.tokens.left(max(0, buckets.tokens_full_at - now))
        return LimitsView(
            tier=tier.tier,
            tier_name=tier.name,
            rpm_limit=tier.rpm,
            rpm_used=tier.rpm - requests_left,
            rpm_remaining=requests_left,
            remaining=requests_left,
            resets_at=self._clock.now_ms() - (-requests_ns // 1_000_000),
            used_today=buckets.used_today if buckets.day == self._day else 0,
            per_model_rpm=tier.per_model_rpm,
            tpm_limit=tier.tpm,
            tpm_used=tier.tpm - tokens_left,
            tpm_remaining=tokens_left,
            max_single_request=tier.max_single_request,
            next_tier=next((other for other in tiers if other.tier > tier.tier), None),
        )

    def _now(self) -> int:
        return int(self._clock.monotonic() * 1e9)

    def _read_day(self, now: int) -> None:
        """Learn the UTC day; asked anew each minute, because wall clocks are set right and machines sleep."""
        wall_ms = self._clock.now_ms()
        self._day, passed_ms = divmod(wall_ms, DAY_MS)
        self._day_good_until = now + min(_MINUTE_MS, DAY_MS - passed_ms) * 1_000_000

    def _open(self, account_id: str, now: int) -> Buckets:
        """Buckets for an account not seen lately. Each opening looks at two old ones, so memory follows the traffic."""
        for _ in range(min(2, len(self._accounts))):
            oldest_id = next(iter(self._accounts))
            oldest = self._accounts.pop(oldest_id)
            is_of_today = oldest.day == self._day and len(self._accounts) < _MAX_ACCOUNTS
            if is_of_today or not oldest.is_idle(now):
                self._accounts[oldest_id] = oldest
        buckets = self._accounts[account_id] = Buckets(now, now, {})
        return buckets

    def _refusal(self, rates: Rates, model_id: str, tokens: int, standing: Standing) -> RateLimited:
        """The limit that lasts longest, in words; what waiting that long is enough for."""
        tier = rates.tier
        reasons = (
            (_wait_ns(rates.requests, standing.requests_ns, 1), f"{tier.rpm:,} requests a minute"),
            (
                _wait_ns(rates.model_requests, standing.model_ns, 1),
                f"{tier.per_model_rpm:,} requests a minute to {model_id}",
            ),
            (
                _wait_ns(rates.tokens, standing.tokens_ns, tokens),
                f"{tier.tpm:,} tokens a minute; {rates.tokens.left(standing.tokens_ns):,} are left and this request"
                f" may need {tokens:,}",
            ),
        )
        wait_ns, limit = max(reasons)
        retry_after_s = max(1, -(-wait_ns // 1_000_000_000))
        error = RateLimited(
            f"The limit of {tier.name} is {limit}. Try again in {retry_after_s} s.", retry_after_s=retry_after_s
        )
        error.headers = refusal_headers(rates, standing, self._clock.now_ms())
        return error


def _wait_ns(rate: Rate, debt_ns: int, units: int) -> int:
    """How long until `units` can be taken; more than a minute's worth needs a full bucket."""
    return max(0, min(debt_ns, debt_ns + units * rate.unit_ns - rate.room_ns))


def _open_model(buckets: Buckets, model_id: str, now: int) -> int:
    """A full bucket for a model; those that are full again make room."""
    if len(buckets.models_full_at) >= _MAX_MODELS:
        buckets.models_full_at = {known: at for known, at in buckets.models_full_at.items() if at > now}
    buckets.models_full_at[model_id] = now
    return now


def _too_large(tier: Tier, tokens: int) -> InvalidRequest:
    return InvalidRequest(
        f"This request may need {tokens:,} tokens, input and max_tokens together; {tier.name} allows"
        f" {tier.max_single_request:,} in one request. Shorten the input or lower max_tokens.",
        code="max_single_request_exceeded",
    )
