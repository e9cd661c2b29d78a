"""ccp-runtime in front of runc, on a real engine: ids, mounts, refusals, and its death at every line."""

import concurrent.futures
import fcntl
import io
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest
from support.paths import CHECKOUT
from support.wait import wait_until

IMAGE = "cloud-cli-proxy/managed-user:latest"
BUILD = CHECKOUT / "build"
NS_GET_OWNER_UID = 0xB704  # linux/nsfs.h
RANGE = 65536
FIRST = 32768  # of this module's ranges, in ranges; far from those that a product gives out
OWNERS = 4_000_000_000
SLEEP = ("sleep", "1000")

STEPS = subprocess.run(
    [BUILD / "debug" / "ccp-runtime", "--steps"], check=True, capture_output=True, text=True
).stdout.split()
FAILPOINTS = [f"{step}:{when}" for step in STEPS for when in ("before", "after")]
FAILPOINTS += ["runtime:map:before", "runtime:copy:after", "runtime:end:before", "runtime:shown:after"]  # within steps


class Engine:
    """The worker's Docker engine and the runtime that it knows as `ccp`."""

    def __init__(self, stack):
        self.stack = stack
        self.runtime = stack.directory / "libexec" / "ccp-runtime"
        self.environment = dict(os.environ, DOCKER_HOST=f"unix://{stack.docker_socket}")
        self.count = 0
        self.install()

    def docker(self, *arguments):
        return self.stack.docker(*arguments).strip()

    def refused(self, *arguments):
        """What docker says when it fails."""
        with pytest.raises(RuntimeError) as refusal:
            self.docker(*arguments)
        return str(refusal.value)

    def install(self, first=""):
        """Puts the runtime in its place; `first` is a shell's line before it."""
        program = BUILD / ("debug" if first else "release") / "ccp-runtime"
        new = self.runtime.with_suffix(".new")
        new.write_text(f'#!/bin/sh\n{first}\nexec {program} "$@"\n')
        if not first:
            shutil.copy(program, new)
        new.chmod(0o755)
        new.rename(self.runtime)

    def die_at(self, failpoint):
        self.install(f"export CCP_FAILPOINT={failpoint}")

    def die_after(self, race_ms):
        """At a `create`, that long after it began."""
        killer = f"(exec </dev/null >/dev/null 2>&1; sleep {race_ms / 1000}; kill -KILL $$) &"
        self.install(f'case " $* " in *" create "*) {killer} esac')

    def mounts(self):
        """What this engine and the runtime have mounted on the machine: lines of mountinfo without their numbers."""
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        ours = [line for line in lines if "ccp-runtime" in line or str(self.stack.directory) in line]
        return sorted(re.sub(r"^\d+ \d+ \d+:\d+ | (shared|master):\d+", "", line) for line in ours)

    def box(self, *options, ids=None, command=SLEEP):
        self.count += 1
        return Box(self, self.count, options, ids, command)


class Box:
    """A container of the runtime, made and not started."""

    def __init__(self, engine, number, options, ids, command):
        self.engine = engine
        self.base = (FIRST + os.getpid() % 4096 * 4 + number) * RANGE % (60_000 * RANGE)
        self.owner = OWNERS + self.base // RANGE
        words = ["create", "--runtime", "ccp", "--network", "none"]
        for value in [f"{self.base}:{self.owner}"] if ids is None else ids:
            words += ["--env", f"CCP_IDS={value}"]
        self.id = engine.docker(*words, *options, IMAGE, *command)

    def start(self):
        self.engine.docker("start", self.id)
        return self

    def stop(self):
        self.engine.docker("stop", "-t", "0", self.id)
        return self

    def remove(self):
        self.engine.docker("rm", "-f", self.id)

    def run(self, *command, user="0"):
        return self.engine.docker("exec", "--user", user, self.id, *command)

    def inspect(self, template):
        return self.engine.docker("inspect", "--format", template, self.id)

    @property
    def pid(self):
        return int(self.inspect("{{.State.Pid}}"))

    @property
    def upper(self):
        return Path(self.inspect("{{.GraphDriver.Data.UpperDir}}"))

    @property
    def merged(self):
        return Path(self.inspect("{{.GraphDriver.Data.MergedDir}}"))

    def archived(self, path):
        """A file of the container as the engine hands it out."""
        return subprocess.run(
            ["docker", "cp", f"{self.id}:{path}", "-"],
            env=self.engine.environment,
            check=True,
            capture_output=True,
        ).stdout

    def archive_head(self, path):
        """The status of HEAD .../archive."""
        words = ["curl", "-s", "-I", "--unix-socket", self.engine.stack.docker_socket]
        url = f"http://docker/containers/{self.id}/archive?path={path}"
        return subprocess.run([*words, url], check=True, capture_output=True, text=True).stdout.splitlines()[0]


@pytest.fixture(scope="module")
def engine(dockerd):
    return Engine(dockerd)


@pytest.fixture
def boxes(engine):
    """Makes containers that end with the test; then nothing is mounted that was not before."""
    before = engine.mounts()
    made = []

    def make(*options, **more):
        made.append(engine.box(*options, **more))
        return made[-1]

    yield make
    engine.install()
    for box in made:
        box.remove()
    assert engine.mounts() == before


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir()
    os.chown(path, 1000, 1000)
    return path


def owner_of(pid):
    with open(f"/proc/{pid}/ns/user", "rb") as namespace:
        return struct.unpack("I", fcntl.ioctl(namespace, NS_GET_OWNER_UID, b"\0" * 4))[0]


def run_as(uid):
    """The processes of the machine that have this uid, in whichever role."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if str(uid) in re.search(r"^Uid:(.*)$", text, re.M)[1].split():
            found.append(status.parent.name)
    return found


# --- ids


def test_a_container_has_its_own_range_and_its_namespace_an_owner_that_nothing_runs_as(boxes):
    box = boxes().start()
    assert Path(f"/proc/{box.pid}/uid_map").read_text().split() == ["0", str(box.base), str(RANGE)]
    assert Path(f"/proc/{box.pid}/gid_map").read_text().split() == ["0", str(box.base), str(RANGE)]
    assert Path(f"/proc/{box.pid}").stat().st_uid == box.base
    assert owner_of(box.pid) == box.owner
    assert run_as(box.owner) == []
    assert b"CCP_IDS" not in Path(f"/proc/{box.pid}/environ").read_bytes()


def test_ids_on_disk_are_those_inside(boxes, home):
    box = boxes("--volume", f"{home}:/home/dev").start()
    box.run("touch", "/etc/of-root")
    box.run("sh", "-c", "touch /home/dev/of-dev /tmp/of-dev", user="dev")
    box.run("sh", "-c", "touch /srv/of-4000 && chown 4000:4001 /srv/of-4000 && chown 0:50 /etc/passwd")
    stats = [(box.upper / path).stat() for path in ("etc/of-root", "tmp/of-dev", "srv/of-4000", "etc/passwd")]
    assert [(stat.st_uid, stat.st_gid) for stat in stats] == [(0, 0), (1000, 1000), (4000, 4001), (0, 50)]
    assert (home / "of-dev").stat().st_uid == 1000


def test_users_and_packages_are_made_as_on_any_machine(boxes):
    box = boxes().start()
    box.run("useradd", "--create-home", "joe")
    assert box.run("su", "joe", "-c", "id -un; touch ~/x && stat -c %U ~/x").split() == ["joe", "joe"]
    box.run("sh", "-c", "rm -rf /usr/share/doc && mkdir /usr/share/doc && mv /etc/skel /etc/skel2")
    box.run("sh", "-c", "cp /bin/ls /srv/ls && setcap cap_net_bind_service+ep /srv/ls")
    assert "cap_net_bind_service" in box.run("getcap", "/srv/ls")
    box.stop().start()
    assert "cap_net_bind_service" in box.run("getcap", "/srv/ls")
    assert box.run("sh", "-c", "ls /usr/share/doc | wc -l; ls -d /etc/skel2").split() == ["0", "/etc/skel2"]


def test_groups_may_ping_though_the_engines_default_names_more_of_them_than_there_are(boxes):
    box = boxes().start()
    assert box.run("cat", "/proc/sys/net/ipv4/ping_group_range").split() == ["0", "65535"]


def test_limits_hold_for_the_first_process_and_for_further_ones(boxes):
    box = boxes("--ulimit", "nofile=4096:4096", "--ulimit", "core=0:0").start()
    for text in (Path(f"/proc/{box.pid}/limits").read_text(), box.run("cat", "/proc/self/limits")):
        assert re.search(r"^Max open files +4096 +4096", text, re.M)
        assert re.search(r"^Max core file size +0 +0", text, re.M)


# --- mounts


def test_binds_keep_their_flags_and_what_is_mounted_below_them(boxes, home, tmp_path):
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", disk], check=True)
    (home / "below").mkdir()
    subprocess.run(["mount", "-o", "loop,nosuid,nodev", disk, home / "below"], check=True)
    try:
        os.chown(home / "below", 1000, 1000)
        (tmp_path / "file").write_text("hello")
        read_only = f"type=bind,source={tmp_path}/file,target=/srv/file,readonly"
        box = boxes("--volume", f"{home}:/home/dev", "--mount", read_only).start()
        box.run("touch", "/home/dev/below/x", user="dev")
        assert (home / "below" / "x").stat().st_uid == 1000
        with pytest.raises(RuntimeError, match="Read-only file system"):
            box.run("sh", "-c", "echo no >/srv/file")
        flags = box.run("sh", "-c", "grep ' /home/dev/below ' /proc/self/mountinfo").split()[5].split(",")
        assert {"nosuid", "nodev"} <= set(flags)
        box.stop()
    finally:
        subprocess.run(["umount", home / "below"], check=True)


def test_a_device_node_in_the_kept_files_is_not_a_device(boxes):
    box = boxes()
    node = tarfile.TarInfo("null")
    node.type, node.mode, node.devmajor, node.devminor = tarfile.CHRTYPE, 0o666, 1, 3
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(node)
    subprocess.run(
        ["docker", "cp", "-", f"{box.id}:/srv"], env=box.engine.environment, input=archive.getvalue(), check=True
    )
    box.start()
    assert (box.upper / "srv/null").is_char_device()
    assert box.run("sh", "-c", "cat /dev/null") == ""
    with pytest.raises(RuntimeError, match="Permission denied"):
        box.run("cat", "/srv/null")


def test_what_the_container_wrote_is_there_after_stop_and_start(boxes):
    box = boxes().start()
    box.run("sh", "-c", "echo kept >/srv/file && chmod 600 /srv/file")
    box.stop().start()
    assert box.run("cat", "/srv/file") == "kept"
    box.engine.docker("restart", "-t", "0", box.id)
    assert box.run("cat", "/srv/file") == "kept"


def test_the_engine_sees_the_containers_files_running_and_stopped(boxes):
    box = boxes().start()
    for stopped in (False, True):
        word = "stopped" if stopped else "running"
        if stopped:
            box.stop().start()
        box.run("sh", "-c", f"echo {word} >/srv/{word} && rm -f /etc/motd")
        if stopped:
            box.stop()
        assert word.encode() in box.archived(f"/srv/{word}")
        assert " 200 " in box.archive_head(f"/srv/{word}")
        assert " 404 " in box.archive_head("/etc/motd")


def test_one_overlay_is_mounted_while_it_runs_and_none_when_it_is_stopped(boxes):
    box = boxes().start()
    overlays = [line for line in box.engine.mounts() if str(box.merged) in line]
    assert len(overlays) == 1
    assert f"upperdir={box.upper.parent.name}/diff" in overlays[0]
    assert (box.merged / "etc/passwd").stat().st_uid == box.base
    box.stop()
    wait_until(lambda: not any(str(box.merged) in line for line in box.engine.mounts()), "the engine unmounts it")


def test_an_engine_that_came_back_still_unmounts_it(boxes):
    box = boxes().start()
    stack = box.engine.stack
    before = stack.pid("dockerd")
    stack.kill("dockerd", signal.SIGKILL)
    stack.wait_restarted("dockerd", before)
    wait_until(stack.docker_answers, "dockerd answers")
    assert box.run("id", "-u") == "0"
    box.stop()
    wait_until(lambda: not any(str(box.merged) in line for line in box.engine.mounts()), "the engine unmounts it")
    assert box.start().run("id", "-u") == "0"


def test_a_start_waits_for_what_works_in_the_files_and_is_refused_in_the_end(boxes):
    box = boxes().start()
    box.run("sh", "-c", "echo kept >/srv/file")
    box.stop()
    words = ["docker", "export", box.id]
    with subprocess.Popen(words, env=box.engine.environment, stdout=subprocess.PIPE) as export:
        export.stdout.read(1)  # and no more: the engine's tar waits
        assert f"something works in {box.merged}: end it" in box.engine.refused("start", box.id)
        export.kill()
    assert box.start().run("cat", "/srv/file") == "kept"


def test_eight_start_at_once(boxes):
    eight = [boxes() for _ in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(Box.start, eight))
    assert [owner_of(box.pid) for box in eight] == [box.owner for box in eight]
    assert [box.run("sh", "-c", "touch /srv/x && id -u") for box in eight] == ["0"] * 8


def test_the_program_needs_libc_and_cjson_alone():
    done = subprocess.run(
        ["readelf", "--dynamic", BUILD / "release" / "ccp-runtime"], check=True, capture_output=True, text=True
    )
    assert sorted(re.findall(r"NEEDED.*\[(.*)\]", done.stdout)) == ["libc.so.6", "libcjson.so.1"]


# --- death


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_killed_there_it_leaves_nothing_and_the_next_start_works(boxes, home, failpoint):
    box = boxes("--volume", f"{home}:/home/dev")
    before = box.engine.mounts()
    box.engine.die_at(failpoint)
    box.engine.refused("start", box.id)
    assert box.engine.mounts() == before
    wait_until(lambda: run_as(box.owner) == [], "the process that was the owner ends")
    box.engine.install()
    box.start()
    assert box.run("sh", "-c", "touch /srv/x && id -u") == "0"


def test_killed_at_any_moment_it_leaves_nothing(boxes):
    box = boxes()
    before = box.engine.mounts()
    for race_ms in range(0, 60, 4):  # before its first line to within runc
        box.engine.die_after(race_ms)
        with suppress(RuntimeError):
            box.start().stop()
        wait_until(lambda: box.engine.mounts() == before, "nothing is mounted")
        wait_until(lambda: run_as(box.owner) == [], "the process that was the owner ends")
    box.engine.install()
    assert box.start().run("id", "-u") == "0"


def test_killed_after_it_ran_before_it_loses_nothing(boxes):
    box = boxes().start()
    box.run("sh", "-c", "echo kept >/srv/file")
    box.stop()
    for failpoint in ("runtime:mount:before", "runtime:show:after"):
        box.engine.die_at(failpoint)
        box.engine.refused("start", box.id)
        assert b"kept" in box.archived("/srv/file")
    box.engine.install()
    assert box.start().run("cat", "/srv/file") == "kept"


# --- refusals


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        ([], "has no CCP_IDS=<base>:<owner>"),
        (["1048576"], "two decimal numbers"),
        (["65536:3000000"], "must begin at a multiple of 65536 from 131072"),
        (["131073:3000000"], "must begin at a multiple of 65536 from 131072"),
        (["131072:1000"], "may be an account of the machine"),
        (["131072:131073"], "lies within its own range"),
    ],
)
def test_bad_ids_are_refused(boxes, ids, sentence):
    box = boxes(ids=ids)
    assert sentence in box.engine.refused("start", box.id)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--pid", "host"], "the machine's pid namespace"),
        (["--ipc", "host"], "the machine's ipc namespace"),
        (["--uts", "host"], "the machine's uts namespace"),
        (["--volume", "/dev:/mnt/dev"], "the file system of /dev, or one mounted below it, has no idmapped mounts"),
        (["--volume", "/proc:/mnt/proc"], "no idmapped mounts"),
    ],
)
def test_what_cannot_be_had_with_own_ids_is_refused(boxes, options, sentence):
    box = boxes(*options)
    assert sentence in box.engine.refused("start", box.id)


def test_a_kind_of_option_that_it_does_not_know_is_refused_for_create_alone(tmp_path):
    program = BUILD / "release" / "ccp-runtime"
    log = tmp_path / "log.json"
    words = [program, "--log", log, "--log-format", "json", "--new-option", "create", "--bundle", tmp_path, "x"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "--new-option" in done.stderr
    assert json.loads(log.read_text())["level"] == "error"
    assert "--new-option" in json.loads(log.read_text())["msg"]
    version = subprocess.run([program, "--version"], capture_output=True, text=True)
    assert version.stdout.startswith("runc version")


# --- what the kernel counts for each user

TAKE = "import ctypes, sys\nlibc = ctypes.CDLL(None)\nn = 0\nwhile libc.inotify_init1(0) >= 0:\n    n += 1\nprint(n)\n"
HOLD = TAKE + "sys.stdout.flush()\nsys.stdin.read()\n"


def test_one_that_holds_all_inotify_instances_takes_none_from_the_others(boxes):
    greedy, other = boxes().start(), boxes().start()
    words = ["docker", "exec", "-i", greedy.id, "python3", "-c", HOLD]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, env=greedy.engine.environment, **pipes) as holder:
        held = int(holder.stdout.readline())
        taken = [int(other.run("python3", "-c", TAKE)), int(greedy.run("python3", "-c", TAKE))]
        boxes().start()
        holder.stdin.close()
    assert held >= 100
    assert taken == [held, 0]
