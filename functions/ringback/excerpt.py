"""What of an event is stored where no more may be than the configuration reads (``store: values``)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ringback.event import Event
from ringback.expressions.expression import ExpressionFailed
from ringback.mapping import EXCERPT, look_into, name_place
from ringback.settings import Place, Source


def make_excerpt(event: Event, source: Source) -> Event:
    """Return the event with the values that its source's rules look at, instead of all that it says.

    A thin event is kept as it is: it holds ids, and the rest is fetched later. So is one in which something can't be
    worked out: its outcome has to name it.
    """
    if source.fetch or event.problem or not isinstance(event.data, Mapping):
        return event
    try:
        look = look_into(event.data, event, source)
        values = {name_place(place): look(place) for place in list_places(source)}
    except ExpressionFailed:
        return event
    return replace(event, data=values, request={EXCERPT: {}})


def list_places(source: Source) -> Iterator[Place]:
    """Yield all places where a source's rules look for values."""
    yield from source.map.values()
    yield from filter(None, (source.when, source.consent, *(route.when for route in source.routes)))
