"""What several files of system tests stand on."""

import ipaddress
import itertools

import pytest
from support.guest import Guest
from support.ssh import Client

addresses = itertools.count(100)  # of a guest's end of the tunnel, within CCP_EXIT_PEER_NET


@pytest.fixture(scope="module")
def client(stack, tmp_path_factory):
    """OpenSSH for a user with a registered key and a running host of their own."""
    number = next(addresses)
    address = ipaddress.ip_network(stack.env["CCP_EXIT_PEER_NET"])[number]
    directory = tmp_path_factory.mktemp("client")
    guest = Guest(stack, f"client-{number}", directory, f"{address}/32")
    guest.host.running()
    one = Client(guest, directory)
    one.register()
    yield one
    guest.end()
