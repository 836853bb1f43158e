"""Which answers to "may we call you" are a yes. Everything else is none."""

import unicodedata

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


def is_yes(value: object) -> bool:
    """Return whether ``value`` is one of the closed list of yes-words (of a list: whether any element is).

    Case, outer spaces, a closing full stop or exclamation mark, and how an accent or an apostrophe is encoded do not
    matter.
    """
    if isinstance(value, list):
        return any(is_yes(item) for item in value)
    if isinstance(value, bool):
        return value
    if not isinstance(value, str | int):
        return False
    text = unicodedata.normalize("NFC", str(value)).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return text.strip().rstrip(".!").rstrip().casefold() in YES
