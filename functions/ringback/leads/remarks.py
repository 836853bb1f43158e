"""Words around a telephone number: what may stand there, and what forbids to call it. Pure."""

import re

# A word of letters before a number, with a full stop, a colon or a blank behind it: `tel. 601 000 003`, `mąż: 601...`.
_WORDS = re.compile(r"\s*((?:[^\W\d_]+(?:[.:]\s*|\s+)){1,4})(?=[+(\d])")
_REMARK = re.compile(r"\s*\(([^()]*[^\W\d_][^()]*)\)\s*$")  # 601 000 002 (po 17)
_LINK = re.compile(r"\s*(?:tel|p|whatsapp|sms|callto):(?://)?\s*", re.IGNORECASE)  # p: is in Facebook's exports
_BEFORE_HOURS = "po|od|do|o|godz|after|before|from|until|at|nach|ab|bis|vor|um"
_HOUR = re.compile(rf"\b(?:{_BEFORE_HOURS})\.?\s*[0-9]{{1,2}}(?:[:.][0-9]{{2}})?\b")
_LETTERS = re.compile(r"[^\W\d_]+")

_TELEPHONE = """
tel telefon telefonu nr numer kom komórka komorka komórkowy kontakt phone ph mobile mob cell number no handy fon
telefonnummer mobil gsm telefono móvil movil tél téléphone telephone portable тел телефон моб
"""
_MEANS_TELEPHONE = frozenset(_TELEPHONE.split())
# The number is another person's, of another kind, of a former time, or not to be called; or more has to be dialled.
_FORBIDDING = """
nie not no never don dont nicht kein keine nein non ne pas ni ani bez brak without ohne fax faks telefax telefaks
stary stara stare dawny old former alt alte nieaktualny nieaktualne nieaktywny zły błędny wrong falsch
wew wewn wewnętrzny ext extension x int dw durchwahl nebenstelle apparat poste interno klapka linka доб
"""
_FORBIDS = frozenset(_FORBIDDING.split())
_LETTERS_FOR_DIGITS = frozenset("oils")  # O for 0, I and l for 1, S for 5: `O 601 000 001` is no word before a number


def strip_remarks(text: str) -> str:
    """Return a number without the words before it and the remark in brackets behind it, unless they forbid the call.

    ``tel. 601 000 003``, ``whatsapp:+48601000003`` and ``601 000 002 (żona, po 17)`` lose theirs. With a word like
    ``fax`` or ``nie``, or that of an extension, the text stays as it is, and so is refused for its letters.
    """
    words, remark = _WORDS.match(text), _REMARK.search(text)
    if remark and _allows(_HOUR.sub("", remark[1].lower())):
        text = text[: remark.start()]
    if link := _LINK.match(text):
        return text[link.end() :]
    return text[words.end() :] if words and _is_prefix(words[1]) else text


def _is_prefix(words: str) -> bool:
    """Return whether words may stand before a number; one that is not set apart by a blank has to mean telephone."""
    told = _LETTERS.findall(words.lower())
    is_apart = words[-1].isspace() or words.endswith(":") or told[-1] in _MEANS_TELEPHONE
    is_short = len(told) == 1 and told[0] in _LETTERS_FOR_DIGITS
    if {"no", "nr"} & {told[-1]}:  # "No. 601...", "phone no: 601..." mean the number
        told = told[:-1]
    return is_apart and not is_short and _allows(" ".join(told))


def _allows(remark: str) -> bool:
    """Return whether a remark neither forbids the call nor has digits of its own, which may be an extension."""
    return not _FORBIDS & set(_LETTERS.findall(remark)) and not any(map(str.isdecimal, remark))
