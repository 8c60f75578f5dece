"""What authenticates a call to a provider: handed from the vault to an adapter, and shown to nobody."""

import msgspec

HIDDEN = "[key]"


class Credential(msgspec.Struct, frozen=True):
    """One key of one provider.

    `id` names it for operators and logs, e.g. `groq#1`. `secret` is the API key, or what the provider's `auth` makes of
    it: an access token minted from a service account, or the parts of an AWS key joined by newlines.
    """

    id: str
    provider_id: str
    secret: str
    is_own: bool = False
    """The customer's own key: its provider charges the customer, and we a fee."""

    def __repr__(self) -> str:
        return f"Credential({self.id})"

    def hidden_in(self, text: str) -> str:
        """`text` without this secret or any part of it: vendors quote the key that they refuse."""
        for part in self.secret.split("\n"):
            text = text.replace(part, HIDDEN) if part else text
        return text
