"""What may be said of an error of AWS: its code, since its text may hold an address or an account."""


def name_error(error: Exception) -> str:
    """Return the code that AWS gave, else the kind of error."""
    response = getattr(error, "response", None)
    return str(response["Error"]["Code"]) if response else type(error).__name__
