"""How a step's time grows with the multi-mesh's level, on one grid, in one JSON line.

    python benchmarks/growth.py --size B --levels 2 3 4 5

Each further level of the multi-mesh has four times as many edges. `exponent` is the slope of the
added time over the added edges, on logarithmic axes: 1 is the bound of a network that spends its
time on edges.
"""

import json
import math
import statistics
from dataclasses import replace

from step import SIZES, arguments_of, case_of, forward, machine, number_of_bytes, seconds, set_up

from graphcast.machine.memory import available_memory
from graphcast.precision import PRECISIONS
from mesh.graphs import MeshSpec


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--levels", type=int, nargs="+", default=[2, 3, 4, 5])
    options = parser.parse_args()
    if len(options.levels) < 3:
        parser.error(f"--levels takes three or more, to see a slope; got {options.levels}")
    set_up(options)
    precision = PRECISIONS[options.precision]
    memory = number_of_bytes(options.memory) if options.memory else available_memory()
    size = SIZES[options.size]
    measured = []
    for level in options.levels:
        meshed = size._replace(spec=replace(size.spec, mesh=MeshSpec(level)))
        case = case_of(meshed, precision, memory)
        run, _ = forward(case, precision)
        seconds(run)
        time = statistics.median(seconds(run) for _ in range(options.repeats))
        measured.append((level, len(case.graphs.mesh.senders), time))
    (_, few, short), (_, many, long) = measured[-2:]
    _, first_edges, first_time = measured[0]
    exponent = math.log((long - first_time) / (short - first_time)) / math.log(
        (many - first_edges) / (few - first_edges)
    )
    result = {
        "benchmark": "growth",
        "size": options.size,
        "precision": options.precision,
        "levels": {
            level: {"edges": edges, "seconds": round(time, 4)} for level, edges, time in measured
        },
        "exponent": round(exponent, 2),
        **machine(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
