"""What flags may be, in the words of their help, which is shown without importing the library."""

from typing import Annotated

import typer

TASKS = ("graphcast", "graphcast_small", "graphcast_operational")
TASK_FILE = "a JSON file with name, inputs, targets, forcings and levels"
PRECISIONS = ("float32", "mixed", "bfloat16")
SERIES = (
    *("arco-era5", "weatherbench2-era5", "weatherbench2-era5-240x121", "weatherbench2-era5-64x32"),
    *("weatherbench2-hres", "weatherbench2-hres-240x121", "cds", "opendata"),
    *("gfs", "gfs-0p25", "gfs-0p50", "gfs-1p00"),
)
MODELS = ("tiny", "small", "paper")
RECIPES = ("quick", "paper", "finetune")
REGRIDDING = ("conservative", "bilinear", "nearest", "subsample")
HEADLINE_REGIONS = ("global", "n.hem", "s.hem", "tropics")
REGIONS = (
    *HEADLINE_REGIONS,
    *("extra-tropics", "arctic", "antarctic", "europe", "n.amer", "n.atl", "n.pac", "e.asia"),
    *("austnz", "n.africa", "s.africa", "s.amer", "w.asia", "se.asia", "land", "sea"),
    *("wmo.nh", "wmo.sh", "wmo.tropics", "wmo.n.america", "wmo.europe", "wmo.asia"),
    *("wmo.australia", "wmo.n.polar", "wmo.s.polar"),
)
# The flag of every command with the input doctor at its door.
Force = Annotated[
    bool, typer.Option("--force", help="Go on after an error that the input doctor finds.")
]
HEADLINE_METRICS = ("rmse", "rmse_wb2", "mae", "bias", "acc")
PROTOCOLS = ("own", "paper", "wb2", "wmo")
TESTS = ("ar2", "hac", "bootstrap", "diebold-mariano")
PLANETS = ("t21", "t31", "t42", "t31-other")
PLANET_LEVELS = (50, 100, 200, 300, 500, 700, 850, 925, 1000)  # hPa


def either(names: tuple[str, ...]) -> str:
    """Names as a choice.

    >>> either(("float32", "mixed", "bfloat16"))
    'float32, mixed or bfloat16'
    """
    return f"{', '.join(names[:-1])} or {names[-1]}"
