"""How the stand-in answers where Thulium's documentation leaves it open."""

from dataclasses import dataclass
from typing import Literal, get_args, get_origin, get_type_hints

Envelope = Literal["result", "bare", "data"]


@dataclass(frozen=True)
class Ways:
    """One choice for each open question; the defaults are the likeliest.

    Lists: ``customers_list`` and ``campaigns_list`` say whether a list comes as ``{count, result}``, bare or in
    ``data``; ``customers_order`` which customer is first; ``unknown_filters`` what an unknown parameter does.
    Searching: ``phone_match`` (``exact`` text, same number in whatever form, ``suffix``, or anywhere in it),
    ``additional_numbers`` (whether a customer's further numbers are searched), ``email_case`` (whether it matters).
    Customers: ``phones_stored`` and ``phones_accepted`` are forms of numbers, ``unique`` names the fields in which no
    two customers may agree (else ``refusal_status``), ``custom_fields`` the names that exist (None: all).
    Rows: ``with_phone_numbers`` says whether a list's show a customer's further numbers; ``ids_as_text`` holds for
    customers and batch records, ``statuses_as_text`` for a batch's ``http_status``.
    Changes: ``put_lists`` says whether a PUT replaces a customer's numbers and addresses or adds to them.
    Batch: ``batch_status`` is the whole call's; ``empty_batch`` what ``{"records": []}`` gets; ``same_customer`` which
    of two records of one customer in one call is told about; ``needs_phone`` whether one without a number FAILs.
    Connections: one that is idle for ``idle_seconds`` is closed.
    """

    customers_list: Envelope = "result"
    campaigns_list: Envelope = "bare"
    customers_order: Literal["oldest", "newest"] = "oldest"
    unknown_filters: Literal["ignored", "refused"] = "ignored"
    phone_match: Literal["exact", "number", "suffix", "contains"] = "number"
    additional_numbers: bool = True
    email_case: bool = False
    phones_stored: Literal["given", "national", "digits", "e164"] = "given"
    phones_accepted: Literal["all", "national", "digits"] = "all"
    create_status: int = 201
    create_reply: Literal["number", "text", "id"] = "number"
    unique: tuple[str, ...] = ()
    refusal_status: int = 400
    custom_fields: tuple[str, ...] | None = None
    with_phone_numbers: bool = True
    email_as: Literal["text", "list"] = "text"
    ids_as_text: bool = False
    statuses_as_text: bool = False
    put_lists: Literal["replace", "append"] = "replace"
    put_status: int = 200
    batch_status: int = 200
    empty_batch: Literal["list", "object", "refused"] = "list"
    same_customer: Literal["first", "last"] = "last"
    existing_record: Literal["refused", "returned"] = "refused"
    needs_phone: bool = False
    idle_seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse a choice that is none: a slip of the pen in a test would else test nothing."""
        for name, kind in get_type_hints(Ways).items():
            if get_origin(kind) is Literal and getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name}: choose one of {', '.join(get_args(kind))}")
