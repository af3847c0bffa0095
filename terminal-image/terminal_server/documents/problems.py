"""What a document can be refused for."""


class DocumentError(Exception):
    """No text can be had; `status` says why, as HTTP does."""

    def __init__(self, reason: str, status: int = 422) -> None:
        super().__init__(reason)
        self.status = status
