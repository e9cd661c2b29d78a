"""The proxies of every kind: how sing-box serves them in an exit's namespace, and what an exit's row says of each.

One process an exit serves all kinds. What it carries leaves by the exit's net link alone, so as the exit's address.
"""

import json
import os
import shutil
import time
from dataclasses import dataclass, field

from ccplab import authority, netns, pins, plan
from ccplab.errors import LabError

START_S = 30
LOOK_S = 0.01
USER, PASSWORD = "u", "pw"
HARD_PASSWORD = "p:w@x"  # what a careless reader of links divides wrongly
UUID = "4f1b6a52-8f0e-4c1c-9a65-0d3c1a2b3c4d"
KEY16 = "AAECAwQFBgcICQoLDA0ODw=="
KEY32 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
NO_LOGIN = {"users": []}


@dataclass(frozen=True)
class Kind:
    """A kind of proxy: members of its inbound at the server, and of proxy_config and secret at a client."""

    name: str
    port: int
    type: str
    server: dict
    client: dict = field(default_factory=dict)
    secret: dict = field(default_factory=dict)
    tls: bool = False
    alpn: tuple = ()
    transport: dict | None = None

    @property
    def variable(self):
        return self.name.upper().replace("-", "_")

    @property
    def protocols(self):
        """What its port is: QUIC's is UDP; Shadowsocks takes datagrams as such."""
        return {"hysteria2": {"udp"}, "tuic": {"udp"}, "shadowsocks": {"tcp", "udp"}}.get(self.type, {"tcp"})

    @property
    def relays(self):
        """SOCKS5 takes datagrams at a port that the server chooses for each client."""
        return bool(self.client.get("udp"))

    def takes(self, protocol, port):
        """Whether its clients send to that port of the endpoint."""
        if self.relays and protocol == "udp" and plan.RELAY_PORTS[0] <= port <= plan.RELAY_PORTS[1]:
            return True
        return port == self.port and protocol in self.protocols

    def inbound(self, lab):
        made = {"type": self.type, "tag": f"{self.type}-{self.port}", "listen": "0.0.0.0", "listen_port": self.port}
        made |= self.server
        if self.tls:
            files = {"certificate_path": str(authority.chain(lab)), "key_path": str(authority.key(lab))}
            made["tls"] = {"enabled": True, **files} | ({"alpn": list(self.alpn)} if self.alpn else {})
        if self.transport:
            made["transport"] = self.transport
        return made

    def proxy_config(self, lab, exit):
        """What an exit's row holds as proxy_config."""
        made = {"type": self.type, "server": exit.endpoint, "server_port": self.port, **self.client}
        if self.tls:
            trust = authority.certificate(lab).read_text(encoding="ascii")
            made["tls"] = {"server_name": plan.PROXY_NAME, "certificate": trust}
            if self.alpn:
                made["tls"]["alpn"] = list(self.alpn)
        if self.transport:
            made["transport"] = self.transport
        return made


def _user(**members):
    return {"users": [members]}


def _shadowsocks(name, port, method, password):
    return Kind(
        name, port, "shadowsocks", {"method": method, "password": password}, {"method": method}, {"password": password}
    )


def _vless(name, port, **more):
    return Kind(name, port, "vless", _user(uuid=UUID), secret={"uuid": UUID}, **more)


_LOGIN = _user(username=USER, password=PASSWORD)
_OPEN = {"password": PASSWORD}
_VMESS = {"security": "auto", "alter_id": 0}
_EARLY = {"max_early_data": 2048, "early_data_header_name": "Sec-WebSocket-Protocol"}

KINDS = {
    kind.name: kind
    for kind in (
        Kind("socks5", 1080, "socks", NO_LOGIN, {"udp": True}),
        Kind("socks5-uot", 1080, "socks", NO_LOGIN, {"udp_over_tcp": True}),
        Kind(
            "socks5-auth",
            1081,
            "socks",
            _user(username=USER, password=HARD_PASSWORD),
            {"username": USER, "udp": True},
            {"password": HARD_PASSWORD},
        ),
        Kind("http", 1082, "http", NO_LOGIN),
        Kind("http-auth", 1083, "http", _LOGIN, {"username": USER}, _OPEN),
        Kind("https-auth", 1084, "http", _LOGIN, {"username": USER}, _OPEN, tls=True),
        _shadowsocks("ss2022-128", 1085, "2022-blake3-aes-128-gcm", KEY16),
        _shadowsocks("ss2022-256", 1086, "2022-blake3-aes-256-gcm", KEY32),
        _shadowsocks("ss-aes-256-gcm", 1087, "aes-256-gcm", PASSWORD),
        _shadowsocks("ss-chacha20", 1088, "chacha20-ietf-poly1305", PASSWORD),
        Kind("vmess-tcp", 1089, "vmess", _user(uuid=UUID, alterId=0), _VMESS, {"uuid": UUID}),
        Kind(
            "vmess-ws-tls",
            1090,
            "vmess",
            _user(uuid=UUID, alterId=0),
            _VMESS,
            {"uuid": UUID},
            tls=True,
            transport={"type": "ws", "path": "/w"},
        ),
        _vless("vless-tcp", 1091),
        _vless("vless-tls", 1092, tls=True),
        _vless("vless-ws-tls", 1093, tls=True, transport={"type": "ws", "path": "/v", **_EARLY}),
        Kind(
            "vless-vision-tls",
            1094,
            "vless",
            _user(uuid=UUID, flow="xtls-rprx-vision"),
            {"flow": "xtls-rprx-vision"},
            {"uuid": UUID},
            tls=True,
        ),
        _vless("vless-grpc-tls", 1095, tls=True, alpn=("h2",), transport={"type": "grpc", "service_name": "g"}),
        _vless("vless-httpupgrade", 1096, tls=True, transport={"type": "httpupgrade", "path": "/h"}),
        Kind("trojan-tls", 1097, "trojan", _user(password=PASSWORD), {}, _OPEN, tls=True),
        Kind(
            "trojan-ws-tls",
            1098,
            "trojan",
            _user(password=PASSWORD),
            {},
            _OPEN,
            tls=True,
            transport={"type": "ws", "path": "/t"},
        ),
        Kind("hysteria2", 1099, "hysteria2", _user(password=PASSWORD), {}, _OPEN, tls=True, alpn=("h3",)),
        Kind(
            "hysteria2-obfs",
            1100,
            "hysteria2",
            {**_user(password=PASSWORD), "obfs": {"type": "salamander", "password": "ob"}},
            {"obfs": "salamander"},
            {**_OPEN, "obfs_password": "ob"},
            tls=True,
            alpn=("h3",),
        ),
        Kind(
            "tuic",
            1101,
            "tuic",
            {**_user(uuid=UUID, password=PASSWORD), "congestion_control": "bbr"},
            {"congestion_control": "bbr"},
            {"uuid": UUID, **_OPEN},
            tls=True,
            alpn=("h3",),
        ),
        Kind("anytls", 1102, "anytls", _user(password=PASSWORD), {}, _OPEN, tls=True),
    )
}


def kind(name):
    try:
        return KINDS[name]
    except KeyError:
        raise LabError(f"there is no kind of proxy '{name}': there are {' '.join(KINDS)}") from None


def server_config(lab):
    """It resolves names as the exit's clients would, and connects to the fake internet only: never to the uplink."""
    served = {kind.port: kind for kind in KINDS.values()}
    return {
        "log": {"level": "error", "timestamp": False},
        "dns": {"servers": [{"type": "udp", "tag": "lab", "server": plan.DNS_ADDRESS}], "strategy": "ipv4_only"},
        "inbounds": [kind.inbound(lab) for kind in served.values()],
        "outbounds": [{"type": "direct", "tag": "net"}],
        "route": {
            "rules": [
                {"action": "resolve"},
                {"ip_cidr": [str(plan.SERVICE_NET)], "invert": True, "action": "reject"},
            ],
            "final": "net",
            "default_domain_resolver": "lab",
        },
    }


def program():
    """The build that tools/pins names, as for the hosts (CCP_SING_BOX is another), or None where there is none."""
    name = pins.path("sing_box")
    found = shutil.which(name)
    if found is None and os.environ.get("CCP_SING_BOX"):
        raise LabError(f"CCP_SING_BOX is {name}, which is no executable")
    return found


def record(exit):
    return f"proxies{exit.number}"


def directory(lab, exit):
    return lab.directory / "proxies" / f"exit{exit.number}"


def secret_file(lab, exit, kind):
    return directory(lab, exit) / f"{kind.name}.secret.json"


def rekeyed(value, name=""):
    """The same configuration of a server with other secrets."""
    if isinstance(value, dict):
        return {key: rekeyed(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [rekeyed(member) for member in value]
    return chr(ord(value[0]) + 1) + value[1:] if name in ("password", "uuid") else value


def serves_others(lab, exit):
    """Whether it was started with other secrets than its clients are told."""
    file = _server_file(lab, exit)
    return file.exists() and json.loads(file.read_text(encoding="ascii")) != server_config(lab)


def _server_file(lab, exit):
    return directory(lab, exit) / "server.json"


def start(lab, exit, records, config=None):
    """Returns when every port is served."""
    for kind in KINDS.values():
        _write(secret_file(lab, exit, kind), kind.secret)
    file = _server_file(lab, exit)
    _write(file, config or server_config(lab))
    with netns.inside(exit.namespace):
        records.spawn(record(exit), [program(), "run", "-c", str(file)])
        _wait_served(records, record(exit))


def _wait_served(records, name):
    """It tells nobody that it serves, so its ports are looked at. Call it inside()."""
    end = time.monotonic() + START_S
    while not _wanted_ports() <= _served_ports():
        if records.ends(name, LOOK_S):
            raise LabError(f"{name} died at its start: {records.last_lines(name)}")
        if time.monotonic() > end:
            raise LabError(f"{name} does not serve after {START_S} s: {records.last_lines(name)}")


def _wanted_ports():
    return {(protocol, kind.port) for kind in KINDS.values() for protocol in kind.protocols}


def _served_ports():
    """(protocol, port) of what listens in the thread's namespace (proc(5): net/tcp, net/udp)."""
    ports = set()
    for protocol, state in (("tcp", "0A"), ("udp", "07")):
        with open(f"/proc/thread-self/net/{protocol}", encoding="ascii") as table:
            for line in list(table)[1:]:
                words = line.split()
                if words[3] == state:
                    ports.add((protocol, int(words[1].partition(":")[2], 16)))
    return ports


def _write(file, value):
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(file.name + ".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(value) + "\n", encoding="ascii")
    draft.replace(file)


def env(lab, exit):
    """What an exit's row needs, by kind: its proxy_config, and the file with its secret."""
    values = {}
    for kind in KINDS.values():
        name = f"LAB_EXIT{exit.number}_PROXY_{kind.variable}"
        values[f"{name}_CONFIG"] = json.dumps(kind.proxy_config(lab, exit))
        values[f"{name}_SECRET"] = secret_file(lab, exit, kind)
    return values
