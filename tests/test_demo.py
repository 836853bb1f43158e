"""The demonstration that `make run` shows, as a person runs it."""

import http.client
import io
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.sandbox import Remote, Sandbox, seeds
from tests.sandbox.demo import Log, demonstrate, environ, send
from tests.sandbox.function import Function, NotStarted, free_port
from tests.sandbox.samples import SAMPLES, SECRETS
from tests.sandbox.show import Screen

FORM = {"X-Api-Key": SECRETS["FORM_TOKEN"], "Content-Type": "application/x-www-form-urlencoded"}


class Terminal(io.StringIO):
    """A stream at which a person looks."""

    def isatty(self) -> bool:
        return True


@contextmanager
def program(root: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run the demonstration as a program, for as long as it is looked at."""
    command = [sys.executable, "-m", "tests.sandbox", *arguments]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Return what the program says, up to a line with the text."""
    said = ""
    for line in process.stdout or ():
        said += line
        if text in line:
            return said
    raise AssertionError(f"it never said {text!r}:\n{said}")


def post(url: str, path: str, body: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request("POST", path, body, FORM)
        return connection.getresponse().status
    finally:
        connection.close()


def test_samples() -> None:
    """Six kinds of requests of three senders are there at least."""
    assert len({sample.source for sample in SAMPLES}) == 3
    assert {sample.outcome for sample in SAMPLES} >= {"ADDED", "ALREADY_EXISTS", "FAILED", None}
    assert 401 in {sample.http_status for sample in SAMPLES}


def test_once(root: Path) -> None:
    """The samples are sent, each outcome is shown in a line, and the program ends with 0 as all is well."""
    command = [sys.executable, "-m", "tests.sandbox", "--once", "--port", str(free_port(0))]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    shown = [line for line in done.stdout.splitlines() if line.startswith("ok POST")]
    assert len(shown) == len(SAMPLES)
    assert len({line.index(str(sample.http_status)) for line, sample in zip(shown, SAMPLES, strict=True)}) == 1
    assert "ADDED           customer 449, record 111" in shown[0]
    assert "Jan Sowa, Ewa Mak, Ada Lis" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stays_up_until_ctrl_c(root: Path, number: signal.Signals) -> None:
    """After the samples it takes requests of one's own, shows their outcomes, and ends without a trace."""
    with program(root, "--port", str(free_port(0))) as process:
        invitation = read_until(process, "_sandbox/records")
        url = re.findall(r"curl (http://\S+)/landing", invitation)[0]
        assert f"X-Api-Key: {FORM['X-Api-Key']}" in invitation
        assert post(url, "/landing", "full_name=Ola+Nowak&tel=601+000+123") == 200
        assert "ADDED           customer 450, record 113" in read_until(process, "POST /landing")
        process.send_signal(number)
        rest = process.communicate(timeout=20)[0]
        assert (process.returncode, rest.strip()) == (0, "")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", urlsplit(url).port or 0))


def test_stand_in_alone(root: Path) -> None:
    """With --thulium the stand-in runs alone, says where, and can be told what to do from here."""
    with program(root, "--thulium", "--keep", "1") as process:
        thulium = Remote((process.stdout or io.StringIO()).readline().strip())
        assert thulium.add_customer(surname="Mak") == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[Sandbox, Function, Log]]:
    """A stand-in and the function, for what goes wrong."""
    log, port = Log(), free_port(0)
    with Sandbox() as thulium, Function(port, environ(thulium, port), log.take) as function:
        yield thulium, function, log


def test_what_is_not_as_expected_is_shown(shop: tuple[Sandbox, Function, Log]) -> None:
    """A sample that ends otherwise is marked, and the log is shown."""
    thulium, function, log = shop
    thulium.reset()
    seeds.documented(thulium)
    thulium.refuse()
    stream = io.StringIO()
    assert send(thulium, function, Screen(stream), log) is False
    shown = stream.getvalue()
    assert "?? POST /website   a form, filled in by somebody new    200   FAILED" in shown
    assert '"event": "customer.outcome"' in shown


def test_colours_on_a_terminal(shop: tuple[Sandbox, Function, Log]) -> None:
    """Who looks at a terminal sees colours."""
    thulium, function, log = shop
    thulium.reset()
    seeds.documented(thulium)
    stream = Terminal()
    assert send(thulium, function, Screen(stream), log) is True
    assert "\x1b[32mADDED          \x1b[0m customer 449" in stream.getvalue()


def test_log_lines_are_shown_as_outcomes() -> None:
    """Of the log's lines those are shown that tell of an outcome or a refusal."""
    stream, log = io.StringIO(), Log()
    log.screen = Screen(stream)
    log.take({"event": "thulium.batch", "message": "no"})
    log.take({"event": "webhook.refused", "source": None, "reason": "wrong signature"})
    log.take({"event": "customer.outcome", "source": "crm", "status": "FAILED", "customer_id": 7, "reason": "gone"})
    assert stream.getvalue().splitlines() == [
        "   POST /?         refused         wrong signature",
        "   POST /crm       FAILED          customer 7, gone",
    ]


def test_function_that_does_not_start() -> None:
    """What it said last is told, and nothing is left behind."""
    port = free_port(0)
    function = Function(port, {"RINGBACK_CONFIG": os.devnull}, Log().take)
    with pytest.raises(NotStarted, match=r"config\.invalid"):
        function.__enter__()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_free_port() -> None:
    """A port that is taken is not taken again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        assert free_port(taken) != taken
    assert free_port(taken) == taken


def test_mistakes_are_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With a bad configuration its mistakes are shown in plain lines, and it has not gone well."""
    config = tmp_path / "config.yaml"
    config.write_text("sources: {website: {preset: typefrom}}\n")
    assert demonstrate(free_port(0), once=True, config=config) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("The function has not started:\n")
    assert "\nsources.website.preset: " in shown
