"""What a source's rules look at: in an event, or in an excerpt of it where no more is stored (``store: values``)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from ringback.event import Event
from ringback.expressions.answers import Answer, find_answer, read_answers
from ringback.expressions.expression import ExpressionFailed
from ringback.settings import AnswerPlace, Place, Places, Single, Source

# In the request, where no sender can put it: the data is then the value of each place, and this says which failed.
EXCERPT = "excerpt"

Look = Callable[[Place], object]


def look_into(data: Mapping[str, object], event: Event, source: Source) -> Look:
    """Return the function that finds a place's value in an event or its excerpt; it may raise ExpressionFailed.

    Of several places it returns the list of their values.
    """
    is_excerpt = EXCERPT in event.request
    look_once: Callable[[Single], object] = (
        partial(look_up, data, event.request[EXCERPT]) if is_excerpt else _look_into_whole(data, event, source)
    )

    def look(place: Place) -> object:
        return [look_once(each) for each in place.places] if isinstance(place, Places) else look_once(place)

    return look


def _look_into_whole(data: Mapping[str, object], event: Event, source: Source) -> Callable[[Single], object]:
    context = {**data, "_request": {**event.request, "received_at": event.received_at.isoformat()}}
    answers: list[Answer] | None = None

    def look(place: Single) -> object:
        nonlocal answers
        if not isinstance(place, AnswerPlace):
            return place.search(context)
        if answers is None:
            answers = read_answers(source.answers, context) if source.answers else []
        return find_answer(answers, place.by, place.text, every=place.every)

    return look


def look_up(values: Mapping[str, object], failed: Mapping[str, str], place: Single) -> object:
    """Return the value that an excerpt has of a place.

    Raises ExpressionFailed where it could not be worked out, or is not in the excerpt: a rule that looked for it there
    would take it for empty.
    """
    name = name_place(place)
    if name in failed:
        raise ExpressionFailed(name, failed[name])
    if name not in values:
        raise ExpressionFailed(name, "it was not stored with the event: `store: values` keeps what the rules read then")
    return values[name]


def name_place(place: Single) -> str:
    """Return a place as text, by which its value is found in an excerpt."""
    if not isinstance(place, AnswerPlace):
        return place.text
    return f"every {place.by}: {place.text}" if place.every else f"{place.by}: {place.text}"


def make_excerpt(event: Event, source: Source) -> Event:
    """Return the event with the values that its source's rules look at, instead of all that it says.

    A thin event is kept as it is: it holds ids, and the rest is fetched later. What can't be worked out is kept as the
    reason for that.
    """
    if source.fetch:
        return event
    if not isinstance(event.data, Mapping):
        return replace(event, data=None, request={})
    look, values, failed = look_into(event.data, event, source), {}, {}
    for place in source.places:
        try:
            values[name_place(place)] = look(place)
        except ExpressionFailed as error:
            failed[error.text] = str(error)
    return replace(event, data=values, request={EXCERPT: failed})
