"""The grid behind a name, a file or a Zarr store."""

from pathlib import Path

from data.grids import grid_of
from data.sources.inputs import open_inputs
from mesh.grid import LatLonGrid, UnknownGridName


def grid_named(text: str) -> LatLonGrid:
    """The grid of a name ("0.25", "N48": see `LatLonGrid.named`) or of a file or Zarr store.

    Raises:
        ValueError: a resolution that does not divide 180 degrees; a file whose grid is not global.
        FileNotFoundError: the text is not the name of a grid, and there is no such file.
    """
    name = text.strip()
    try:
        return LatLonGrid.named(name)
    except UnknownGridName as error:
        if "://" not in name and not Path(name).exists():
            raise FileNotFoundError(f"{error}, and there is no file of that name") from None
    return grid_of(open_inputs(name)[0], name)
