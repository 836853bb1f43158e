"""The stand-in in one's own process: start it, tell it what to do, look at what it was given."""

import threading
from typing import Any, Self

from tests.sandbox.control import Control
from tests.sandbox.exchange import Received
from tests.sandbox.operations import OPERATIONS
from tests.sandbox.server import Server
from tests.sandbox.world import World

_POLL = 0.005  # seconds until the server sees that it shall stop


class Sandbox(Control):
    """A stand-in Thulium on loopback: ``with Sandbox() as thulium: ...``.

    ``user`` and ``password`` are the API user's. ``port`` 0 takes any; it stays the same over ``stop`` and ``start``,
    between which connections are refused and nothing is forgotten. ``world`` takes what a test wants otherwise.
    """

    def __init__(self, *, port: int = 0, world: World | None = None) -> None:
        """Prepare, without listening yet."""
        self.world = world or World()
        self._port = port
        self._server: Server | None = None

    @property
    def user(self) -> str:
        """The API user's name."""
        return self.world.user

    @property
    def password(self) -> str:
        """The API user's password, as it is now."""
        return self.world.password

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> Self:
        """Listen and serve."""
        self._server = Server(self.world, self._port)
        self._port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(_POLL,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Hang up on everybody and listen no longer."""
        if self._server is not None:
            self._server.shutdown()
            self._server.hang_up()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def tell(self, operation: str, **arguments: Any) -> Any:
        """Carry out an operation here."""
        with self.world.lock:
            return OPERATIONS[operation](self.world, **arguments)

    def calls(self, call: str | None) -> list[Received]:
        """Return the requests of one kind (None: of any), without a detour over JSON."""
        with self.world.lock:
            return [received for received in self.world.received if call in (None, received.call)]
