"""Everything that talks to the API server, behind a small protocol. Nothing here decides anything."""
