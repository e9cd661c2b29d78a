"""Sealed boxes, opened as the agent opens them; and the public half of a key, by libsodium."""

import base64
import ctypes

KEY_BYTES = 32
sodium = ctypes.CDLL("libsodium.so.23")


def pair_make():
    """A public key in base64, and what opens a box that was sealed to it, also in base64."""
    public, secret = ctypes.create_string_buffer(KEY_BYTES), ctypes.create_string_buffer(KEY_BYTES)
    assert sodium.crypto_box_keypair(public, secret) == 0

    def unseal(text):
        box = base64.b64decode(text)
        opened = ctypes.create_string_buffer(len(box))
        size = ctypes.c_ulonglong(len(box))
        assert sodium.crypto_box_seal_open(opened, box, size, public, secret) == 0, "it is sealed to another key"
        return opened.raw[: len(box) - sodium.crypto_box_sealbytes()].decode()

    return base64.b64encode(public.raw).decode(), unseal


def public_of(private):
    """The public half of a key in base64."""
    public = ctypes.create_string_buffer(KEY_BYTES)
    assert sodium.crypto_scalarmult_base(public, base64.b64decode(private)) == 0
    return base64.b64encode(public.raw).decode()
