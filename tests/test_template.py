"""template.yaml and the code hold together: handlers, environment, times, rights, and what is counted in the log."""

import importlib
import inspect
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringback import log
from ringback.app import build
from ringback.delivery.backoff import next_try
from ringback.direct import LONGEST
from ringback.hosts.keeper import SETTLING
from ringback.outcome import Status
from ringback.queues.message import LONGEST_REASON
from ringback.queues.sqs import LARGEST, MOST, SqsQueue
from tests.events import NOW, again, done, make_event
from tests.given import LOG_KEY
from tests.programs import run

SECONDS_TO_SPARE = 5  # between the longest wait of a sender and the end that the platform puts to a request
Properties = dict[str, Any]


class Cloudformation(yaml.SafeLoader):
    """Reads CloudFormation's short forms: ``!Ref x`` and ``!Sub x`` as x, ``!GetAtt x.y`` as x.y."""


def read_short_form(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


Cloudformation.add_multi_constructor("!", read_short_form)


def read(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load((root / "template.yaml").read_text(), Loader=Cloudformation)  # noqa: S506 - a SafeLoader
    return content


@pytest.fixture(scope="module")
def template(root: Path) -> dict[str, Any]:
    return read(root)


def of_type(template: dict[str, Any], kind: str) -> dict[str, Properties]:
    """Return the properties of all resources of a type, by their names."""
    resources = template["Resources"].items()
    return {name: each["Properties"] for name, each in resources if each["Type"] == kind}


@pytest.fixture(scope="module")
def functions(template: dict[str, Any]) -> dict[str, Properties]:
    """The functions, with what is said once for all of them."""
    common = template["Globals"]["Function"]
    shared = common["Environment"]["Variables"]
    return {
        name: {**common, **each, "Environment": {"Variables": {**shared, **each["Environment"]["Variables"]}}}
        for name, each in of_type(template, "AWS::Serverless::Function").items()
    }


@pytest.fixture(scope="module")
def queues(template: dict[str, Any]) -> dict[str, Properties]:
    return of_type(template, "AWS::SQS::Queue")


# --- the functions ---


def test_handlers_exist(functions: dict[str, Properties]) -> None:
    """Each function of the template names a function that takes an event and a context."""
    assert functions.keys() == {"WebhookFunction", "DeliverFunction"}
    for properties in functions.values():
        module, _, name = properties["Handler"].partition(".")
        handler = getattr(importlib.import_module(module), name)
        assert len(inspect.signature(handler).parameters) == 2


def test_variables_are_read(functions: dict[str, Properties], root: Path) -> None:
    """Each environment variable that the template sets is one that the code reads."""
    code = "".join(path.read_text() for path in (root / "functions").rglob("*.py"))
    for properties in functions.values():
        for name in properties["Environment"]["Variables"]:
            assert f'"{name}"' in code


def test_environment_opens_the_queue(functions: dict[str, Properties], tmp_path: Path) -> None:
    """With the environment of the template the code opens both queues, whatever the file says of a queue."""
    config = {"thulium": {"url": "https://x", "user": "u", "password": "p"}, "log_key": LOG_KEY, "sources": {}}
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    urls = {"Queue": "https://sqs/1/leads.fifo", "DeadLetters": "https://sqs/1/letters.fifo"}
    for properties in functions.values():
        given = {name: re.sub(r"\$?{?([A-Z]\w+)}?", lambda found: urls.get(found[1], found[1]), value)
                 for name, value in properties["Environment"]["Variables"].items()}  # fmt: skip
        queue = build({**given, "RINGBACK_CONFIG": str(tmp_path / "config.yaml")}).queue
        assert isinstance(queue, SqsQueue)
        assert vars(queue)["_url"] == urls["Queue"]
        assert vars(queue)["_dead_letters"] == urls["DeadLetters"]


def test_public_function_can_not_know_the_password(functions: dict[str, Properties]) -> None:
    """The function that delivers reads two secrets; the public one reads the first, and counts for the limits."""
    webhook, deliver = (functions[name]["Environment"]["Variables"] for name in ("WebhookFunction", "DeliverFunction"))
    assert webhook["RINGBACK_SECRET_ID"] == "WebhookSecret"
    assert deliver["RINGBACK_SECRET_ID"] == "${WebhookSecret} ${DeliverSecret}"
    assert webhook["RINGBACK_COUNTS"] == "Counts"


def test_floods_are_bounded(functions: dict[str, Properties], template: dict[str, Any]) -> None:
    """Each function has its part of the account's concurrency, so that a flood of webhooks stops no delivery.

    Zero is no part: a new account may have none to give. Deliveries are as many as SQS is told to start.
    """
    reserved = {name: properties["ReservedConcurrentExecutions"] for name, properties in functions.items()}
    assert reserved == {
        "WebhookFunction": ["Reserves", "Webhooks", "AWS::NoValue"],
        "DeliverFunction": ["Reserves", "Deliveries", "AWS::NoValue"],
    }
    assert template["Parameters"]["Webhooks"]["MinValue"] == 0


def test_functions_outlast_senders(functions: dict[str, Properties], root: Path) -> None:
    """A function is given more time than it takes for any sender, so that our own deadline ends a request."""
    presets = (root / "functions/ringback/presets").glob("*.yaml")
    waits = [yaml.safe_load(path.read_text()).get("answer_within", 8) for path in presets]
    assert max(waits) >= LONGEST
    assert LONGEST + SECONDS_TO_SPARE <= functions["WebhookFunction"]["Timeout"] <= 30


def test_delivery_has_time_to_deliver_and_to_settle(functions: dict[str, Properties]) -> None:
    """A delivery has most of its time for Thulium."""
    assert functions["DeliverFunction"]["Timeout"] >= 3 * SETTLING


def test_webhooks_come_from_anybody(functions: dict[str, Properties]) -> None:
    """Senders sign their webhooks in their own ways, which AWS knows nothing of; deliveries have no URL."""
    assert functions["WebhookFunction"]["FunctionUrlConfig"] == {"AuthType": "NONE"}
    assert "FunctionUrlConfig" not in functions["DeliverFunction"]


# --- the queues ---


def test_queues_keep_order_secret_and_long(queues: dict[str, Properties], template: dict[str, Any]) -> None:
    """Both queues keep the order of a group, are encrypted, and keep what they have for 14 days."""
    assert queues.keys() == {"Queue", "DeadLetters"}
    for queue in queues.values():
        assert (queue["FifoQueue"], queue["SqsManagedSseEnabled"]) == (True, True)
        kept = template["Parameters"][queue["MessageRetentionPeriod"]]
        assert timedelta(seconds=kept["Default"]) == timedelta(seconds=kept["MaxValue"]) == timedelta(days=14)
        assert "ContentBasedDeduplication" not in queue


def test_largest_event_fits_with_its_reason(queues: dict[str, Properties]) -> None:
    """What is put into the queue can be put into the dead-letter queue too, with why it is there."""
    for queue in queues.values():
        assert queue["MaximumMessageSize"] >= LARGEST + 3 * LONGEST_REASON + 100


def test_queues_outlive_the_stack(template: dict[str, Any]) -> None:
    """Whoever deletes the stack does not delete leads with it."""
    for name in ("Queue", "DeadLetters"):
        assert template["Resources"][name]["DeletionPolicy"] == "Retain"


def test_message_is_hidden_while_it_is_delivered(
    queues: dict[str, Properties], functions: dict[str, Properties]
) -> None:
    """A message is hidden for six times as long as a delivery may take, as AWS advises."""
    assert queues["Queue"]["VisibilityTimeout"] >= 6 * functions["DeliverFunction"]["Timeout"]


def test_undone_messages_count(functions: dict[str, Properties]) -> None:
    """What a delivery reports as undone is handed over again, and nothing else is."""
    source = functions["DeliverFunction"]["Events"]["Queue"]["Properties"]
    assert source["Queue"] == "Queue.Arn"
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] == MOST
    assert source["ScalingConfig"]["MaximumConcurrency"] == "Deliveries"


def count_tries(within: timedelta) -> int:
    """Return how often an event is tried at most within a time."""
    at, tries = NOW, 1
    while at - NOW < within:
        at = next_try(tries, at, jitter=lambda: 0.0)
        tries += 1
    return tries


def test_sqs_gives_up_long_after_us(queues: dict[str, Properties]) -> None:
    """SQS itself moves a message only when it has been tried for days: we park it sooner, and say why."""
    policy = queues["Queue"]["RedrivePolicy"]
    assert policy["deadLetterTargetArn"] == "DeadLetters.Arn"
    assert policy["maxReceiveCount"] > count_tries(timedelta(days=5))


# --- rights ---

RIGHTS = {
    "WebhookRole": {
        ("sqs:SendMessage", "Queue.Arn"),
        ("sqs:SendMessage", "DeadLetters.Arn"),
        ("dynamodb:UpdateItem", "Counts.Arn"),
        ("secretsmanager:GetSecretValue", "WebhookSecret"),
        ("logs:CreateLogStream", "WebhookLog.Arn"),
        ("logs:PutLogEvents", "WebhookLog.Arn"),
    },
    "DeliverRole": {
        ("sqs:ReceiveMessage", "Queue.Arn"),
        ("sqs:DeleteMessage", "Queue.Arn"),
        ("sqs:ChangeMessageVisibility", "Queue.Arn"),
        ("sqs:GetQueueAttributes", "Queue.Arn"),
        ("sqs:SendMessage", "DeadLetters.Arn"),
        ("secretsmanager:GetSecretValue", "WebhookSecret"),
        ("secretsmanager:GetSecretValue", "DeliverSecret"),
        ("logs:CreateLogStream", "DeliverLog.Arn"),
        ("logs:PutLogEvents", "DeliverLog.Arn"),
    },
}


def list_rights(role: Properties) -> Iterator[tuple[str, str]]:
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            resources = statement["Resource"]
            for action in [actions] if isinstance(actions, str) else actions:
                for resource in [resources] if isinstance(resources, str) else resources:
                    yield action, resource


def test_functions_may_do_what_they_do(template: dict[str, Any], functions: dict[str, Properties]) -> None:
    """Each function has a role of its own, which may do what the function does, to its own things, and no more."""
    roles = of_type(template, "AWS::IAM::Role")
    assert {name: set(list_rights(role)) for name, role in roles.items()} == RIGHTS
    assert all("ManagedPolicyArns" not in role for role in roles.values())
    assert functions["WebhookFunction"]["Role"] == "WebhookRole.Arn"
    assert functions["DeliverFunction"]["Role"] == "DeliverRole.Arn"


def test_no_secret_stands_in_the_template(template: dict[str, Any]) -> None:
    """The secrets are made empty, and no parameter asks for one."""
    secrets = of_type(template, "AWS::SecretsManager::Secret")
    assert {name: secret["SecretString"] for name, secret in secrets.items()} == {
        "WebhookSecret": "{}",
        "DeliverSecret": "{}",
    }
    assert not [name for name in template["Parameters"] if re.search("password|token|secret|key", name, re.IGNORECASE)]


def test_table_is_as_the_code_counts(template: dict[str, Any]) -> None:
    """The table has the key that the code writes, deletes items when the code says, and costs nothing unused."""
    (table,) = of_type(template, "AWS::DynamoDB::Table").values()
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ends", "Enabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


# --- the log ---


def test_logs_are_not_kept_for_ever(functions: dict[str, Properties], template: dict[str, Any]) -> None:
    """Each function has a log group of its own, whose retention is a parameter."""
    groups = {properties["LoggingConfig"]["LogGroup"] for properties in functions.values()}
    assert len(groups) == len(functions)
    for name in groups:
        assert template["Resources"][name]["Properties"]["RetentionInDays"] == "LogRetentionDays"


@pytest.fixture(scope="module")
def filters(root: Path) -> dict[str, Properties]:
    return of_type(read(root), "AWS::Logs::MetricFilter")


def matches(pattern: str, line: Mapping[str, Any]) -> bool:
    """Return whether a line matches a filter pattern, as far as CloudWatch's grammar is used in the template."""
    inner = pattern.strip("{} ")
    compared = re.sub(r'\$\.(\w+) = "([^"]+)"', lambda found: str(is_equal(line.get(found[1]), found[2])), inner)
    assert re.fullmatch(r"(True|False|&&|\|\||[() ])+", compared)
    return bool(eval(compared.replace("&&", " and ").replace("||", " or ")))  # noqa: S307 - the line above has looked at it


def is_equal(value: object, wanted: str) -> bool:
    """Return whether a value is equal to a text, or is a text where any will do."""
    return isinstance(value, str) and wanted in (value, "*")


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    """The lines that the code writes, by a name for each."""
    log.configure()
    for status in Status:
        outcome = (again() if status is Status.DEFERRED else done(status)).outcome
        log.write_outcome(make_event(attempt=3), outcome, 0.1)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {line["status"]: line for line in lines}


COUNTED = {
    "OutcomesByStatus": set(Status) - {Status.DEFERRED},
    "OutcomesBySource": set(Status) - {Status.DEFERRED},
    "Outcomes": set(Status) - {Status.DEFERRED},
    "Lost": {Status.PARKED, Status.FAILED},
    "Invalid": {Status.INVALID},
    "Tries": {Status.DEFERRED},
    "Events": set(Status),
}


@pytest.mark.parametrize("name", COUNTED)
def test_outcomes_are_counted(name: str, filters: dict[str, Properties], written: dict[str, dict[str, Any]]) -> None:
    """Each metric counts the outcomes that it is named for, by fields that every such line has."""
    pattern, (metric,) = filters[name]["FilterPattern"], filters[name]["MetricTransformations"]
    counted = {Status(status) for status, line in written.items() if matches(pattern, line)}
    assert counted == COUNTED[name]
    asked = {each["Value"] for each in metric.get("Dimensions", [])} | {metric["MetricValue"]}
    for status in counted:
        assert {value[2:] for value in asked if value.startswith("$.")} <= written[status].keys()


OTHERS = {
    *("StopsUndone", "PasswordRefused", "WebhooksRefused", "SourceRefused", "Limited", "BrokenWebhook", "BrokenDeliver")
}


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_other_lines_are_counted(name: str, filters: dict[str, Properties], root: Path) -> None:
    """Each other metric counts kinds of lines that the code writes."""
    kinds = re.findall(r'\$\.event = "([^"]+)"', filters[name]["FilterPattern"])
    assert all(matches(filters[name]["FilterPattern"], {"event": kind, "source": "website"}) for kind in kinds)
    code = "".join(path.read_text() for path in (root / "functions").rglob("*.py"))
    assert kinds
    assert all(f'"{kind}"' in code for kind in kinds)


def test_refusals_that_are_worth_a_look(filters: dict[str, Properties]) -> None:
    """Requests for paths that name no source are not counted for the alarm: anyone tries some all the time."""
    line = {"event": "webhook.refused", "source": None}
    assert not matches(filters["SourceRefused"]["FilterPattern"], line)
    assert matches(filters["WebhooksRefused"]["FilterPattern"], line)


def test_all_filters_are_tested(filters: dict[str, Properties]) -> None:
    """The two tests above know every filter."""
    assert filters.keys() == COUNTED.keys() | OTHERS


# --- alarms and the dashboard ---


@pytest.fixture(scope="module")
def alarms(template: dict[str, Any]) -> dict[str, Properties]:
    return of_type(template, "AWS::CloudWatch::Alarm")


def list_metrics(alarm: Properties) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield the metrics that an alarm looks at: namespace, name, dimensions."""
    asked = [each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
    for metric in asked or [alarm]:
        dimensions = frozenset(each["Name"] for each in metric.get("Dimensions", []))
        yield metric["Namespace"], metric["MetricName"], dimensions


def test_alarms_look_at_what_is_counted(alarms: dict[str, Properties], filters: dict[str, Properties]) -> None:
    """Each alarm's metric is one that a filter makes, with the same dimensions, or one of SQS or Lambda itself."""
    counted = {
        (
            metric["MetricNamespace"],
            metric["MetricName"],
            frozenset(each["Key"] for each in metric.get("Dimensions", [])),
        )
        for properties in filters.values()
        for metric in properties["MetricTransformations"]
    }
    counted.add(("AWS/SQS", "ApproximateAgeOfOldestMessage", frozenset({"QueueName"})))
    counted |= {("AWS/Lambda", metric, frozenset({"FunctionName"})) for metric in ("Errors", "Throttles", "Duration")}
    assert {metric for alarm in alarms.values() for metric in list_metrics(alarm)} <= counted


def test_alarms_tell_somebody_what_to_do(alarms: dict[str, Properties]) -> None:
    """Each alarm goes to the topic and says what it means; nothing raises none of them, but for those of silence."""
    assert len(alarms) == 18
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == ["AlarmTopic"]
        assert len(alarm["AlarmDescription"]) > 40
        assert alarm["TreatMissingData"] == ("breaching" if name.startswith("Silence") else "notBreaching")


def test_each_function_is_watched(alarms: dict[str, Properties], functions: dict[str, Properties]) -> None:
    """Of each function errors, throttles, and calls that take nearly all of its time are an alarm."""
    watched = [alarm for alarm in alarms.values() if alarm.get("Namespace") == "AWS/Lambda"]
    of_each = {(alarm["Dimensions"][0]["Value"], alarm["MetricName"]): alarm["Threshold"] for alarm in watched}
    assert of_each.keys() == {(name, metric) for name in functions for metric in ("Errors", "Throttles", "Duration")}
    for name, properties in functions.items():
        assert of_each[name, "Errors"] == of_each[name, "Throttles"] == 1
        assert 0.8 <= of_each[name, "Duration"] / 1000 / properties["Timeout"] < 1
    assert of_each["DeliverFunction", "Duration"] / 1000 >= functions["DeliverFunction"]["Timeout"] - SETTLING


def test_fifteenth_try_is_about_an_hour_away(alarms: dict[str, Properties]) -> None:
    """The alarm about a lead that is tried in vain comes after about an hour."""
    tries = alarms["TriesAlarm"]["Threshold"]
    assert count_tries(timedelta(minutes=30)) < tries < count_tries(timedelta(hours=2))


def test_silence_is_watched_within_what_cloudwatch_allows(
    alarms: dict[str, Properties], template: dict[str, Any]
) -> None:
    """An alarm looks back for seven days at most; the hours are a parameter, and up to three sources."""
    silent = [alarm for name, alarm in alarms.items() if name.startswith("Silence")]
    assert [(alarm["Period"], alarm["EvaluationPeriods"]) for alarm in silent] == [(3600, "QuietHours")] * 3
    assert template["Parameters"]["QuietHours"]["MaxValue"] * 3600 <= 7 * 86400
    pattern = template["Parameters"]["WatchedSources"]["AllowedPattern"]
    for text, taken in [("", True), ("website", True), ("a,b-1,c.d", True), ("a,b,c,d", False), ("a, b", False)]:
        assert bool(re.fullmatch(pattern, text)) is taken


def test_dashboard_shows_leads_by_outcome(template: dict[str, Any]) -> None:
    """The dashboard is JSON that shows leads per hour by outcome first."""
    text = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
    first, *_ = json.loads(text)["widgets"]
    assert first["properties"]["title"] == "Leads per hour by outcome"
    assert first["properties"]["period"] == 3600


# --- deploying ---


def test_region_is_european(root: Path) -> None:
    """Who deploys without thinking of it keeps the data in the EU."""
    samconfig = tomllib.loads((root / "samconfig.toml").read_text())
    assert samconfig["default"]["deploy"]["parameters"]["region"].startswith("eu-")


@pytest.mark.parametrize("command", [("sam", "validate", "--lint"), ("cfn-lint", "template.yaml")])
def test_template_is_valid(command: tuple[str, ...], root: Path) -> None:
    """AWS's own tools have nothing to say about the template."""
    program, *arguments = command
    output = run(str(root / ".venv-tools/bin" / program), *arguments, cwd=root, SAM_CLI_TELEMETRY="0")
    assert not re.search(r"^[EWI]\d{4}", output, re.MULTILINE)


def test_configuration_is_checked_before_it_is_deployed(root: Path) -> None:
    """`make deploy-aws` checks the configuration, with the queue that it will have, and asks before it deploys."""
    makefile = (root / "Makefile").read_text()
    recipe = re.search(r"^deploy-aws:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe
    check, deploy = recipe[1].index("ringback check"), recipe[1].index("sam deploy --guided")
    assert recipe[1].index("RINGBACK_QUEUE=sqs:") < check < deploy
