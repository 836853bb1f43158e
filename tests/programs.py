"""Other programs, started by tests."""

import fcntl
import os
import subprocess
from pathlib import Path


def run(*command: str, cwd: Path, **environment: str) -> str:
    """Return what a command prints; its whole output is the failure where it fails."""
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    output = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, output
    return output


def run_once(*command: str, cwd: Path, shared: Path) -> None:
    """Run a command unless another of this run's test processes has: the first one does, the others wait for it."""
    done = shared / f"{'-'.join(command)}.done"
    with (shared / "run_once.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            run(*command, cwd=cwd)
            done.touch()
