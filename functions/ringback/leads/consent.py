"""Which answers to "may we call you" are a yes. Everything else is none."""

import json
import re
import unicodedata
from collections.abc import Collection
from enum import Enum

from ringback.leads.element import text_of
from ringback.leads.text import decode_entities, drop_unseen

YES = frozenset(
    {
        *("true", "1", "on", "yes", "y", "checked", "accepted", "accept", "i accept", "agree", "agreed", "i agree"),
        *("granted", "i consent"),
        *("tak", "zgoda", "zgadzam się", "wyrażam zgodę", "akceptuję"),
        *("ja", "einverstanden", "ich stimme zu", "ich bin einverstanden", "ich akzeptiere"),
        *("oui", "d'accord", "je suis d'accord", "j'accepte"),
        *("si", "sí", "acepto", "de acuerdo", "estoy de acuerdo"),
    }
)
HIDDEN_PAIRS = (["0", "1"], ["false", "true"], ["off", "on"])  # of a hidden field and, behind it, the ticked box

# The text of a box that was ticked is a yes where it agrees to be called: `Wyrażam zgodę na kontakt telefoniczny`.
_OPENINGS = (
    *("wyrażam zgodę", "zgadzam się", "zgoda na", "akceptuję", "proszę o", "tak"),
    *("i agree", "i consent", "i accept", "agree to", "yes", "please call", "please contact"),
    *("ich stimme zu", "ich bin einverstanden", "ich willige", "einverstanden", "ja", "bitte"),
    *("j'accepte", "je suis d'accord", "oui", "acepto", "estoy de acuerdo", "sí"),
)
_CALLS = re.compile(
    r"\b(?:telefon|dzwoni|zadzwo|oddzwo|rozmow|phone|telephone|call|ring|anruf|angerufen|téléphon|appel|llam)"
)
_CONTACTS = re.compile(r"\b(?:kontakt|contact)")
_OTHER_CHANNELS = re.compile(r"\b(?:e-?mail|mail|newsletter|sms|whatsapp|poczt|post)")
_REFUSALS = """
nie not no never don dont nicht kein keine ne pas ni bez without ohne tylko only nur jedynie wyłącznie ale but aber
oprócz except außer poza brak odmawiam cofam wycofuję withdraw widerrufe sprzeciw
"""
_REFUSES = frozenset(_REFUSALS.split())
_WORDS = re.compile(r"[^\W\d_]+")


class Answer(Enum):
    """What one answer says: yes to calls, no, or something else that was asked beside."""

    YES = "yes"
    NO = "no"
    BESIDE = "beside"


def is_yes(value: object, own: Collection[str] = ()) -> bool:
    """Return whether ``value`` is a yes: a word of the closed list, a sentence that agrees to be called, or a true.

    With ``own``, the texts that a sender's yes has, those alone are. Of several answers one has to be a yes, and none a
    no, but for what a form's hidden field puts before the ticked box (``0`` then ``1``). Case, outer blanks, a closing
    full stop or exclamation mark, and how characters are encoded do not matter.
    """
    return judge(value, frozenset(map(_plain, own))) is Answer.YES


def judge(value: object, own: Collection[str]) -> Answer:
    """Return what an answer says; ``own`` are the texts of a yes, in their plain form."""
    value = text_of(value)
    if isinstance(value, str) and value.strip()[:1] == "[":
        value = _unpack(value)
    if isinstance(value, list):
        return _judge_all([item for item in value if item not in (None, "")], own)
    if isinstance(value, bool) and not own:
        return Answer.YES if value else Answer.NO
    return _judge_text(_plain(str(value)), own) if isinstance(value, str | int) else Answer.NO


def _judge_all(items: list[object], own: Collection[str]) -> Answer:
    if [str(item).lower() for item in items] in HIDDEN_PAIRS and not own:
        return Answer.YES
    said = {judge(item, own) for item in items}
    return Answer.YES if Answer.YES in said and Answer.NO not in said else Answer.NO


def _judge_text(text: str, own: Collection[str]) -> Answer:
    if own:
        return Answer.YES if text in own else Answer.NO if _is_refusal(text) else Answer.BESIDE
    if text in YES:
        return Answer.YES
    if _is_refusal(text) or not any(re.match(rf"{opening}\b", text) for opening in _OPENINGS):
        return Answer.NO
    is_contact = _CONTACTS.search(text) and not _OTHER_CHANNELS.search(text)
    return Answer.YES if _CALLS.search(text) or is_contact else Answer.BESIDE


def _is_refusal(text: str) -> bool:
    return bool(_REFUSES & set(_WORDS.findall(text))) or text in ("0", "false", "off")


def _plain(text: str) -> str:
    shown = drop_unseen(decode_entities(text)).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    plain = unicodedata.normalize("NFC", " ".join(shown.split()))  # not NFKC: a circled 1 is no yes
    return plain.rstrip(".,!").rstrip().casefold()


def _unpack(text: str) -> object:
    """Return the list in a text of JSON, as Power Automate sends an answer of several choices; else the text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, list) else text


def forbids_call(value: object) -> bool:
    """Return whether a field by which a sender says "do not call" says so: all does but a plain no, or nothing."""
    told = text_of(value)
    items = told if isinstance(told, list) else [told]
    return any(str(item).strip().lower() not in ("", "none", "false", "0", "no", "nie", "off", "n") for item in items)
