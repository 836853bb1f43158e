"""What `make deploy-gcp` does, with a gcloud that only writes down what it is asked."""

import importlib.util
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringback.config import load
from ringback.errors import ConfigError
from ringback.pipeline import LONGEST_DELIVERY

# Each call is a line of words; what it was given on standard input follows its name in a file of its own.
GCLOUD = r"""#!/usr/bin/env bash
printf '%s\037' "$@" >> "$CALLS"; printf '\n' >> "$CALLS"
case "$*" in *-file=-*) cat >> "$CALLS.in"; printf '\036' >> "$CALLS.in" ;; esac
case "$*" in
  "config get-value project") echo "${GCP_TEST_PROJECT-acme-leads}" ;;
  "projects describe acme-leads "*) echo 123456789012 ;;
  "logging sinks describe "*) echo "others,$THERE" ;;
  "secrets describe "*) echo "${THERE_SECRET-$THERE}" ;;
  *" describe "* | *" list "*) echo "$THERE" ;;
  "alpha monitoring policies create "*) exit "$(cat "$FAILURES.alerts" && echo 0 > "$FAILURES.alerts")" ;;
  *add-iam-policy-binding*) read -r left < "$FAILURES"; echo $((left - 1)) > "$FAILURES"; [ "$left" -le 0 ] ;;
esac
"""
CONFIG = """
thulium: {url: "http://127.0.0.1:9", user: u, password: "PASSWORD"}
log_key: an-invented-key-long-enough
sources:
  website: {verify: {scheme: token, header: X-Api-Key}, secret: "SECRET", map: {customer_id: id}, campaign: "00001"}
"""
VERB = "add-iam-policy-binding"
ASKING = re.compile(r" (describe|list|get-value) ")
NAMES = ("FORM_SECRET", "THULIUM_PASSWORD")
SECRETS = [f"ringback-{name}" for name in NAMES]
PUBLIC, PRIVATE = (f"{name}@acme-leads.iam.gserviceaccount.com" for name in ("ringback", "ringback-deliver"))


@dataclass(frozen=True)
class Deployment:
    """What came of a run: what was shown, and what gcloud was asked and given."""

    code: int
    shown: str
    calls: list[list[str]]
    given: list[str]

    @property
    def done(self) -> list[list[str]]:
        """Return the calls that change something."""
        return [call for call in self.calls if not ASKING.search(f" {' '.join(call)} ")]

    def find(self, *words: str) -> list[list[str]]:
        """Return the calls that begin with these words."""
        return [call for call in self.done if tuple(call[: len(words)]) == words]

    def flags(self, *words: str) -> dict[str, str]:
        """Return the flags of the one call that begins with these words."""
        (call,) = self.find(*words)
        return dict(word.removeprefix("--").partition("=")[::2] for word in call if word.startswith("--"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a recording gcloud, a sleep that does not, and a configuration with two secrets."""
    return fill(tmp_path)


def fill(tmp_path: Path) -> Path:
    """Put all that into a folder."""
    for name, text in {"gcloud": GCLOUD, "sleep": '#!/bin/sh\necho "$1" >> "$CALLS.slept"\n'}.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    config = CONFIG.replace("PASSWORD", "${THULIUM_PASSWORD}").replace("SECRET", "${FORM_SECRET}")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/ringback").symlink_to(Path(sys.executable).parent / "ringback")
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions/config.yaml").write_text(config + "# ${NOT_THIS} is only spoken of\n")
    (tmp_path / "failures").write_text("0\n")
    (tmp_path / "failures.alerts").write_text("0\n")
    return tmp_path


def deploy(folder: Path, root: Path, *arguments: str, typed: str | None = None, **changes: str) -> Deployment:
    """Run the script; ``typed`` is what somebody types, without it nobody is there."""
    calls = folder / "calls"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GCP_")},
        "PATH": f"{folder}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "THERE": "",
        "FAILURES": str(folder / "failures"),
        **changes,
    }
    ours, theirs = pty.openpty()
    os.write(ours, (typed or "").encode())
    stdin = subprocess.DEVNULL if typed is None else theirs
    script = shutil.copy(root / "deploy/gcp.sh", folder / "functions")  # it works in the folder above its own
    command = [script, *arguments]
    process = subprocess.run(command, env=environment, stdin=stdin, capture_output=True, text=True, check=False)
    os.close(ours)
    os.close(theirs)
    lines = calls.read_text().splitlines() if calls.exists() else []
    given = calls.with_name("calls.in")
    return Deployment(
        process.returncode,
        process.stdout + process.stderr,
        [line.split("\x1f")[:-1] for line in lines],
        given.read_text().split("\x1e")[:-1] if given.exists() else [],
    )


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Deployment:
    """The first deployment: nothing is there yet."""
    folder = fill(tmp_path_factory.mktemp("first"))
    deployment = deploy(folder, root, typed="typed-one\ntyped-two\n", GCP_ALERT_EMAIL="hooks@example.com")
    assert deployment.code == 0, deployment.shown
    return deployment


@pytest.fixture
def dry(folder: Path, root: Path) -> Deployment:
    """What is shown when nothing is to be done."""
    deployment = deploy(folder, root, "--dry-run", GCP_PROJECT="acme-leads", GCP_ALERT_EMAIL="hooks@example.com")
    assert deployment.code == 0, deployment.shown
    return deployment


def test_dry_run_calls_nobody(dry: Deployment) -> None:
    """Who only wants to see it needs neither gcloud nor an account."""
    assert dry.calls == []


def test_dry_run_shows_what_is_done(dry: Deployment, first: Deployment) -> None:
    """What is shown is what is run, word for word, so that it can be run by hand."""
    shown = [shlex.split(line.partition(" <<")[0])[1:] for line in dry.shown.splitlines() if line.startswith("gcloud ")]
    assert [[word.replace("PROJECT_NUMBER", "123456789012") for word in call] for call in shown] == first.done


def test_needs_what_reads_the_configuration(folder: Path, root: Path) -> None:
    """Without Ringback's own environment nothing is begun, and it is said how to make it."""
    (folder / ".venv/bin/ringback").unlink()
    deployment = deploy(folder, root)
    assert (deployment.code, deployment.done) == (1, [])
    assert "make install" in deployment.shown


def test_script_is_whole(root: Path) -> None:
    """The shell can read it to its end."""
    subprocess.run(("bash", "-n", str(root / "deploy/gcp.sh")), check=True)


@pytest.mark.parametrize("argument", ["--dryrun", "help"])
def test_unknown_arguments_do_nothing(argument: str, folder: Path, root: Path) -> None:
    """A slip of the pen deploys nothing."""
    deployment = deploy(folder, root, argument)
    assert (deployment.code, deployment.calls) == (2, [])


@pytest.mark.parametrize("project", ["", "elsewhere"])
def test_project_has_to_be_there(project: str, folder: Path, root: Path) -> None:
    """Without a project that can be read nothing is begun, and it is said how to name one."""
    deployment = deploy(folder, root, GCP_TEST_PROJECT=project)
    assert (deployment.code, deployment.done) == (1, [])
    assert "GCP_PROJECT" in deployment.shown


# --- the functions ---


@pytest.mark.parametrize(("name", "entry"), [("ringback", "webhook"), ("ringback-deliver", "deliver")])
def test_entry_points_exist(name: str, entry: str, first: Deployment) -> None:
    """Each function is one of the door's, which takes a request."""
    assert first.flags("functions", "deploy", name)["entry-point"] == entry
    source = importlib.util.find_spec("main")
    assert source is not None
    text = Path(str(source.origin)).read_text()
    assert re.search(rf"^def {entry}\(request: flask.Request\) -> flask.Response:$", text, re.MULTILINE)


def test_only_the_webhook_is_public(first: Deployment) -> None:
    """`deliver` can be called from within the project only, by Cloud Tasks, as the account that its tokens name."""
    assert "allow-unauthenticated" in first.flags("functions", "deploy", "ringback")
    assert "no-allow-unauthenticated" in first.flags("functions", "deploy", "ringback-deliver")
    assert first.flags("functions", "deploy", "ringback-deliver")["ingress-settings"] == "internal-only"
    member = first.flags("functions", "add-invoker-policy-binding", "ringback-deliver")["member"]
    caller = read_variables(first.flags("functions", "deploy", "ringback"))["RINGBACK_SERVICE_ACCOUNT"]
    assert member == f"serviceAccount:{caller}"


def read_variables(flags: dict[str, str]) -> dict[str, str]:
    return dict(pair.partition("=")[::2] for pair in flags["set-env-vars"].split(","))


@pytest.mark.parametrize(
    ("name", "entry", "needed"),
    [("ringback", "webhook", ["FORM_SECRET"]), ("ringback-deliver", "deliver", ["FORM_SECRET", "THULIUM_PASSWORD"])],
)
def test_configuration_can_be_read_there(
    name: str, entry: str, needed: list[str], first: Deployment, folder: Path
) -> None:
    """With what a function is given the configuration is good there, and names queue, counts, address and account.

    The public function is given no password of Thulium's.
    """
    flags = first.flags("functions", "deploy", name)
    secrets = dict.fromkeys(needed, "an-invented-secret-long-enough")
    assert dict(pair.partition("=")[::2] for pair in flags["set-secrets"].split(",")) == {
        each: f"ringback-{each}:latest" for each in needed
    }
    place = {"K_SERVICE": name, "FUNCTION_TARGET": entry, "RINGBACK_CONFIG": str(folder / "functions/config.yaml")}
    environ = {**place, **read_variables(flags)}
    with pytest.raises(ConfigError):
        load(environ)
    settings = load({**environ, **secrets})
    assert settings.counts == "projects/acme-leads/databases/ringback"
    assert settings.queue == "cloud-tasks:projects/acme-leads/locations/europe-central2/queues/ringback"
    assert settings.cloud_tasks.deliver_url == "https://ringback-deliver-123456789012.europe-central2.run.app"
    assert settings.cloud_tasks.service_account == "ringback@acme-leads.iam.gserviceaccount.com"


def test_functions_outlast_their_work(first: Deployment) -> None:
    """It is our own deadline that ends a delivery, not the platform's; Cloud Tasks waits for ten minutes."""
    seconds = int(first.flags("functions", "deploy", "ringback-deliver")["timeout"].removesuffix("s"))
    assert LONGEST_DELIVERY < seconds < 600


def test_region_is_european(first: Deployment) -> None:
    """Who deploys without thinking of it keeps the data in the EU: functions, queues and secrets."""
    places = [
        word.partition("=")[2] for call in first.done for word in call if re.match("--(region|locations?)=", word)
    ]
    assert len(places) >= 9
    assert set(places) == {"europe-central2"}


def test_names_can_be_others(folder: Path, root: Path) -> None:
    """A second one, with another name in another region, lies beside the first."""
    deployment = deploy(folder, root, "--dry-run", GCP_NAME="test", GCP_REGION="europe-west1", GCP_AT_ONCE="4")
    assert "ringback" not in re.sub(r"RINGBACK_\w+|ringback[a-z:@.-]*example", "", deployment.shown)
    assert "europe-central2" not in deployment.shown
    assert deployment.shown.count("--max-concurrent-dispatches=4") == 2


def test_connector_is_for_calls_to_thulium(folder: Path, root: Path) -> None:
    """Where Thulium takes calls of known addresses only, the function that delivers goes through a connector."""
    shown = deploy(folder, root, "--dry-run", GCP_VPC_CONNECTOR="fixed").shown
    (line,) = [line for line in shown.splitlines() if "--vpc-connector=fixed --vpc-egress=all-traffic" in line]
    assert "functions deploy ringback-deliver" in line


# --- rights and secrets ---


def test_account_may_do_little(first: Deployment) -> None:
    """Each function has an account of its own, which is given the rights that it needs, on the things themselves."""
    bindings = [call for call in first.done if "add-iam-policy-binding" in call]
    rights = {
        (flag(call, "member").removeprefix("serviceAccount:"), flag(call, "role"), call[call.index(VERB) + 1])
        for call in bindings
    }
    user, reader, enqueuer = "iam.serviceAccountUser", "secretmanager.secretAccessor", "cloudtasks.enqueuer"
    assert {(account, role.removeprefix("roles/"), on) for account, role, on in rights} == {
        (PUBLIC, user, PUBLIC),
        (PUBLIC, reader, "ringback-FORM_SECRET"),
        (PUBLIC, enqueuer, "ringback"),
        (PUBLIC, enqueuer, "ringback-parked"),
        (PUBLIC, "datastore.user", "acme-leads"),
        (PRIVATE, user, PUBLIC),
        (PRIVATE, reader, "ringback-FORM_SECRET"),
        (PRIVATE, reader, "ringback-THULIUM_PASSWORD"),
        (PRIVATE, enqueuer, "ringback"),
        (PRIVATE, enqueuer, "ringback-parked"),
    }
    accounts = [
        first.flags("functions", "deploy", name)["service-account"] for name in ("ringback", "ringback-deliver")
    ]
    assert accounts == [PUBLIC, PRIVATE]


def flag(call: list[str], name: str) -> str:
    """Return the value of a flag of a call."""
    (word,) = [word for word in call if word.startswith(f"--{name}=")]
    return word.partition("=")[2]


def test_right_on_the_project_is_about_the_counts(first: Deployment) -> None:
    """A database has no policy of its own: the right on the project has the condition that it is about this one."""
    (call,) = first.find("projects")
    assert flag(call, "condition").startswith(
        'expression=resource.name=="projects/acme-leads/databases/ringback",title='
    )


def test_counts_are_deleted(first: Deployment) -> None:
    """The database is made in the region, and deletes what the code has given an end."""
    flags = first.flags("firestore", "databases", "create")
    assert (flags["database"], flags["type"], flags["location"]) == ("ringback", "firestore-native", "europe-central2")
    (call,) = first.find("firestore", "fields", "ttls", "update", "ends")
    assert {"--collection-group=counts", "--enable-ttl", "--database=ringback"} <= set(call)


def test_secrets_are_asked_for(first: Deployment) -> None:
    """Each name in the configuration is a secret; its value is typed, and stands in no command, nor on the screen."""
    assert [call[2] for call in first.find("secrets", "create")] == SECRETS
    assert [call[3] for call in first.find("secrets", "versions", "add")] == SECRETS
    assert first.given[:2] == ["typed-one", "typed-two"]
    assert "typed-" not in first.shown
    assert not any("typed-" in word for call in first.calls for word in call)


def test_secret_without_a_value_is_filled(folder: Path, root: Path) -> None:
    """A secret that was made and not filled, by hand or by a run that broke off, is asked for; empty is no answer."""
    deployment = deploy(folder, root, typed="\none\ntwo\n", THERE_SECRET="there")
    assert deployment.code == 0, deployment.shown
    assert not deployment.find("secrets", "create")
    assert [call[3] for call in deployment.find("secrets", "versions", "add")] == SECRETS
    assert deployment.given[:2] == ["one", "two"]


def test_nobody_can_be_asked(folder: Path, root: Path) -> None:
    """Where nobody sits at the keyboard a missing secret ends it, before anything is deployed."""
    deployment = deploy(folder, root)
    assert deployment.code == 1
    assert "FORM_SECRET" in deployment.shown
    assert not deployment.find("functions")
    assert not deployment.find("secrets", "create")


def test_configuration_without_secrets(folder: Path, root: Path) -> None:
    """Without a name to fill in there is no secret, and those of an earlier deployment are taken away."""
    (folder / "functions/config.yaml").write_text(CONFIG.replace("SECRET", "an-invented-secret-long-enough"))
    deployment = deploy(folder, root)
    assert deployment.code == 0, deployment.shown
    assert not deployment.find("secrets")
    assert "clear-secrets" in deployment.flags("functions", "deploy", "ringback")


# --- the queues ---


@pytest.mark.parametrize("name", ["ringback", "ringback-parked"])
def test_no_task_is_given_up(name: str, first: Deployment) -> None:
    """Cloud Tasks would delete a task after its last try: there is none. One is delivered at a time."""
    flags = first.flags("tasks", "queues", "create", name)
    assert flags["max-attempts"] == "unlimited"
    assert flags["max-concurrent-dispatches"] == "1"
    assert "max-retry-duration" not in flags


def test_only_the_parked_are_paused(first: Deployment) -> None:
    """What waits for a person waits: its queue is paused, before anything can be in it."""
    assert [call[3] for call in first.find("tasks", "queues", "pause")] == ["ringback-parked"]
    assert first.done.index(first.find("tasks", "queues", "pause")[0]) < first.done.index(first.find("functions")[0])


# --- logs and alerts ---


def test_tokens_stay_out_of_the_log(first: Deployment) -> None:
    """Requests whose URL has a query are not logged by the platform, from before the first one on."""
    (call,) = first.find("logging", "sinks", "update", "_Default")
    assert 'log_id("run.googleapis.com/requests") AND httpRequest.requestUrl:"?"' in call[-1]
    assert 'service_name="ringback" ' in call[-1]
    assert first.done.index(call) < first.done.index(first.find("functions")[0])


def test_log_is_kept_for_so_long(first: Deployment, folder: Path, root: Path) -> None:
    """How long the log is kept is changed for the whole project only when it is asked for."""
    assert not first.find("logging", "buckets")
    assert "--retention-days=90" in deploy(folder, root, "--dry-run", GCP_LOG_DAYS="90").shown


def read_yaml(first: Deployment, kind: str) -> dict[str, Any]:
    """Return the metrics by their names, or the alerts by theirs."""
    texts = [yaml.safe_load(text) for text in first.given[len(NAMES) :]]
    if kind == "alerts":
        return {each["displayName"]: each for each in texts if "conditions" in each}
    names = [call[3] for call in first.find("logging", "metrics", "create")]
    return dict(zip(names, [each for each in texts if "metricDescriptor" in each], strict=True))


def test_metrics_count_our_lines(first: Deployment) -> None:
    """The metrics count what the log has: outcomes by source and status, and errors by their kind."""
    metrics = read_yaml(first, "metrics")
    labels = {name: sorted(each["labelExtractors"]) for name, each in metrics.items()}
    assert labels == {
        "ringback-outcomes": ["source", "status"],
        "ringback-errors": ["event"],
        "ringback-refusals": ["source"],
        "ringback-crashes": [],
    }
    for each in metrics.values():
        assert [label["key"] for label in each["metricDescriptor"]["labels"]] == list(each["labelExtractors"])
        assert 'service_name=("ringback" OR "ringback-deliver")' in each["filter"]
    assert 'jsonPayload.event="customer.outcome"' in metrics["ringback-outcomes"]["filter"]
    assert metrics["ringback-refusals"]["filter"].endswith(' AND jsonPayload.source=~"."')


def test_crashes_are_what_we_do_not_write(first: Deployment) -> None:
    """Of crashes Python, gunicorn and Cloud Run tell, in lines that are none of ours; refused tasks are no crash."""
    found = read_yaml(first, "metrics")["ringback-crashes"]["filter"]
    assert "AND NOT jsonPayload.event:* AND" in found
    for sign in (
        "Traceback (most recent call last)",
        "[ERROR]",
        "[CRITICAL]",
        "status=(500 OR 502 OR 504)",
        "severity>=",
    ):
        assert sign in found


def test_alerts(first: Deployment, root: Path) -> None:
    """There is an alert for each thing that a person has to do something about; what it watches is in the code."""
    alerts = read_yaml(first, "alerts")
    conditions = {name: each["conditions"][0]["conditionThreshold"] for name, each in alerts.items()}
    assert list(conditions) == [
        "ringback: leads are parked or fail",
        "ringback: an opt-out is not carried out",
        "ringback: Thulium refuses the password",
        "ringback: events can not be stored, counted or read",
        "ringback: a source brings more than its limits",
        "ringback: a mistake of Ringback itself",
        "ringback: a function crashes",
        "ringback: requests of a source are refused",
        "ringback: a source is quiet",
    ]
    code = "".join(path.read_text() for path in (root / "functions/ringback").rglob("*.py"))
    for condition in conditions.values():
        (metric,) = re.findall(r'metric.type="logging.googleapis.com/user/ringback-(.*?)"', condition["filter"])
        assert f"ringback-{metric}" in read_yaml(first, "metrics")
        for event in re.findall(r'metric.labels.event="(.*?)"', condition["filter"]):
            assert f'"{event}"' in code
    for kind in ("queue", "counter", "config", "task"):
        assert f'"{kind}.' in code
        assert re.search(
            rf"[(|]{kind}[|)]", conditions["ringback: events can not be stored, counted or read"]["filter"]
        )
    refused = conditions["ringback: requests of a source are refused"]
    assert (refused["thresholdValue"], refused["aggregations"][0]["alignmentPeriod"]) == (10, "3600s")
    assert refused["aggregations"][0]["groupByFields"] == ["metric.label.source"]
    quiet = conditions["ringback: a source is quiet"]
    assert quiet["aggregations"][0]["groupByFields"] == ["metric.label.source"]
    assert quiet["aggregations"][0]["alignmentPeriod"] == f"{23 * 3600}s"
    assert quiet["evaluationMissingData"] == "EVALUATION_MISSING_DATA_ACTIVE"


def test_quiet_sources_may_be_normal(folder: Path, root: Path) -> None:
    """Where leads are rare nobody has to be told of a day without one."""
    assert "is quiet" not in deploy(folder, root, "--dry-run", GCP_QUIET_HOURS="0").shown


def test_who_is_told(first: Deployment, folder: Path, root: Path) -> None:
    """With an address alerts are sent there; without one they are only shown."""
    flags = first.flags("beta", "monitoring", "channels", "create")
    assert flags["channel-labels"] == "email_address=hooks@example.com"
    assert "channels" not in deploy(folder, root, "--dry-run").shown


# --- again ---


def test_second_time_nothing_is_made_twice(folder: Path, root: Path) -> None:
    """What is there is brought up to date, and nobody is asked for a secret again."""
    there = "ringback-tokens,"
    deployment = deploy(folder, root, THERE=there, GCP_ALERT_EMAIL="hooks@example.com")
    assert deployment.code == 0, deployment.shown
    assert not [call for call in deployment.done if "create" in call]
    assert [call[3] for call in deployment.find("tasks", "queues", "update")] == ["ringback", "ringback-parked"]
    (sink,) = deployment.find("logging", "sinks", "update")
    assert sink[-1].startswith("--update-exclusion=name=ringback-tokens,")
    assert len(deployment.find("alpha", "monitoring", "policies", "update")) == 9


def test_told_where_it_is(folder: Path, root: Path) -> None:
    """With a channel that is there alerts name it."""
    deployment = deploy(
        folder, root, THERE="projects/acme-leads/notificationChannels/7", GCP_ALERT_EMAIL="a@example.com"
    )
    alerts = [yaml.safe_load(text) for text in deployment.given if "conditions" in text]
    assert {tuple(each["notificationChannels"]) for each in alerts} == {("projects/acme-leads/notificationChannels/7",)}


@pytest.mark.parametrize(("failures", "code"), [(2, 0), (100, 1)])
def test_new_account_is_waited_for(failures: int, code: int, folder: Path, root: Path) -> None:
    """Google takes a while to know a new account everywhere: rights are given again, for ten minutes."""
    (folder / "failures").write_text(f"{failures}\n")
    deployment = deploy(folder, root, typed="one\ntwo\n")
    assert deployment.code == code, deployment.shown
    slept = [int(line) for line in (folder / "calls.slept").read_text().split()]
    assert slept == [5, 10, 20, 40, 80, 160, 300][:failures]


def test_new_metric_is_waited_for(folder: Path, root: Path) -> None:
    """Google takes minutes to find a new metric: its alert is made again."""
    (folder / "failures.alerts").write_text("1\n")
    deployment = deploy(folder, root, typed="one\ntwo\n")
    assert deployment.code == 0, deployment.shown
    assert (folder / "calls.slept").read_text() == "5\n"
    assert len(deployment.find("alpha", "monitoring", "policies", "create")) == 10


def test_make_checks_first(root: Path) -> None:
    """`make deploy-gcp` lays out what is built, checks the configuration, and deploys then only."""
    output = subprocess.run(("make", "-n", "deploy-gcp"), cwd=root, capture_output=True, text=True, check=True).stdout
    assert 0 < output.index("mkdir -p build/gcp") < output.index("ringback check") < output.index("deploy/gcp.sh")
