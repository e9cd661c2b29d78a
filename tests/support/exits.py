"""Rows of exits that lead through the lab's, and how long a move from one to another took."""

import json
from pathlib import Path

from psycopg2.extras import Json
from support.seal import seal
from support.wait import wait_until


def wireguard(lab, number, address):
    """Through its WireGuard, with an address of our own."""
    env = lab.env
    return {
        "ip_address": env[f"LAB_EXIT{number}_IP"],
        "wg_endpoint": env[f"LAB_EXIT{number}_ENDPOINT"],
        "wg_public_key": env[f"LAB_EXIT{number}_PUBLIC_KEY"],
        "wg_dns_server": env["LAB_DNS_SERVER"],
        "wg_peer_address": address,
    }


def proxy(lab, owner, kind, secret=None, **config):
    """Through a proxy of the first; `secret` instead of the right one, `config` beside it."""
    env = lab.env
    name = f"LAB_EXIT1_PROXY_{kind.upper().replace('-', '_')}"
    if secret is None:
        secret = json.loads(Path(env[f"{name}_SECRET"]).read_text(encoding="ascii"))
    key = wait_until(
        lambda: owner.value("select value #>> '{}' from ccp.settings where name = 'sealing_key'"),
        "the agent tells its sealing key",
    )
    return {
        "tunnel_type": "proxy",
        "ip_address": env["LAB_EXIT1_IP"],
        "dns_server": env["LAB_DNS_SERVER"],
        "proxy_config": Json(json.loads(env[f"{name}_CONFIG"]) | config),
        "secret_sealed": seal(key, json.dumps(secret).encode("ascii")) if secret else None,
    }


def insert(owner, label, row):
    """Its id."""
    columns = {"label": label} | row
    names, values = ", ".join(columns), ", ".join(["%s"] * len(columns))
    sql = f"insert into ccp.egress_ips ({names}) values ({values}) returning id::text"
    return owner.value(sql, list(columns.values()))


def closed_ms(result):
    """How long a host that was moved was closed, by the result of its task."""
    return sum(result["timings"][step] for step in ("leave", "wall", "tunnel", "examine", "verify", "prove"))
