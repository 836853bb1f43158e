"""The commands, as they are typed: what they print, and how they end."""

import json
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from ringback.reports.kept_request import dump_request
from ringback.web import Request
from tests.configs import make_source, run, write_config
from tests.sandbox import Sandbox, faults

PERSON = {"name": "Ada Lis", "phone": "601 000 001", "consent": "yes"}

TEN_MISTAKES = """
thulium: {url: "http://acme.thulium.com", user: "${THULIUM_USER}", password: secret, batchsize: 10}
log_key: "12345"
max_age: a day
phone_region: poland
campaigns:
  callbacks: {id: 1}
  second: {id: "00002", call_hours: whenever}
sources:
  website: {preset: typeforms, secret: an-invented-secret, map: {phone_number: phone}, campaign: callbaks}
  crm: {verify: none, map: {fone: a, phone_number: 5}, campaign: second}
"""
NAMED = [
    *("campaigns.callbacks.id", "campaigns.second.call_hours", "log_key", "max_age", "phone_region"),
    *("sources.crm.map.fone", "sources.crm.map.phone_number", "sources.website.campaign", "sources.website.preset"),
    *("thulium.batchsize", "thulium.url", "thulium.user"),
]


@pytest.fixture
def body(tmp_path: Path) -> Path:
    """A file with what a form has sent."""
    path = tmp_path / "body.json"
    path.write_text(json.dumps(PERSON), "utf-8")
    return path


# preview of what is bad

DATED = {"full_name": "name", "phone_number": "phone", "next_call_date": "at"}


def test_preview_goes_on_where_keys_do_not_go_together(tmp_path: Path, body: Path) -> None:
    """Mistakes between keys that are good by themselves are told, and the leads are shown as they would be sent."""
    environ = write_config(tmp_path, sources={"website": make_source(map=DATED)})
    result = run("preview", "website", str(body), environ=environ)
    assert result.exit_code == 0
    assert result.stderr.startswith("campaigns.callbacks.later: missing: ")
    assert len(result.stderr.splitlines()) == 1
    assert '{"records":[{"customer_id":"<customer_id>","status_id":3}]}' in result.stdout
    assert run("check", environ=environ).exit_code == 1
    assert run("serve", environ=environ).exit_code == 1


def test_preview_of_a_bad_lead_where_keys_do_not_go_together(tmp_path: Path, body: Path) -> None:
    """Whether the exit code is 0 or 1 is decided by the leads alone."""
    environ = write_config(tmp_path, sources={"website": make_source(map={**DATED, "phone_number": "name"})})
    result = run("preview", "website", str(body), environ=environ)
    assert (result.exit_code, "INVALID: no lead can be made of it" in result.stdout) == (1, True)


@pytest.mark.parametrize("changes", [{"max_age": "x"}, {"sources": {"website": make_source(map=5)}}])
def test_preview_ends_where_a_key_is_bad(changes: dict[str, Any], tmp_path: Path, body: Path) -> None:
    """Where a key of the source or of the whole is bad by itself, the mistakes are all that is shown."""
    result = run("preview", "website", str(body), environ=write_config(tmp_path, **changes))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr


@pytest.mark.parametrize("line", ["campaigns: {}", "9: x"])
def test_preview_ends_where_yaml_is_odd(line: str, tmp_path: Path, body: Path) -> None:
    """Where a key is given twice or is no text, nobody knows what was meant, and the mistakes are all that is shown."""
    environ = write_config(tmp_path)
    with (tmp_path / "config.yaml").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    result = run("preview", "website", str(body), environ=environ)
    assert (result.exit_code, result.stdout) == (1, "")


def test_preview_of_another_source(tmp_path: Path, body: Path) -> None:
    """A source is shown though another one is bad; one that is not there is told with all mistakes."""
    environ = write_config(tmp_path, sources={"website": make_source(), "other": make_source(map=5)})
    result = run("preview", "website", str(body), environ=environ)
    assert (result.exit_code, result.stderr.partition(":")[0]) == (0, "sources.other.map")
    result = run("preview", "none", str(body), environ=environ)
    assert (result.exit_code, result.stderr.partition(":")[0]) == (1, "sources.other.map")


# check


def test_check_of_a_good_file(tmp_path: Path) -> None:
    """A good configuration is said to be good, with its sources, and what is worth knowing of them."""
    result = run("check", environ=write_config(tmp_path))
    assert result.exit_code == 0
    assert result.stdout.startswith("the configuration is good: ")
    assert "POST /website  form    callbacks (00001)  300 an hour, 2000 a day (each process)  none" in result.stdout
    assert "worth knowing\n  sources.website: " in result.stdout


def test_check_with_nothing_to_add(tmp_path: Path) -> None:
    """Where there is nothing to add, nothing is added."""
    sources = {"website": make_source(evidence="vendor")}
    result = run("check", environ=write_config(tmp_path, sources=sources))
    assert (result.exit_code, "worth knowing" in result.stdout) == (0, False)


def test_check_names_every_mistake(tmp_path: Path) -> None:
    """Each mistake has a line with its path and the way out, all at once, and nothing else is said."""
    (tmp_path / "config.yaml").write_text(TEN_MISTAKES, "utf-8")
    result = run("check", environ={"RINGBACK_CONFIG": str(tmp_path / "config.yaml")})
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = [line.partition(": ") for line in result.stderr.splitlines()]
    assert [path for path, _, _ in lines] == NAMED
    assert all("; " in text for _, _, text in lines), result.stderr


def test_check_without_secrets(tmp_path: Path) -> None:
    """Without secrets a file is checked whole but for them; with them what is set nowhere is a mistake."""
    names = {"url": "${URL}", "user": "${NAME}", "password": "${PASSWORD}"}
    sources = {"website": make_source(secret=["${NEW}", "${OLD}"], preset=None, verify="basic")}
    environ = write_config(tmp_path, thulium=names, public_url="${PUBLIC_URL}", sources=sources)
    assert run("check", "--without-secrets", environ=environ).exit_code == 0
    result = run("check", environ=environ)
    assert result.exit_code == 1
    assert "thulium.url: ${URL} is set neither" in result.stderr
    assert "sources.website.secret.1: ${OLD} is set neither" in result.stderr


def test_check_of_what_can_not_be_known(tmp_path: Path) -> None:
    """A name that hides more than a secret has to be given some value, and that is said."""
    environ = write_config(tmp_path, campaigns={"callbacks": {"id": "${CAMPAIGN}"}})
    result = run("check", "--without-secrets", environ=environ)
    assert result.exit_code == 1
    assert result.stderr.startswith("campaigns.callbacks.id: its ${NAME} is not known here")
    assert run("check", "--without-secrets", environ={**environ, "CAMPAIGN": "00001"}).exit_code == 0


def test_check_of_a_pause_without_a_queue(tmp_path: Path) -> None:
    """To pause takes a queue that keeps what comes in."""
    assert run("check", environ=write_config(tmp_path, paused=True)).stderr.startswith("paused: ")
    assert run("check", environ=write_config(tmp_path, paused=True, queue="sqlite:///q.db")).exit_code == 0


def test_check_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A file that can't be read is one line on standard error."""
    result = run("check", environ={"RINGBACK_CONFIG": str(tmp_path / "none.yaml")})
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("RINGBACK_CONFIG names the file\n")


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    """A stand-in Thulium with the campaign."""
    with Sandbox() as sandbox:
        sandbox.add_campaign("00001")
        yield sandbox


def configure(folder: Path, thulium: Sandbox) -> dict[str, str]:
    """Write a configuration for the stand-in, and return the environment that names it."""
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
    return write_config(folder, thulium=access)


def test_check_online(tmp_path: Path, thulium: Sandbox) -> None:
    """What Thulium says is a table; the exit code is 1 if something in it is wrong."""
    environ = configure(tmp_path, thulium)
    good = run("check", "--online", environ=environ)
    assert good.exit_code == 0
    assert "  right  campaign callbacks (00001)" in good.stdout
    thulium.add_campaign("00001", is_crm=False)
    bad = run("check", "--online", environ=environ)
    assert bad.exit_code == 1
    assert "  WRONG  campaign callbacks (00001)" in bad.stdout


def test_check_asks_nobody_without_secrets(tmp_path: Path) -> None:
    """Without secrets Thulium can't be asked."""
    environ = write_config(tmp_path)
    assert run("check", "--without-secrets", "--online", environ=environ).exit_code == 2
    assert run("check", "--without-secrets", "--probe", "00001", environ=environ).exit_code == 2


@pytest.mark.parametrize("campaign", ["callbacks", "00001"])
def test_probe(campaign: str, tmp_path: Path, thulium: Sandbox) -> None:
    """After a yes and a number it is tried out, told and removed."""
    result = run("check", "--probe", campaign, environ=configure(tmp_path, thulium), given=b"y\n601 000 001\n")
    assert result.exit_code == 0, result.output
    assert "batch, a new record: 200" in result.stdout
    assert result.stdout.endswith("all that was made is removed\n")
    assert thulium.customers == []


@pytest.mark.parametrize("given", [b"n\n", b"n\n601000001\n", b"y\n12\n"])
def test_probe_that_is_not_wanted(given: bytes, tmp_path: Path, thulium: Sandbox) -> None:
    """Without a yes, or without a number, nothing is tried."""
    assert run("check", "--probe", "00001", environ=configure(tmp_path, thulium), given=given).exit_code == 1
    assert thulium.counts == {}


def test_probe_that_breaks_off(tmp_path: Path, thulium: Sandbox) -> None:
    """What is refused ends it in one line, and what was made is removed all the same."""
    thulium.fail("create", faults.reset(after_work=True))
    result = run("check", "--probe", "00001", environ=configure(tmp_path, thulium), given=b"y\n601000001\n")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert thulium.customers == []


# preview


def test_preview_of_a_lead(body: Path, tmp_path: Path) -> None:
    """A body is walked up to the lead, whether the secrets are there or not."""
    thulium = {"url": "${URL}", "user": "${NAME}", "password": "${PASSWORD}"}
    result = run("preview", "website", str(body), environ=write_config(tmp_path, thulium=thulium))
    assert result.exit_code == 0, result.stderr
    assert "/api/batch/crm_outbounds/00001/records" in result.stdout


def test_preview_of_what_makes_no_lead(tmp_path: Path) -> None:
    """The field at fault is named, and the exit code says that there is one."""
    given = json.dumps({**PERSON, "phone": "12"}).encode()
    result = run("preview", "website", "-", environ=write_config(tmp_path), given=given)
    assert result.exit_code == 1
    assert "phone_number  too short" in result.stdout


def test_preview_with_headers_and_a_query(tmp_path: Path) -> None:
    """What is given as header and query is seen by the source's expressions; a content type given is the body's."""
    fields = {"full_name": "a", "phone_number": "_request.query.tel", "note": '_request.headers."x-note"'}
    environ = write_config(tmp_path, sources={"website": make_source(map=fields, consent=None)})
    result = run(
        *("preview", "website", "-", "--query", "tel=601000001", "--header", "X-Note:  from a header "),
        *("--header", "Content-Type: application/x-www-form-urlencoded"),
        environ=environ,
        given=b"a=%7B",
    )
    assert "note          from a header" in result.stdout
    assert "phone_number  601000001" in result.stdout
    assert "surname       {" in result.stdout


def test_preview_of_a_body_without_a_type(tmp_path: Path) -> None:
    """A body of no type is read as it would be when it came: as a type that the source reads."""
    source = make_source(body="application/x-www-form-urlencoded", consent=None)
    environ = write_config(tmp_path, sources={"website": source})
    result = run("preview", "website", "-", environ=environ, given=b"{id}=1&name=Ada&phone=601000001")
    assert "phone_number  601000001" in result.stdout


def test_preview_of_a_request_that_was_kept(tmp_path: Path) -> None:
    """A request that was kept is taken as it came, but for what is given."""
    fields = {"full_name": "name", "phone_number": "phone", "note": "_request.query.note"}
    environ = write_config(tmp_path, sources={"website": make_source(map=fields)})
    kept = Request("POST", "/x", "note=kept", {"content-type": "application/json"}, json.dumps(PERSON).encode())
    first = run("preview", "website", "-", environ=environ, given=dump_request(kept))
    second = run("preview", "website", "-", "--query", "note=given", environ=environ, given=dump_request(kept))
    assert "note          kept" in first.stdout
    assert "note          given" in second.stdout


def test_preview_of_a_query_alone(tmp_path: Path) -> None:
    """For a sender that puts everything into the URL the query is enough."""
    source = make_source(methods=["POST", "GET"], consent=None)
    environ = write_config(tmp_path, sources={"website": source})
    query = "name=Ada&phone=601000001"
    result = run("preview", "website", "-", "--query", query, environ=environ, given=b"")
    assert "phone_number  601000001" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "given", "telling"),
    [
        (["websites", "-"], b"{}", "sources: there is no websites; is `website` meant?"),
        (["website", "nowhere.json"], b"", "nowhere.json: No such file or directory"),
        (["website", "-"], b"{", "(it would be answered 400)"),
    ],
)
def test_preview_that_can_not_be_made(arguments: list[str], given: bytes, telling: str, tmp_path: Path) -> None:
    """What stands in the way is told in one line."""
    result = run("preview", *arguments, environ=write_config(tmp_path), given=given)
    assert (result.exit_code, result.stdout) == (1, "")
    assert telling in result.stderr
    assert len(result.stderr.splitlines()) == 1


# serve


@pytest.mark.parametrize(
    ("arguments", "telling"),
    [
        (["--port", "{port}"], "choose another --host or --port"),
        (["--capture", "{folder}/file/kept"], "Not a directory"),
        (["--host", "not-a-host.invalid"], "choose another --host or --port"),
    ],
)
def test_serve_that_can_not_start(arguments: list[str], telling: str, tmp_path: Path) -> None:
    """A port that is taken, or a folder that can't be made, is one line."""
    (tmp_path / "file").write_text("")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        words = {"port": taken.getsockname()[1], "folder": tmp_path}
        result = run("serve", *(each.format(**words) for each in arguments), environ=write_config(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert telling in result.stderr
    assert len(result.stderr.splitlines()) == 1


def start_capture(folder: Path, tmp_path: Path) -> Result:
    """Start to capture into a folder, at an address that no machine has, so that it ends when the folder is ready."""
    return run("serve", "--capture", str(folder), "--host", "192.0.2.1", environ=write_config(tmp_path))


@pytest.mark.parametrize("files", [[], ["an-earlier-one.http"]])
def test_capture_into_a_folder_that_others_may_read(files: list[str], tmp_path: Path) -> None:
    """A folder that is there already is closed to others, as one is that is made."""
    (folder := tmp_path / "kept").mkdir(mode=0o755)
    for name in files:
        (folder / name).touch()
    assert "choose another --host or --port" in start_capture(folder, tmp_path).stderr
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_capture_into_a_folder_of_other_things(tmp_path: Path) -> None:
    """A folder that others may look into and that holds other files (/tmp, say) is left as it is, and refused."""
    (folder := tmp_path / "shared").mkdir(mode=0o755)
    (folder / "notes.txt").touch()
    result = start_capture(folder, tmp_path)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    assert "name an empty folder" in result.stderr
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    folder.chmod(0o700)
    assert "choose another --host or --port" in start_capture(folder, tmp_path).stderr


def test_capture_into_a_folder_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose owner is another user is refused: that user could read all that is kept."""
    (folder := tmp_path / "theirs").mkdir(mode=0o755)
    other = folder.stat().st_uid + 1
    monkeypatch.setattr("os.getuid", lambda: other)
    result = start_capture(folder, tmp_path)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "it is another user's" in result.stderr
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_serve_with_a_file_that_can_not_be_used(tmp_path: Path) -> None:
    """A queue whose file can't be opened is found before anything is served."""
    result = run("serve", environ=write_config(tmp_path, queue=f"sqlite:///{tmp_path}/no/folder/q.db"))
    assert result.exit_code == 1
    assert "is its folder there" in result.stderr


def test_serve_where_nothing_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where uvicorn is not installed, the message says how it gets there."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "ringback.hosts.server", raising=False)
    monkeypatch.delattr("ringback.hosts.server", raising=False)
    result = run("serve", environ=write_config(tmp_path))
    assert result.exit_code == 1
    assert result.stderr.startswith("serve: uvicorn is not installed")


# presets


def test_presets() -> None:
    """The senders are listed; of one it is told how it is set up."""
    assert "typeform" in run("presets").stdout
    example = run("presets", "typeform").stdout.partition("an example, for `sources:`\n")[2]
    entry: Any = yaml.safe_load(example)
    assert entry["typeform"]["preset"] == "typeform"


def test_unknown_preset() -> None:
    """A name that is none is one line, with the nearest name."""
    result = run("presets", "typeforms")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "typeforms: there is no such preset; is `typeform` meant?\n"


def test_module_can_be_run(root: Path) -> None:
    """The commands can be run as a module, and say what there is."""
    command = [sys.executable, "-m", "ringback", "--help"]
    done = subprocess.run(command, cwd=root / "functions", capture_output=True, text=True, check=True)
    assert "preview" in done.stdout
