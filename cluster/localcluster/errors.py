"""What this package raises when the reader of the message can do something about it."""


class ClusterError(Exception):
    """A message for the person at the keyboard: printed as it stands, without a traceback."""
