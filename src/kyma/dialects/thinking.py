"""Reasoning that a vendor leaves inside the content, between `<think>` and `</think>`, moved out of it."""

from kyma.core.answer import ChatEvent, TextDelta, ThinkingDelta

OPENERS = ("<think>", "<mm:think>")
CLOSERS = ("</think>", "</mm:think>")


class ThinkSplitter:
    """Splits one choice's content, cut anywhere, into thought and speech.

    Only a leading tag counts: a model that mentions the tag later is talking about it. With `starts_inside` the
    template has opened the tag already, so all is thought until it closes.
    """

    __slots__ = ("_held", "_state")

    def __init__(self, starts_inside: bool = False) -> None:
        self._state = "inside" if starts_inside else "start"
        self._held = ""

    @property
    def is_done(self) -> bool:
        """All that comes is speech and nothing is held back: this splitter is needed no more."""
        return self._state == "outside"

    def feed(self, text: str) -> tuple[str, str]:
        """`(thought, speech)` that is certain by now; the rest is held back until more comes."""
        if self._state == "outside":
            return "", text
        if self._state == "after":
            text = text.lstrip("\n")
            self._state = "outside" if text else "after"
            return "", text
        text, self._held = self._held + text, ""
        if self._state == "start":
            stripped = text.lstrip()
            opener = next((tag for tag in OPENERS if stripped.startswith(tag)), None)
            if opener is None:
                if any(tag.startswith(stripped) for tag in OPENERS):
                    self._held = text
                    return "", ""
                self._state = "outside"
                return "", text
            self._state = "inside"
            text = stripped[len(opener) :]
        return self._inside(text)

    def close(self) -> tuple[str, str]:
        """What was held back when the stream ended."""
        held, self._held = self._held, ""
        return (held, "") if self._state == "inside" else ("", held)

    def _inside(self, text: str) -> tuple[str, str]:
        ends = [(text.find(tag), tag) for tag in CLOSERS if tag in text]
        if ends:
            at, tag = min(ends)
            speech = text[at + len(tag) :].lstrip("\n")
            self._state = "outside" if speech else "after"
            return text[:at], speech
        keep = max((n for tag in CLOSERS for n in range(1, len(tag)) if text.endswith(tag[:n])), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep], ""


class Speech:
    """One choice's content on its way into a stream's events: as it is, once it can hold no more thoughts."""

    __slots__ = ("_index", "_splitter")

    def __init__(self, index: int, thinks_first: bool) -> None:
        self._index = index
        self._splitter: ThinkSplitter | None = ThinkSplitter(thinks_first)

    def feed(self, text: str, events: list[ChatEvent]) -> None:
        """Add what is certain by now of a text that is not empty."""
        if self._splitter is None:  # nearly always
            events.append(TextDelta(self._index, text))
            return
        say(self._index, self._splitter.feed(text), events)
        if self._splitter.is_done:
            self._splitter = None

    def close(self, events: list[ChatEvent]) -> None:
        """Add what was held back."""
        if self._splitter is not None:
            say(self._index, self._splitter.close(), events)


def say(index: int, split: tuple[str, str], events: list[ChatEvent]) -> None:
    """Add thought and speech, where there is any."""
    thought, speech = split
    if thought:
        events.append(ThinkingDelta(index, thought))
    if speech:
        events.append(TextDelta(index, speech))


def split_thinking(text: str, starts_inside: bool = False) -> tuple[str, str]:
    """`(thought, speech)` of a whole content."""
    if not starts_inside and not text.lstrip().startswith(OPENERS):
        return "", text
    splitter = ThinkSplitter(starts_inside)
    thought, speech = splitter.feed(text)
    last_thought, last_speech = splitter.close()
    return thought + last_thought, speech + last_speech
