"""A write that was not answered may still come: nobody is called who said stop meanwhile, and nobody is made twice."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from ringback.app import App
from ringback.event import Again, Done, Event, Verdict
from ringback.outcome import Outcome, Status
from ringback.pipeline import Pipeline
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqlite.worker import Way
from ringback.settings import Settings
from ringback.web import Request, Response
from tests.given import SECRET
from tests.late_writes import LATEST, SILENT, Time, open_thulium, play
from tests.leads import NOW, configure, follow, make_event, read_statuses
from tests.sandbox import Fault, Sandbox, faults
from tests.working import work_off

ADA = {"phone_number": "601000001", "email": "ada@example.com"}
REQUEUE: dict[str, Any] = {"callbacks": {"on_existing": "requeue"}}
AGAIN = "stopped; looked at once more in 40 s"
each_silence = pytest.mark.parametrize("fault", SILENT, ids=lambda fault: f"{fault.wire} {fault.status}")


@pytest.fixture
def time() -> Time:
    """The clock of all of them."""
    return Time()


@pytest.fixture
def thulium(time: Time) -> Iterator[Sandbox]:
    """A Thulium that goes by the clock, with one person who is in the campaign and comes again."""
    with open_thulium(time) as sandbox:
        sandbox.add_campaign("00001")
        sandbox.add_campaign("00002")
        yield sandbox


@pytest.fixture
def ada(thulium: Sandbox) -> int:
    """Somebody who is in the campaign, and may be put back."""
    thulium.add_customer(441, surname="Lis", **ADA)
    thulium.put_record("00001", 441, status_id=9)
    return 441


def is_called(thulium: Sandbox, time: Time) -> bool:
    """Return whether anybody is to be called, once all that may come has come."""
    time.now += timedelta(minutes=1)
    thulium.catch_up()
    return any(record["system_status"] != "NO_CALL" for record in thulium.records("00001"))


def requeue_late(thulium: Sandbox, pipeline: Pipeline, fault: Fault = SILENT[0]) -> None:
    """Have a lead put back by a change that is not answered, and is carried out later."""
    thulium.fail("change", faults.later(LATEST, fault))
    (verdict,) = pipeline.deliver([make_event(**ADA)], NOW)
    assert verdict.outcome.status == Status.DEFERRED


def deliver_at(time: Time, pipeline: Pipeline, event: Event, at: datetime, attempt: int = 1) -> Verdict:
    """Let the time pass, deliver an event, and return the verdict on it."""
    time.now = at
    (verdict,) = pipeline.deliver([replace(event, attempt=attempt)], at)
    return verdict


def finish(time: Time, settings: Settings, event: Event, at: datetime = NOW) -> list[Verdict]:
    """Have an event tried until it is done, each time in a process of its own; return what came of each try."""
    verdicts = [deliver_at(time, Pipeline(settings), event, at)]
    while isinstance(verdicts[-1], Again):
        at = verdicts[-1].at
        verdicts.append(deliver_at(time, Pipeline(settings), event, at, len(verdicts) + 1))
    return verdicts


# An opt-out after a requeue that was not answered: in another process


@each_silence
def test_stop_is_looked_at_once_more(
    thulium: Sandbox, time: Time, ada: int, fault: Fault, lines: list[dict[str, Any]]
) -> None:
    """A requeue that comes after the stop is undone by its next look, which is then not the last."""
    settings = configure(thulium, **REQUEUE)
    requeue_late(thulium, Pipeline(settings), fault)
    told = [(each.outcome.status, each.outcome.reason) for each in finish(time, settings, make_event("optout", **ADA))]
    assert told == [(Status.DEFERRED, AGAIN), (Status.DEFERRED, AGAIN), (Status.STOPPED, None)]
    assert time.now - NOW == timedelta(seconds=80)
    assert (thulium.record("00001", ada) or {})["status_id"] == 6
    assert not is_called(thulium, time)
    assert not [line for line in lines if line["event"] == "stop.undone"]


def test_second_look_is_the_last_if_it_changes_nothing(thulium: Sandbox, ada: int) -> None:
    """A stop that nobody undoes is read back when it is made, and once more: four calls, then two."""
    stop = make_event("optout", customer_id=ada)
    (first, second) = follow(configure(thulium, **REQUEUE), stop)
    assert [(first.status, first.reason), (second.status, second.reason)] == [("DEFERRED", AGAIN), ("STOPPED", None)]
    assert thulium.counts == {"batch": 2, "record": 3, "change": 1}


@pytest.mark.parametrize("status_id", [None, 3, 6])
def test_first_look_is_never_the_last(thulium: Sandbox, time: Time, status_id: int | None) -> None:
    """Whoever is not in the campaign, is to be called, or is stopped already, is looked at twice."""
    thulium.add_customer(441, surname="Lis", **ADA)
    if status_id:
        thulium.put_record("00001", 441, status_id=status_id)
    outcomes = follow(configure(thulium, **REQUEUE), make_event("optout", **ADA))
    assert read_statuses(outcomes) == ["DEFERRED", "STOPPED"]
    assert not is_called(thulium, time)


def test_stranger_is_looked_for_twice(thulium: Sandbox, time: Time) -> None:
    """A lead whose creation comes after the stop is stopped by the second look, by whatever it is known."""
    settings = configure(thulium, **REQUEUE)
    thulium.fail("create", faults.later(LATEST, SILENT[0]))
    lead, stop = make_event(**ADA), make_event("optout", email="ada@example.com")
    later = deliver_at(time, Pipeline(settings), lead, NOW)
    first = deliver_at(time, Pipeline(settings), stop, NOW)
    assert isinstance(later, Again)
    assert deliver_at(time, Pipeline(settings), lead, later.at, 2).outcome.status == "ADDED"
    assert isinstance(first, Again)
    assert follow(settings, replace(stop, attempt=2), first.at)[-1].status == "STOPPED"
    assert not is_called(thulium, time)


def test_campaign_that_keeps_records_is_not_looked_at(thulium: Sandbox, ada: int) -> None:
    """Where no record is put back, no change can undo a stop: it is done with the first try."""
    assert read_statuses(follow(configure(thulium), make_event("optout", customer_id=ada))) == ["STOPPED"]
    assert thulium.counts == {"batch": 1, "change": 1}


def test_campaign_that_requeues_under_another_name(thulium: Sandbox, ada: int) -> None:
    """A stop of a campaign under one name is looked at twice if the campaign requeues under another one."""
    again = {"again": {"id": "00001", "on_existing": "requeue", "set": {"status_id": 3}}}
    settings = configure(thulium, campaigns=again, sources={"optout": {"campaign": ["callbacks"]}})
    assert read_statuses(follow(settings, make_event("optout", customer_id=ada))) == ["DEFERRED", "STOPPED"]


@pytest.mark.parametrize("call", ["search", "batch", "record", "change"])
def test_tries_that_fail_in_between(thulium: Sandbox, time: Time, ada: int, call: str) -> None:
    """A try that failed is none of the two looks: of those that did not, the last has changed nothing."""
    settings = configure(thulium, **REQUEUE)
    requeue_late(thulium, Pipeline(settings))
    thulium.fail(call, faults.error(503), times=4)
    assert finish(time, settings, make_event("optout", **ADA))[-1].outcome.status == "STOPPED"
    assert not is_called(thulium, time)


def test_record_that_a_failed_try_has_added(thulium: Sandbox, time: Time) -> None:
    """A look that finds what the try before may have added is no second look: a lead's creation may still come."""
    settings = configure(thulium, **REQUEUE)
    thulium.fail("create", faults.later(LATEST, SILENT[0]))
    lead = make_event(**ADA)
    later = deliver_at(time, Pipeline(settings), lead, NOW)
    thulium.fail("batch", faults.later(0.1, SILENT[0]))
    assert finish(time, settings, make_event("optout", email="ada@example.com"))[-1].outcome.status == "STOPPED"
    assert isinstance(later, Again)
    assert deliver_at(time, Pipeline(settings), lead, time.now, 2).outcome.status == "SKIPPED"
    assert not is_called(thulium, time)


def test_record_is_stopped_although_the_batch_fails(thulium: Sandbox, time: Time, ada: int) -> None:
    """Nobody is called for 40 seconds because one call of a stop has failed: the record is looked at all the same."""
    thulium.fail("batch", faults.error(503))
    first, *_, last = finish(time, configure(thulium, **REQUEUE), make_event("optout", customer_id=ada))
    assert [(each.outcome.status, each.outcome.reason) for each in (first, last)] == [
        ("DEFERRED", AGAIN),
        ("STOPPED", None),
    ]
    assert thulium.counts["change"] == 1


def test_stranger_whose_record_can_not_be_added(thulium: Sandbox) -> None:
    """Where there is no record none is changed, and the reason is that of the call that has failed."""
    thulium.add_customer(441, surname="Lis", **ADA)
    thulium.fail("batch", faults.error(503))
    (verdict,) = Pipeline(configure(thulium, **REQUEUE)).deliver([make_event("optout", customer_id=441)], NOW)
    assert (verdict.outcome.status, verdict.outcome.http_status) == ("DEFERRED", 503)
    assert "change" not in thulium.counts


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_added_is_looked_at_again(thulium: Sandbox, time: Time, is_known: bool) -> None:  # noqa: FBT001
    """A try that adds the record is followed by another one, however many have failed before it."""
    if is_known:
        thulium.add_customer(441, surname="Lis", **ADA)
    thulium.fail("search", faults.error(503), times=4)
    verdicts = finish(time, configure(thulium, **REQUEUE), make_event("optout", **ADA))
    assert [each.outcome.reason for each in verdicts][-2:] == [AGAIN, None]


def test_what_may_have_been_added_is_looked_at_again(thulium: Sandbox, ada: int) -> None:
    """A record that is found stopped when adding it has failed may have been added just now."""
    thulium.put_record("00001", ada, status_id=6)
    thulium.fail("batch", faults.error(503))
    stop = replace(make_event("optout", customer_id=ada), attempt=2)
    assert [each.reason for each in follow(configure(thulium, **REQUEUE), stop)] == [AGAIN, None]


def test_stop_of_nobody(thulium: Sandbox) -> None:
    """An id that Thulium does not know has failed for good, where records are put back too."""
    assert read_statuses(follow(configure(thulium, **REQUEUE), make_event("optout", customer_id=441))) == ["FAILED"]


def test_stop_that_could_not_be_searched_is_tried_soon(thulium: Sandbox, ada: int) -> None:
    """As long as nothing was changed there is nothing to wait for: the person may be called until it is."""
    thulium.fail("search", faults.error(503), times=None)
    (verdict,) = Pipeline(configure(thulium, **REQUEUE)).deliver([make_event("optout", **ADA)], NOW)
    assert isinstance(verdict, Again)
    assert verdict.at - NOW <= timedelta(seconds=5)  # and not in 40


@pytest.mark.parametrize("fault", [faults.error(503), faults.error(403)])
def test_record_that_can_not_be_read_is_stopped_all_the_same(thulium: Sandbox, ada: int, fault: Fault) -> None:
    """A record is given the stop's status also while Thulium does not show it; the stop is done when it does."""
    thulium.fail("record", fault, times=2)
    outcomes = follow(configure(thulium, **REQUEUE), make_event("optout", customer_id=ada))
    assert (outcomes[0].status, outcomes[0].http_status) == ("DEFERRED", fault.status)
    assert thulium.calls("change")
    assert read_statuses(outcomes[1:]) == ["STOPPED"]


def test_change_that_fails_is_made_again_at_once(thulium: Sandbox, time: Time, ada: int) -> None:
    """A hiccup costs a stop nothing: the record is read, and changed once more in the same try."""
    thulium.fail("change", faults.error(503))
    (verdict,) = Pipeline(configure(thulium, **REQUEUE)).deliver([make_event("optout", customer_id=ada)], NOW)
    assert (verdict.outcome.status, thulium.counts["change"]) == ("DEFERRED", 2)
    assert not is_called(thulium, time)


def test_record_that_stays_as_it_is(thulium: Sandbox, ada: int, lines: list[dict[str, Any]]) -> None:
    """A stop that Thulium confirms and does not show is not done, and raises the alarm after an hour."""
    thulium.fail("change", faults.says("", work=False), times=None)
    stop = make_event("optout", customer_id=ada)
    (verdict,) = Pipeline(configure(thulium, **REQUEUE)).deliver([stop], NOW + timedelta(hours=2))
    assert (verdict.outcome.status, verdict.outcome.reason) == (
        "DEFERRED",
        "Thulium does not show the record as stopped",
    )
    assert [line["reason"] for line in lines if line["event"] == "stop.undone"] == [verdict.outcome.reason]


def test_stop_of_the_dictionary_is_read_by_its_own_id(thulium: Sandbox, ada: int) -> None:
    """A record shows the id that the dictionary's status has in its campaign."""
    settings = configure(thulium, callbacks={"on_existing": "requeue", "stop": {}}, stop={"dictionary_status_id": 3})
    outcomes = follow(settings, make_event("optout", customer_id=ada))
    assert read_statuses(outcomes) == ["DEFERRED", "STOPPED"]
    assert thulium.counts["change"] == 1


def test_second_look_that_no_queue_would_see(thulium: Sandbox, ada: int, lines: list[dict[str, Any]]) -> None:
    """An opt-out that no queue would keep until its second look is done with the first."""
    stop = make_event("optout", customer_id=ada)
    (verdict,) = Pipeline(configure(thulium, **REQUEUE)).deliver([stop], NOW + timedelta(days=13))
    assert isinstance(verdict, Done)
    assert verdict.outcome.status == "STOPPED"
    assert not [line for line in lines if line["event"] == "stop.undone"]


def test_requeue_whose_look_took_long_puts_nothing_back(thulium: Sandbox, ada: int) -> None:
    """A record is changed within the time of one call after it was looked at, or looked at again."""
    thulium.slow(0.25, "record")
    settings = configure(thulium, access={"timeout": 0.3}, **REQUEUE)
    thulium.fail("change", Fault(work=True, wait=0.2))
    (verdict,) = Pipeline(settings).deliver([make_event(customer_id=ada)], NOW)
    assert (verdict.outcome.status, verdict.outcome.reason) == ("DEFERRED", "no answer in time")


# In direct mode


def post(app: App, source: str, data: dict[str, str]) -> Response:
    """Return an app's answer to an event."""
    headers = {"x-api-key": SECRET, "content-type": "application/json"}
    return app.handle(Request("POST", f"/{source}", "", headers, json.dumps(data).encode()))


def configure_direct(thulium: Sandbox, answer_within: float = 2, **top: Any) -> Settings:
    """Return the settings of senders who do not wait for long."""
    return configure(thulium, sources={name: {"answer_within": answer_within} for name in ("website", "optout")}, **top)


@each_silence
def test_stop_in_the_same_process(thulium: Sandbox, time: Time, ada: int, fault: Fault) -> None:
    """An opt-out is carried out at once, and not confirmed before the requeue has come that may come."""
    app = App(configure_direct(thulium, **REQUEUE), clock=lambda: time.now)
    thulium.fail("change", faults.later(LATEST, fault))
    thulium.fail("record", faults.error(503), after=1)  # so that the lead does not try again by itself
    assert post(app, "website", ADA).status == 503
    thulium.heal()
    answer = post(app, "optout", ADA)
    (told,) = json.loads(answer.body)["outcomes"]
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert (told["status"], told["message"]) == (
        "DEFERRED",
        "a write about the same person was not answered, and may still come",
    )
    assert (thulium.record("00001", ada) or {})["status_id"] == 6
    time.now += timedelta(seconds=30)
    assert post(app, "optout", ADA).status == 200
    assert not is_called(thulium, time)


def test_stop_of_somebody_else_is_not_held_up(thulium: Sandbox, time: Time, ada: int) -> None:
    """A doubt is about one person in one campaign."""
    pipeline = Pipeline(configure(thulium))
    thulium.add_customer(442, surname="Mak", phone_number="601000002")
    requeue_late(thulium, Pipeline(configure(thulium, **REQUEUE)))
    assert read_statuses(follow(pipeline, make_event("optout", customer_id=442))) == ["STOPPED"]


def test_stop_is_looked_at_again_as_long_as_the_sender_waits(thulium: Sandbox, ada: int) -> None:
    """Without a queue the second look comes within the request, when half of the sender's time is over."""
    pipeline = Pipeline(configure(thulium, **REQUEUE))
    stop = make_event("optout", customer_id=ada)
    (first,) = pipeline.deliver([stop], NOW, monotonic() + 8)
    (second,) = pipeline.deliver([replace(stop, attempt=2)], NOW, monotonic() + 4)
    assert isinstance(first, Again)
    assert timedelta(seconds=3) < first.at - NOW <= timedelta(seconds=4)
    assert (first.outcome.reason, second.outcome.status) == ("stopped; looked at once more in 4 s", "STOPPED")


@pytest.mark.parametrize(("attempt", "status_id", "status"), [(1, 9, "STOPPED"), (2, 6, "STOPPED"), (2, 9, "DEFERRED")])
def test_stop_whose_sender_has_no_time(thulium: Sandbox, ada: int, attempt: int, status_id: int, status: str) -> None:
    """Where no time is left a stop is done with its first look, but not with a later one that had to change it."""
    thulium.put_record("00001", ada, status_id=status_id)
    stop = replace(make_event("optout", customer_id=ada), attempt=attempt)
    (verdict,) = Pipeline(configure(thulium, **REQUEUE)).deliver([stop], NOW, monotonic() + 2)
    assert verdict.outcome.status == status


def test_stop_that_fails_is_tried_soon_while_its_sender_waits(thulium: Sandbox, ada: int) -> None:
    """What can't be confirmed within the request is tried again as soon as anything else."""
    thulium.fail("record", faults.error(503), times=None)
    stop = make_event("optout", customer_id=ada)
    (verdict,) = Pipeline(configure(thulium, **REQUEUE)).deliver([stop], NOW, monotonic() + 8)
    assert isinstance(verdict, Again)
    assert verdict.at - NOW <= timedelta(seconds=5)  # and not in 40


def test_stop_on_a_cloud_has_a_deadline_and_a_further_try(thulium: Sandbox, ada: int) -> None:
    """With a queue the second look is a further try, also where the platform ends a delivery at some time."""
    queue = "sqs:https://sqs.eu-central-1.amazonaws.com/1/leads.fifo"
    settings = configure(thulium, queue=queue, dead_letter_queue=queue, **REQUEUE)
    (verdict,) = Pipeline(settings).deliver([make_event("optout", customer_id=ada)], NOW, monotonic() + 60)
    assert isinstance(verdict, Again)
    assert verdict.at - NOW == timedelta(seconds=40)


# A customer who may have been made


@each_silence
def test_creation_in_doubt_is_searched_when_it_has_settled(thulium: Sandbox, time: Time, fault: Fault) -> None:
    """A customer whose creation was not answered is not made again before it can't come any more."""
    settings, lead = configure(thulium), make_event(**ADA)
    thulium.fail("create", faults.later(LATEST, fault))
    first = deliver_at(time, Pipeline(settings), lead, NOW)
    assert isinstance(first, Again)
    assert first.at - NOW == timedelta(seconds=30)
    second = deliver_at(time, Pipeline(settings), lead, first.at, 2)  # in another process, which knows of nothing
    assert (second.outcome.status, len(thulium.customers), thulium.counts["create"]) == ("ADDED", 1, 1)


@each_silence
def test_creation_that_never_comes_is_made_again(thulium: Sandbox, time: Time, fault: Fault) -> None:
    """Who was not found when a creation had settled is made, once."""
    thulium.fail("create", fault if not fault.work else replace(fault, work=False))
    outcomes = follow(configure(thulium), make_event(**ADA))
    assert read_statuses(outcomes) == ["DEFERRED", "ADDED"]
    assert (len(thulium.customers), thulium.counts["create"]) == (1, 2)


@pytest.mark.parametrize("fault", [faults.error(429), faults.redirect("http://127.0.0.1:9/")])
def test_creation_that_was_refused_for_now(thulium: Sandbox, fault: Fault) -> None:
    """A creation that Thulium has not begun is made again soon."""
    thulium.fail("create", fault)
    (verdict,) = Pipeline(configure(thulium)).deliver([make_event(**ADA)], NOW)
    assert isinstance(verdict, Again)
    assert verdict.at - NOW <= timedelta(seconds=5)  # and not in 40


@pytest.mark.parametrize("call", ["create", "change"])
def test_refusal_leaves_no_doubt(thulium: Sandbox, ada: int, call: str) -> None:
    """What Thulium has refused will not come: nobody waits for it."""
    pipeline = Pipeline(configure(thulium, **REQUEUE))
    person = ADA if call == "change" else {"phone_number": "601000002"}
    thulium.fail(call, faults.error(429))
    assert pipeline.deliver([make_event(**person)], NOW)[0].outcome.status == "DEFERRED"
    (verdict,) = pipeline.deliver([replace(make_event("optout", **person), attempt=2)], NOW)
    assert (verdict.outcome.status, verdict.outcome.reason) == ("DEFERRED", AGAIN)


@pytest.mark.parametrize("known", [{"phone_number": "601000001"}, {"email": "ada@example.com"}])
def test_other_event_of_whom_is_being_made(thulium: Sandbox, time: Time, known: dict[str, str]) -> None:
    """Another event of the same person, in the same process, waits until it is known whether they are there."""
    pipeline = Pipeline(configure(thulium))
    thulium.fail("create", faults.later(LATEST, SILENT[0]))
    deliver_at(time, pipeline, make_event(**ADA), NOW)
    other = make_event(**{"phone_number": "601000009", **known})
    verdict = deliver_at(time, pipeline, other, NOW + timedelta(seconds=10))
    assert (verdict.outcome.status, thulium.counts["create"]) == ("DEFERRED", 1)
    assert isinstance(verdict, Again)
    assert timedelta(seconds=30) <= verdict.at - NOW < timedelta(seconds=31)
    assert deliver_at(time, pipeline, other, verdict.at, 2).outcome.status == "ADDED"
    assert len(thulium.customers) == 1


def test_stop_of_whom_is_being_made(thulium: Sandbox, time: Time) -> None:
    """An opt-out makes no customer, and is not confirmed, before it is known whether a lead has made them."""
    pipeline = Pipeline(configure(thulium))
    thulium.fail("create", faults.later(LATEST, SILENT[0]))
    lead, stop = make_event(**ADA), make_event("optout", email="ada@example.com")
    later = deliver_at(time, pipeline, lead, NOW)
    first = deliver_at(time, pipeline, stop, NOW)
    assert (first.outcome.status, thulium.customers) == ("DEFERRED", [])
    assert isinstance(later, Again)
    assert isinstance(first, Again)
    assert deliver_at(time, pipeline, lead, later.at, 2).outcome.status == "ADDED"
    assert deliver_at(time, pipeline, stop, first.at, 2).outcome.status == "STOPPED"
    assert (len(thulium.customers), is_called(thulium, time)) == (1, False)


def test_stop_of_a_number_that_may_still_be_added(thulium: Sandbox, time: Time) -> None:
    """An opt-out by a number waits for a change that may give the number to somebody who is called."""
    pipeline = Pipeline(configure(thulium))
    thulium.add_customer(441, surname="Lis", email="ada@example.com")
    thulium.put_record("00001", 441, status_id=3)
    thulium.fail("update", faults.later(LATEST, SILENT[0]))
    deliver_at(time, pipeline, make_event(**ADA), NOW)
    stop = make_event("optout", phone_number="601000001")
    first = deliver_at(time, pipeline, stop, NOW)
    assert (first.outcome.status, len(thulium.customers)) == ("DEFERRED", 1)
    assert isinstance(first, Again)
    assert deliver_at(time, pipeline, stop, first.at, 2).outcome.status == "STOPPED"
    assert not is_called(thulium, time)


@pytest.mark.parametrize("is_known", [True, False])
def test_record_that_may_still_be_added(thulium: Sandbox, time: Time, is_known: bool) -> None:  # noqa: FBT001
    """A batch that is carried out after a stop finds the record there: no opt-out waits for one."""
    pipeline = Pipeline(configure(thulium))
    if is_known:
        thulium.add_customer(441, surname="Lis", **ADA)
    lead = make_event(**ADA)
    thulium.fail("batch", faults.later(LATEST, SILENT[0]))
    deliver_at(time, pipeline, lead, NOW)
    assert deliver_at(time, pipeline, make_event("optout", **ADA), NOW).outcome.status == "STOPPED"
    assert not is_called(thulium, time)
    assert read_statuses(follow(pipeline, lead, time.now)) == ["ALREADY_EXISTS"]


def test_clock_that_goes_back(thulium: Sandbox, time: Time) -> None:
    """Where the wall's clock is put back nobody waits for the difference."""
    pipeline, ahead = Pipeline(configure(thulium)), NOW + timedelta(hours=3)
    thulium.fail("create", faults.later(LATEST, SILENT[0]))
    deliver_at(time, pipeline, make_event(**ADA), ahead)
    verdict = deliver_at(time, pipeline, make_event(**ADA), NOW)
    assert isinstance(verdict, Again)
    assert verdict.at - NOW <= timedelta(seconds=30)


# Whatever comes together


def test_two_workers_on_one_file(thulium: Sandbox, time: Time, ada: int, tmp_path: Path) -> None:
    """Through SQLite, with two workers: the stop ends STOPPED with its last look, and the person is not called."""
    settings = configure(thulium, **REQUEUE)
    queue, told = SqliteQueue(str(tmp_path / "ringback.db")), list[tuple[str, Status]]()

    def report(event: Event, outcome: Outcome, _: float) -> None:
        told.append((event.source, outcome.status))

    ways = [Way(Pipeline(settings).deliver, report=report) for _ in range(2)]
    thulium.fail("change", faults.later(LATEST, SILENT[0]))
    thulium.fail("record", faults.error(503), after=1, times=1)  # so that the lead does not find itself put back
    queue.put([make_event(**ADA)], time.now)
    work_off(queue, ways[0], lambda: time.now)
    queue.put([make_event("optout", **ADA)], time.now)
    for second in range(130):
        time.now = NOW + timedelta(seconds=second)
        work_off(queue, ways[second % 2], lambda: time.now)
    queue.close()
    assert [status for source, status in told if source == "optout"] == ["DEFERRED", "DEFERRED", "STOPPED"]
    assert [status for source, status in told if source == "website"][-1] == "SKIPPED"
    assert not is_called(thulium, time)


SEEDS = (50062, 0, 2, 7, 21, 25, 28, 30, 31, 41, 51, 57, 63, 70, 85, 91, 109, 114, 117)  # which once found something


@pytest.mark.parametrize("seed", SEEDS)
def test_any_round(seed: int) -> None:
    """Leads, requeues and opt-outs in two processes, with writes that come late: nobody is called who said stop.

    Once all events are final and all late writes are carried out, nobody has two records to be called, and who was
    one lead is one customer. ``python -m tests.late_writes 1000`` plays more of it.
    """
    time = Time()
    with open_thulium(time) as thulium:
        wrongs, _ = play(seed, thulium, time, configure(thulium, **REQUEUE))
    assert wrongs == []
