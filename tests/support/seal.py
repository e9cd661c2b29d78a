"""Seals a secret as the API does (lib/seal.h), for tests that make rows by SQL."""

import base64
import ctypes
import ctypes.util

OVERHEAD = 48  # crypto_box_SEALBYTES


def seal(public_key, secret):
    """The sealed box in base64; `public_key` is the setting sealing_key."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    assert sodium.sodium_init() >= 0
    box = ctypes.create_string_buffer(len(secret) + OVERHEAD)
    key = base64.b64decode(public_key)
    assert sodium.crypto_box_seal(box, secret, ctypes.c_ulonglong(len(secret)), key) == 0
    return base64.b64encode(box.raw).decode("ascii")
