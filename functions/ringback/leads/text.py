"""Text as people and form tools send it -> text as a customer's card should have it. Pure."""

import html
import re
import unicodedata

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_SLASHED = re.compile(r"""\\(['"])""")
_LINE_ENDS = {"\r\n": "\n", "\r": "\n", "\v": "\n", "\f": "\n", "\x85": "\n", "\u2028": "\n", "\u2029": "\n"}
_LINE_END = re.compile("|".join(_LINE_ENDS))

# Placeholders that a template left unfilled, each as the tools write it.
_TAGS = (
    r"\{\{[^{}]*\}\}",  # {{contact.email}}: HubSpot, GoHighLevel, Zapier, Liquid
    r"\{%[^{}]*%\}",  # {% ... %}: Liquid
    r"\{[A-Za-z_][\w .:-]*\}",  # {Name:1.3}: Gravity Forms, Make
    r"\$\{[^{}]*\}",  # ${name}: JavaScript
    r"\[\[[^\[\]]*\]\]",  # [[name]]
    r"\[[A-Za-z_][\w-]*\]",  # [your-name]: Contact Form 7
    r"\[object Object\]",  # JavaScript's text of an object
    r"\*\|[^|]*\|\*",  # *|FNAME|*: Mailchimp
    r"%[A-Za-z_][\w.-]*%",  # %FIRSTNAME%: ActiveCampaign
    r"<%[^<>]*%>",  # <%= name %>
    r"<<[^<>]*>>",  # <<name>>
    r"undefined",  # JavaScript's text of a missing value
)
_TAG = re.compile("|".join(_TAGS))
_NOTHING_BUT_TAGS = re.compile(rf"(?:(?:{'|'.join(_TAGS)})[\s,;-]*)+")


def clean(text: str, *, keep_lines: bool = False) -> str:
    r"""Return ``text`` as it is checked, compared and sent.

    HTML entities are decoded once (``O&#039;Brien``), quotes lose the backslash that WordPress puts before them
    (``O\'Brien``), look-alikes become their plain form (NFKC), and characters that are not seen are dropped: format
    characters (zero-width space, byte order mark, text direction) and control characters. Blanks are single, and line
    ends are blanks too unless ``keep_lines``.
    """
    text = unicodedata.normalize("NFKC", _SLASHED.sub(r"\1", decode_entities(text)))
    lines = _LINE_END.sub("\n", text).split("\n") if keep_lines else [text]
    return "\n".join(" ".join(drop_unseen(line).split()) for line in lines).strip()


def decode_entities(text: str) -> str:
    """Return a text with its HTML entities decoded, once: ``&amp;lt;`` is ``&lt;``."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def drop_unseen(text: str) -> str:
    """Return a text without format and control characters; those of the latter that are blanks become one."""
    return text if text.isprintable() else "".join(map(_show, text))


def is_unfilled(text: str) -> bool:
    """Return whether a text is nothing but placeholders never filled: ``{{contact.email}}``, ``undefined``."""
    return _NOTHING_BUT_TAGS.fullmatch(text.strip()) is not None


def drop_unfilled(text: str) -> str:
    """Return a name without the words that are unfilled placeholders: ``Jan {{contact.last_name}}`` is ``Jan``."""
    return " ".join(" ".join(" " if _TAG.fullmatch(word) else word for word in _split(text)).split())


def _split(text: str) -> list[str]:
    """Return the words of a text; a placeholder with blanks in it is one word."""
    return re.findall(rf"{'|'.join(_TAGS[:-1])}|\S+", text)


def _show(character: str) -> str:
    """Return a character that is seen, a blank for one that separates words, nothing for any other."""
    kind = unicodedata.category(character)
    if kind == "Cf":
        return ""
    if kind == "Cc":
        return " " if character.isspace() else ""
    return character
