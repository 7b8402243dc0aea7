"""All processes of a run meet at process 0's address before JAX starts.

If partners are missing, JAX's own service aborts a process with a stack trace. This module raises
an error that names the missing processes. Process 0 listens at the
address; each other process connects and sends its number. Once all have come, process 0 answers
each of them and leaves the port to JAX.
"""

import re
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass

AUTO = "auto"
PATIENCE = 300.0  # seconds within which all processes must come; JAX itself would wait as long
ANSWER = 10.0  # seconds within which a process that has connected must send its number
PAUSE = 0.2  # seconds between two attempts to reach process 0
ALL_HERE = "all here"
STOP = "stop: "


@dataclass(frozen=True)
class Seat:
    """The place of one process among all that make one forecast.

    Attributes:
        host: of process 0.
        port: on that host.
        process: this process's number, from 0.
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
    """The place that three flags describe.

    Returns:
        None for a process on its own, and for `coordinator` "auto", where the cluster knows.

    Raises:
        ValueError: the flags contradict each other, or one is missing.
    """
    numbers = (process, processes)
    if coordinator is None:
        if numbers != (None, None):
            raise ValueError(
                "`process` and `processes` number those that meet at a `coordinator`; give it the "
                "host and port of process 0, such as host0:1234"
            )
        return None
    if coordinator == AUTO:
        if numbers != (None, None):
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


def meet(place: Seat, patience: float = PATIENCE) -> None:
    """Return once all processes have come.

    Args:
        place: the seat of this process.
        patience: seconds to wait for the others.

    Raises:
        ValueError: a process stays away, or one has come that does not belong.
    """
    deadline = time.monotonic() + patience
    if place.process == 0:
        _gather_others(place, deadline, patience)
    else:
        _go_to_first(place, deadline, patience)


def _gather_others(place: Seat, deadline: float, patience: float) -> None:
    present: dict[int, socket.socket] = {}
    with ExitStack() as stack:
        listener = stack.enter_context(_listening(place.port))
        try:
            while len(present) < place.processes - 1:
                try:
                    listener.settimeout(max(deadline - time.monotonic(), 0.001))
                    connection = stack.enter_context(listener.accept()[0])
                except TimeoutError:
                    raise ValueError(_missing(place, present, patience)) from None
                line = _line(connection)
                if re.fullmatch(r"\d+ of \d+", line):  # anything else is a port scanner
                    process, _, processes = line.split()
                    _check_claim(place, present, int(process), int(processes), connection)
                    present[int(process)] = connection
        except ValueError as error:
            _say(present, f"{STOP}{error}")
            raise
        _say(present, ALL_HERE)


def _go_to_first(place: Seat, deadline: float, patience: float) -> None:
    answer = ""
    while not answer:
        try:
            address = (place.host.strip("[]"), place.port)
            with socket.create_connection(address, ANSWER) as connection:
                connection.settimeout(max(deadline - time.monotonic(), 0) + ANSWER)
                connection.sendall(f"{place.process} of {place.processes}\n".encode())
                answer = _line(connection, None)
        except OSError as error:
            if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
                raise ValueError(f"`coordinator`: no host {place.host} is known here") from error
        if not answer:  # process 0 does not listen yet, or has gone again
            if time.monotonic() > deadline:
                raise ValueError(
                    f"process 0 did not answer at {place.address} within {patience:.0f} s; start "
                    "it, and see that this port is open on its host"
                )
            time.sleep(PAUSE)
    if answer.startswith(STOP):
        raise ValueError(answer.removeprefix(STOP))
    if answer != ALL_HERE:
        raise ValueError(f"what answers at {place.address} is no process 0")


def _listening(port: int) -> socket.socket:
    """A socket on all addresses of this host, which JAX's service will use after it."""
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
    place: Seat,
    present: dict[int, socket.socket],
    process: int,
    processes: int,
    connection: socket.socket,
) -> None:
    """Raise `ValueError` unless the process is expected; the process gets the reason, too."""
    reason = None
    if processes != place.processes:
        reason = (
            f"all processes need the same `processes`, and process {process} has {processes} "
            f"where process 0 has {place.processes}"
        )
    elif process == 0 or process in present:
        reason = f"each process needs a `process` of its own, and {process} came twice"
    if reason is not None:
        _say({process: connection}, f"{STOP}{reason}")
        raise ValueError(reason)


def _missing(place: Seat, present: dict[int, socket.socket], patience: float) -> str:
    absent = ", ".join(str(n) for n in range(1, place.processes) if n not in present)
    return (
        f"of {place.processes} processes, {absent} did not come to {place.address} within "
        f"{patience:.0f} s; start one on each host with the same command and its own `process`"
    )


def _line(connection: socket.socket, patience: float | None = ANSWER) -> str:
    """A line from the other side; empty if none comes in time."""
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
            continue  # it has gone, and JAX will notice
