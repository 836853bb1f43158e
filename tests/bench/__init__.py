"""The time it takes: `make bench`."""
