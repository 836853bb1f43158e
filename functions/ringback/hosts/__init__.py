"""The differences between AWS, Google Cloud and one machine: how we are started, get events, and keep secrets."""
