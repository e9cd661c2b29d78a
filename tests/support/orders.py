"""What tests order from the API of their own: users, exits, and hosts that a played agent makes."""

import base64

KEY = base64.b64encode(bytes(32)).decode()
SSH_KEY = (
    "ssh-ed25519 "
    + base64.b64encode((11).to_bytes(4, "big") + b"ssh-ed25519" + (32).to_bytes(4, "big") + bytes(32)).decode()
)
EXIT = {
    "label": "one",
    "ip_address": "198.51.100.7",
    "wg_endpoint": "198.51.100.1:51820",
    "wg_public_key": KEY,
    "wg_dns_server": "198.51.100.53",
    "wg_peer_address": "10.66.0.2/32",
}
JSON_TYPE = "Content-Type: application/json\r\n"


def node_make(database):
    database.rows("select process.register('ccp-agent', 'node1', 1, 'test')")


def user_make(admin, username="alice"):
    return admin.post("/v1/admin/users", {"username": username}).json


def host_make(admin, database, username="alice", label="one"):
    """A user with a host that host.create has made: stopped."""
    if not database.rows("select 1 from ccp.processes where program = 'ccp-agent'"):
        node_make(database)
    user = user_make(admin, username)
    exit_id = admin.post("/v1/admin/egress-ips", EXIT | {"label": label}).json["id"]
    answer = admin.post("/v1/admin/hosts", {"user_id": user["id"], "egress_ip_id": exit_id, "cpu_limit": 0.1})
    assert answer.status == 202, answer
    run_tasks(database)
    return user, answer.json


def run_tasks(database):
    """What an agent would do: claims what there is and succeeds."""
    database.rows(
        "select task.succeed(c.task_id, c.lease, jsonb_build_object('wg_public_key', repeat('A', 43) || '='))"
        " from task.claim((select max(id) from ccp.processes where program = 'ccp-agent'), 10) as c"
    )
