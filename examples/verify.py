"""Holds the samples to what their records say.

    python examples/verify.py              every golden test, run against the published file
    python examples/verify.py --retrain    also trains all of them anew and compares every byte

A version that is broken on purpose must fail all of its golden tests; every other must pass all.
"""

import steady  # noqa: F401  (first: it sets what the libraries below read when they load)

import argparse
import subprocess
import sys
from pathlib import Path

import yaml

import golden

EXAMPLES = Path(__file__).resolve().parent
BROKEN = {"digits/1.2.0"}


def tested(version_record: Path) -> list[str]:
    """What does not come out as told for one version."""
    version = version_record.with_suffix("")
    name = version.relative_to(EXAMPLES).as_posix()
    spec = yaml.safe_load(version_record.read_text())["spec"]
    model = golden.Model((version / "model.onnx").read_bytes())
    tests = spec["tests"]
    failed = {test["name"]: golden.failures(model, test, version) for test in tests}
    failed = {test: reasons for test, reasons in failed.items() if reasons}
    print(f"{name}: {len(tests) - len(failed)} of {len(tests)} golden tests pass")
    if not tests:
        return [f"{name}: has no golden test"]
    if name in BROKEN:
        passing = [test["name"] for test in tests if test["name"] not in failed]
        return [f"{name}: is to fail {test!r}, and passes" for test in passing]
    return [f"{name}: {test}: {reason}" for test, reasons in failed.items() for reason in reasons]


def contents() -> dict[str, bytes]:
    return {
        path.relative_to(EXAMPLES).as_posix(): path.read_bytes()
        for path in sorted(EXAMPLES.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def retrained() -> list[str]:
    """The files that a new training writes otherwise than they stand."""
    before = contents()
    for script in sorted(EXAMPLES.glob("*/train.py")):
        subprocess.run([sys.executable, script], check=True)
    after = contents()
    changed = [name for name in sorted(before | after) if before.get(name) != after.get(name)]
    return [f"{name}: a new training writes it otherwise" for name in changed]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retrain", action="store_true", help="train anew, and compare every byte")
    wrong = retrained() if parser.parse_args().retrain else []
    records = sorted(EXAMPLES.glob("*/[0-9]*.yaml"))
    for record in records:
        wrong += tested(record)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong or not records else 0


if __name__ == "__main__":
    sys.exit(main())
