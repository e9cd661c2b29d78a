"""Waiting for what has no event to listen for."""

import time


def wait_until(condition, timeout_s, what):
    """Calls `condition` until it is true and returns its answer; fails with the sentence when it never is."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout_s} s: {what}")
        time.sleep(0.02)
