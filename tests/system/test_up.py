"""`make up` and `make down`: idempotent, and gone without a trace."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
from ipaddress import ip_network
from pathlib import Path

import pexpect
import pytest
from support import proc
from support.guest import Guest
from support.host import Host
from support.http import Api
from support.paths import CHECKOUT, SCRIPTS
from support.program import kill
from support.ssh import Proxy
from support.stack import Stack, free_port
from support.wait import WAIT_S, wait_until

PROGRAMS = ("ccp-api", "ccp-worker", "ccp-agent", "ccp-sshproxy")
SERVERS = ("postgres", "dockerd")
SERVICES = (*PROGRAMS, *SERVERS, "containerd")
TABLES = ("users", "hosts", "egress_ips", "bindings", "settings")


def rows(stack):
    """A digest of every whole row."""
    sql = "select coalesce(array_agg(md5(t::text) order by t::text), '{}') from ccp.%s as t"
    return {table: stack.owner.value(sql % table) for table in TABLES}


def lab_records(stack):
    return Path("/var/lib/ccp-lab", stack.environment["CCP_LAB_PREFIX"], "processes").glob("*.json")


def engines(stack):
    """{pid: name} of the tunnels' engines."""
    found = subprocess.run(
        ["pgrep", "-af", f"^{stack.directory}/libexec/(wireguard-go|sing-box) "],
        capture_output=True,
        text=True,
        check=False,
    )
    return {int(line.split()[0]): line.split()[-1] for line in found.stdout.splitlines()}


def pids(stack):
    """Of all that is to live on when nothing has changed."""
    return (
        {name: stack.pid(name) for name in SERVICES}
        | {"monitor": Proxy(stack).monitor, "containers": stack.containers(), "engines": engines(stack)}
        | {path.stem: json.loads(path.read_text())["pid"] for path in lab_records(stack)}
    )


def processes_of(stack, namespaces=()):
    """{(pid, start): command} of what names the stack's directory or lab, or lives in these or in its namespaces."""
    mark = re.compile(
        rb"%b/|\b%b[-x]" % (re.escape(str(stack.directory).encode()), stack.environment["CCP_LAB_PREFIX"].encode())
    )
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        if int(path.name) == os.getpid():
            continue
        try:
            command = (path / "cmdline").read_bytes()
            exe = os.readlink(path / "exe")
            start = (path / "stat").read_text().rpartition(")")[2].split()[19]
            ours = (
                mark.search(command)
                or exe.startswith(f"{stack.directory}/")
                or os.readlink(path / "cwd").startswith(f"{stack.directory}/")
                or os.readlink(path / "ns" / "net") in namespaces
            )
        except OSError:
            continue
        if ours:
            found[int(path.name), start] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


def lives(pid, start):
    """A dead process that has not been waited for yet does not live."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z" and fields[19] == start


def listeners(stack):
    """Who still holds one of the stack's ports."""
    ports = "|".join(stack.environment[name] for name in ("CCP_HTTP_PORT", "CCP_SSHPROXY_PORT", "CCP_METRICS_PORT"))
    told = subprocess.run(["ss", "-Hltun"], capture_output=True, text=True, check=True).stdout
    return [line for line in told.splitlines() if re.search(rf":({ports})\s", line)]


@pytest.fixture(scope="module")
def second():
    """A second product beside the first."""
    other = Stack(Path("/var/tmp") / f"ccp-test-{os.getpid()}-second", f"ts{os.getpid() % 10000}")
    try:
        yield other.up()
    finally:
        other.end()


def test_up_again_changes_nothing(stack):
    Host(stack).running()
    before = rows(stack), pids(stack)
    assert len(before[1]["containers"]) == len(before[1]["engines"]) == 1 and None not in before[1].values()
    output = stack.script("up")
    assert (rows(stack), pids(stack)) == before
    assert stack.env["CCP_EXIT_IP"] in output and "from curl to the prompt" in output


def test_the_env_file_is_private_and_complete(stack):
    path = stack.run_dir / "env"
    assert path.stat().st_mode & 0o777 == 0o600
    for name in [
        "CCP_URL",
        "CCP_SSH_HOST",
        "CCP_SSH_PORT",
        "CCP_DBA_URL",
        "CCP_AUTOMATION_URL",
        "CCP_OWNER_URL",
        "CCP_ADMIN_USER",
        "CCP_ADMIN_PASSWORD_FILE",
        "CCP_DEMO_USER",
        "CCP_DEMO_PASSWORD_FILE",
        "CCP_DEMO_HOST",
        "CCP_DEMO_HOST_ID",
        "CCP_DEMO_SSH_PASSWORD_FILE",
        "CCP_EXIT_IP",
        "CCP_EXIT2_ID",
        "CCP_EXIT_PEER_NET",
        "CCP_ECHO_URL",
        "CCP_LAB",
        "CCP_UPLINK_NETNS",
        "CCP_DOCKER_SOCKET",
        "CCP_STATE_DIR",
        "CCP_DATA_DIR",
        "CCP_LOG_DIR",
    ]:
        assert stack.env[name], name
    for name, value in stack.env.items():
        if name.endswith("_FILE"):
            assert Path(value).stat().st_mode & 0o777 == 0o600, name


@pytest.mark.parametrize(
    ("name", "role"),
    [("CCP_DBA_URL", "ccp_dba"), ("CCP_AUTOMATION_URL", "ccp_automation"), ("CCP_OWNER_URL", "ccp_owner")],
)
def test_each_database_line_of_env_connects_as_its_role(stack, name, role):
    done = subprocess.run(
        ["psql", "-XAtc", "select current_user", stack.env[name]], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == role


def test_the_names_and_passwords_of_env_sign_in(stack, tmp_path):
    env = stack.env
    for who in ("ADMIN", "DEMO"):
        api = Api(int(env["CCP_URL"].rsplit(":", 1)[1]))
        api.login(env[f"CCP_{who}_USER"], Path(env[f"CCP_{who}_PASSWORD_FILE"]).read_text().strip())
        assert api.post("/v1/auth/logout").status < 300
    owner = stack.owner
    Host(stack).running()
    assert (
        owner.value("select short_id from ccp.hosts where id = %s", [env["CCP_DEMO_HOST_ID"]]) == env["CCP_DEMO_HOST"]
    )
    assert owner.value("select label from ccp.egress_ips where id = %s", [env["CCP_EXIT2_ID"]]) == "lab-2"
    host_key = owner.value("select value #>> '{}' from ccp.settings where name = 'ssh_host_key'")
    (tmp_path / "known").write_text(f"[{env['CCP_SSH_HOST']}]:{env['CCP_SSH_PORT']} {host_key}\n")
    done = subprocess.run(
        [
            "sshpass",
            "-f",
            env["CCP_DEMO_SSH_PASSWORD_FILE"],
            "ssh",
            "-F",
            "none",
            "-o",
            f"UserKnownHostsFile={tmp_path}/known",
            "-p",
            env["CCP_SSH_PORT"],
            f"{env['CCP_DEMO_HOST']}@{env['CCP_SSH_HOST']}",
            "curl",
            "-s",
            env["CCP_ECHO_URL"],
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.stdout.strip() == env["CCP_EXIT_IP"], done


def test_the_paths_of_env_lead_where_they_say(stack):
    env = stack.env
    inside = subprocess.run(
        ["nsenter", f"--net={env['CCP_UPLINK_NETNS']}", "ip", "-o", "address"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "198.51.100.101" in inside.stdout
    ping = ["curl", "-sf", "-m", "5", "--unix-socket", env["CCP_DOCKER_SOCKET"], "http://docker/_ping"]
    assert subprocess.run(ping, capture_output=True, text=True, check=True).stdout == "OK"
    assert (Path(env["CCP_LOG_DIR"]) / "ccp-agent" / "current").exists()
    assert Path(env["CCP_STATE_DIR"]) == stack.directory and Path(env["CCP_DATA_DIR"]).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("label", ["lab-1", "lab-2"])
def test_the_last_free_inside_address_works_with_either_exit(stack, tmp_path, label):
    owner = stack.owner
    columns = ("host(ip_address)", "wg_endpoint", "wg_public_key")
    (exit,) = owner.rows(f"select {', '.join(columns)} from ccp.egress_ips where label = %s", [label])
    address = ip_network(stack.env["CCP_EXIT_PEER_NET"])[-1]
    guest = Guest(
        stack, f"last-{label}", tmp_path, f"{address}/32", **dict(zip(("ip_address", *columns[1:]), exit, strict=True))
    )
    try:
        told, _ = guest.bootstrap("curl", "-s", stack.env["CCP_ECHO_URL"], stdout=subprocess.PIPE).communicate(
            timeout=WAIT_S
        )
        assert told.strip() == exit[0]
    finally:
        guest.end()


# --- what goes wrong is said


def test_a_taken_port_is_named():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        other = Stack(Path("/var/tmp") / f"ccp-test-{os.getpid()}-port", "tport")
        other.environment["CCP_HTTP_PORT"] = str(port)
        try:
            with pytest.raises(RuntimeError) as refusal:
                other.up("programs")
            assert f"port {port}" in str(refusal.value)
        finally:
            other.end()


@pytest.fixture
def directory():
    """Where a test may do as it likes, with a path that is short enough for a stack."""
    with tempfile.TemporaryDirectory(prefix="ccp-", dir="/var/tmp") as path:
        yield Path(path)


def test_a_directory_that_holds_other_things_is_not_taken(directory):
    (directory / "precious").touch(mode=0o600)
    mode = directory.stat().st_mode
    with pytest.raises(RuntimeError, match="holds other things"):
        Stack(directory, "tother").up("postgres")
    assert [path.name for path in directory.iterdir()] == ["precious"] and directory.stat().st_mode == mode


@pytest.fixture
def small():
    """A stack for a stage or two, and what a test puts before everything in its PATH."""
    path = Path("/var/tmp") / f"ccp-test-{os.getpid()}-small"
    one = Stack(path, f"tm{os.getpid() % 10000}")
    one.tools = Path(tempfile.mkdtemp(prefix="ccp-tools-", dir="/var/tmp"))
    one.environment["PATH"] = f"{one.tools}:{os.environ['PATH']}"
    yield one
    shutil.rmtree(one.tools)
    one.end()


def tool(stack, name, script):
    (stack.tools / name).write_text(f"#!/bin/sh\n{script}\n")
    (stack.tools / name).chmod(0o755)


def test_up_stops_at_the_first_failure_with_its_last_words_and_what_to_do(small):
    small.up("postgres")
    subprocess.run(["psql", "-Xqc", "create database ccp", small.conninfo(dbname="postgres")], check=True)
    subprocess.run(["psql", "-Xqc", "create schema ccp", small.conninfo()], check=True)
    with pytest.raises(RuntimeError) as failure:
        small.script("up", "database", "lab")
    told = str(failure.value)
    assert re.search(
        r"FAIL  database ccp.*\n(      .*\n)*      .*permission denied for schema ccp.*\n(      .*\n)*"
        r"What to do: .*PURGE=1",
        told,
    ), told
    assert "lab stands" not in told


def test_where_nobody_may_write_to_dev_shm_it_is_said_before_postgresql_starts(small):
    """As in a chroot. In a mount namespace of its own."""
    words = "mount -t tmpfs -o mode=755 tmpfs /dev/shm && exec deploy/scripts/up postgres"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", words],
        cwd=CHECKOUT,
        env=small.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 1 and "mount -t tmpfs -o mode=1777 tmpfs /dev/shm" in done.stdout, done
    assert "PostgreSQL answers" not in done.stdout and not (small.directory / "service").exists()


def test_what_the_servers_user_writes_into_its_directory_does_not_get_into_roots_scripts(small):
    small.up("postgres")
    small.script("down")
    (small.directory / "pg" / "PG_VERSION").write_text("15/bin/x; touch /; 15\n")
    with pytest.raises(RuntimeError, match=r"(?s)FAIL .*PG_VERSION does not hold a version.*What to do:"):
        small.script("up", "postgres")


def test_postgresql_starts_after_a_start_that_was_cut_short(small):
    small.up("postgres")
    small.sv("down", "postgres")
    for name in ("pg/postmaster.pid", "run/pg/.s.PGSQL.5432.lock", "run/dba/.s.PGSQL.5432.lock"):
        (small.directory / name).touch()
        shutil.chown(small.directory / name, "ccp-postgres", "ccp-postgres")
    small.sv("up", "postgres")
    connect = ["psql", "-XAtc", "select 1", small.conninfo(dbname="postgres")]
    wait_until(lambda: subprocess.run(connect, capture_output=True, check=False).returncode == 0, "PostgreSQL answers")


def test_down_ends_what_a_first_up_left_that_failed_early(small):
    tool(small, "install", "exit 1")
    with pytest.raises(RuntimeError):
        small.up("postgres")
    assert small.directory.exists()
    assert small.script("down") == ""
    assert small.script("down", PURGE="1") == ""
    assert not small.directory.exists()


def test_ctrl_c_ends_up_in_the_middle_of_a_step(small):
    begun = small.tools / "begun"
    tool(small, "ip", f"echo $$ >{begun}; exec sleep 60")
    child = pexpect.spawn(str(SCRIPTS / "up"), ["lab"], env=small.environment, timeout=WAIT_S, encoding="utf-8")
    wait_until(begun.exists, "the lab is being built")
    child.sendintr()
    child.expect(pexpect.EOF, timeout=WAIT_S)
    child.close()
    assert child.exitstatus not in (0, None)
    wait_until(lambda: not proc.words(begun.read_text().strip())[0], "what the step ran has ended")


def test_status_tells_each_service_and_what_the_doctor_says(second):
    told = second.script("status")
    for name in (*PROGRAMS, *SERVERS):
        assert re.search(rf"{name} +runs +pid {second.pid(name)} .* MB", told), told
    assert "the worker ticks each second" in told


def test_where_no_control_groups_are_mounted_all_of_the_kernels_are():
    """As in a chroot. In a mount namespace of its own, for containers run here."""
    script = """
        umount -R /sys/fs/cgroup
        . deploy/scripts/lib.sh && . deploy/scripts/servers.sh
        cgroup_mount && cgroup_mount && cat /proc/self/mountinfo
    """
    shell = ["unshare", "--mount", "--propagation", "private", "bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(shell, cwd=CHECKOUT, capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 0, done.stderr
    kinds = re.findall(r" /sys/fs/cgroup\S* .* - (\S+) cloud-cli-proxy (\S+)", done.stdout)
    in_use = {
        name
        for name, number, *_ in (line.split() for line in Path("/proc/cgroups").read_text().splitlines()[1:])
        if number != "0"
    }
    mounted = {word for kind, options in kinds if kind == "cgroup" for word in options.split(",")}
    assert in_use <= mounted if in_use else [kind for kind, _ in kinds] == ["cgroup2"]


def test_psql_is_the_dbas(second):
    assert second.script("psql", "-XAtc", "select current_user").strip() == "ccp_dba"
    assert second.script("psql", "-XAtc", "select current_user", ROLE="ccp_automation").strip() == "ccp_automation"


def test_the_env_of_another_stack_chooses_nothing(second):
    told = second.script("status", CCP_DOCKER_SOCKET="/nowhere", CCP_SSH_PORT="1", CCP_STATE_DIR="/nowhere")
    assert second.docker_socket in told and second.env["CCP_SSH_PORT"] in told


@pytest.mark.parametrize(
    "words",
    [
        "swap-exit 1",
        "swap-exit 2",
        "restore",
        "dns stop",
        "dns start",
        "capture start FILE",
        "capture stop FILE",
        "peers",
    ],
)
def test_the_lab_obeys_a_shell_that_has_read_env(second, words, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "lab.pcap"
    line = f". {second.run_dir}/env && $CCP_LAB {words.replace('FILE', str(file))}"
    subprocess.run(["sh", "-c", line], check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT_S)


def test_up_leaves_no_login_of_the_admin_behind(second):
    assert (
        second.script(
            "psql", "-XAtc", "select count(*) from ccp.logins where revoked_at is null", ROLE="postgres"
        ).strip()
        == "0"
    )


def test_one_directory_is_one_stack_however_it_is_spelled(second, directory):
    (directory / "link").symlink_to(second.directory)
    before = {name: second.pid(name) for name in SERVICES}
    supervisor = (second.directory / "run" / "supervisor.pid").read_text()
    for name in (f"{second.directory}/", directory / "link", f"{directory}/../{second.directory.name}"):
        second.script("up", "postgres", STATE_DIR=str(name))
    assert (second.directory / "run" / "supervisor.pid").read_text() == supervisor
    assert {name: second.pid(name) for name in SERVICES} == before


def test_up_keeps_an_admins_settings_and_mends_its_own(second):
    owner = second.owner
    wanted = ["127.0.0.1", "127.0.0.9"]
    owner.rows("update ccp.settings set value = to_jsonb(%s) where name = 'penalty_exempt'", [wanted])
    second.environment["CCP_HTTP_PORT"] = str(free_port())
    second.script("up")
    told = dict(owner.rows("select name, value from ccp.settings where name in ('penalty_exempt', 'public_url')"))
    assert told == {"penalty_exempt": wanted, "public_url": second.url} and second.env["CCP_URL"] == second.url


def test_up_starts_a_program_again_that_is_another_now(second):
    """As after a `git pull`."""
    before = {name: second.pid(name) for name in SERVICES}
    program = second.directory / "libexec" / "ccp-worker"
    shutil.copy(program, f"{program}.old")
    with open(f"{program}.old", "ab") as file:
        file.write(b"another version")
    os.rename(f"{program}.old", program)
    second.script("up", "programs")
    assert [name for name in SERVICES if second.pid(name) != before[name]] == ["ccp-worker"]
    assert program.read_bytes() == (CHECKOUT / "build" / "release" / "ccp-worker").read_bytes()


def test_a_stack_uses_an_engine_that_is_there_and_leaves_it(second, small):
    del small.environment["CCP_OWN_DOCKER"]
    small.directory.mkdir()
    (small.directory / "stack").write_text(f"CCP_DOCKER_SOCKET={second.docker_socket}\n")
    pid, images = second.pid("dockerd"), second.docker("images")
    small.up("docker", "image")
    assert small.pid("dockerd") is None and second.docker("images") == images
    small.script("down", PURGE="1")
    assert (second.pid("dockerd"), second.docker("images")) == (pid, images)


def test_an_engine_without_our_runtime_is_refused_with_the_line_that_it_lacks_or_used_as_it_is(second, small):
    del small.environment["CCP_OWN_DOCKER"]
    small.directory.mkdir()
    (small.directory / "stack").write_text(f"CCP_DOCKER_SOCKET={second.docker_socket}\n")
    tool(small, "curl", f'{shutil.which("curl")} "$@" | sed \'s/"ccp":/"other":/\'')
    with pytest.raises(RuntimeError) as failure:
        small.script("up", "postgres", "database", "docker")
    told = str(failure.value)
    line = f'"runtimes": {{ "ccp": {{ "path": "{small.directory}/libexec/ccp-runtime" }} }}'
    assert line in told and "/etc/docker/daemon.json" in told and "CCP_OWN_DOCKER=1 make up" in told, told
    (command,) = re.findall(r"psql .*", told)
    subprocess.run(["sh", "-c", command], check=True)
    small.up("docker")


def test_up_raises_the_kernels_limits_and_lowers_none(small):
    written = small.tools / "written"
    answers = {"kernel.pid_max": 4194305, "fs.inotify.max_user_instances": 128, "fs.file-max": 9223372036854775807}
    cases = " ".join(f'"-n {name}") echo {value};;' for name, value in answers.items())
    tool(small, "sysctl", f'case "$*" in {cases} -n*) echo 99999999;; *) echo "$*" >>{written};; esac')
    small.up("postgres")
    assert written.read_text() == "-q -w fs.inotify.max_user_instances=8192\n"


def test_the_limits_that_up_sets_carry_a_thousand_hosts(second):
    for name, ok, why in second.owner.rows(
        "select d.name, d.ok, d.why from ccp.doctor as d join ccp.machine_limits using (name)"
    ):
        (carried,) = re.findall(r"which carries (\d+) hosts \(there are \d+\); a host takes \d+ ", why)
        assert ok and int(carried) >= 1000, (name, why)
    assert second.owner.value("select bool_and(n.limits ? l.name) from ccp.nodes as n, ccp.machine_limits as l")


def test_up_mends_what_was_killed_altogether(second, namespaces_of):
    """As after a power cut: nothing runs, and all that it left lies about."""
    before = rows(second)
    namespaces = namespaces_of(second)
    supervisor = int((second.directory / "run" / "supervisor.pid").read_text())
    kill(supervisor)
    while processes := processes_of(second, namespaces):
        for pid, _ in processes:
            kill(pid)
    wait_until(lambda: not listeners(second), "those that were just dying are dead")
    output = second.script("up")
    assert second.env["CCP_EXIT_IP"] in output
    after = rows(second)
    assert len(before.pop("hosts")) == len(after.pop("hosts")) == 1  # it was down, and its row tells so
    assert after == before


def test_down_goes_on_after_a_part_that_fails_and_says_which(second, small):
    tool(small, "ip", "echo the disk is full; exit 1")
    with pytest.raises(RuntimeError) as failure:
        second.script("down", PURGE="1", PATH=small.environment["PATH"])
    assert "FAIL  lab" in str(failure.value) and str(failure.value).count("FAIL") == 1
    assert [second.pid(name) for name in SERVICES] == [None] * len(SERVICES)
    assert (second.directory / "pg" / "PG_VERSION").exists()
    second.up()


def test_down_leaves_nothing_behind(second, namespaces_of):
    Host(second).running()
    namespaces, tunnels = namespaces_of(second), engines(second)
    processes = processes_of(second, namespaces)
    assert len(namespaces) == 5 and set(second.containers()) | set(tunnels) <= {pid for pid, _ in processes}
    prefix = second.environment["CCP_LAB_PREFIX"]
    assert len(listeners(second)) == 3
    assert second.script("down") == ""
    assert [command for (pid, start), command in processes.items() if lives(pid, start)] == []
    assert processes_of(second, namespaces) == {}
    assert not list(Path("/run/netns").glob(f"{prefix}-*"))
    mounts = Path("/proc/self/mountinfo").read_text()
    assert [mark for mark in (f"{second.directory}/", f"/{prefix}-", *namespaces) if mark in mounts] == []
    sockets = Path("/proc/net/unix").read_text()
    names = [f"{name}.sock" for name in (f"{prefix}x1", f"{prefix}x2", *tunnels.values())]
    assert [
        mark for mark in (f"{second.directory}/", *(f"/wireguard/{name}" for name in names)) if mark in sockets
    ] == []
    assert [name for name in names if Path("/var/run/wireguard", name).exists()] == []
    assert listeners(second) == []
    assert second.script("down") == ""
    assert (second.directory / "pg").exists()
    second.script("down", PURGE="1")
    assert not second.directory.exists() and not Path("/var/lib/ccp-lab", prefix).exists()
