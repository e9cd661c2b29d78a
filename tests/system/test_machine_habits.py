"""What people expect of a machine that starts again: /run and /tmp are empty, clocks and names are right, and what they
wrote into /etc/hosts is there."""

import pytest

FILES = 100_000
FILL = f"import os\nos.chdir('/tmp')\nfor i in range({FILES}): os.close(os.open(str(i), os.O_CREAT))"


@pytest.fixture(scope="module")
def created(agent):
    one = agent.host(timezone="Asia/Shanghai", memory_limit_mb=1000)
    one.task("host.create")
    yield one
    one.task("host.delete", '{"wipe": true}')
    left = [path.name for path in (agent.directory / "agent" / "homes").iterdir() if one.id in path.name]
    assert all(name.startswith(".trash-") for name in left), left


def again(host):
    """Stops and starts it; the start's result."""
    host.task("host.stop")
    return host.task("host.start")


def shell(host, command, user="root"):
    status, said = host.run("sh", "-c", command, user=user)
    assert status == 0, said
    return said


def test_run_and_tmp_are_empty_at_each_start(host):
    shell(host, "touch /run/nologin /run/lock/stale /tmp/left; mkdir /tmp/.X11-unix; touch /var/tmp/kept")
    shell(host, "mkdir -p -m 700 /tmp/deep/er; touch /tmp/deep/er/file; ln -s /etc/passwd /tmp/link", user="dev")
    again(host)
    assert shell(host, "ls -A /tmp; ls -A /run/lock; ls -A /run | grep -x nologin || true; ls /var/tmp") == "kept\n"
    modes = shell(host, "stat -c '%a %U' /tmp /run /run/lock /var/lock/").split("\n")
    assert modes == ["1777 root", "755 root", "1777 root", "1777 root", ""]
    shell(host, "touch /tmp/mine /run/lock/mine", user="dev")


def test_a_full_tmp_makes_no_start_longer(host):
    assert host.run("python3", "-c", FILL, user="dev") == (0, "")
    assert again(host)["timings"]["prepare"] < 3000
    assert shell(host, "ls -A /tmp") == ""


def test_shared_memory_and_run_are_a_share_of_the_memory_limit(host):
    assert shell(host, "df --output=size -B1M /dev/shm /run").split()[1:] == ["500", "200"]


@pytest.mark.parametrize(
    "before",
    [
        "true",
        "rm -f /etc/localtime /etc/timezone",
        "echo Europe/Berlin >/etc/timezone",
        "rm -f /etc/localtime /etc/timezone; mkfifo /etc/localtime /etc/timezone",
        "ln -sf /dev/zero /etc/localtime; ln -sf /home/dev/outside /etc/timezone",
    ],
)
def test_the_time_zone_is_everywhere_the_hosts(host, before):
    shell(host, before)
    again(host)
    assert shell(host, "env -u TZ date +%Z; date +%Z; cat /etc/timezone") == "CST\nCST\nAsia/Shanghai\n"
    assert shell(host, "readlink /etc/localtime") == "/usr/share/zoneinfo/Asia/Shanghai\n"
    assert host.run("test", "-e", "/home/dev/outside")[0] == 1


def test_a_directory_in_the_place_of_the_time_zone_is_the_users_matter(host):
    shell(host, "rm /etc/localtime; mkdir /etc/localtime")
    again(host)
    assert shell(host, "rmdir /etc/localtime; date +%Z") == "CST\n"


def test_hosts_is_the_users_to_edit_and_the_own_name_stays(host):
    name = shell(host, "hostname").strip()
    assert shell(host, f"getent hosts {name}").split()[0] == "127.0.1.1"
    shell(host, "printf '192.0.2.7 mine\\n#127.0.1.1 %s\\n192.0.2.8 last' $(hostname) >/etc/hosts")
    again(host)
    assert shell(host, "getent hosts mine; getent hosts last").split() == ["192.0.2.7", "mine", "192.0.2.8", "last"]
    assert shell(host, "timeout 2 sudo -n hostname", user="dev").strip() == name
    lines = shell(host, "cat /etc/hosts")
    assert lines.endswith(f"192.0.2.8 last\n127.0.1.1\t{name}\n")
    again(host)
    assert shell(host, "cat /etc/hosts") == lines
    shell(host, "chown dev /etc/hosts; chmod 600 /etc/hosts; truncate -s 1G /etc/hosts")
    again(host)
    host.task("host.rebuild", '{"mode": "keep"}')
    assert shell(host, "stat -c '%U %a' /etc/hosts; wc -l </etc/hosts") == "root 644\n3\n"
    assert shell(host, f"getent hosts {name}").split()[0] == "127.0.1.1"
