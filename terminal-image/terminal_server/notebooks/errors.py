"""What can go wrong with a notebook, as its routes have to tell it apart."""


class KernelStartError(Exception):
    """The kernel could not be started."""


class KernelEndedError(Exception):
    """The kernel is no more."""


class TooManyNotebooksError(Exception):
    """As many are open as may be."""


class CellError(Exception):
    """There is no such cell, or it cannot be run."""
