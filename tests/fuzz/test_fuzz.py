"""Every fuzzer builds, and finds nothing in the first seconds; `make fuzz` goes on for longer."""

import os
import subprocess

import pytest
from support.paths import CHECKOUT

FUZZERS = sorted(path.stem for path in (CHECKOUT / "tests" / "fuzz").glob("fuzz_*.c"))
RUNS = 20_000


@pytest.mark.parametrize("name", FUZZERS)
def test_a_fuzzer_finds_nothing_at_first(name, tmp_path):
    program = f"build/fuzz/{name}"
    made = subprocess.run(
        ["make", "--no-print-directory", program], cwd=CHECKOUT, capture_output=True, text=True, timeout=240
    )
    assert made.returncode == 0, made.stdout + made.stderr
    done = subprocess.run(
        [CHECKOUT / program, f"-runs={RUNS}", "-max_len=4096", "-print_final_stats=1", f"-artifact_prefix={tmp_path}/"],
        env=dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    assert f"stat::number_of_executed_units: {RUNS}" in done.stderr, done.stderr[-2000:]
