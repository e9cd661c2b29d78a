"""A file system of a test's own that can be filled to the last block."""

import errno
import os
import subprocess
from pathlib import Path

BLOCK = 4096


def make(directory, size_mb):
    """Mounts a new one at a directory that is not there. Its file has no name: it goes with the mount."""
    directory = Path(directory)
    image = directory.with_name(f"{directory.name}.image")
    directory.mkdir()
    try:
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, directory], check=True)
    finally:
        image.unlink()


def end(directory):
    subprocess.run(["umount", directory], check=True)
    Path(directory).rmdir()


def fill(directory):
    """Takes all that is free now. What others give back later is free again until the next call."""
    with (Path(directory) / "ballast").open("ab") as file:
        size = os.fstatvfs(file.fileno()).f_bavail * BLOCK
        while size >= BLOCK:
            try:
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                size //= 2


def free(directory):
    (Path(directory) / "ballast").unlink()
