"""A simulated planet on the terminal: progress while it is made, then a summary."""

import time
from pathlib import Path

import xarray as xr
from rich.progress import Progress as Bar
from rich.progress import TaskID
from rich.table import Table

from data import planet as library
from data.planet.store import size_on_disk
from data.sources import open_inputs
from data.stores.reading import whole
from data.task import STEP
from data.time_range import time_range
from data.wording import hour, hours, listed
from forecast_cli.terminal import console, next_step, progress, size

DAYS_PER_STEP = hours(STEP) / 24


class Pace:
    """Simulated days a second, counted from the first step: building the model comes before."""

    def __init__(self) -> None:
        self._began, self._steps = 0.0, -1

    def step(self) -> float:
        """Count a step; the pace so far."""
        self._steps += 1
        if not self._steps:
            self._began = time.perf_counter()
        return self.now

    @property
    def now(self) -> float:
        """The pace so far; 0 before the second step."""
        seconds = time.perf_counter() - self._began
        return max(self._steps, 0) * DAYS_PER_STEP / seconds if seconds else 0.0


def simulate(
    spec: library.PlanetSpec, length: tuple[float, int], output: Path, overwrite: bool
) -> None:
    """Simulate years and days, and say what was made."""
    started, pace = time.perf_counter(), Pace()
    years, days = length
    library.number_of_times(spec.start, years, days)  # refused before the model is built
    with progress() as bar:
        task = bar.add_task("building and compiling the model", total=None)
        library.simulate(
            spec,
            years,
            output,
            days=days,
            overwrite=overwrite,
            report=lambda now: _show(bar, task, now, pace.step()),
        )
    seconds = time.perf_counter() - started
    with xr.open_zarr(whole(output)) as planet:
        first, last = (hour(t) for t in planet["time"].values[[0, -1]])
        console.print(f"[bold]{output}[/]  {size(size_on_disk(output))}, {seconds:.1f} s")
        console.print(f"  time       {first} to {last} UTC, {planet.sizes['time']} analyses")
        console.print(f"  grid       {planet.sizes['latitude']} × {planet.sizes['longitude']}")
        console.print(f"  levels     {listed(spec.levels, len(spec.levels))} hPa")
        console.print(f"  variables  {', '.join(str(name) for name in planet.data_vars)}")
        console.print(f"  source     {planet.attrs['source']}; not ERA5, no observations")
        if not library.starts_baseline(planet["latitude"].values):
            console.print(
                "  baseline   none can start from a grid with rows at the poles; a planet made"
                " without --grid can be forecast with --from"
            )
    if pace.now:
        console.print(f"  speed      {pace.now:.2g} simulated days a second")
    next_step("statistics", output, "--time", f"{first}/{last}", "--output", "statistics")


def _show(bar: Bar, task: TaskID, now: library.Progress, pace: float) -> None:
    phase = "spinning up" if now.spinning_up else "simulating"
    bar.update(
        task,
        completed=now.steps,
        total=now.all_steps,
        description=f"{phase} {str(now.time)[:10]}, {pace:.2g} days/s",
    )


def forecast(
    planet: str,
    init_times: str,
    steps: int,
    output: Path,
    spec: library.BaselineSpec,
    overwrite: bool,
) -> None:
    """Make baseline forecasts of a planet, and say what was made."""
    started = time.perf_counter()
    analyses = open_inputs(planet)[0]
    times = list(time_range(init_times).times)
    with progress() as bar:
        task = bar.add_task("forecasting", total=len(times))
        library.forecast_planet(
            analyses,
            times,
            steps,
            output,
            spec=spec,
            overwrite=overwrite,
            report=lambda done, _: bar.update(task, completed=done),
        )
    console.print(
        f"[bold]{output}[/]  {size(size_on_disk(output))}, {time.perf_counter() - started:.1f} s"
    )
    console.print(f"  init time  {len(times)} from {hour(times[0])} to {hour(times[-1])} UTC")
    console.print(f"  lead time  {hours(STEP):g} to {hours(steps * STEP):g} h")
    console.print(f"  model      {library.MODELS[spec.model].description}")
    next_step("score", "--forecast", output, "--truth", planet, "--output", "scores.zarr")


def compare(planet: Path, folder: Path, figure: Path) -> None:
    """Compare a planet's climate with a reanalysis: a table, and a figure."""
    reference = library.read_seasonal_climate(folder)
    climate = library.seasonal_climate(open_inputs(str(planet))[0])
    table = Table("difference (RMS), or value", "planet", title=f"{planet} and {reference.name}")
    for name, value in library.climate_differences(climate, reference).items():
        table.add_row(name, f"{value:.2f}")
    console.print(table)
    library.draw_climates(climate, reference, figure)
    console.print(f"figure: [bold]{figure}[/]")
