"""How a success is put for senders that want to hear it in a form of their own, or pass it on to the person."""

from collections.abc import Mapping
from http import HTTPStatus

from ringback.web import Response

# Salesforce sends again for a day what is not answered so; the schema of an answer is in its WSDL,
# https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging_wsdl.htm
_SOAP_ACK = b"""<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>
</s:Body></s:Envelope>
"""
REPLIES: Mapping[str, Response] = {
    "soap-ack": Response(200, _SOAP_ACK, {"Content-Type": "text/xml; charset=utf-8"}),
    "empty": Response(200),
}


def reply(success: Response | None, answer: Response) -> Response:
    """Return ``success`` instead of an answer that is one, if the sender wants to hear it so; any other as it is."""
    return success if success and answer.status == HTTPStatus.OK else answer
