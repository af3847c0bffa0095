"""Pure decisions: is a Terminal accepted, which objects must be written, what are its conditions."""
