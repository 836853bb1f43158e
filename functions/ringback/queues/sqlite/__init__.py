"""The queue on one machine: a SQLite file, the process that empties it, and the commands on it."""

from ringback.queues.sqlite.queue import LEASE, Held, SqliteQueue, open_sqlite

__all__ = ["LEASE", "Held", "SqliteQueue", "open_sqlite"]
