"""ssh through the proxy beside ssh to the container's own sshd over a dialled socket."""

import statistics
import subprocess

from support.host import Host
from support.paths import CHECKOUT
from support.wait import WAIT_S

from bench.engine import Engine
from bench.stats import in_turn, timed

CONNECTS = 15
TRANSFERS = 5
SIZE_MIB = 256
# The same algorithms both ways: sshd alone would agree on a post-quantum key exchange, which costs 100 ms by itself.
COMMON = [
    "-F",
    "none",
    "-o",
    "BatchMode=yes",
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "KexAlgorithms=curve25519-sha256",
    "-c",
    "aes128-gcm@openssh.com",
]


class Ways:
    """The two ssh command lines: through the proxy and straight into the namespace."""

    def __init__(self, stack, add_key, directory):
        host = Host(stack)
        host.running()
        env = stack.env
        key = directory / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        add_key(stack, key.with_suffix(".pub").read_text().strip())
        known = directory / "known_hosts"
        own_key, proxy_key = (
            host.owner.value("select ssh_host_key from ccp.hosts where id = %s", [env["CCP_DEMO_HOST_ID"]]),
            host.owner.value("select value #>> '{}' from ccp.settings where name = 'ssh_host_key'"),
        )
        known.write_text(f"inside {own_key}\n[{env['CCP_SSH_HOST']}]:{env['CCP_SSH_PORT']} {proxy_key}\n")
        files = ["-o", f"UserKnownHostsFile={known}"]
        self.ours = [
            "ssh",
            *COMMON,
            *files,
            "-i",
            key,
            "-p",
            env["CCP_SSH_PORT"],
            f"{env['CCP_DEMO_HOST']}@{env['CCP_SSH_HOST']}",
        ]
        engine = Engine(stack.docker_socket)
        (container,) = [
            one
            for one in engine.ask("GET", "/v1.41/containers/json")
            if env["CCP_DEMO_HOST"] in str(one) or env["CCP_DEMO_HOST_ID"] in str(one)
        ]
        inside = engine.ask("GET", f"/v1.41/containers/{container['Id']}/json")["NetworkSettings"]["SandboxKey"]
        dial = f"{CHECKOUT}/build/bench/dial_inside {inside} 22"
        (client_key,) = (stack.directory / "agent").glob(f"**/{env['CCP_DEMO_HOST_ID']}/client.key")
        self.direct = [
            "ssh",
            *COMMON,
            *files,
            "-i",
            client_key,
            "-o",
            f"ProxyCommand={dial}",
            "-o",
            "ProxyUseFdpass=yes",
            "-o",
            "HostKeyAlias=inside",
            "dev@inside",
        ]


def run(command, *words, **streams):
    subprocess.run(
        [*command, *words],
        check=True,
        timeout=120,
        **({"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL} | streams),
    )


def connect(ways):
    product, direct = in_turn(lambda: timed(run, ways.ours, "true"), lambda: timed(run, ways.direct, "true"), CONNECTS)
    return {
        "ssh_connect_ms": statistics.median(product) * 1000,
        "ssh_connect_baseline_ms": statistics.median(direct) * 1000,
        "ssh_connect_ratio": statistics.median(product) / statistics.median(direct),
    }


def down(command):
    def once():
        return SIZE_MIB / timed(run, command, f"head -c {SIZE_MIB}M /dev/zero")

    return once


def up(command):
    def once():
        source = subprocess.Popen(["head", "-c", f"{SIZE_MIB}M", "/dev/zero"], stdout=subprocess.PIPE)
        try:
            return SIZE_MIB / timed(lambda: run(command, "cat > /dev/null", stdin=source.stdout))
        finally:
            source.stdout.close()
            source.wait(WAIT_S)

    return once


def transfer(ways):
    result = {}
    for name, direction in (("down", down), ("up", up)):
        product, direct = in_turn(direction(ways.ours), direction(ways.direct), TRANSFERS)
        result |= {
            f"ssh_{name}_mib_per_s": statistics.median(product),
            f"ssh_{name}_baseline_mib_per_s": statistics.median(direct),
            f"ssh_{name}_ratio": statistics.median(product) / statistics.median(direct),
        }
    return result
