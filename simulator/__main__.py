"""`python -m simulator --out DIR`: writes a sample."""

from __future__ import annotations

import argparse
from pathlib import Path

from simulator.sample import describe, write_sample


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="simulator", description="Write sample sources and their truth."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for landing/ and truth/")
    parser.add_argument("--days", type=int, default=180, help="length of the window (default 180)")
    parser.add_argument(
        "--seed", type=int, default=7, help="equal seeds give equal bytes (default 7)"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="size of the world (default 1.0)")
    args = parser.parse_args()
    try:
        print(describe(write_sample(args.out, args.days, args.seed, args.scale)))
    except (ValueError, OSError) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
