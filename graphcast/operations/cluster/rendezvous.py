"""All processes of a run meet at process 0's address before JAX starts, or say who did not come.

JAX's own service would abort a process whose partners are missing, with a stack trace and no
sentence. So process 0 listens at the address first, the others tell it their numbers, and it
answers each once all are there; then the port is JAX's.
"""

import re
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass

AUTO = "auto"
PATIENCE = 300.0  # seconds in which all processes must come, as long as JAX itself would wait
ANSWER = 10.0  # seconds in which one that has connected must speak
PAUSE = 0.2  # seconds between two attempts to reach process 0
ALL_HERE = "all here"
STOP = "stop: "


@dataclass(frozen=True)
class Seat:
    """Where a process stands among all that make one forecast.

    Attributes:
        host: of process 0.
        port: there.
        process: its own number, from 0.
        processes: how many there are.
    """

    host: str
    port: int
    process: int
    processes: int

    @property
    def address(self) -> str:
        """`host:port` of process 0."""
        return f"{self.host}:{self.port}"


def seat(coordinator: str | None, process: int | None, processes: int | None) -> Seat | None:
    """The place that the three flags give; None for one process, and where a cluster says it."""
    flags = (process, processes)
    if coordinator is None:
        if flags != (None, None):
            raise ValueError(
                "`process` and `processes` number those that meet at a `coordinator`; give it the "
                "host and port of process 0, such as host0:1234"
            )
        return None
    if coordinator == AUTO:
        if flags != (None, None):
            raise ValueError(
                "`coordinator` auto asks the cluster for `process` and `processes`, too; leave "
                "them out"
            )
        return None
    match = re.fullmatch(r"([^\s:/]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", coordinator)
    if match is None or not 0 < int(match[2]) < 2**16:
        raise ValueError(
            "`coordinator` is host and port of process 0, such as host0:1234, or auto, not "
            f"{coordinator!r}"
        )
    if process is None or processes is None:
        raise ValueError(
            "`coordinator` needs `processes`, how many there are, and `process`, which of them "
            "this one is (from 0)"
        )
    if not 0 <= process < processes:
        raise ValueError(
            f"`process` counts from 0 to `processes` - 1, and {process} of {processes} is not there"
        )
    return Seat(match[1], int(match[2]), process, processes)


def meet(own: Seat, patience: float = PATIENCE) -> None:
    """Return once all processes are there; `ValueError` when one stays away or does not belong."""
    deadline = time.monotonic() + patience
    if own.process == 0:
        _gather_others(own, deadline, patience)
    else:
        _go_to_first(own, deadline, patience)


def _gather_others(own: Seat, deadline: float, patience: float) -> None:
    here: dict[int, socket.socket] = {}
    with ExitStack() as stack:
        listener = stack.enter_context(_listening(own.port))
        try:
            while len(here) < own.processes - 1:
                try:
                    listener.settimeout(max(deadline - time.monotonic(), 0.001))
                    connection = stack.enter_context(listener.accept()[0])
                except TimeoutError:
                    raise ValueError(_missing(own, here, patience)) from None
                said = _line(connection)
                if re.fullmatch(r"\d+ of \d+", said):  # else it is something that scans ports
                    process, _, processes = said.split()
                    _check_claim(own, here, int(process), int(processes), connection)
                    here[int(process)] = connection
        except ValueError as error:
            _say(here, f"{STOP}{error}")
            raise
        _say(here, ALL_HERE)


def _go_to_first(own: Seat, deadline: float, patience: float) -> None:
    answer = ""
    while not answer:
        try:
            with socket.create_connection((own.host.strip("[]"), own.port), ANSWER) as connection:
                connection.settimeout(max(deadline - time.monotonic(), 0) + ANSWER)
                connection.sendall(f"{own.process} of {own.processes}\n".encode())
                answer = _line(connection, None)
        except OSError as error:
            if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
                raise ValueError(f"`coordinator`: no host {own.host} is known here") from error
        if not answer:  # not there yet, or gone again
            if time.monotonic() > deadline:
                raise ValueError(
                    f"process 0 did not answer at {own.address} within {patience:.0f} s; start "
                    "it, and see that this port is open on its host"
                )
            time.sleep(PAUSE)
    if answer != ALL_HERE:
        reason = answer.removeprefix(STOP)
        known = answer.startswith(STOP)
        raise ValueError(reason if known else f"what answers at {own.address} is no process 0")


def _listening(port: int) -> socket.socket:
    """A socket on all addresses of this host, as JAX's service will have them."""
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        return socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise ValueError(
            f"process 0 cannot listen on port {port} ({error.strerror}); give all processes a "
            "`coordinator` with another port"
        ) from error


def _check_claim(
    own: Seat,
    here: dict[int, socket.socket],
    process: int,
    processes: int,
    connection: socket.socket,
) -> None:
    """Whether the process is one that is still missing; it hears it if not."""
    reason = None
    if processes != own.processes:
        reason = (
            f"all processes need the same `processes`, and process {process} has {processes} "
            f"where process 0 has {own.processes}"
        )
    elif process == 0 or process in here:
        reason = f"each process needs a `process` of its own, and {process} came twice"
    if reason is not None:
        _say({process: connection}, f"{STOP}{reason}")
        raise ValueError(reason)


def _missing(own: Seat, here: dict[int, socket.socket], patience: float) -> str:
    absent = ", ".join(str(n) for n in range(1, own.processes) if n not in here)
    return (
        f"of {own.processes} processes, {absent} did not come to {own.address} within "
        f"{patience:.0f} s; start one on each host with the same command and its own `process`"
    )


def _line(connection: socket.socket, patience: float | None = ANSWER) -> str:
    """What the other side says; nothing if it says nothing in time."""
    try:
        if patience is not None:
            connection.settimeout(patience)
        with connection.makefile(encoding="utf-8", errors="replace") as file:
            return file.readline(4096).strip()
    except OSError:
        return ""


def _say(connections: dict[int, socket.socket], text: str) -> None:
    for connection in connections.values():
        try:
            connection.sendall(f"{text}\n".encode())
        except OSError:
            continue  # it went away, and JAX will notice
