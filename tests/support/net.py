"""A namespace that stands for a container's, and the tool that does to it what the agent does.

The tool has the agent's capabilities and one process a call: every call after the first is also a restarted agent that
finds things again.
"""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys

from support.paths import CHECKOUT
from support.wait import WAIT_S

FLAVOUR = os.environ.get("FLAVOUR", "release")
TOOL = CHECKOUT / "build" / FLAVOUR / "driver" / "nettool"
LAB = CHECKOUT / "tests" / "lab" / "lab"
AGENT_RIGHTS = [
    "setpriv",
    "--no-new-privs",
    "--bounding-set=-all,+net_admin,+net_raw,+sys_admin,+setuid,+setgid,+kill,+chown,+fowner,+sys_ptrace,+dac_read_search",
]
ABSENT, UNANSWERED, FROZEN, FOREIGN = 0x1400, 0x1401, 0x1403, 0x1500  # lib/outcome.h

# Sends to argv[1] until a line comes on stdin, then says what happened.
FLOOD = """
import errno, json, select, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sent = refused = 0
print("going", flush=True)
while True:
    for _ in range(50):
        try:
            s.sendto(b"x", (sys.argv[1], 9))
            sent += 1
        except ConnectionRefusedError:
            sent += 1
        except PermissionError:
            refused += 1
    if select.select([sys.stdin], [], [], 0)[0]:
        break
print(json.dumps({"sent": sent, "refused": refused}), flush=True)
"""

SEND_ONCE = """
import errno, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    s.sendto(b"x", (sys.argv[1], int(sys.argv[2])))
    print("sent")
except OSError as e:
    print(errno.errorcode[e.errno])
"""


def run(*words, **options):
    return subprocess.run(words, check=True, text=True, capture_output=True, timeout=WAIT_S, **options).stdout


def inside(pid, *words):
    """Runs a command of this machine in the network namespace of that process; its output."""
    return run("nsenter", f"--net=/proc/{pid}/ns/net", *words)


def wall_counts(pid, unit="packets"):
    """By name: `packets` or `bytes` of each counter of the wall in the namespace of that process."""
    listed = json.loads(inside(pid, "nft", "-j", "list", "counters", "table", "inet", "ccp"))["nftables"]
    return {one["counter"]["name"]: one["counter"][unit] for one in listed if "counter" in one}


@contextlib.contextmanager
def namespace_of(pid):
    """A descriptor of its network namespace, which outlives it."""
    fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    yield fd
    os.close(fd)


def is_wall_open(namespace):
    words = ("nsenter", f"--net=/proc/self/fd/{namespace}", "nft", "list", "set", "inet", "ccp", "proven")
    return "elements" in run(*words, pass_fds=[namespace])


class Container:
    """A namespace that stands for a container's, and the tool's view of it."""

    def __init__(self, lab, directory, number):
        env = lab.env
        self.lab = lab
        self.name = f"{env['CCP_LAB_PREFIX']}-c{number}"
        self.key = directory / "key"
        self.engines = directory / "engines"
        self.engines.mkdir(mode=0o700)
        self.key.touch(mode=0o600)
        self.key.write_text(run("wg", "genkey"))
        public = run("wg", "pubkey", input=self.key.read_text()).strip()
        address = f"198.18.130.{number}"
        lab("peer", "add", "1", public, address)
        self.arguments = {
            "ns": f"/run/netns/{self.name}",
            "resolver": env["LAB_DNS_SERVER"],
            "address": f"{address}/32",
            "tunnel_type": "wireguard",
            "peer_address": f"{address}/32",
            "mtu": int(env["LAB_MTU"]),
            "uplink": env["LAB_UPLINK_NETNS"],
            "program": shutil.which("wireguard-go"),
            "directory": str(self.engines),
            "id": secrets.token_hex(32),
            "key_path": str(self.key),
            "public_key": env["LAB_EXIT1_PUBLIC_KEY"],
            "endpoint": env["LAB_EXIT1_ENDPOINT"],
            "allowed_ips": ["0.0.0.0/0", "::/0"],
            "handshake_ms": 3000,
            "expected": env["LAB_EXIT1_IP"],
            "zone": env["LAB_DNS_CHECK_ZONE"],
            "echo_urls": env["LAB_ECHO_URLS"].split(),
            "connect_targets": ["198.18.0.81:443", "target2.lab.example:443"],
            "kind": "full",
            "state": "closed",
            "life_ms": 60000,
            "count": 1,
            "every_ms": 0,
        }
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        self.inside("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")

    def tool(self, command, **changes):
        words = [*AGENT_RIGHTS, str(TOOL), command, json.dumps(self.arguments | changes)]
        return json.loads(run(*words, env={}))

    def done(self, command, **changes):
        answer = self.tool(command, **changes)
        assert answer["result"] == 0, answer
        return answer

    def start(self):
        self.done("wall-load")
        return self.done("tunnel-start")

    def inside(self, *words, **options):
        return run("ip", "netns", "exec", self.name, *words, **options)

    def python(self, code, *arguments):
        return self.inside(sys.executable, "-c", code, *arguments).strip()

    @contextlib.contextmanager
    def flood(self, address):
        words = ["ip", "netns", "exec", self.name, sys.executable, "-c", FLOOD, address]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            seen = {}
            assert process.stdout.readline() == "going\n"
            yield seen
            seen |= json.loads(process.communicate("stop\n", timeout=WAIT_S)[0])

    def remove(self):
        self.tool("tunnel-end")
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
