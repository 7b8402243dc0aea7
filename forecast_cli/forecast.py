"""`graphcast forecast`: two analyses in, a forecast out, as Zarr, netCDF or GRIB."""

import time
from pathlib import Path
from typing import Annotated

import typer

from forecast_cli import form_flags as flags
from forecast_cli.choices import PRECISIONS, Force, either
from forecast_cli.terminal import remarks


def forecast(  # noqa: PLR0913, PLR0917  the flags are a contract
    checkpoint: Annotated[Path, typer.Option(help="Weights: .safetensors, or DeepMind's .npz.")],
    inputs: Annotated[
        list[str],
        typer.Option(
            help="File, Zarr store, folder, pattern ('era5/*.grib') or URL with the frames at"
            " t - 6 h and t; given several times, all are read as one."
        ),
    ],
    lead_time_text: Annotated[
        str, typer.Option("--lead-time", help="How far to forecast: 10d, 36h, 1d12h.")
    ],
    output: Annotated[
        Path, typer.Option(help="What to write: a Zarr store, or a file (.nc, .grib2).")
    ],
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
        typer.Option(
            "--init-time",
            "--init-times",
            help="Init time t in UTC (2024-06-03T18), where --inputs holds several; or many, as"
            " 2024-06-01/2024-06-30T12/12h, with commas, or the latest.",
        ),
    ] = None,
    precision: Annotated[str, typer.Option(help=f"{either(PRECISIONS)}.")] = "float32",
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
        typer.Option(help="Let the input doctor look at the frames, and stop at an error."),
    ] = True,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw", help="Keep values below zero that the model predicts of rain and humidity."
        ),
    ] = False,
    variables: flags.Variables = None,
    levels: flags.Levels = None,
    lead_times: flags.LeadTimes = None,
    region: flags.Region = None,
    zarr_format: flags.ZarrFormat = 3,
    centre: flags.Centre = "255",
    generating_process: flags.GeneratingProcess = 255,
    bits: flags.Bits = 16,
    force: Force = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at a warning of the input doctor, too.")
    ] = False,
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
    r"""Forecast from two analyses six hours apart.

    The forecast advances in steps of six hours, or of the step that the weights
    were trained for. After an interruption, the same command resumes and ends
    in the same bytes. Entries of a batch become init times if their times
    differ, and ensemble members (`number`) if they do not. Rain and humidity are
    not negative in what is written (--raw), which says how much was cut off.

    Example:
        graphcast forecast --checkpoint GraphCast_small.npz \
            --statistics stats/ --inputs era5.zarr --init-time 2022-01-01T06 \
            --lead-time 10d --output forecast.zarr
    On two hosts, the same with --process 0 and with --process 1:
        graphcast forecast ... --coordinator host0:1234 --process 0 --processes 2
    """
    started = time.perf_counter()
    from data.time_range import asked_init_times
    from forecast_cli.arguments import lead_time, number_of_bytes

    # A wrong flag is refused before anything is imported or read.
    if init_time is not None:
        asked_init_times(init_time)
    limit = None if memory is None else number_of_bytes(memory)
    from forecast_cli.parts import form_of

    form = form_of(
        variables=variables,
        levels=levels,
        lead_times=lead_times,
        region=region,
        zarr_format=zarr_format,
        centre=centre,
        generating_process=generating_process,
        bits=bits,
    )
    from forecast_cli.screen import Screen
    from graphcast import operations
    from graphcast.machine.hosts import is_first, together
    from graphcast.operations.cluster import runtime
    from graphcast.precision import precision_named

    precision_named(precision)
    if deterministic:
        runtime.use_deterministic_kernels()
    with together():
        runtime.join(coordinator, process, processes, report=remarks.print)
        runtime.prepare_to_compile()
        weights = operations.open_weights(checkpoint, statistics)
        with Screen() as screen:
            operations.forecast(
                checkpoint=weights,
                inputs=inputs,
                steps=lead_time(lead_time_text, weights.checkpoint.task.step),
                output=output,
                init_time=init_time,
                forcings=forcings,
                precision=precision,
                devices=devices,
                memory=limit,
                deterministic=deterministic,
                examine=examine,
                force=force,
                strict=strict,
                overwrite=overwrite,
                raw=raw,
                form=form,
                report=screen,
            )
        if is_first():
            screen.summarise(output, weights.digest, time.perf_counter() - started, form)
