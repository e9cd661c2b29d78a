"""A user's time ends while they work, and begins again; an exit with a preshared key; secrets that are sealed."""

import base64
import datetime
import ipaddress
import json
import re
import subprocess

import pexpect
import pytest
from support.guest import Guest
from support.postgres import cron_run
from support.seal import seal
from support.ssh import Client
from support.stack import Lab
from support.wait import WAIT_S, wait_until


def peer_address(stack, number):
    return f"{ipaddress.ip_network(stack.env['CCP_EXIT_PEER_NET'])[number]}/32"


@pytest.fixture
def guest(stack, tmp_path):
    one = Guest(stack, "guest-" + tmp_path.name[-12:].strip("-_").lower(), tmp_path, peer_address(stack, 77))
    yield one
    one.end()


def live_session(guest):
    """A command that goes on for minutes; returns when it has begun."""
    session = guest.bootstrap(
        "sh",
        "-c",
        "echo begun; exec sleep 300",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert session.stdout.readline() == "begun\n"
    return session


def ended_by(session):
    """(exit status, what it said) of a session that is ended from outside."""
    status = session.wait(WAIT_S)
    return status, session.communicate()[1]


def says(guest, command):
    """(exit status, output) of a shell command of the user's own."""
    one = guest.bootstrap("sh", "-c", f"exec 2>&1; {command}", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, _ = one.communicate(timeout=WAIT_S)
    return one.returncode, out


def package(directory):
    """A Debian package of one file, /usr/share/ours."""
    (directory / "ours" / "DEBIAN").mkdir(parents=True)
    (directory / "ours" / "usr" / "share").mkdir(parents=True)
    (directory / "ours" / "usr" / "share" / "ours").write_text("installed\n")
    (directory / "ours" / "DEBIAN" / "control").write_text(
        "Package: ours\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: a test\n"
    )
    subprocess.run(["dpkg-deb", "--build", directory / "ours"], check=True, capture_output=True, timeout=WAIT_S)
    return directory / "ours.deb"


def expire(guest, when):
    guest.told("PUT", f"/v1/admin/users/{guest.user_id}/expiry", {"expires_at": when})


def set_status(guest, status):
    version = guest.admin.get(f"/v1/admin/users/{guest.user_id}").headers["ETag"]
    answer = guest.admin.send("PATCH", f"/v1/admin/users/{guest.user_id}", {"status": status}, {"If-Match": version})
    assert answer.status == 200, answer


def test_expiry_ends_a_live_session_and_extension_brings_the_host_back(guest):
    session = live_session(guest)
    past = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)).isoformat()
    expire(guest, past)
    status, said = ended_by(session)
    assert status != 0 and "expired" in said, said
    guest.host.wait_status("stopped")
    refused = guest.bootstrap("true", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, said = refused.communicate(timeout=WAIT_S)
    assert refused.returncode == 12, said
    expire(guest, None)
    guest.host.wait_status("running")
    again = guest.bootstrap("echo", "back", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, said = again.communicate(timeout=WAIT_S)
    assert (again.returncode, out) == (0, "back\n"), said
    assert (
        guest.host.owner.value(
            "select count(*) from ccp.events where type = 'user.expired' and user_id = %s", [guest.user_id]
        )
        == 1
    )


def test_with_the_worker_down_cron_alone_ends_the_session_and_the_host_of_an_expired_user(stack, guest):
    session = live_session(guest)
    ticks = "select ticked_at from ccp.ticks where who = 'worker'"
    stack.sv("down", "ccp-worker")
    try:
        ticked_at = guest.host.owner.value(ticks)
        soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
        expire(guest, soon.isoformat())
        wait_until(lambda: guest.host.owner.value("select now()") > soon, "the user has expired")
        cron_run(stack, "ccp")
        status, said = ended_by(session)
        assert status != 0 and "expired" in said, said
        guest.host.wait_status("stopped")
        assert guest.host.owner.value(ticks) == ticked_at
        assert guest.host.owner.rows("select * from ccp.stuck") == []
    finally:
        stack.sv("up", "ccp-worker")
    expire(guest, None)
    guest.host.wait_status("running")


def test_disabling_ends_a_live_session_and_enabling_brings_the_host_back(guest):
    session = live_session(guest)
    set_status(guest, "disabled")
    status, said = ended_by(session)
    assert status != 0 and "disabled" in said, said
    guest.host.wait_status("stopped")
    refused = guest.bootstrap("true", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, said = refused.communicate(timeout=WAIT_S)
    assert refused.returncode == 11, said
    set_status(guest, "active")
    guest.host.wait_status("running")


def test_who_is_in_a_shell_when_the_host_stops_reads_why_and_what_starts_it_again(guest, tmp_path):
    guest.host.running()
    shell = guest.terminal()
    task = guest.host.insert("host.stop")
    shell.expect("This host was stopped; start it with: (curl .*/v1/bootstrap/script) | bash")
    shell.expect(pexpect.EOF)
    assert re.search(r"this comes back:\s+curl ", shell.before), shell.before
    guest.host.wait_succeeded(task)
    refused = Client(guest, tmp_path).by_password(guest.ssh_password, "true")
    assert (
        refused.returncode == 255
        and f"This host is stopped: start it with: curl -sSf {guest.stack.url}/" in refused.stderr
    )
    again = guest.terminal()  # the line that was said
    again.sendline("exit")
    again.expect(pexpect.EOF)


def test_who_is_in_a_shell_when_the_account_expires_reads_why(guest):
    shell = guest.terminal()
    expire(guest, (datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)).isoformat())
    shell.expect("This account has expired: the session ends.")
    shell.expect(pexpect.EOF)
    guest.host.wait_status("stopped")


def test_a_login_is_shown_what_is_true_when_it_comes_in(guest):
    def shown():
        shell = guest.terminal()
        shell.sendline("exit")
        shell.expect(pexpect.EOF)
        return shell.said.replace("\r", "")

    said = shown()
    address = guest.stack.owner.value("select host(ip_address) from ccp.egress_ips where id = %s", [guest.exit_id])
    assert re.search(rf"^  Exit address  {re.escape(address)} \(of {guest.name}\)$", said, re.M), said
    assert re.search(
        r"^  Proof         last proven in full 20\d\d-\d\d-\d\d \d\d:\d\d UTC; checked each \d+ s", said, re.M
    )
    assert re.search(r"^  Limits        2 processors, 4096 MB of memory, 4096 processes", said, re.M)
    assert (
        re.search(r"^  A rebuild     keeps your home directory", said, re.M) and "  Access        has no end\n" in said
    )
    expire(guest, "2099-01-31T12:30:00Z")
    assert "  Access        ends 2099-01-31 12:30 UTC\n" in shown()
    expire(guest, "2099-02-28T00:00:00Z")
    assert "  Access        ends 2099-02-28 00:00 UTC\n" in shown()


def test_a_preshared_key_is_sealed_and_opens_the_tunnel(stack, tmp_path):
    key = subprocess.run(["wg", "genpsk"], capture_output=True, text=True, check=True).stdout.strip()
    address = peer_address(stack, 78)
    file = tmp_path / "psk"
    file.write_text(key + "\n")
    lab = Lab(stack.environment["CCP_LAB_PREFIX"])
    lab.run("psk", address, str(file))
    guest = Guest(stack, "sealed-" + tmp_path.name[-8:].strip("-_").lower(), tmp_path, address, wg_preshared_key=key)
    try:
        sealed = guest.host.owner.value(
            "select wg_preshared_key_sealed from ccp.egress_ips where id = %s", [guest.exit_id]
        )
        assert sealed and key not in sealed
        assert key not in str(guest.told("GET", "/v1/admin/egress-ips?limit=200"))
        guest.host.task("host.start")
    finally:
        guest.end()


def own_key(guest, private, **secret):
    """The exit of a host at rest gets that key of its own, as an import does; its public half."""
    public = subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True, check=True).stdout.strip()
    sealing_key = guest.host.owner.value("select value #>> '{}' from ccp.settings where name = 'sealing_key'")
    sealed = seal(sealing_key, json.dumps({"private_key": private} | secret).encode())
    changes = {"wg_own_public_key": public, "secret_sealed": sealed}
    guest.host.owner.rows("select egress.edit(%s, %s)", [guest.exit_id, json.dumps(changes)])
    return public


def start_failure(guest):
    """(error_code, error_message) of a start that must fail."""
    status, code, message, _ = guest.host.wait_task(guest.host.insert("host.start"))
    assert status == "failed"
    return code, message


def test_an_exit_with_a_key_of_its_own_is_one_tunnels_at_a_time(stack, tmp_path):
    name = tmp_path.name[-8:].strip("-_").lower()
    private, preshared, other = (
        subprocess.run(["wg", word], capture_output=True, text=True, check=True).stdout.strip()
        for word in ("genkey", "genpsk", "genkey")
    )
    (tmp_path / "psk").write_text(preshared + "\n")
    address = peer_address(stack, 80)
    Lab(stack.environment["CCP_LAB_PREFIX"]).run("psk", address, str(tmp_path / "psk"))
    first = Guest(stack, f"own-{name}", tmp_path, address)
    second = Guest(stack, f"too-{name}", tmp_path, peer_address(stack, 81))
    try:
        public = own_key(first, private, preshared_key=preshared)
        peers = "select host_public_key from ccp.exit_peers where egress_ip_id = %s"
        assert first.host.owner.value(peers, [first.exit_id]) == public
        for _ in range(2):
            first.host.task("host.start")
            assert first.host.task("host.verify")["checks"]
            first.host.task("host.stop")
        first.host.task("host.start")

        own_key(second, private)
        code, message = start_failure(second)
        assert code == "tunnel_no_handshake" and "a tunnel with this exit's own key still runs" in message
        first.host.task("host.verify")
        second.host.stopped()
        own_key(second, other, private_key=private)
        code, message = start_failure(second)
        assert code == "settings_incomplete" and "it is not the private key of wg_own_public_key" in message
        assert private not in message and other not in message
    finally:
        first.end()
        second.end()


def test_a_host_that_cannot_start_ends_the_script_with_14_and_names_the_key_to_register(stack, tmp_path):
    wrong = subprocess.run(
        ["sh", "-c", "wg genkey | wg pubkey"], capture_output=True, text=True, check=True
    ).stdout.strip()
    guest = Guest(
        stack,
        "nowhere-" + tmp_path.name[-8:].strip("-_").lower(),
        tmp_path,
        peer_address(stack, 79),
        wg_public_key=wrong,
    )
    try:
        attempt = guest.bootstrap("true", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        _, said = attempt.communicate(timeout=WAIT_S)
        assert attempt.returncode == 14, said
        wait_until(lambda: guest.host.status == "unavailable", "the host is unavailable")
        key = guest.host.owner.value("select wg_public_key from ccp.hosts where id = %s", [guest.host_id])
        assert key in said, said
    finally:
        guest.end()


def test_a_rebuild_takes_what_was_installed_and_a_wipe_the_home_too(guest, tmp_path):
    deb = base64.b64encode(package(tmp_path).read_bytes()).decode()
    status, said = says(
        guest, f"echo kept > mine && echo {deb} | base64 -d > /tmp/ours.deb && sudo dpkg -i /tmp/ours.deb"
    )
    assert status == 0, said
    there = "cat mine; cat /usr/share/ours; dpkg-query -W ours"
    home, file, name = "cat: mine", "cat: /usr/share/ours", "dpkg-query: no packages found matching ours"
    assert says(guest, there) == (0, "kept\ninstalled\nours\t1\n")
    guest.host.task("host.rebuild", '{"mode": "keep"}')
    assert says(guest, there) == (1, f"kept\n{file}: No such file or directory\n{name}\n")
    guest.host.task("host.rebuild", '{"mode": "wipe"}')
    assert says(guest, there) == (1, f"{home}: No such file or directory\n{file}: No such file or directory\n{name}\n")
