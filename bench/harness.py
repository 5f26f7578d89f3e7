"""Measures contenders in the same run: warm-up, then rounds in which each has one turn (A B C, A B C, ...), so that
what the machine does meanwhile meets all of them alike. Reports medians and the ratio to the first contender, and holds
the figures against the promises of SPECIFICATION.md: a bench that finds one broken ends with 1.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Contender:
    name: str
    once: Callable[[], None]  # one measured turn; raises if it did not do its work


@dataclass
class Result:
    name: str
    median: float
    low: float   # 10th percentile
    high: float  # 90th percentile
    count: int


def run_program(argv: list[str], environment: dict[str, str] | None = None) -> None:
    """Starts a program with its output thrown away and waits for exit code 0. Leaner than subprocess: what is measured
    is to be the program."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
               (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    pid = os.posix_spawn(argv[0], argv, environment or os.environ, file_actions=actions)
    _, status = os.waitpid(pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(argv)} ended with {code}")


# Seconds between two turns. The kernel removes network namespaces behind one's back and holds locks meanwhile: what one
# contender leaves it to do must not be charged to the next.
SETTLE = 0.05

_broken: list[str] = []


def promise(what: str, value: float, limit: float, unit: str = "x") -> None:
    """Holds a figure against its limit, and says so."""
    kept = value <= limit
    print(f"  promise {'kept' if kept else 'BROKEN'}: {what}: {value:.3g}{unit}, at most {limit:.3g}{unit}", flush=True)
    if not kept:
        _broken.append(what)


def finish() -> None:
    """The end of every bench."""
    if _broken:
        sys.exit(f"broken: {', '.join(_broken)}")


def measure(contenders: list[Contender], rounds: int, warmup: int = 3) -> list[Result]:
    times: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for turn in range(warmup + rounds):
        for contender in contenders:
            time.sleep(SETTLE)
            begin = time.perf_counter()
            contender.once()
            if turn >= warmup:
                times[contender.name].append(time.perf_counter() - begin)
    results = []
    for name, values in times.items():
        tenths = statistics.quantiles(values, n=10)
        results.append(Result(name, statistics.median(values), tenths[0], tenths[-1], len(values)))
    return results


def machine() -> str:
    """One line that says what was measured on."""
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    scaling = governor.read_text().strip() if governor.exists() else "no frequency scaling"
    return f"{cpu}, {os.cpu_count()} cores, Linux {platform.release()}, {scaling}"


def ratio(results: list[Result], peer: str) -> float:
    """Berth's median over that of the peer whose name starts so."""
    return results[0].median / next(result.median for result in results if result.name.startswith(peer))


def table(title: str, results: list[Result], unit: str = "ms", scale: float = 1000.0) -> str:
    """Berth first; the last column says how many times a peer's figure fits Berth's share of it."""
    own = results[0].median
    lines = [title, f"  {'':34}{'median':>10}{'p10':>10}{'p90':>10}  Berth / this"]
    for result in results:
        ratio = f"{own / result.median:12.3f}x" if result is not results[0] else ""
        lines.append(f"  {result.name:34}{result.median * scale:>8.2f}{unit:>2}{result.low * scale:>8.2f}{unit:>2}"
                     f"{result.high * scale:>8.2f}{unit:>2}  {ratio}")
    return "\n".join(lines)


def save(name: str, content: dict) -> None:
    """build/bench/NAME.json: the same figures for programs."""
    directory = ROOT / "build/bench"
    directory.mkdir(parents=True, exist_ok=True)
    content = {"machine": machine(), "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **content}
    (directory / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def as_json(results: list[Result]) -> dict:
    own = results[0].median
    return {result.name: {"median_s": result.median, "p10_s": result.low, "p90_s": result.high,
                          "rounds": result.count, "berth_ratio": own / result.median} for result in results}


def arguments(description: str, rounds: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin", help="where Berth's programs are")
    parser.add_argument("--rounds", type=int, default=rounds)
    parsed = parser.parse_args()
    parsed.bin = parsed.bin.resolve()
    os.environ["BERTH_BIN_DIR"] = str(parsed.bin)
    if os.geteuid() != 0:
        sys.exit("The bench needs root: it creates namespaces and control groups.")
    return parsed


def use_test_tools() -> None:
    """Makes tests/util importable: the private engine, images and isolation are the same."""
    sys.path.insert(0, str(ROOT / "tests/util"))
