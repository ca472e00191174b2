"""What a carrier refuses, in its own words."""


class RefusedError(Exception):
    """A request that is refused: the carrier's `code`, and a message of ours."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
