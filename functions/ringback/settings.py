"""What the configuration comes to: frozen values, checked and compiled. ``repr`` shows none: some are secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from ringback.expressions.answers import AnswerSpec
from ringback.expressions.expression import Expression
from ringback.expressions.path import Path
from ringback.expressions.request_parts import Part
from ringback.leads.hours import Hours
from ringback.limits import Limits
from ringback.secret import Secret
from ringback.verification.handshake import Handshake
from ringback.verification.scheme import Scheme, Token
from ringback.web import Response


@dataclass(frozen=True)
class AnswerPlace:
    """Where a value is, as an answer of a form: the one whose ``by`` (label, ref, type or id) is ``text``.

    With ``every`` it is the list of all such answers: a consent has to be in each of them.
    """

    by: str
    text: str
    every: bool = False


@dataclass(frozen=True)
class Places:
    """Several places, of which the first counts whose value can be used: a number that can be called, an address."""

    places: tuple["Single", ...]


Single = Expression | AnswerPlace
Place = Single | Places

LATE_RULES = ("map", "when", "do_not_call", "consent", "campaign")  # those that look when an event is delivered


@dataclass(frozen=True)
class Consent:
    """Where the answer to "may we call you" is, and the texts that are a yes there; without any the usual words are."""

    place: Single
    yes: tuple[str, ...] = ()


def split_place(place: Place) -> tuple[Single, ...]:
    """Return the single places of one place or of several."""
    return place.places if isinstance(place, Places) else (place,)


@dataclass(frozen=True, repr=False)
class ThuliumSettings:
    """How Thulium is reached. ``timeout`` is in seconds, of one call."""

    url: str
    user: Secret
    password: Secret
    timeout: float
    batch_size: int
    parallel: int
    timezone: ZoneInfo
    phone_forms: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class Campaign:
    """A Thulium campaign and our rules for it. ``stop`` is what a do-not-call record has, ``set`` what each has.

    ``later`` is what a record has whose call lies in the future, instead of the status in ``set``: ``status_id`` or
    ``dictionary_status_id``, and perhaps ``agent_login``; empty where no call can.
    """

    name: str
    id: str
    set: Mapping[str, object]
    on_existing: str
    requeue_from: frozenset[str]
    call_hours: Hours | None
    later: Mapping[str, object]
    stop: Mapping[str, int]

    @property
    def title(self) -> str:
        """The campaign as people know it: its name, if it has one, and its id."""
        return self.id if self.name == self.id else f"{self.name} ({self.id})"


@dataclass(frozen=True, repr=False)
class Route:
    """A campaign, for the events for which ``when`` holds (None: for all)."""

    when: Expression | None
    to: Campaign


@dataclass(frozen=True, repr=False)
class CustomerRules:
    """How a lead without ``customer_id`` becomes a Thulium customer.

    ``new_number`` says what becomes of a lead whose customer is found by an e-mail address alone and lacks its number.
    """

    match: tuple[str, ...]
    on_missing: str
    update: tuple[str, ...]
    new_number: str


@dataclass(frozen=True, repr=False)
class Fetch:
    """The GET that completes a thin event. ``gone`` holds where an error reply says that the thing does not exist."""

    url: str
    headers: Mapping[str, Secret]
    gone: Expression | None


@dataclass(frozen=True, repr=False)
class Source:
    """One sender's webhook: its preset's facts and the user's own, merged. ``answer_within`` is in seconds.

    ``phone_region`` is the country of numbers without a country code, None where it is the whole configuration's.
    ``only`` says which events are leads at all, ``when`` which of them the user wants; every one of them must hold.
    ``do_not_call`` is where the sender itself says that a person must not be called. A ``public`` one can be filled in
    by anyone, with anyone's address.
    ``routes`` are tried in their order; ``tokens`` are second secrets, of which the URL's ``?token=`` carries one;
    ``proofs`` are where a body has a secret, which is not to stay in its events; one that ``echoes`` also tells of the
    customers that other sources create. ``body`` are the content types that are read, the first of which is assumed;
    empty for all. With ``accept_old`` it takes proofs that prove less than they should. ``ends`` has the versions of
    the sender's API that have an end, and the first day on which each is refused.
    """

    name: str
    preset: str | None
    phone_region: str | None
    verify: tuple[Scheme, ...]
    accept_old: bool
    secrets: tuple[Secret, ...]
    proofs: tuple[Path, ...]
    tokens: tuple[Secret, ...]
    verify_tokens: tuple[Secret, ...]
    handshake: tuple[Handshake, ...]
    reply: Response | None
    methods: tuple[str, ...]
    body: tuple[str, ...]
    empty: tuple[str, ...]
    items: Expression
    only: tuple[Expression, ...]
    event_id: Expression | None
    volatile: tuple[Path, ...]
    fetch: Fetch | None
    answers: AnswerSpec | None
    when: tuple[Expression, ...]
    consent: Consent | None
    do_not_call: tuple[Expression, ...]
    map: Mapping[str, Place]
    set: Mapping[str, object]
    customer: CustomerRules
    action: str
    routes: tuple[Route, ...]
    limits: Limits
    answer_within: float
    retries: bool | None
    echoes: bool
    public: bool
    on_invalid: int
    ends: Mapping[str, date]
    evidence: str | None

    @property
    def is_open(self) -> bool:
        """Whether anyone at all may send to it (``verify: none``)."""
        return not self.verify and not self.tokens

    @property
    def is_proven_by_url(self) -> bool:
        """Whether the URL is all that a sender has to know: it has the token, and the rest is public or not asked for.

        A token in the body beside one in the URL is no secret: Salesforce's is the organization's id.
        """
        tokens = [scheme for scheme in self.verify if isinstance(scheme, Token)]
        return not self.verify or any(token.query or (token.field and self.tokens) for token in tokens)

    @property
    def places(self) -> tuple[Single, ...]:
        """Every place where a rule of this source looks for a value. A rule that is not listed here finds nothing."""
        return tuple(single for key in LATE_RULES for single in self.rules[key])

    @cached_property
    def rules(self) -> Mapping[str, tuple[Single, ...]]:
        """Where each key looks for a value, by its name. What no key is listed here for is not kept of a request."""
        spec = self.answers
        return {
            "map": tuple(single for place in self.map.values() for single in split_place(place)),
            "when": self.when,
            "do_not_call": self.do_not_call,
            "consent": (self.consent.place,) if self.consent else (),
            "campaign": tuple(route.when for route in self.routes if route.when),
            "answers": (spec.items, spec.object, spec.value, spec.fields) if spec else (),
            "only": self.only,
            "event_id": (self.event_id,) if self.event_id else (),
        }

    @cached_property
    def reads(self) -> frozenset[Part]:
        """What the rules read of a request: ``("headers", "x-topic")``, ``("query", "page")``."""
        expressions = (each for places in self.rules.values() for each in places if isinstance(each, Expression))
        return frozenset().union(*(each.reads for each in expressions))


@dataclass(frozen=True)
class CloudTasks:
    """How Cloud Tasks delivers: the private function's URL, and the service account as which it is called.

    ``on_cloud_run`` says whether Cloud Run runs this process, which checks tokens itself. ``emulator`` and
    ``firestore`` are the ``host:port`` of stand-ins for Cloud Tasks and Firestore, which are spoken to without TLS.
    """

    on_cloud_run: bool
    deliver_url: str | None
    service_account: str | None
    emulator: str | None
    firestore: str | None


@dataclass(frozen=True, repr=False)
class Settings:
    """The whole configuration. ``stop`` is the dictionary status of opt-outs, for all campaigns.

    ``counts`` is where all processes count events for the sources' limits: DynamoDB's table, or Firestore's database.
    """

    thulium: ThuliumSettings
    phone_region: str
    countries: frozenset[str]
    public_url: str
    queue: str | None
    dead_letter_queue: str | None
    counts: str | None
    cloud_tasks: CloudTasks
    max_age: timedelta
    store: str
    retention: timedelta
    paused: bool
    log_key: Secret
    stop: int | None
    campaigns: Mapping[str, Campaign]
    sources: Mapping[str, Source]

    def requeues(self, campaign: Campaign) -> bool:
        """Return whether records in a campaign are put back to be called, under whichever of the campaign's names."""
        return any(each.id == campaign.id and each.on_existing == "requeue" for each in self.campaigns.values())
