"""What can go wrong between the operator and the API server, in the few kinds that lead to different actions."""

from dataclasses import dataclass


@dataclass
class ClusterError(Exception):
    """A request was not fulfilled; says which object and why."""

    message: str
    kind: str = ""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        where = "/".join(part for part in (self.kind, self.namespace, self.name) if part)
        return f"{where}: {self.message}" if where else self.message


@dataclass
class RetryLaterError(ClusterError):
    """The server is busy, restarting or out of reach: the same request may succeed later."""

    after: float = 0.0
    """Seconds the server asked to wait, 0 where it did not say."""


class NotFoundError(ClusterError):
    """The object, or its kind, is not there."""


class AlreadyExistsError(ClusterError):
    """An object of that name is there already."""


class ConflictError(ClusterError):
    """The object has changed, or is another one, since it was read."""


class RejectedError(ClusterError):
    """The server understood and refuses: invalid, forbidden, over a quota. Trying again changes nothing."""
