"""The input doctor: can a forecast start from these fields?

`examine_file` reads a file and judges it, `examine` judges a canonical Dataset, and
`examine_frames` judges two loaded frames of a forecast or a training sample:

    for finding in examine_file("era5.zarr"):
        print(finding.severity, finding.message, finding.remedy)

A job examines a sample where its data come in, and stops at an error unless it is forced:

    examined(dataset, "the truth", force=False)

A rule is a function from a `Case` to findings and a line in `examination.RULES`. No rule stops real
weather. Most rules compare readings of the same numbers: a field that fits the Earth upside down,
and not as labelled, is upside down; a field that fits neither way belongs to another planet.

Read `finding`, `case` and `digest` first, which say what a rule returns and what it sees; `era5` is
the climate to compare with and `balance` the dynamics. Then the rules by family:

- `reading`: can the file be read, and is it a forecast?
- `structure`: grid, times, levels; `contents`: variables
- `values` (with `exact_zeros`): units, gaps, constants, fill values, repetitions
- `water`: humidity, precipitation, ascent
- `orientation`: statics, longitude, sunlight, the daily cycle
- `ground`: fields some degrees east or west of the ground that shows in them
- `climate`: size, hemisphere and season, against ERA5
- `halves`: the seam at the equator
- `sequence`: one frame after another
- `hydrostatic`, `winds` and `order` (of levels): balance

`make_climatology` makes the table of `era5`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
