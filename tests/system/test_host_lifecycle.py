"""A host's life through the real agent: create, start, stop, rebuild, delete, adopt, release; a container's rights."""

import json
import subprocess
from pathlib import Path

import pytest
from support.agent import engines
from support.net import inside
from support.wait import wait_until


@pytest.fixture(scope="module", params=engines(), ids=lambda path: Path(path).name)
def agent_options(request):
    return {"engine": request.param}


def test_a_start_proves_the_exit_and_tells_how_long_each_step_took(agent, host):
    task = agent.owner.rows(
        "select result from ccp.task_rows where host_id = %s and kind = 'host.start' order by created_at limit 1",
        [host.id],
    )[0][0]
    assert task["exit_ip"] == agent.lab.env["LAB_EXIT1_IP"]
    assert {"boot", "wall", "tunnel", "examine", "verify", "prove", "gate"} <= set(task["timings"])
    names = {check["name"] for check in task["checks"]}
    assert {"tunnel", "inventory", "rules", "leak_closed", "leak_open", "exit_ip", "dns", "connectivity"} <= names
    assert (
        agent.owner.value("select outcome from ccp.verifications where host_id = %s and kind = 'start'", [host.id])
        == "passed"
    )


def test_the_container_has_lo_and_one_tunnel_and_leaves_by_the_exit(agent, host):
    devices = json.loads(host.run("ip", "-json", "link")[1])
    assert sorted(device["ifname"] for device in devices) == ["lo", "tun0"]
    echo = agent.lab.env["LAB_ECHO_URLS"].split()[0]
    assert host.run("curl", "-sS", "-m", "5", echo)[1].strip() == agent.lab.env["LAB_EXIT1_IP"]


def test_thirty_two_bit_calls_end_the_process(host):
    program = (
        "import ctypes, mmap\n"
        "code = mmap.mmap(-1, 4096, prot=7)\n"
        "code.write(bytes.fromhex('b814000000cd80c3'))\n"  # mov eax, getpid; int 0x80; ret
        "address = ctypes.addressof(ctypes.c_char.from_buffer(code))\n"
        "ctypes.CFUNCTYPE(ctypes.c_int)(address)()\n"
    )
    status, _ = host.run("python3", "-c", program)
    assert status == 128 + 31  # SIGSYS


def test_name_and_files_are_the_agents(host):
    status, output = host.run(
        "sh", "-c", "cat /etc/resolv.conf; getent hosts $(hostname); echo x > /.ccp/etc/sshd_config"
    )
    assert status != 0 and "Read-only" in output
    assert "nameserver 198.18.0.53" in output
    assert "127.0.1.1" in output


def test_rebuild_keeps_the_home_and_nothing_else(host):
    host.run("sh", "-c", "echo mine > /home/dev/kept; touch /usr/local/bin/installed")
    host.task("host.rebuild", '{"mode": "keep"}')
    assert host.run("cat", "/home/dev/kept") == (0, "mine\n")
    assert host.run("test", "-e", "/usr/local/bin/installed")[0] == 1


def test_stop_and_start_keep_the_containers_files(host):
    host.run("touch", "/usr/local/bin/installed")
    host.task("host.stop")
    assert host.agent.engines() == []
    host.task("host.start")
    assert host.run("test", "-e", "/usr/local/bin/installed")[0] == 0


@pytest.mark.parametrize("kind", ["host.start", "host.rebuild"])
def test_a_home_that_root_gave_to_another_user_is_the_users_again(host, kind):
    take = "echo mine > /home/dev/kept; mkdir -p /home/dev/lost+found/x; chown 2000:2000 /home/dev; chmod 700 /home/dev"
    host.run("sh", "-c", take)
    if kind == "host.start":
        host.task("host.stop")
    host.task(kind)
    assert host.run("stat", "-c", "%u:%g %a", "/home/dev") == (0, "1000:1000 700\n")
    assert host.run("cat", "/home/dev/kept", user="dev") == (0, "mine\n")


def test_changed_limits_hold_from_the_next_start(agent, host):
    columns = {"memory_limit_mb": 700, "cpu_limit": 1.5, "pids_limit": 333}
    before = agent.owner.rows(f"select {', '.join(columns)} from ccp.hosts where id = %s", [host.id])[0]
    change = f"update ccp.hosts set {', '.join(f'{name} = %s' for name in columns)} where id = %s"
    form = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}"
    container = host.container
    agent.owner.rows(change, [*columns.values(), host.id])
    host.task("host.stop")
    host.task("host.start")
    limits = agent.stack.docker("inspect", "--format", form, host.container).split()
    assert host.container == container
    assert limits == [str(700 << 20), str(700 << 20), "1500000000", "333"]
    agent.owner.rows(change, [*before, host.id])
    host.task("host.stop")
    host.task("host.start")


def test_rebuild_wipes_the_home_when_asked(agent, host):
    deep = "/home/dev/" + "/".join(["deep"] * 50)
    host.run("sh", "-c", f"echo mine > /home/dev/gone; mkdir -p {deep}; chmod 000 /home/dev/deep", user="dev")
    host.task("host.rebuild", '{"mode": "wipe"}')
    assert host.run("test", "-e", "/home/dev/gone")[0] == 1
    assert host.run("test", "-e", "/home/dev/.bashrc")[0] == 0
    homes = agent.directory / "agent" / "homes"
    wait_until(lambda: not list(homes.glob(".trash-*")), "the trash is emptied")


def test_the_demanded_verification_proves_the_exit_again(host):
    assert host.task("host.verify")["exit_ip"] == host.agent.lab.env["LAB_EXIT1_IP"]


def test_changed_settings_are_followed_within_seconds(agent, host):
    """Also when a task learns of them first: periods of the checks and the life of the proof."""
    fulls = "select count(*) from ccp.verifications where host_id = %s and kind = 'full' and outcome = 'passed'"
    count = agent.owner.value(fulls, [host.id])
    with agent.stack.settings(verify_light_s=1, verify_full_s=2, proof_life_s=5):
        host.task("host.verify")
        wait_until(lambda: agent.owner.value(fulls, [host.id]) >= count + 3, "full checks come with the new period")
        assert "timeout 5s" in inside(host.pid, "nft", "list", "ruleset")


def test_an_agent_that_was_killed_adopts_what_runs(agent, host):
    before = host.run("sh", "-c", "stat -c %Y /proc/1")
    container = host.container
    agent.kill()
    agent.start()
    wait_until(lambda: f'event="host adopted" host={host.id}' in agent.log(), "the host is adopted")
    assert host.container == container
    assert host.status == "running"
    assert host.run("sh", "-c", "stat -c %Y /proc/1") == before


def test_a_verification_that_waits_for_a_killed_agent_finds_what_runs(agent, host):
    container = host.container
    agent.kill()
    task_id = host.insert("host.verify")
    agent.start()
    status, code, message, _ = host.wait_task(task_id)
    assert status == "succeeded", f"{code}: {message}"
    assert (host.container, host.status) == (container, "running")
    host.task("host.verify")


def test_a_docker_restart_closes_the_host(agent, host):
    agent.stack.docker("restart", "--time", "1", host.container)
    host.wait_status("unavailable")
    wait_until(lambda: agent.containers() == [], "the container is stopped")
    host.task("host.start")


@pytest.fixture
def exit_change(agent, host):
    """exit_change(COLUMN=VALUE): an administrator changes the host's exit."""
    sql = "select egress.edit(egress_ip_id, %s) from ccp.bindings where host_id = %s and ended_at is null"
    return lambda **columns: agent.owner.rows(sql, [json.dumps(columns), host.id])


def switched(agent, host, after):
    """How the first host.switch ended that began after an event."""
    row = "select id from ccp.task_rows where host_id = %s and kind = 'host.switch' order by created_at desc limit 1"
    host.wait_event("host.switch.asked", after)
    return host.wait_task(agent.owner.value(row, [host.id]))


def test_another_expected_address_is_not_proven_and_the_host_goes_back(agent, host, exit_change):
    container, after = host.container, host.last_event()
    exit_change(ip_address="203.0.113.77")
    status, code, message, _ = switched(agent, host, after)
    assert (status, code) == ("failed", "exit_mismatch"), message
    assert (host.status, host.container) == ("running", container)
    way_back, way_there = agent.owner.rows(
        "select outcome, error_code, host(expected_ip) from ccp.verifications"
        " where host_id = %s order by id desc limit 2",
        [host.id],
    )
    assert way_there == ("failed", "exit_mismatch", "203.0.113.77")
    assert way_back[:2] == ("passed", None)
    exit_change(ip_address=agent.lab.env["LAB_EXIT1_IP"])
    wait_until(
        lambda: not agent.owner.value("select outdated from ccp.bindings where host_id = %s", [host.id]), "it is moved"
    )
    assert (host.status, host.container) == ("running", container)


def test_another_expected_address_closes_the_host_where_that_is_set(agent, host, exit_change):
    with agent.stack.settings(switch_fallback="closed"):
        after = host.last_event()
        exit_change(ip_address="203.0.113.77")
        status, code, message, _ = switched(agent, host, after)
        assert (status, code) == ("failed", "exit_mismatch"), message
        host.wait_status("unavailable")
        status, code, _, _ = host.wait_task(host.insert("host.start"))
        assert (status, code) == ("failed", "exit_mismatch")
        assert agent.containers() == []
        exit_change(ip_address=agent.lab.env["LAB_EXIT1_IP"])
    host.running()


def test_a_start_says_that_it_is_verifying_while_it_is(agent, host):
    """The echo sources are such as take a connection and say nothing, so the verification takes its whole time."""
    silent = agent.lab.env["LAB_SILENT_URLS"].split() * 2
    change = "update ccp.settings set value = %s where name = 'echo_urls'"
    stage = "select stage from ccp.task_rows where id = %s"
    host.task("host.stop")
    agent.owner.rows(change, [json.dumps(silent)])
    task = host.insert("host.start")
    wait_until(lambda: agent.owner.value(stage, [task]) == "verifying", "the verification is told")
    assert agent.owner.value("select status from ccp.task_rows where id = %s", [task]) == "running"
    status, code, message, _ = host.wait_task(task)
    assert (status, code, agent.owner.value(stage, [task])) == ("failed", "inconclusive", "verifying"), message
    agent.lab_settings()
    host.task("host.start")


def test_starts_of_two_hosts_overlap(agent, host):
    other = agent.host()
    other.task("host.create")
    host.task("host.stop")
    tasks = [host.insert("host.start"), other.insert("host.start")]
    for one, task in zip((host, other), tasks, strict=True):
        assert one.wait_task(task)[0] == "succeeded"
    spans = [
        agent.owner.rows("select started_at, finished_at from ccp.task_rows where id = %s", [task])[0] for task in tasks
    ]
    assert max(span[0] for span in spans) < min(span[1] for span in spans)
    other.task("host.delete", '{"wipe": true}')
    assert other.status == "deleted"
    assert other.container is None
    assert not (agent.directory / "agent" / "hosts" / other.id).exists()


def test_a_rebuild_that_failed_has_taken_the_images_present_id(agent):
    """It fails after the old container is gone and before there is a new one."""
    docker = agent.stack.docker
    one = agent.host()
    one.task("host.create")
    one.task("host.start")
    docker("commit", "--change", "LABEL newer=yes", one.container, f"newer-{agent.node}")
    agent.owner.rows("update ccp.hosts set image = %s where id = %s", [f"newer-{agent.node}", one.id])
    urls = agent.lab.env["LAB_ECHO_URLS"].split()
    agent.owner.rows("update ccp.settings set value = %s where name = 'echo_urls'", [json.dumps(urls[:2])])
    status, code, message, _ = one.wait_task(one.insert("host.rebuild"))
    agent.lab_settings()
    assert (status, code, one.container) == ("failed", "settings_incomplete", None), message
    one.task("host.start")
    assert docker("inspect", "--format", '{{index .Config.Labels "newer"}}', one.container).strip() == "yes"
    one.task("host.delete", '{"wipe": true}')
    docker("rmi", f"newer-{agent.node}")


def test_a_deleted_host_leaves_no_container_of_a_create_that_was_killed(agent):
    one = agent.host()
    one.task("host.create")
    one.task("host.start")
    docker = agent.stack.docker
    name = docker("inspect", "--format", "{{.Name}}", one.container).strip().removeprefix("/")
    left = docker("create", "--name", f"{name}-probe", "cloud-cli-proxy/managed-user:latest").strip()
    one.task("host.delete", '{"wipe": true}')
    assert left not in docker("ps", "--all", "--no-trunc", "--quiet")


def test_an_image_without_dev_is_refused_and_says_so(agent):
    one = agent.host(image="no-such-image:1")
    status, code, message, _ = one.wait_task(one.insert("host.create"))
    assert (status, code) == ("failed", "image_missing")
    assert "not on this machine" in message


def attached(agent, host):
    """Loop devices that have the host's home, as losetup lists them."""
    image = agent.directory / "agent" / "homes" / f"{host.id}.img"
    return subprocess.run(["losetup", "-j", image], check=True, capture_output=True, text=True).stdout.splitlines()


def test_a_start_with_fewer_than_three_echo_sources_is_refused_and_says_so(agent):
    other = agent.host()
    other.task("host.create")
    two = json.dumps(agent.lab.env["LAB_ECHO_URLS"].split()[:2])
    agent.owner.rows("update ccp.settings set value = %s where name = 'echo_urls'", [two])
    try:
        status, code, message, _ = other.wait_task(other.insert("host.start"))
    finally:
        agent.lab_settings()
    assert (status, code) == ("failed", "settings_incomplete")
    assert "echo_urls has 2 sources and needs at least 3" in message
    assert other.pid is None
    other.task("host.start")
    other.task("host.delete", '{"wipe": true}')


def test_a_home_of_limited_size_is_full_when_it_is_full(agent):
    one = agent.host(disk_limit_gb=1)
    image = agent.directory / "agent" / "homes" / f"{one.id}.img"
    one.task("host.create")
    one.task("host.start")
    assert image.stat().st_size == 1 << 30
    assert one.run("sh", "-c", "ls -A /home/dev | grep -x lost+found; stat -c '%U %a' /home/dev") == (0, "dev 700\n")
    assert one.run("test", "-e", "/home/dev/.bashrc")[0] == 0
    assert one.run("sh", "-c", "head -c 600M /dev/zero >/home/dev/large", user="dev") == (0, "")
    status, output = one.run("sh", "-c", "head -c 600M /dev/zero >/home/dev/larger", user="dev")
    assert status != 0 and "No space left on device" in output
    one.task("host.stop")
    agent.stop()
    agent.start()
    one.task("host.start")
    assert one.run("stat", "-c", "%s", "/home/dev/large") == (0, f"{600 << 20}\n")
    assert len(attached(agent, one)) == 1

    agent.owner.rows("update ccp.hosts set disk_limit_gb = 2 where id = %s", [one.id])
    one.task("host.stop")
    status, code, message, _ = one.wait_task(one.insert("host.start"))
    assert (status, code) == ("failed", "settings_incomplete") and "mode wipe" in message
    one.task("host.rebuild", '{"mode": "wipe"}')
    assert image.stat().st_size == 2 << 30
    assert one.run("test", "-e", "/home/dev/large")[0] == 1

    one.task("host.delete", '{"wipe": true}')
    assert not image.exists() and not image.with_suffix("").exists()
    wait_until(lambda: attached(agent, one) == [], "the loop device is free")


def test_release_all_unmounts_homes_and_the_next_start_mounts_them(agent, host):
    one = agent.host(disk_limit_gb=1)
    one.task("host.create")
    one.task("host.start")
    one.run("sh", "-c", "echo mine > /home/dev/kept")
    agent.stop()
    agent.release_all()
    wait_until(lambda: attached(agent, one) == [], "the loop device is free")
    assert str(agent.directory / "agent" / "homes") not in Path("/proc/self/mountinfo").read_text()
    agent.start()
    one.wait_status("unavailable")
    one.task("host.start")
    assert one.run("cat", "/home/dev/kept") == (0, "mine\n")
    one.task("host.delete", '{"wipe": true}')
    host.task("host.start")  # it was released too


def test_no_secret_is_told(agent, host):
    secrets_dir = agent.directory / "agent" / "hosts" / host.id
    key = (secrets_dir / "wireguard.key").read_text().strip()
    pem = (secrets_dir / "client.key").read_text().splitlines()[2]
    told = json.dumps(
        agent.owner.rows("select result::text from ccp.task_rows where host_id = %s", [host.id])
        + agent.owner.rows("select checks::text from ccp.verifications where host_id = %s", [host.id])
        + agent.owner.rows("select message || metadata::text from ccp.events where host_id = %s", [host.id])
    )
    for secret in (key, pem):
        assert secret not in told
        assert secret not in agent.log()


def test_release_all_ends_containers_and_engines(agent, host):
    assert agent.engines() != []
    agent.stop()
    agent.release_all()
    assert agent.containers() == []
    assert agent.engines() == []
    agent.start()
    host.wait_status("unavailable")
    host.task("host.start")
