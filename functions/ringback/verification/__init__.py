"""Proofs of the sender, and handshakes before it sends: as data in the configuration, carried out here. Pure."""
