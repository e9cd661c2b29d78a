"""Whether two things take the same time, on a machine that may be busy with others."""

ROUNDS_MIN, ROUNDS_MAX = 5, 100


def assert_fastest_agree(timed, names, factor):
    """Calls `timed(name)`, which returns seconds, in turn until the fastest of each name are within `factor`.

    Other load only adds to a time: the fastest goes towards what the work itself costs, with each round nearer. Where
    one of them does less work the fastest part company instead, however many rounds there are.
    """
    fastest = dict.fromkeys(names, float("inf"))
    for number in range(ROUNDS_MAX):
        for name in names:
            fastest[name] = min(fastest[name], timed(name))
        if number + 1 >= ROUNDS_MIN and max(fastest.values()) < factor * min(fastest.values()):
            return
    raise AssertionError(f"not within a factor of {factor}: {fastest}")
