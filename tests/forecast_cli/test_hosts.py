"""`graphcast forecast` by two processes: their one store, and how both end in an error."""

import contextlib
import json
import os
import re
import socket
from functools import partial
from signal import SIGABRT, SIGKILL
from threading import Thread
from types import SimpleNamespace
from typing import NamedTuple

import jax
import numpy as np
import pytest
import xarray as xr

from graphcast.operations.cluster import runtime
from graphcast.operations.cluster.rendezvous import Seat, meet

from ..two_processes import free_port, on_two_processes
from .conftest import analyses
from .test_forecast import check_refused

# Several command lines one after the other, some with other flags in each process. JAX joins the
# processes in the first command that can. A command fails at the second lead of the second member,
# in the way that its name says.
SCRIPT = """
import contextlib, json, os, signal, sys
from pathlib import Path

import jax
from forecast_cli.__main__ import main
from graphcast.operations import turns
from graphcast.operations.cluster.shared_store import SharedStore
from graphcast.machine.hosts import PatientInterrupt

port, process, file = sys.argv[1:]
os.environ["SLURM_PROCID"] = process
write, sha256 = SharedStore.write, turns.window_sha256

def troubled(self, lead, fields, **place):
    if (lead, place["member"]) == (1, 1):
        if (name, process) in (("killed", "0"), ("lost", "1")):
            os.kill(os.getpid(), signal.SIGKILL)
        if (name, process) == ("interrupted", "0"):
            os.kill(os.getpid(), signal.SIGINT)
        if (name, process) == ("full", "0"):
            raise OSError(28, "disk full", "here")
    write(self, lead, fields, **place)

def hashed(*window):
    return "of others" if (name, process) == ("values", "1") else sha256(*window)

SharedStore.write, turns.window_sha256 = troubled, hashed
for name, *flags in json.loads(Path(file).read_text()):
    argv = flags[int(process) % len(flags)]
    if not (jax.distributed.is_initialized() or "--coordinator" in argv):
        argv += ["--coordinator", f"localhost:{port}", "--process", process, "--processes", "2"]
    elif jax.distributed.is_initialized():
        signal.signal(signal.SIGINT, PatientInterrupt())  # the last one may have caught a signal
    sys.argv = ["graphcast", *argv]
    print(f"== {name}", flush=True)
    with Path(file).with_name(f"{name}-{process}.err").open("w") as err:
        with contextlib.redirect_stderr(err):
            try:
                main()
                code = 0
            except SystemExit as stop:
                code = stop.code or 0
    print(f"== {code}", flush=True)
"""


class Said(NamedTuple):
    code: int | None
    out: str
    err: str


def run(folder, *, environment=None, **commands):
    """The exit codes of both processes, and their output for each command."""
    file = folder / "commands.json"
    file.write_text(json.dumps([(name, *flags) for name, flags in commands.items()]))
    environment = {"XDG_CACHE_HOME": str(folder / "cache")} | (environment or {})
    ended = on_two_processes(SCRIPT, file, **environment)
    said = {}
    for name in commands:
        for process in (0, 1):
            _, _, after = ended[process].stdout.partition(f"== {name}\n")
            out, _, code = after.partition("== ")
            err = " ".join((folder / f"{name}-{process}.err").read_text().split())
            output = Said(int(code.split()[0]) if code else None, out, err)
            said.setdefault(name, []).append(output)
    return [process.returncode for process in ended], said


def slurm():
    """Environment variables of Slurm, from which JAX derives a port; it is free."""
    for port in range(61440 + os.getpid() % 2048, 65536):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            break
    return {
        "SLURM_JOB_ID": str(port - 61440),
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_NTASKS": "2",
        "SLURM_LOCALID": "0",
    }


@pytest.mark.slow
def test_two_processes_make_one_forecast(graphcast, case):
    frames = analyses(2)
    members = xr.concat([frames, frames + 1.0, frames + 2.0], "batch")
    inputs = case.folder / "members.nc"
    members.rename(latitude="lat", longitude="lon").to_netcdf(inputs)

    def command(output, **changes):
        return [
            str(x) for x in case.forecast(inputs=inputs, output=case.folder / output, **changes)
        ]

    whole = command("whole.zarr")
    ended, said = run(
        case.folder,
        nowhere=[[*whole, "--coordinator", "auto"]],
        whole=[whole],
        same=[whole],
        other=[command("whole.zarr", lead_time="6h")],
        unlike=[whole, command("whole.zarr", lead_time="18h")],
        values=[whole],
        unequal=[whole, [*whole, "--overwrite"]],
        missing=[command("not.zarr"), command("not.zarr", statistics="nowhere")],
        uneven=[command("not.zarr", devices=3)],
        full=[command("full.zarr")],
        interrupted=[command("stopped.zarr")],
        resumed=[command("stopped.zarr")],
        killed=[command("killed.zarr")],
    )
    assert ended[0] == -SIGKILL
    assert ended[1] in (2, -SIGABRT)  # with a sentence, unless JAX notices first and aborts
    check_whole(graphcast, case, whole, said["whole"])
    first, second = said["same"]
    assert (first.code, second.code) == (0, 0)
    assert "it was there already, made from the same inputs by the same command" in first.out
    assert second.out == ""
    for name, words in {
        "nowhere": ("no cluster that JAX knows", "no cluster that JAX knows"),
        "other": ("whole.zarr is there already, made with", "lead time 12 h, not 6 h"),
        "unlike": ("process 0 and process 1 differ in their flags", "differ in their flags"),
        "unequal": ("process 0 and process 1 differ in their flags", "differ in their flags"),
        "values": ("process 0 and process 1 have read different values", "different values"),
        "missing": ("process 1 of 2 stopped: ", "nowhere"),
        "uneven": ("a multiple of 2 up to 4, not 3", "a multiple of 2 up to 4, not 3"),
        "full": ("here: disk full", "process 0 of 2 stopped: "),
    }.items():
        for each, word in zip(said[name], words, strict=True):
            assert each.code == 2
            assert word in each.err
    assert not (case.folder / "not.zarr.partial").exists()
    first, second = said["interrupted"]
    assert (first.code, second.code) == (130, 2)
    assert "process 0 of 2 stopped: it was interrupted" in second.err
    assert [each.code for each in said["resumed"]] == [0, 0]
    # An interrupt waits for the end of the lead.
    assert "4 of 6 taken from the interrupted run" in said["resumed"][0].out

    again = [*command("killed.zarr"), "--coordinator", "auto"]
    ended, said = run(case.folder, environment=slurm(), again=[again], lost=[command("lost.zarr")])
    assert [each.code for each in said["again"]] == [0, 0]
    assert "3 of 6 taken from the interrupted run" in said["again"][0].out
    assert ended == [2, -SIGKILL]
    assert "another process is gone" in said["lost"][0].err
    for path in (case.folder / "whole.zarr").rglob("*.*"):
        for other in ("stopped.zarr", "killed.zarr"):
            same = case.folder / other / path.relative_to(case.folder / "whole.zarr")
            assert path.is_dir() or path.read_bytes() == same.read_bytes()


def check_whole(graphcast, case, whole, said):
    first, second = said
    assert (first.code, second.code) == (0, 0)
    assert first.out.startswith(str(case.folder / "whole.zarr"))  # and nothing of gloo's before
    assert "3 members" in first.out
    assert second.out == ""
    assert re.fullmatch(r"process 1 of 2, meeting at \S+; process 0 writes .*", second.err)
    expected = case.folder / "one.zarr"
    assert graphcast(*whole, "--overwrite", "--output", expected).code == 0
    one, two = xr.open_zarr(expected).load(), xr.open_zarr(case.folder / "whole.zarr").load()
    for name in one.data_vars:
        # float32: another program, and sums over edges in another order
        np.testing.assert_allclose(two[name], one[name], rtol=1e-6)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"process": 0}, ("--coordinator", "host0:1234")),
        ({"processes": 2}, ("--coordinator", "host0:1234")),
        ({"coordinator": "host0", "process": 0, "processes": 2}, ("not 'host0'",)),
        ({"coordinator": "host0:99999", "process": 0, "processes": 2}, ("not 'host0:99999'",)),
        ({"coordinator": "host0:1234"}, ("needs --processes",)),
        ({"coordinator": "host0:1234", "process": 2, "processes": 2}, ("2 of 2 is not there",)),
        ({"coordinator": "auto", "process": 0}, ("leave them out",)),
    ],
)
def test_bad_seats_get_a_sentence(graphcast, case, flags, words):
    check_refused(graphcast(*case.forecast(**flags)), *words)


@pytest.mark.parametrize(
    ("process", "words"),
    [(0, "of 3 processes, 1, 2 did not come"), (1, "process 0 did not answer at localhost")],
)
def test_partners_that_stay_away_get_a_sentence(graphcast, case, monkeypatch, process, words):
    monkeypatch.setattr(runtime, "meet", partial(meet, patience=0.3))
    flags = {"coordinator": f"localhost:{free_port()}", "process": process, "processes": 3}
    refused = graphcast(*case.forecast(**flags))
    assert refused.code == 2
    assert refused.sentence.startswith(f"process {process} of 3, meeting at localhost:")
    assert words in refused.sentence
    assert "Traceback" not in refused.err


def test_an_unknown_host_gets_a_sentence(graphcast, case, monkeypatch):
    def unknown(*_):
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "create_connection", unknown)
    flags = {"coordinator": "hsot0:1234", "process": 1, "processes": 2}
    refused = graphcast(*case.forecast(**flags))
    assert refused.code == 2
    assert "error: --coordinator: no host hsot0 is known here" in refused.sentence


def met(*seats):
    """The answer or error that each process gets when all meet, each in a thread."""
    heard, port = {}, free_port()

    def go(place, process, processes):
        try:
            meet(Seat("localhost", port, process, processes), patience=10.0)
            heard[place] = "all here"
        except ValueError as error:
            heard[place] = str(error)

    threads = [Thread(target=go, args=(i, *numbers)) for i, numbers in enumerate(seats)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [heard[place] for place in range(len(seats))]


def test_processes_meet_before_jax_starts():
    assert met((2, 3), (0, 3), (1, 3)) == ["all here"] * 3
    for heard, words in (
        (met((1, 2), (0, 3)), "process 1 has 2 where process 0 has 3"),
        (met((1, 3), (1, 3), (0, 3)), "1 came twice"),
    ):
        assert all(words in sentence for sentence in heard), heard


def test_unequal_numbers_of_devices_get_a_sentence(monkeypatch):
    there = [SimpleNamespace(process_index=process) for process in (0, 0, 1)]
    monkeypatch.setattr(jax, "devices", lambda: there)
    monkeypatch.setattr(jax, "process_count", lambda: 2)
    with pytest.raises(ValueError, match="as many devices as the others, and these have 2, 1"):
        runtime._check_devices()


def test_a_port_that_is_taken_gets_a_sentence(graphcast, case):
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        flags = {"coordinator": f"localhost:{port}", "process": 0, "processes": 2}
        refused = graphcast(*case.forecast(**flags))
    assert refused.code == 2
    assert f"error: process 0 cannot listen on port {port}" in refused.sentence
