"""Score a forecast with a metric of one's own: how much of the globe is far off.

    python examples/score_with_own_metric.py [FOLDER]

FOLDER holds forecast.zarr; if it is missing, `forecast_analyses.py` makes it. The truth is the
packaged analyses, and persistence is scored beside the forecast.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from data import open_inputs
from data.constants import STANDARD_GRAVITY
from data.samples import analyses
from data.wording import hours
from verification import HEADLINE, MeanOf, Sample, Statistic, score

FAR = 50 * STANDARD_GRAVITY  # m2 s-2: 50 m of height


@dataclass(frozen=True)
class ErrorAbove(Statistic):
    """1 where the error of a variable is larger than a threshold (its units), 0 elsewhere."""

    variable: str
    threshold: float

    @property
    def variables(self) -> tuple[str, ...]:
        """The one variable."""
        return (self.variable,)

    def field(self, sample: Sample) -> np.ndarray:
        """1 at each point where the error is too large, else 0."""
        error = np.abs(sample.error(self.variable))
        return (error > self.threshold) * 1.0


def main(folder: Path) -> xr.Dataset:
    """Score, print the metric by lead time, and return all scores."""
    store = folder / "forecast.zarr"
    if not store.exists():
        from forecast_analyses import main as make_forecast  # noqa: PLC0415  only if it is missing

        make_forecast(folder)
    far_off = {"far_off": lambda name: MeanOf(ErrorAbove(name, FAR), units="1", best="low")}
    with xr.open_zarr(store, decode_timedelta=True) as forecast:
        scores = score(
            forecast[["geopotential"]], open_inputs(analyses())[0], metrics={**HEADLINE, **far_off}
        )
    at_500 = scores["geopotential"].sel(metric="far_off", region="global", level=500)
    for lead in at_500["prediction_timedelta"].values:
        forecast_share, persistence_share = (
            float(at_500.sel(source=source, prediction_timedelta=lead))
            for source in ("forecast", "persistence")
        )
        print(
            f"+{hours(lead):.0f} h: off by more than 50 m on {forecast_share:.0%} of the globe; "
            f"persistence {persistence_share:.0%}"
        )
    return scores


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "example-output"))
