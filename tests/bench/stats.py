"""Small statistics and paired timing."""

import statistics
import time


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def timed(function, *arguments):
    """Seconds that one call takes."""
    begin = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begin


def in_turn(ours, baseline, rounds):
    """Runs both in turn, A B A B ..., since the machine's speed drifts; the two lists of what they returned."""
    return by_turns(rounds, ours, baseline)


def by_turns(rounds, *functions):
    """The same for any number of functions."""
    results = [[] for _ in functions]
    for _ in range(rounds):
        for values, function in zip(results, functions, strict=True):
            values.append(function())
    return results


def ratio_of_medians(ours, baseline):
    return statistics.median(ours) / statistics.median(baseline)
