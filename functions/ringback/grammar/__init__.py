"""The grammar of the configuration: YAML, presets, and a marshmallow schema for each of its parts."""
