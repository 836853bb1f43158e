"""Who sent this, and what senders ask before they send: as data in the configuration, carried out here. Pure."""
