"""What each kind of exit carries, needs and takes, beside its bare engine between the same namespaces."""

import contextlib
import ipaddress
import json
import os
import statistics
import subprocess
from pathlib import Path

from support import exits
from support.host import Host
from support.own_lab import OwnLab, netns
from support.stack import Lab
from support.wait import WAIT_S, wait_until

from bench.stats import by_turns

KINDS = (
    "wireguard",
    "socks5",
    "http-auth",
    "https-auth",
    "ss2022-128",
    "ss-aes-256-gcm",
    "vmess-tcp",
    "vless-ws-tls",
    "trojan-tls",
    "hysteria2",
    "tuic",
    "anytls",
)
ROUNDS = 3
LOAD_S = 1
CHECKS = 3
SERVER = "198.18.0.11"  # of the load: an address of the fake internet


@contextlib.contextmanager
def server(place):
    """Of one load."""
    words = ["nsenter", f"--net={place}", "iperf3", "-s", "-1", "-B", SERVER, "--forceflush"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: "listening" in process.stdout.readline(), "the server of the load listens")
            yield
        finally:
            process.kill()


def megabits(own, place, *direction):
    """What is carried from a namespace, as a path, to the server, or with -R from it, a second."""
    words = ["nsenter", f"--net={place}", "iperf3", "-J", "-c", SERVER, "-t", str(LOAD_S), *direction]
    with server(netns.path(own.plan.net)):
        done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=WAIT_S)
    told = json.loads(done.stdout)
    if "error" in told:
        raise RuntimeError(f"iperf3 {' '.join(direction)} in {place}: {told['error']}")
    return told["end"]["sum_received"]["bits_per_second"] / 1e6


@contextlib.contextmanager
def bare(own, kind, memory_mb):
    """The kind's engine alone, with the memory limit of a host's; its device's namespace, as a path."""
    os.environ["GOMEMLIMIT"] = f"{memory_mb // 2}MiB"
    client = own.client() if kind == "wireguard" else own.proxy_client(kind)
    try:
        yield netns.path(client.namespace)
    finally:
        del os.environ["GOMEMLIMIT"]
        own.clients.remove(client)
        client.end()


def engine_mb(host):
    """Proportional set size of the process in the host's tunnel's control group."""
    name = f"cloud-cli-proxy/c{host.container[:12]}/cgroup.procs"
    (group,) = [path for path in (Path("/sys/fs/cgroup/memory") / name, Path("/sys/fs/cgroup") / name) if path.exists()]
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in group.read_text().split()]
    return sum(int(text.partition("Pss:")[2].split()[0]) for text in rollups) / 1024


def check_ms(host):
    host.task("host.verify")
    return host.owner.value(
        "select duration_ms from ccp.verifications where host_id = %s order by id desc limit 1", [host.id]
    )


def bind(host, exit_id):
    host.stopped()
    host.owner.value("select (host.switch(%s, %s)).id", [host.id, exit_id])


def one(host, own, kind, exit_id):
    bind(host, exit_id)
    timings = host.task("host.start")["timings"]
    idle_mb = engine_mb(host)
    ours = f"/proc/{host.pid}/ns/net"
    memory_mb = host.owner.value("select setting.number('tunnel_memory_mb')::integer")
    with bare(own, kind, memory_mb) as plain:
        up, bare_up, down, bare_down = by_turns(
            ROUNDS,
            lambda: megabits(own, ours),
            lambda: megabits(own, plain),
            lambda: megabits(own, ours, "-R"),
            lambda: megabits(own, plain, "-R"),
        )
    median = statistics.median
    return {
        "up_mbit": median(up),
        "down_mbit": median(down),
        "ratio": (median(up) + median(down)) / (median(bare_up) + median(bare_down)),
        "idle_mb": idle_mb,
        "loaded_mb": engine_mb(host),
        "start_ms": sum(timings.values()),
        "verify_ms": median(check_ms(host) for _ in range(CHECKS)),
    }


def table(stack):
    """Moves the demo host from kind to kind; the rows of the table, and the ratio of all kinds."""
    host = Host(stack).running()
    lab = Lab(stack.environment["CCP_LAB_PREFIX"])
    home = host.owner.value(
        "select egress_ip_id::text from ccp.bindings where host_id = %s and ended_at is null", [host.id]
    )
    address = f"{ipaddress.ip_network(stack.env['CCP_EXIT_PEER_NET'])[251]}/32"
    own = OwnLab(lab.prefix, Path(lab.env["CCP_LAB_DIR"]))
    rows = {}
    with stack.settings(tunnel_cpu_percent=1000):
        for kind in KINDS:
            row = exits.wireguard(lab, 1, address) if kind == "wireguard" else exits.proxy(lab, host.owner, kind)
            rows[kind] = one(host, own, kind, exits.insert(host.owner, f"tunnel of {kind}", row))
            print(f"  {kind:16}", *(f"{name} {value:.4g}" for name, value in rows[kind].items()), flush=True)
    bind(host, home)
    host.running()
    figures = {
        f"tunnel_{kind.replace('-', '_')}_{name}": value for kind, row in rows.items() for name, value in row.items()
    }
    return {"tunnel_ratio": statistics.median(row["ratio"] for row in rows.values())} | figures
