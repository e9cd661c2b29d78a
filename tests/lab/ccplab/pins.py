"""What tools/pins says: where the programs are that tools/install-deps fetched or built in one pinned version."""

import functools
from pathlib import Path

from ccplab import netns

FILE = Path(__file__).resolve().parents[3] / "tools" / "pins"


@functools.cache
def path(name):
    return netns.run("bash", "-c", '. "$1" && printf %s "${!2}"', "pins", str(FILE), name)
