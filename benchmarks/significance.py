"""How often each significance test rejects at 5 % where there is no difference, and how fast.

    python benchmarks/significance.py [--trials 2000] [--seed 0]

Each trial is a series of differences of mean 0, of a year of init times or a part of it. A test of
the right size rejects 5 % of them; the standard error of the share is 0.5 % at 2,000 trials.
"""

import argparse
import time

import numpy as np
from scipy.signal import lfilter

from verification.significance import TESTS

PROCESSES = {
    "white noise": (),
    "AR(1), φ = 0.5": (0.5,),
    "AR(1), φ = 0.8": (0.8,),
    "AR(2), φ = 0.5, 0.2": (0.5, 0.2),
    "AR(2), φ = 0.6, -0.3": (0.6, -0.3),
}
LENGTHS = (60, 180, 730)  # init times: a month, a season, a year of two each day
CARD = (730, 1380)  # init times and cells of a full card
SPIN_UP = 500


def series(
    coefficients: tuple[float, ...], n: int, trials: int, rng: np.random.Generator
) -> np.ndarray:
    """Trials of an autoregressive process, (n, trials)."""
    noise = rng.normal(size=(n + SPIN_UP, trials))
    denominator = [1.0, *(-c for c in coefficients)]
    return np.asarray(lfilter([1.0], denominator, noise, axis=0))[SPIN_UP:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tests = {name: TESTS[name] for name in ("ar2", "hac", "bootstrap")}
    print(f"share of {arguments.trials} trials rejected at 5 %\n")
    print(f"{'process':<24}{'n':>5}" + "".join(f"{name:>11}" for name in tests))
    for title, coefficients in PROCESSES.items():
        for n in LENGTHS:
            rng = np.random.default_rng([arguments.seed, n])
            trials = series(coefficients, n, arguments.trials, rng)
            sizes = [float((test(trials).p <= 0.05).mean()) for test in tests.values()]
            print(f"{title:<24}{n:>5}" + "".join(f"{size:>11.1%}" for size in sizes), flush=True)
    print(f"\nseconds for {CARD[1]} cells of {CARD[0]} init times, AR(1) of φ = 0 to 0.9")
    rng = np.random.default_rng(arguments.seed)
    card = np.concatenate(
        [series((φ,), CARD[0], CARD[1] // 10, rng) for φ in np.linspace(0, 0.9, 10)], axis=1
    )
    for name, test in tests.items():
        begin = time.perf_counter()
        test(card)
        print(f"  {name:<11}{time.perf_counter() - begin:8.2f}")


if __name__ == "__main__":
    main()
