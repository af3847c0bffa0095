"""Commands: what they print, where it is kept, and how it is told."""
