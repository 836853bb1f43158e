"""What differs between AWS, Google Cloud and one machine: who starts us, hands us events, and keeps our secrets."""
