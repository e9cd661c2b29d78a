"""Two workers that share a list of changes."""

import queue
import random
import threading
from contextlib import suppress

COUNT = 2


def spread(items, share, make):
    """Each worker calls make() for something with attempt(item) and end(); a share (percent) of the items is attempted,
    each once."""
    work = queue.SimpleQueue()
    chance = random.Random(1)
    for item in items:
        if chance.random() * 100 < share:
            work.put(item)
    failed = []

    def worker():
        one = None
        try:
            one = make()
            while True:
                one.attempt(work.get_nowait())
        except queue.Empty:
            pass
        except Exception as error:  # raised again by the thread that waits
            failed.append(error)
        finally:
            if one:
                one.end()

    threads = [threading.Thread(target=worker) for _ in range(COUNT)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    finally:
        # Interrupted: each worker finishes the change it is at, and cleans up.
        with suppress(queue.Empty):
            while True:
                work.get_nowait()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]
