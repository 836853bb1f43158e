"""The grammar of the configuration as marshmallow schemas, a module for each of its parts."""
