"""Where things are."""

import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPTS = CHECKOUT / "deploy" / "scripts"


def pin(name):
    """What tools/pins says: a directory or a version."""
    words = f'. {CHECKOUT}/tools/pins && printf %s "${name}"'
    return subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=True).stdout
