"""Files: in and out of the terminal, and everything that is done with them where they are."""
