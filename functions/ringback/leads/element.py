"""Values that came as XML elements with attributes: ``{"@type": "fax", "#text": "22 123 45 68"}``. Pure.

ADF, in which car dealers' leads come, says by attributes what a part of a name and which of several numbers it is.
"""

TEXT = "#text"
_NAME_PARTS = ("", "first", "middle", "last")  # in the order in which a name is written


def text_of(value: object) -> object:
    """Return the text of an element with attributes, or the texts of a list's. Return any other value as it is."""
    if isinstance(value, list):
        return [text_of(item) for item in value]
    return value[TEXT] if isinstance(value, dict) and TEXT in value else value


def order_names(value: object) -> object:
    """Return the parts of a name in the order in which it is written: ``part="last"`` behind ``part="first"``."""
    if not isinstance(value, list):
        return value
    return sorted(value, key=lambda item: _rank(_read_attribute(item, "@part")))


def drop_faxes(value: object) -> object:
    """Return a list of numbers without those that are of a fax by their ``type``."""
    if not isinstance(value, list):
        return value
    return [item for item in value if _read_attribute(item, "@type") != "fax"]


def _read_attribute(item: object, name: str) -> str:
    return str(item.get(name, "")).lower() if isinstance(item, dict) else ""


def _rank(part: str) -> int:
    return _NAME_PARTS.index(part) if part in _NAME_PARTS else 0
