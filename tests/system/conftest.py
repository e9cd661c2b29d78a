"""What several files of system tests stand on."""

import ipaddress
import itertools
import os
import secrets
import subprocess
from pathlib import Path

import pytest
from support.agent import Agent
from support.guest import Guest
from support.http import ApiServer
from support.leak import KINDS, Leaking
from support.net import FLAVOUR, LAB, TOOL, Container, run
from support.own_lab import OwnLab
from support.paths import CHECKOUT
from support.ssh import Client
from support.work import Talk, Work

addresses = itertools.count(100)  # of a guest's end of the tunnel, within CCP_EXIT_PEER_NET


@pytest.fixture(scope="module", params=KINDS)
def leaking(request, agent, tmp_path_factory):
    """A host behind each kind of exit, of which the oracle watches what leaves beside it, from before its start."""
    one = Leaking(agent, request.param, tmp_path_factory.mktemp("oracle"))
    yield one
    one.end()


@pytest.fixture
def figures(record_property):
    """Keeps a line of what a case of the leak and kill tests has counted; `make leak` prints them."""

    def tell(case, kind, what, **counted):
        numbers = ", ".join(f"{name} {value}" for name, value in counted.items())
        record_property("figures", f"{case}  {kind:<14}  {what:<50}  {numbers}")

    return tell


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


@pytest.fixture
def talk(client):
    """An ssh session that has begun."""
    client.host.running()
    one = Talk(client)
    yield one
    one.end()


@pytest.fixture
def work(client, talk):
    """What goes on in the stack."""
    return Work(client)


@pytest.fixture
def namespaces_of():
    """Names the network namespaces of a stack's lab and containers, as /proc/PID/ns/net does. They are held until the
    test ends: the number of one that is gone is soon another's."""
    held = []

    def names(stack):
        named = Path("/run/netns").glob(f"{stack.environment['CCP_LAB_PREFIX']}-*")
        paths = [*named, *(f"/proc/{pid}/ns/net" for pid in stack.containers())]
        files = [os.open(path, os.O_RDONLY) for path in paths]
        held.extend(files)
        return {f"net:[{os.fstat(file).st_ino}]" for file in files}

    yield names
    for file in held:
        os.close(file)


@pytest.fixture(scope="module")
def agent_options():
    """What a module wants otherwise of its agent: `flavour`, `engine`."""
    return {}


@pytest.fixture(scope="module")
def agent(stack_directory, agent_options):
    """An agent of the module's own, without the rest of the product; it runs."""
    stack_directory.up("postgres", "database", "docker", "image", "lab")
    one = Agent(stack_directory, **agent_options).start()
    yield one
    one.end()


@pytest.fixture(scope="module")
def created(agent):
    """A host of that agent, as the test before left it."""
    one = agent.host()
    one.task("host.create")
    yield one
    one.task("host.delete", '{"wipe": true}')


@pytest.fixture
def host(created):
    """It runs."""
    created.agent.revive()
    return created.running()


@pytest.fixture
def stopped_host(created):
    """It is stopped."""
    created.agent.revive()
    return created.stopped()


@pytest.fixture
def server(database, program):
    """ccp-api on a database of the test's own."""
    return ApiServer(database, program)


@pytest.fixture
def admin(server):
    """The administrator, logged in."""
    return server.admin()


@pytest.fixture(scope="module")
def nettool():
    """The driver that does what the agent does."""
    run("make", "-s", f"FLAVOUR={FLAVOUR}", str(TOOL.relative_to(CHECKOUT)), cwd=CHECKOUT)
    if subprocess.run(["getent", "passwd", "ccp-verify"], capture_output=True).returncode:
        run("useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "ccp-verify")


@pytest.fixture(scope="module")
def own_internet(tmp_path_factory):
    """A lab of the module's own, as a command, without a stack; `env` says what is where in it."""
    prefix = f"net{secrets.token_hex(3)}"
    directory = tmp_path_factory.mktemp("lab")
    words = [str(LAB), "--prefix", prefix, "--state-dir", str(directory)]

    def lab(*arguments):
        return run(*words, *arguments)

    lab("up")
    lab.env = dict(
        line.split("=", 1) for line in run("sh", "-c", f". {directory}/env && set").splitlines() if "=" in line
    )
    lab.env = {name: value.strip("'") for name, value in lab.env.items()}
    yield lab
    lab("down", "--purge")


@pytest.fixture
def container(nettool, own_internet, tmp_path, request):
    """A namespace of the test's own that stands for a container's."""
    number = 1 + request.node.parent.session.items.index(request.node) % 250
    one = Container(own_internet, tmp_path, number)
    yield one
    own_internet("restore")
    one.remove()


@pytest.fixture
def make_lab(tmp_path, worker_id):
    labs = []

    def make(letter="a"):
        number = "".join(c for c in worker_id if c.isdigit()) or "0"
        labs.append(OwnLab(f"ccpl{letter}{number}", tmp_path / letter))
        labs[-1].run("up")
        return labs[-1]

    yield make
    for lab in labs:
        lab.end()


@pytest.fixture
def own_lab(make_lab):
    return make_lab()
