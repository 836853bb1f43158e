"""``ringback secrets``."""

from pathlib import Path

from tests.configs import make_source, run, write_config


def test_names_and_who_needs_them(tmp_path: Path) -> None:
    """Each name is listed once with the function that needs it; no value is read, and no secret asked for."""
    access = {"url": "https://acme.thulium.com", "user": "${THULIUM_USER}", "password": "${THULIUM_PASSWORD}"}
    environ = write_config(tmp_path, thulium=access, sources={"website": make_source(secret=["${NEW}", "${OLD}"])})
    result = run("secrets", environ={**environ, "NEW": "a-value-not-to-be-shown", "RINGBACK_SECRET_ID": "nobody"})
    assert result.exit_code == 0
    assert result.output == "NEW webhook\nOLD webhook\nTHULIUM_PASSWORD deliver\nTHULIUM_USER deliver\n"


def test_no_names(tmp_path: Path) -> None:
    """A configuration that leaves nothing blank has none."""
    assert run("secrets", environ=write_config(tmp_path)).output == ""


def test_no_configuration(tmp_path: Path) -> None:
    """Without a configuration that can be read it says so."""
    result = run("secrets", environ={"RINGBACK_CONFIG": str(tmp_path / "none.yaml")})
    assert result.exit_code == 1
    assert "RINGBACK_CONFIG names the file" in result.output
