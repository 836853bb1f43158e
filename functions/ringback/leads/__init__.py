"""What Thulium takes of a lead, and how it is read from whatever people type. Pure."""
