"""What the commands show, as text for people."""
