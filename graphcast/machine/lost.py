"""How a computation of several processes ends when one of them fails; imports nothing."""


class StoppedError(ValueError):
    """Another process ended in an error, and said which."""


class LostError(OSError):
    """Another process is gone and said nothing."""
