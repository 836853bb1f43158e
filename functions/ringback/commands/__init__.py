"""The commands: each takes arguments, prints, and sets an exit code; what it prints is made elsewhere."""
