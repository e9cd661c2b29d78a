"""Every fuzzer builds and finds nothing in its seeds, nor in the first runs from there; `make fuzz` runs longer."""

import os
import subprocess

import pytest
from support.paths import CHECKOUT

HERE = CHECKOUT / "tests" / "fuzz"
FUZZERS = sorted(path.stem for path in HERE.glob("fuzz_*.c"))
SEED_BYTES_MAX = 4096
RUNS = 20_000


@pytest.mark.parametrize("name", FUZZERS)
def test_a_fuzzer_finds_nothing_at_first(name, tmp_path):
    program = f"build/fuzz/{name}"
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    made = subprocess.run(["make", "--no-print-directory", program], cwd=CHECKOUT, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    done = subprocess.run(
        [
            CHECKOUT / program,
            f"-runs={RUNS}",
            f"-max_len={SEED_BYTES_MAX}",
            "-print_final_stats=1",
            f"-artifact_prefix={tmp_path}/",
            corpus,  # finds go to the first one
            HERE / "corpus" / name,
        ],
        env=dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    assert f"stat::number_of_executed_units: {RUNS}" in done.stderr, done.stderr[-2000:]


@pytest.mark.parametrize("name", FUZZERS)
def test_a_fuzzer_has_seeds_that_are_small(name):
    seeds = list((HERE / "corpus" / name).iterdir())
    assert seeds
    assert max(seed.stat().st_size for seed in seeds) <= SEED_BYTES_MAX
