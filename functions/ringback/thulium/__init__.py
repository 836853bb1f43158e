"""Thulium's API, and the wire on which it is called."""
