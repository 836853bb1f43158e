"""Where a value is in an event: JMESPath, paths, and the answers of a form. Pure."""
