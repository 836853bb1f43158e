"""Words of the configuration that stand for something: a time zone, a campaign's id, a country."""

import re
from zoneinfo import ZoneInfo

# Those that phonenumbers knows: importing it for them alone would take longer than reading the configuration.
REGIONS = (
    "AC AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ "
    "FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH "
    "MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK "
    "PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA "
    "TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "
)
# Five characters, says https://api.thulium.com/docs/api, and shows digits alone. It is a part of a URL's path.
CAMPAIGN_ID = re.compile(r"(?!\.{5})[!-.0-~]{5}")


def parse_zone(text: str) -> ZoneInfo:
    """Return the time zone. Raises ValueError."""
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise ValueError("no time zone; write one like Europe/Warsaw") from None


def parse_campaign_id(text: str) -> str:
    """Return a campaign's id, as it is written: `"00001"`, `"A-17b"`. Raises ValueError."""
    if not CAMPAIGN_ID.fullmatch(text):
        raise ValueError('not a campaign id; Thulium\'s are five characters in quotes: "00001"')
    return text


def is_bare_id(word: str) -> bool:
    """Return whether a word that names no campaign of the file is an id: `sales` is a name that was misspelt."""
    return CAMPAIGN_ID.fullmatch(word) is not None and any(map(str.isdigit, word))


def parse_region(text: str) -> str:
    """Return a country's code. Raises ValueError."""
    if text not in REGIONS.split():
        raise ValueError("not a country; write its two letters: PL, DE, GB")
    return text
