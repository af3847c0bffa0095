"""Finds files by name and by what is in them, outside the serving process."""
