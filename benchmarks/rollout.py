"""A forecast of many steps, every state delivered to the host: seconds, memory, and the bound.

    python benchmarks/rollout.py --size B --steps 8
    python benchmarks/rollout.py --size D --steps 40 --precision bfloat16 --device gpu

Prints one JSON line. `ratio` compares a step in the rollout with the same step alone, its result
left on the device, both measured in this process. 1 is the bound; the excess is the part of the
delivery that the next step does not hide.
"""

import json
import statistics

from step import (
    SIZES,
    arguments_of,
    case_of,
    forward,
    machine,
    number_of_bytes,
    peak_memory_gib,
    seconds,
    set_up,
)

from graphcast.machine.memory import available_memory
from graphcast.precision import PRECISIONS
from graphcast.rollout import next_frame, roll_out


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--steps", type=int, default=8)
    options = parser.parse_args()
    set_up(options)
    precision = PRECISIONS[options.precision]
    memory = number_of_bytes(options.memory) if options.memory else available_memory()
    case = case_of(SIZES[options.size], precision, memory)
    alone, _ = forward(case, precision)
    fixed = case.dynamics(precision)

    def step(previous, current, forcings):
        return next_frame(fixed, previous, current, forcings, precision=precision)

    def rollout():
        forcings = (case.forcings[0] for _ in range(options.steps + 2))
        for frame in roll_out(step, *case.frames, forcings):
            last = frame
        return last

    seconds(alone)
    seconds(rollout)
    pairs = [(seconds(rollout), seconds(alone)) for _ in range(options.repeats)]
    whole = statistics.median(first for first, _ in pairs)
    ratio = statistics.median(first / options.steps / second for first, second in pairs)
    delivered = options.steps * case.frames[0].nbytes
    result = {
        "benchmark": "rollout",
        "size": options.size,
        "precision": options.precision,
        "steps": options.steps,
        "seconds": round(whole, 3),
        "seconds_a_step": round(whole / options.steps, 4),
        "ratio": round(ratio, 3),
        "delivered_gb_per_second": round(delivered / whole / 1e9, 3),
        "peak_memory_gib": peak_memory_gib(),
        "planned_memory_gib": round(case.plan.memory.device / 2**30, 2),
        "compiled_steps": next_frame._cache_size(),
        **machine(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
