"""Every example of docs/psql.md works, for ccp_admin, is written down with its role as the actor, and shows no hash."""

import base64
import json
import os
import re
import subprocess

import pytest
from support.boxes import KEY_BYTES, pair_make
from support.paths import CHECKOUT, SCRIPTS
from support.wait import WAIT_S, wait_until

SETUP = """
    select process.register('ccp-agent', 'racer', 2, 'test');
    with proxy as (select process_id from process.register('ccp-sshproxy', 'racer', 3, 'test'))
    insert into ccp.sessions (user_id, host_id, process_id, method, address, opened_at)
    select h.user_id, h.id, p.process_id, 'key', '198.51.100.7', now() from ccp.hosts as h, proxy as p
"""

PROVIDED = f"""[Interface]
PrivateKey = {{key}}
Address = 10.9.0.8/32
[Peer]
PublicKey = {"A" * 43}=
AllowedIPs = 0.0.0.0/0
Endpoint = px.example:51820
"""

# How a login password's hash begins, and a host's SSH password's.
BCRYPT, YESCRYPT = "$2b$", "$y$"
# The server says all it can say, in a log of ours and of nobody else's sessions.
TALKATIVE = ("log_statement = 'all'", "log_min_error_statement = 'debug5'", "log_error_verbosity = 'verbose'")

PROGRAMS = CHECKOUT / "build" / "release"


def preshared_key(given, *arguments):
    return subprocess.run(
        [PROGRAMS / "ccp-api", "preshared-key", *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def test_a_preshared_key_is_sealed_as_the_agent_opens_it():
    public, unseal = pair_make()
    key = base64.b64encode(os.urandom(KEY_BYTES)).decode()
    for given in (key, key + "\n", key + "\r\n"):
        sealed = preshared_key(given, public)
        assert sealed.returncode == 0 and unseal(sealed.stdout) == key and key not in sealed.stdout, sealed


def test_what_is_not_a_preshared_key_is_not_sealed_and_not_shown():
    public, _ = pair_make()
    key = base64.b64encode(os.urandom(KEY_BYTES)).decode()
    for given in ("", key[:-1], key + "\n\n", f"{key}\r\n{key}", key + key, "x" * 44, "\n" + key):
        refused = preshared_key(given, public)
        assert (refused.returncode, refused.stdout) == (1, ""), (given, refused)
        assert refused.stderr == "ccp-api preshared-key: the preshared key is not 32 bytes in base64\n"
    assert "sealing key" in preshared_key(key, "nonsense").stderr
    assert preshared_key(key).returncode == 2, "where is no key to seal to"


@pytest.fixture
def run(database, tmp_path):
    """run(SCRIPT): psql for an administrator, beside the files and programs of the page; its ended process."""
    mkpasswd = tmp_path / "mkpasswd"
    mkpasswd.write_text(f"#!/bin/sh\nread -r password && echo '{YESCRYPT}j9T${'a' * 60}'\n")
    mkpasswd.chmod(0o755)
    for name in ("new-password", "new-ssh-password"):
        (tmp_path / name).write_text("a new password\n")
    return lambda script: subprocess.run(
        ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-v", "sealed=" + "A" * 132, database.conninfo("ccp_admin")],
        input=script,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{tmp_path}:{PROGRAMS}:{os.environ['PATH']}"},
    )


@pytest.fixture
def log(database, stack_directory):
    """log(): what the server has written since the fixture's begin, with all that administrators say."""
    for setting in TALKATIVE:
        database.rows(f"alter role ccp_admin in database {database.name} set {setting}")
    before = len(stack_directory.log("postgres"))
    return lambda: stack_directory.log("postgres")[before:]


def page():
    return "\n".join(re.findall(r"```sql\n(.*?)```", (CHECKOUT / "docs" / "psql.md").read_text(), re.DOTALL))


def test_every_example_for_an_administrator_works(database, tmp_path, run, log):
    database.hosts_make(1)
    database.rows("update ccp.users set username = 'alice'")
    database.rows(SETUP)
    public, unseal = pair_make()
    database.rows("update ccp.settings set value = to_jsonb(%s::text) where name = 'sealing_key'", [public])
    key = base64.b64encode(os.urandom(KEY_BYTES)).decode()
    (tmp_path / "preshared.key").write_text(key + "\n")
    (tmp_path / "provider.conf").write_text(PROVIDED.format(key=key))
    done = run(page())
    assert done.returncode == 0, done.stderr
    assert key not in done.stdout + done.stderr
    assert "NOTICE:  the world is assumed to see 203.0.113.9" in done.stderr and "import_dns_server" in done.stderr
    sealed = database.value("select wg_preshared_key_sealed from ccp.egress_ips where label = 'berlin'")
    assert unseal(sealed) == key
    imported = database.rows("select secret_sealed, wg_endpoint from ccp.egress_ips where label = 'porto'")
    assert [(json.loads(unseal(box)), at) for box, at in imported] == [({"private_key": key}, "203.0.113.9:51820")]
    written = database.rows("select type from ccp.events where actor = 'ccp_admin' order by id")
    assert [row[0] for row in written if row[0].split(".")[0] in ("admin", "key", "setting")] == [
        "admin.session.ended",
        "admin.user.created",
        "admin.user.updated",
        "admin.user.updated",
        "admin.user.password_rotated",
        "admin.user.sessions_ended",
        "admin.egress_ip.created",
        "admin.egress_ip.updated",
        "admin.egress_ip.created",
        "admin.egress_ip.updated",
        "admin.egress_ip.updated",
        "admin.egress_ip.created",
        "admin.binding.created",
        "admin.host.action",
        "admin.task.canceled",
        "admin.task.retried",
        "key.rotated",
        "admin.host.action",
        "admin.egress_ip.tested",
        "admin.binding.deleted",
        "admin.binding.created",
        "admin.binding.deleted",
        "admin.egress_ip.deleted",
        "admin.host.action",
        "admin.host.action",
        "setting.changed",
        "admin.node.cordoned",
        "admin.node.drained",
        "admin.node.undrained",
        "admin.node.uncordoned",
        "key.registered",
        "key.removed",
        "key.rotated",
        "key.retired",
        "admin.webhook.created",
        "admin.webhook.tested",
        "admin.webhook.updated",
        "admin.webhook.secret_rotated",
        "admin.webhook.deleted",
        "admin.user.deleted",
        "admin.user.updated",
    ]
    wait_until(lambda: "account.keep(account.id('alice'))" in log(), "the last statement is in the log")
    assert not [secret for secret in (BCRYPT, YESCRYPT, key) if secret in log()]


MADE = """
    set role ccp_owner;
    create temporary table login_password (hash text);
    \\copy login_password from program 'ccp-api hash <new-password'
"""


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("select account.add('bob', hash), account.add('bob', hash) from login_password;", "already a user bob"),
        ("select account.add('b', hash) from login_password;", "username_is_a_name"),
        ("select account.add('bob', 'x' || hash) from login_password;", "hash_is_bcrypt"),
        ("select account.rotate_password(account.id('racer1'), 'x' || hash) from login_password;", "hash_is_bcrypt"),
        ("select account.create_admin('bob', 'x' || hash) from login_password;", "hash_is_bcrypt"),
        ("select host.rotate_ssh_password(host_id, hash) from login_password, public.one;", "hash_is_yescrypt"),
        ("select host.add(user_id, egress_ip_id, hash) from login_password, public.one;", "hash_is_yescrypt"),
    ],
)
def test_a_statement_that_fails_says_no_hash(database, run, log, statement, refusal):
    database.hosts_make(1)
    database.rows("create table public.one as select host_id, user_id, egress_ip_id from ccp.bindings")
    database.rows("grant select on public.one to ccp_owner")
    done = run(MADE + statement)
    assert done.returncode != 0
    assert refusal in done.stderr and BCRYPT not in done.stderr
    wait_until(lambda: refusal in log() and statement in log(), "the refusal and its statement are in the log")
    assert BCRYPT not in log()


def test_no_script_puts_a_hash_into_a_statement():
    said = "\n".join(path.read_text() for path in [*SCRIPTS.iterdir(), CHECKOUT / "docs" / "psql.md"] if path.is_file())
    assert not re.findall(r":'\w*(?:hash|password)\w*'|\\set \w*(?:hash|password).*", said)
