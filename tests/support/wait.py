"""Waiting for what has no event to listen for."""

import time

WAIT_S = 120  # a busy machine is no failure: only what never comes is one


def wait_until(condition, what, timeout_s=WAIT_S):
    """Calls `condition` until it is true and returns its answer; fails with the sentence when it never is."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s} s: {what}")
        time.sleep(0.02)
