"""Thulium's messages -> the words of them that may be logged: those that say the fault, and none of a person.

A message may echo what was sent, in whatever spelling and escape, or name people that we do not know. So it is
not searched for what is personal: a word stays if it is one of those that such messages are made of.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

LONGEST_MESSAGE = 300  # characters of Thulium's that are looked at
LONGEST_REASON = 200  # characters that are logged
SHORTEST_TELLING = 4  # letters; shorter ones of the words below tell of nobody
MOST_OWN_WORDS = 1000  # of a lead's values

_WORDS = """
a about above accept acceptable accepted access account action activate activated active add added after again agent
agents all allowed already also an and another answer any api are argument arguments as assigned at attempt attempts
authentication authorisation authorization authorized available away back bad batch be because been before being
below belong belongs between blocked body boolean both broken but by call called caller calling calls campaign
campaigns can cannot cause change changed changes channel characters check client closed code column company
complete completed condition configuration configured conflict connect connection consent contact contacts contain
contains content contract correct could count create created creating crm csv current custom customer customers data
database date dates day days deadlock default deferred defined delete deleted denied description detected dictionary
did different digits disabled do does done down due duplicate duplicated duplicates duplication during each either
email empty enabled end ended endpoint entity entries entry error errors even exactly exceed exceeded exceeds
exception exist existing exists expected expired expression external fail failed failure false feature field fields
file filled filter finished first follow following for forbidden format found from full function future gateway
generic get given gone group groups had handle handled has have header headers helpdesk hidden hour hours http id
identical identifier identifiers if ignored in inactive inbound incomplete incorrect index input insert inserted
instead insufficient integer internal into invalid is issue it item items its job json key keys last later least
left length less license limit limits line list loaded local lock locked log login long longer made maintenance
malformed manager many match matches matching maximum media message method minimum minute minutes misconfigured
missing mobile modified module month more most moved much multiple must name named names necessary need needed needs
never new next no non none nonexistent not note nothing now null number numbers numeric object occurred of off on
once one only open operation option or order other out outbound over own page parameter parameters parent parse
parsing part partial password past path pause paused payload pending period permission permissions permitted phone
phones pool position positive possible post preview previous privileges problem process processed processing
progress progressive prohibited properties property protected provided provider put query queue queued quota range
rate reached read reason receive received record records reference referenced refused reject rejected related remote
removed repeated request requested requests require required requires resource response restricted result results
retry return returned right rights row rows rule rules same save saved schedule scheduled schema second seconds see
select send sent separator server service session set shorter should show since size skill skipped so some something
specified start started state status statuses still stop stopped storage store string such supported surname
suspended syntax system table take taken technical telephone temporarily temporary text than that the their them
then there these they thing this throttled time timed timeout times to token too transaction true try type unable
unauthorized unavailable undefined under unexpected unhandled unique unknown unprocessable unsupported until up
update updated upstream url usage use used user username users valid validate validation value values was well went
were what when where which while whole with within without word wrong year yet you your zone assign bearer busy
dialer disposition exhausted hangup html nginx proxy queues recall ringing vip aktywna aktywny agenta bez brak błąd
być danych dla duplikat dodano dodany formacie istnieje już jest kampania kampanii klient klienta lub ma mieć musi
na nazwa nie nieaktywna nieaktywny niedozwolony niepoprawny nieprawidłowa nieprawidłowe nieprawidłowy nieznany numer
numeru odmowa pole pola podano poprawny próbuj pusty rekord rekordu serwera spróbuj statusu telefonu ten tego
usunięty uprawnień w wartość wewnętrzny wymagane wymagany za zablokowany zajęty zbyt zły znaleziono żądania archived
delayed e enqueued mail merged postponed reactivated transferred unsubscribed
"""
WORDS = frozenset(_WORDS.split())
_LETTERS = re.compile(r"[^\W\d_]+")
_COMPOUND = re.compile(r"[^\W\d_]+(?:[-_'][^\W\d_]+)*")
_KEPT_MARKS = re.compile(r"""[^\w\s….,:;!?()'"/<>=-]|\d""")
_GAP = re.compile(r"""…[…\s.,:;!?()'"/<>=_-]*…""")


def scrub(message: str, values: Iterable[object] = ()) -> str:
    """Return what may be logged of ``message``: one line of at most 200 characters, an ellipsis for all else.

    Digits never stay, nor longer words that are among ``values`` (those of the lead, nested ones included).
    """
    if not message:  # as of almost all
        return ""
    own = set(islice(_list_words(values), MOST_OWN_WORDS))

    def keep(found: re.Match[str]) -> str:
        words = {word.casefold() for word in _LETTERS.findall(found[0])}
        return "…" if words - WORDS or {word for word in words & own if len(word) >= SHORTEST_TELLING} else found[0]

    told = _COMPOUND.sub(keep, _KEPT_MARKS.sub("…", message[:LONGEST_MESSAGE]))
    return " ".join(_GAP.sub("…", told).split())[:LONGEST_REASON]


def _list_words(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, Mapping):
            yield from _list_words(value.values())
        elif isinstance(value, list | tuple):
            yield from _list_words(value)
        else:
            yield from (found[0].casefold() for found in _LETTERS.finditer(str(value)))
