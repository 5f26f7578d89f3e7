#!/usr/bin/env python3
"""Runs every bench and prints the lines that stand in SPECIFICATION.md."""

import subprocess
import sys
from pathlib import Path

import harness

BENCHES = ("runtime_run", "runtime_verbs", "runtime_many", "engine_run", "memory", "registry")


def main() -> None:
    arguments = harness.arguments(__doc__, rounds=0)
    print(harness.machine(), flush=True)
    failed = []
    for name in BENCHES:
        done = subprocess.run([sys.executable, "-B", str(Path(__file__).with_name(f"{name}.py")),
                               "--bin", str(arguments.bin)], check=False)
        if done.returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
