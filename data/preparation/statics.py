"""Statics from files, on any grid: the height of the ground, land and sea.

Values are area means over the fields of a file, as on ECMWF's own coarse grids. A static that no
file holds is an error.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from data.regrid import regrid
from data.sources import open_inputs
from data.variables import VARIABLES, check_names
from mesh.grid import LatLonGrid


def read_statics(paths: Iterable[str | Path], names: Sequence[str], grid: LatLonGrid) -> xr.Dataset:
    """Statics by their catalogue names, each from the first file that has it; loaded, float32.

    Args:
        paths: files with statics.
        names: statics of the catalogue.
        grid: the grid of the result.

    Raises:
        ValueError: no file holds one of the statics; the sentence names all such.
    """
    check_names(names)
    files = list(paths)
    fields: dict[str, xr.DataArray] = {}
    for path in files:
        dataset = open_inputs(path)[0]
        wanted = [name for name in names if name in dataset and name not in fields]
        if not wanted:
            continue
        placed = statics_on(dataset[wanted], grid)
        source = Path(str(path)).name
        fields |= {name: placed[name].assign_attrs(source_file=source) for name in wanted}
    missing = [name for name in names if name not in fields]
    if missing:
        raise ValueError(
            f"statics come from files, and none of {[str(path) for path in files]} has"
            f" {', '.join(missing)}; name a file that does"
        )
    return xr.Dataset({name: fields[name].drop_vars("time", errors="ignore") for name in names})


def statics_on(dataset: xr.Dataset, grid: LatLonGrid) -> xr.Dataset:
    """The statics of a canonical Dataset on another grid, loaded: means over the new cells.

    On a finer grid, too, regridding is conservative: each new point gets the value of the old cell
    that it lies in.

    Raises:
        ValueError: a static has missing values.
    """
    names = [
        str(name)
        for name in dataset.data_vars
        if name in VARIABLES and VARIABLES[str(name)].kind == "static"
    ]
    fields = regrid(dataset[names], grid, method="conservative").load()
    for name, array in fields.items():
        missing = int((~np.isfinite(array.values)).sum())
        if missing:
            raise ValueError(
                f"a static is known everywhere, and {name} has no value at {missing} points of the"
                " new grid; fill the file, or use another"
            )
    return fields.assign({name: _with_our_attributes(array) for name, array in fields.items()})


def _with_our_attributes(array: xr.DataArray) -> xr.DataArray:
    """The array with the catalogue's attributes and its notes; others may no longer be true."""
    kept = {key: array.attrs[key] for key in ("cell_methods", "provenance") if key in array.attrs}
    result = array.copy(deep=False)
    result.attrs = {**VARIABLES[str(array.name)].attributes, **kept}
    return result
