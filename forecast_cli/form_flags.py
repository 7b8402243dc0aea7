"""The flags that say which part of a forecast is written, and what a file says with it."""

from typing import Annotated

import typer

Variables = Annotated[
    str | None, typer.Option(help="Of a forecast, write only these: 2t,msl,geopotential.")
]
Levels = Annotated[str | None, typer.Option(help="Write only these levels, hPa: 500,850.")]
LeadTimes = Annotated[
    str | None,
    typer.Option(help="Write only these lead times: 6h,1d, or first/last/step: 1d/10d/1d."),
]
Members = Annotated[str | None, typer.Option(help="Write only these members: 0,1.")]
Region = Annotated[
    str | None,
    typer.Option(
        help="Write only this region: a name (europe), or north/west/south/east (72/-25/34/45)."
    ),
]
ZarrFormat = Annotated[int, typer.Option(help="Format of a Zarr store: 3 or 2.")]
Centre = Annotated[
    str,
    typer.Option(help="GRIB: WMO's number of the centre, or ecCodes' name (ecmf); 255: missing."),
]
GeneratingProcess = Annotated[
    int, typer.Option(help="GRIB: the centre's number of the model; 255: missing.")
]
Bits = Annotated[int, typer.Option(help="GRIB: bits of each packed value.")]
