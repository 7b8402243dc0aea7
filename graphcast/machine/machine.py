"""`Machine`: the devices that a forecast runs on, and how they share its windows."""

from dataclasses import dataclass

from graphcast.machine.devices import windows_at_once
from graphcast.machine.hosts import least
from graphcast.machine.memory import available_memory


@dataclass(frozen=True)
class Machine:
    """A table of devices, `windows` rows of `parts` devices each.

    Windows (init times or members) run side by side, one for each row. A row of several devices
    splits its window over them.

    Attributes:
        devices: how many devices take part, over all processes.
        windows: how many windows run side by side; it divides `devices`.
        memory: bytes that each device may use; None: all that it has free.
    """

    devices: int = 1
    windows: int = 1
    memory: int | None = None

    def __post_init__(self) -> None:
        """Raise `ValueError` where the devices cannot be shared out."""
        if self.devices < 1 or self.windows < 1 or self.devices % self.windows:
            raise ValueError(
                "the windows that run side by side share all devices equally, so their number "
                f"divides the number of devices; {self.windows} windows on {self.devices} devices "
                "do not; see Machine.for_windows"
            )

    @classmethod
    def for_windows(cls, windows: int, *, devices: int = 1, memory: int | None = None) -> "Machine":
        """The machine for a forecast of `windows` windows in all, no device of it idle."""
        return cls(devices, windows_at_once(windows, devices), memory)

    @property
    def parts(self) -> int:
        """How many devices one window is split over."""
        return self.devices // self.windows

    def available_memory(self) -> int:
        """Bytes that each device may use.

        Of several devices the process with the least memory decides, since all run one program;
        every process must then ask.
        """
        available = available_memory() if self.memory is None else self.memory
        return least(available) if self.devices > 1 else available
