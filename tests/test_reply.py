"""How a success is put."""

from xml.etree import ElementTree as ET

from ringback.verification.reply import REPLIES, reply
from ringback.web import answer_json


def test_answer_without_a_kind_stays_as_it_is() -> None:
    """Most senders read no more than the status."""
    answer = answer_json(200, {"outcomes": []})
    assert reply(None, answer) is answer


def test_success_is_acknowledged_in_soap() -> None:
    """A sender of SOAP hears its own acknowledgement, as XML."""
    answer = reply(REPLIES["soap-ack"], answer_json(200, {"outcomes": []}))
    assert answer.status == 200
    assert answer.headers == {"Content-Type": "text/xml; charset=utf-8"}
    root = ET.fromstring(answer.body)  # noqa: S314 - our own text
    assert root.tag == "{http://schemas.xmlsoap.org/soap/envelope/}Envelope"
    ack = root.find(".//{http://soap.sforce.com/2005/09/outbound}notificationsResponse/*")
    assert ack is not None
    assert (ack.tag, ack.text) == ("{http://soap.sforce.com/2005/09/outbound}Ack", "true")


def test_failure_is_never_acknowledged() -> None:
    """What has to be sent again is not acknowledged, in any form."""
    for status in (401, 422, 503):
        answer = answer_json(status, {"error": "..."})
        assert reply(REPLIES["soap-ack"], answer) is answer
    assert set(REPLIES) == {"soap-ack", "empty"}
