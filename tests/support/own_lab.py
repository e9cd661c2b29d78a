"""Labs of a test's own, and clients behind their exits: what the agent makes, by hand."""

import contextlib
import http.client
import json
import shlex
import socket
import subprocess

from ccplab import netns, network, plan, process, proxies, uapi
from dnslib import DNSRecord
from support.paths import CHECKOUT
from support.wait import WAIT_S, wait_until

LAB = CHECKOUT / "tests" / "lab" / "lab"
INSIDE = "198.18.130.7"


class OwnLab:
    """A lab with a prefix and a directory of its own."""

    def __init__(self, prefix, directory):
        self.prefix, self.directory = prefix, directory
        self.plan = plan.Lab(prefix, directory)
        self.clients = []

    def run(self, *words, fails=False):
        done = subprocess.run(
            [LAB, "--prefix", self.prefix, "--state-dir", self.directory, *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    def env(self):
        lines = [line.partition("=") for line in self.run("env").splitlines()]
        return {name: shlex.split(value)[0] if value else "" for name, _, value in lines}

    def peers(self):
        return json.loads(self.run("peers"))

    def client(self, exit=1, address=INSIDE, **options):
        client = Client(self, exit, address)
        self.clients.append(client)
        client.start(**options)
        return client

    def proxy_client(self, kind, exit=1):
        client = ProxyClient(self, exit, proxies.kind(kind))
        self.clients.append(client)
        client.start()
        return client

    def end(self):
        for client in self.clients:
            client.end()
        self.run("down", "--purge")


class Client:
    """A namespace whose only device is a tunnel that was born in the uplink: what the agent makes, by hand."""

    def __init__(self, lab, exit, address):
        self.lab, self.exit, self.address = lab, lab.plan.exit(exit), address
        number = len(lab.clients)
        self.namespace = f"{lab.prefix}-client{number}"
        self.device = f"{lab.prefix}c{number}"
        self.records = process.Records(lab.directory / f"client{number}")

    def start(self, preshared=None, register=True):
        lab, exit, address = self.lab, self.exit, self.address
        private = netns.run("wg", "genkey").strip()
        self.key = netns.run("wg", "pubkey", stdin=private).strip()
        if register:
            lab.run("peer", "add", exit.number, self.key, address)
        netns.remove(self.namespace)  # of a test run that was killed
        netns.add(self.namespace)
        network.spawn_engine(self.records, "engine", lab.plan.uplink, self.device)
        ip = ("ip", "-n", self.namespace)
        netns.run("ip", "-n", lab.plan.uplink, "link", "set", self.device, "netns", self.namespace)
        netns.run(*ip, "address", "add", f"{address}/32", "dev", self.device)
        netns.run(*ip, "link", "set", self.device, "mtu", str(plan.MTU), "up")
        netns.run(*ip, "route", "add", "default", "dev", self.device)
        theirs = uapi.key_to_hex(network.public_key(lab.plan, exit))
        secret = f"preshared_key={preshared}\n" if preshared else ""
        uapi.ask(
            self.device,
            f"set=1\nprivate_key={uapi.key_to_hex(private)}\npublic_key={theirs}\n{secret}"
            f"endpoint={exit.endpoint}:{plan.PORT}\nallowed_ip=0.0.0.0/0\n",
        )

    def end(self):
        self.records.stop("engine")
        netns.remove(self.namespace)

    def connect(self, address, port, timeout_s=WAIT_S):
        with netns.inside(self.namespace):
            return socket.create_connection((address, port), timeout_s)

    def echo(self, number=1, timeout_s=WAIT_S):
        """What the echo source says about us."""
        return Conversation(self, plan.ECHOES[number], timeout_s).ask()

    def ask(self, name, kind="A", timeout_s=WAIT_S):
        """The resolver's answer, or None when it is silent or away."""
        query = DNSRecord.question(name, kind)
        with netns.inside(self.namespace):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sock:
            sock.settimeout(timeout_s)
            sock.connect((plan.DNS_ADDRESS, 53))
            try:
                sock.send(query.pack())
                return DNSRecord.parse(sock.recv(4096))
            except OSError:
                return None

    def address_of(self, name):
        answer = self.ask(name)
        return [str(record.rdata) for record in answer.rr]


class ProxyClient(Client):
    """The same behind a proxy of an exit, by what `lab env` says of it."""

    def __init__(self, lab, exit, kind):
        super().__init__(lab, exit, "172.19.0.1")
        self.kind = kind

    def start(self):
        exit, ip = self.exit, ("ip", "-n", self.namespace)
        netns.remove(self.namespace)
        netns.add(self.namespace)
        file = self.lab.directory / f"{self.device}.json"
        file.write_text(json.dumps(self.config()))
        with netns.inside(self.lab.plan.uplink):
            self.records.spawn("engine", [proxies.program(), "run", "-c", str(file)])
        wait_until(self.is_born, f"{exit.namespace}: the device of a {self.kind.name} client")
        netns.run("ip", "-n", self.lab.plan.uplink, "link", "set", self.device, "netns", self.namespace)
        netns.run(*ip, "address", "replace", f"{self.address}/32", "dev", self.device)
        netns.run(*ip, "link", "set", self.device, "mtu", "9000", "up")
        netns.run(*ip, "route", "add", "default", "dev", self.device)

    def is_born(self):
        assert self.records.alive("engine"), self.records.last_lines("engine")
        with contextlib.suppress(netns.LabError):
            return "UP" in netns.run("ip", "-n", self.lab.plan.uplink, "-br", "link", "show", self.device)
        return False

    def config(self):
        tun = {"type": "tun", "interface_name": self.device, "address": [f"{self.address}/32"], "mtu": 9000}
        tun |= {"auto_route": False, "stack": "gvisor", "dns_mode": "disabled"}
        return {
            "log": {"level": "error", "timestamp": False},
            "dns": {"servers": [{"type": "udp", "tag": "lab", "server": plan.DNS_ADDRESS, "detour": "exit"}]},
            "inbounds": [tun],
            "outbounds": [self.outbound()],
            "route": {"final": "exit", "auto_detect_interface": False},
        }

    def outbound(self):
        env = self.lab.env()
        name = f"LAB_EXIT{self.exit.number}_PROXY_{self.kind.variable}"
        made = {"tag": "exit"} | json.loads(env[f"{name}_CONFIG"])
        with open(env[f"{name}_SECRET"], encoding="ascii") as file:
            secret = json.load(file)
        made.pop("udp", None)
        if "obfs" in made:
            made["obfs"] = {"type": made["obfs"], "password": secret.pop("obfs_password")}
        if "tls" in made:
            made["tls"] |= {"enabled": True, "certificate": made["tls"]["certificate"].splitlines()}
        return made | secret


class Conversation:
    """One HTTP connection that is kept open."""

    def __init__(self, client, address, timeout_s=WAIT_S):
        self.http = http.client.HTTPConnection(address, timeout=timeout_s)
        self.http.sock = client.connect(address, 80, timeout_s)

    def ask(self):
        self.http.request("GET", "/")
        return self.http.getresponse().read().decode().strip()
