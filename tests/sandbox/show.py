"""What the demonstration prints: requests and outcomes, one line each, coloured for those who see colours."""

from collections.abc import Mapping
from typing import Any, TextIO

from tests.sandbox.samples import Sample

GREEN, YELLOW, RED, DIM, BOLD = "32", "33", "31", "2", "1"
COLOURS = {
    **dict.fromkeys(("ADDED", "ALREADY_EXISTS", "REQUEUED", "STOPPED"), GREEN),
    **dict.fromkeys(("SKIPPED", "no lead", "DEFERRED"), YELLOW),
    **dict.fromkeys(("FAILED", "INVALID", "PARKED", "refused"), RED),
}
HEADING = f"   {'request':<15} {'what it is':<36} HTTP  {'outcome':<15} and why"


class Screen:
    """Writes lines to a stream; in colour only where a person looks at a terminal."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``."""
        self._stream = stream
        self._is_coloured = stream.isatty()

    def line(self, text: str = "") -> None:
        """Write a line, at once."""
        print(text, file=self._stream, flush=True)

    def paint(self, text: str, colour: str) -> str:
        """Return the text in a colour, or as it is."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self._is_coloured else text

    def answer(self, sample: Sample, status: int, answer: Mapping[str, Any]) -> bool:
        """Write what became of a sample; tell whether it is what was expected."""
        expected = sample.is_answered_by(status, answer)
        for word, why in told(answer):
            outcome = self.paint(f"{word:<15}", COLOURS.get(word, BOLD))
            mark = self.paint("ok", DIM) if expected else self.paint("??", RED)
            self.line(f"{mark} POST /{sample.source:<9} {sample.title:<36} {status}   {outcome} {why}".rstrip())
        return expected

    def outcome(self, line: Mapping[str, Any]) -> None:
        """Write a line of the function's log that tells of an outcome or a refusal."""
        if line.get("event") not in ("customer.outcome", "customer.deferred", "webhook.refused"):
            return
        word = line.get("status") or "refused"
        outcome = self.paint(f"{word:<15}", COLOURS.get(word, BOLD))
        self.line(f"   POST /{line.get('source') or '?':<9} {outcome} {describe(line, line.get('reason'))}".rstrip())


def told(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a word and the reason for each outcome of an answer."""
    if "outcomes" not in answer:
        return [("refused", str(answer.get("error", "")))]
    outcomes = answer["outcomes"]
    return [(each["status"], describe(each, each.get("message"))) for each in outcomes] or [("no lead", "")]


def describe(outcome: Mapping[str, Any], reason: str | None) -> str:
    """Return what is known of an outcome: ``customer 441, record 111``, and the reason."""
    names = ("customer", "record")
    known = [f"{name} {outcome[f'{name}_id']}" for name in names if outcome.get(f"{name}_id") is not None]
    return ", ".join([*known, *([reason] if reason else [])])
