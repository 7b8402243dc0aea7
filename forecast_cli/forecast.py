"""`graphcast forecast`: two analyses in, a Zarr forecast out."""

import json
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.markup import escape

from data.doctor import Finding
from data.stores.forecast.header import ForecastHeader
from data.stores.forecast.store import ForecastStore, interrupted_provenance
from data.task import STEP
from data.windows import Window
from forecast_cli.arguments import lead_time, moment, number_of_bytes
from forecast_cli.terminal import console, errors, progress, size
from graphcast.checkpoints import Checkpoint, read_checkpoint
from graphcast.forecaster import PlacedForecaster, forecaster
from graphcast.machine.hosts import exchange, is_first, process_count, together
from graphcast.machine.machine import Machine
from graphcast.machine.plan import Economy
from graphcast.operations.cluster.runtime import (
    device_count,
    graph_cache,
    join,
    prepare_to_compile,
    use_deterministic_kernels,
)
from graphcast.operations.cluster.shared_store import SharedStore, check_same, opened
from graphcast.operations.provenance import file_sha256, provenance, window_sha256
from graphcast.operations.starts import (
    grid_of,
    odd_findings,
    open_windows,
    resolution_finding,
    with_statistics,
)
from graphcast.precision import precision_named

SHOWN_FINDINGS = 5  # of each window
REFERENCES = "Lam et al. 2023, doi:10.1126/science.adi2336"


@together()
def forecast(  # noqa: PLR0913, PLR0917  the flags are a contract
    checkpoint: Annotated[
        Path, typer.Option(help="Weights: ours (.safetensors) or DeepMind's (.npz).")
    ],
    inputs: Annotated[
        str,
        typer.Option(help="File, Zarr store or URL with the frames at t - 6 h and t."),
    ],
    lead_time_text: Annotated[
        str, typer.Option("--lead-time", help="How far to forecast: 10d, 36h, 1d12h.")
    ],
    output: Annotated[Path, typer.Option(help="Zarr store to write.")],
    statistics: Annotated[
        Path | None,
        typer.Option(
            help="Folder with mean_by_level.nc, stddev_by_level.nc and diffs_stddev_by_level.nc; "
            "needed when the checkpoint carries none."
        ),
    ] = None,
    forcings: Annotated[
        str | None,
        typer.Option(help="File, store or URL with forcings at later times; others are computed."),
    ] = None,
    init_time: Annotated[
        str | None,
        typer.Option(help="Init time t in UTC (2024-06-03T18), where --inputs holds several."),
    ] = None,
    precision: Annotated[str, typer.Option(help="float32, mixed or bfloat16.")] = "float32",
    devices: Annotated[
        int | None,
        typer.Option(
            help="Use this many devices (GPUs, TPU cores). Members and init times are spread over "
            "them first, as many side by side as divide the devices; where devices outnumber "
            "those, each is split over its share. If not given: one for each member or init time, "
            "as far as there are devices; all devices of several processes."
        ),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(help="Use at most this much of a device (12GB); what it has, if not given."),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic", help="The same bits on every run, on a GPU too, where it costs time."
        ),
    ] = False,
    examine: Annotated[
        bool,
        typer.Option(help="Let the input doctor look at the frames and say what it finds."),
    ] = True,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing forecast.")
    ] = False,
    coordinator: Annotated[
        str | None,
        typer.Option(
            help="Several processes make one forecast, on a host each: host and port of process 0, "
            "which writes it (host0:1234). All get the same files and flags but --process. Or "
            "auto, where Slurm, Open MPI or a Cloud TPU has started them."
        ),
    ] = None,
    process: Annotated[
        int | None, typer.Option(help="Which of the --processes this is, from 0.")
    ] = None,
    processes: Annotated[int | None, typer.Option(help="How many processes there are.")] = None,
) -> None:
    r"""Forecast from two analyses six hours apart, in steps of six hours.

    Killed or interrupted, the same command goes on where it stopped. Entries of
    a batch become init times when their times differ, and ensemble members
    (`number`) when they do not.

    Example:
        graphcast forecast --checkpoint GraphCast_small.npz \
            --statistics stats/ --inputs era5.zarr --init-time 2022-01-01T06 \
            --lead-time 10d --output forecast.zarr
    On two hosts, the same with --process 0 and with --process 1:
        graphcast forecast ... --coordinator host0:1234 --process 0 --processes 2
    """
    started = time.perf_counter()
    if deterministic:
        use_deterministic_kernels()
    steps = lead_time(lead_time_text)
    chosen = None if init_time is None else moment(init_time)
    rounding = precision_named(precision)
    limit = None if memory is None else number_of_bytes(memory)
    join(coordinator, process, processes, report=errors.print)
    weights = with_statistics(read_checkpoint(checkpoint), statistics)
    windows = open_windows(weights, inputs, forcings, chosen)
    devices = device_count(devices, len(windows))
    if is_first() and (finding := resolution_finding(weights, windows[0])):
        show_findings([finding])
    for start in windows:
        start.check_forcings(steps)
    ready = forecaster(weights, grid_of(windows[0]), precision=rounding, cache=graph_cache()).on(
        Machine.for_windows(len(windows), devices=devices, memory=limit),
        economy=interrupted_economy(output, overwrite=overwrite),
    )
    # Another number of devices or another economy is another program, and rounds otherwise.
    flags: dict[str, object] = {
        "lead_time_hours": 6 * steps,
        "precision": precision,
        "devices": devices,
        "economy": asdict(ready.plan.economy),
        "deterministic": deterministic,
    }
    if process_count() > 1:
        flags["processes"] = process_count()
    made_from = _made_from(checkpoint, weights, statistics, windows, flags)
    header = forecast_header(weights, windows, steps, made_from)
    check_same(header)
    with opened(output, header, overwrite=overwrite) as store:
        if examine and is_first():
            for start in windows:
                show_findings(odd_findings(start))
        prepare_to_compile()
        resumed = len(header.cells) - len(store.missing)
        write_forecasts(ready, windows, store)
        store.finish()
    if is_first():
        _report(output, header, windows, resumed, time.perf_counter() - started)


def show_findings(findings: list[Finding]) -> None:
    """Print the first findings, and how many more there are."""
    for finding in findings[:SHOWN_FINDINGS]:
        errors.print(f"[yellow]{finding.rule}:[/] {escape(finding.message)}", soft_wrap=True)
    if len(findings) > SHOWN_FINDINGS:
        errors.print(f"and {len(findings) - SHOWN_FINDINGS} more: graphcast doctor tells all")


def interrupted_economy(output: Path, *, overwrite: bool) -> Economy | None:
    """How the interrupted forecast of this name, on process 0, was cut to fit, if there is one."""
    flags = {} if overwrite else interrupted_provenance(output).get("flags", {})
    economy = json.loads(exchange(json.dumps(flags.get("economy")))[0])
    return None if economy is None else Economy(**economy)


def forecast_header(
    checkpoint: Checkpoint, windows: list[Window], steps: int, made_from: dict[str, object]
) -> ForecastHeader:
    """What the store says of itself, known before the first step."""
    times = sorted({w.init_time for w in windows})
    if len(times) > 1 and len(times) != len(windows):
        raise ValueError(
            "batch entries either all start at different times or all at the same one; these "
            f"{len(windows)} entries start at {len(times)} times, so give them in separate files"
        )
    frame = windows[0].frames
    return ForecastHeader(
        variables=tuple(sorted(checkpoint.task.targets)),
        init_times=tuple(times),
        leads=tuple((step + 1) * STEP for step in range(steps)),
        levels=checkpoint.task.levels,
        latitude=tuple(frame["latitude"].values.tolist()),
        longitude=tuple(frame["longitude"].values.tolist()),
        members=tuple(range(len(windows))) if len(windows) > len(times) else (),
        title="GraphCast forecast",
        source=f"GraphCast, weights: {checkpoint.description or 'not described'}",
        # Without the clock: two runs of one command give the same bytes.
        history=f"graphcast {version('graphcast')} forecast",
        references=REFERENCES,
        comment=f"Licence of the weights: {checkpoint.license or 'not stated'}",
        provenance=provenance(**made_from),
    )


def write_forecasts(
    ready: PlacedForecaster, windows: list[Window], store: ForecastStore | SharedStore
) -> None:
    """Write every lead that the store does not have yet, each as soon as it is computed."""
    name = "init" if len(store.header.init_times) > 1 else "member"
    steps = len(store.header.leads)
    with progress(shown=is_first()) as bar:
        task = bar.add_task("forecasting", total=steps * len(windows))
        for start in range(0, len(windows), ready.machine.windows):
            together = windows[start : start + ready.machine.windows]
            places = [{name: start + index} for index in range(len(together))]
            have = [len(store.committed_leads(**place)) for place in places]
            bar.advance(task, sum(have))
            first = min(have)
            if first == steps:
                continue
            # The last two frames are all that the next step needs.
            done = [[store.read(lead, **place) for lead in range(first)[-2:]] for place in places]
            fields = ready.forecasts(together, steps, done=done, first=first)
            for lead, predicted in enumerate(fields, start=first):
                for place, count, own in zip(places, have, predicted, strict=True):
                    if lead >= count:  # an interrupted run may have left some windows ahead
                        store.write(lead, own, **place)
                        bar.advance(task)
                exchange()  # a lead that one process could not write stops them all


def _made_from(
    path: Path,
    weights: Checkpoint,
    statistics: Path | None,
    windows: list[Window],
    flags: dict[str, object],
) -> dict[str, object]:
    """What a forecast was made from, for its provenance."""
    return {
        "weights": {
            "sha256": file_sha256(path),
            "description": weights.description,
            "license": weights.license,
        },
        "statistics": "in the checkpoint" if statistics is None else _statistics_hashes(statistics),
        "inputs": [
            {"init_time": str(w.init_time), "sha256": window_sha256(w), "notes": list(w.provenance)}
            for w in windows
        ],
        "flags": flags,
    }


def _statistics_hashes(folder: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in sorted(folder.glob("*_by_level.nc"))}


def _grouped(notes: tuple[str, ...]) -> dict[str, list[str]]:
    """Notes "variable: what was done" by what was done."""
    groups: dict[str, list[str]] = {}
    for note in notes:
        name, _, done = note.partition(": ")
        groups.setdefault(done, []).append(name)
    return groups


def _report(
    output: Path, header: ForecastHeader, windows: list[Window], resumed: int, seconds: float
) -> None:
    made = json.loads(header.provenance)
    starts = ", ".join(f"{str(t)[:13]} UTC" for t in header.init_times)
    last = header.leads[-1] / np.timedelta64(1, "h")
    written = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    console.print(f"[bold]{output}[/]  {size(written)}, {seconds:.1f} s")
    console.print(
        f"  init time  {starts}" + (f", {len(header.members)} members" * bool(header.members))
    )
    console.print(
        f"  lead time  6 to {last:.0f} h in {len(header.leads)} steps"
        + (f", {resumed} of {len(header.cells)} taken from the interrupted run" * bool(resumed))
    )
    console.print(f"  variables  {', '.join(header.variables)}")
    console.print(f"  weights    {made['weights']['description'] or 'not described'}")
    for note, names in _grouped(windows[0].provenance).items():
        console.print(f"  input      {note}: {', '.join(names)}")
    console.print(
        f"next: [cyan]graphcast score --forecast {output} --truth ANALYSES --output scores.zarr[/]"
    )
