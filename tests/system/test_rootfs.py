"""What Docker reads of a container's own files before it starts: small plain files, or the host says that it needs a
rebuild, and no other host has to wait."""

import json
import subprocess
from pathlib import Path

import pytest

SABOTAGE = {
    "a FIFO at passwd": "rm /etc/passwd && mkfifo /etc/passwd",
    "a FIFO at group": "rm /etc/group && mkfifo /etc/group",
    "a link to a FIFO": "mkfifo /etc/fifo && ln -sf fifo /etc/passwd",
    "a link to a device": "ln -sf /dev/zero /etc/group",
    "a directory": "rm /etc/group && mkdir /etc/group",
    "a socket": "rm /etc/passwd && exec python3 -c 'import socket as s; s.socket(s.AF_UNIX).bind(\"/etc/passwd\")'",
    "nothing": "rm /etc/passwd",
    "40 MB": "yes root:x:0:0::/root:/bin/sh | head -c 40000000 >/etc/passwd",
    "a sparse terabyte": "truncate -s 1T /etc/group",
}


@pytest.mark.parametrize("sabotage", SABOTAGE.values(), ids=SABOTAGE)
def test_a_container_that_docker_must_not_read_is_not_started_and_a_rebuild_mends_it(host, sabotage):
    status, said = host.run("sh", "-c", f"echo mine >/home/dev/kept && {sabotage}")
    assert status == 0, said
    host.task("host.stop")
    status, code, message, _ = host.wait_task(host.insert("host.start"))
    assert (status, code) == ("failed", "rebuild_needed"), message
    assert "rebuild the host" in message and ("/etc/passwd" in message or "/etc/group" in message)
    host.stack.docker("inspect", host.container)
    host.task("host.rebuild", '{"mode": "keep"}')
    assert host.run("cat", "/home/dev/kept") == (0, "mine\n")


def test_what_a_failed_removal_has_left_needs_a_rebuild(host):
    assert host.run("sh", "-c", "echo mine >/home/dev/kept && touch /opt/stuck") == (0, "")
    host.task("host.stop")
    (container,) = json.loads(host.stack.docker("inspect", host.container))
    stuck = Path(container["GraphDriver"]["Data"]["UpperDir"]) / "opt/stuck"
    subprocess.run(["chattr", "+i", stuck], check=True)
    try:
        with pytest.raises(RuntimeError):
            host.stack.docker("rm", host.container)
    finally:
        subprocess.run(["chattr", "-i", stuck], check=True)
    status, code, message, _ = host.wait_task(host.insert("host.start"))
    assert (status, code) == ("failed", "rebuild_needed"), message
    assert "a removal of the host's container has failed" in message and "rebuild the host" in message
    host.task("host.rebuild", '{"mode": "keep"}')
    assert host.run("cat", "/home/dev/kept") == (0, "mine\n")


IMAGES = {
    "no /home": ("RUN rm -rf /home", "/home is missing"),
    "a link at /home": ("RUN rm -rf /home && ln -s /.ccp /home", "/home is a link"),
    "a link at /home/dev": ("RUN rm -rf /home/dev && ln -s /.ccp /home/dev", "/home/dev is a link"),
    "a link at /.ccp": ("RUN ln -s /home/dev /.ccp", "/.ccp is a link"),
    "a file at /.ccp": ("RUN touch /.ccp", "/.ccp is a plain file"),
    "a link at sudoers.d": ("RUN rm -rf /etc/sudoers.d && ln -s /.ccp /etc/sudoers.d", "/etc/sudoers.d is a link"),
    "a link in sudoers.d": (
        "RUN ln -s /.ccp/init /etc/sudoers.d/cloud-cli-proxy",
        "/etc/sudoers.d/cloud-cli-proxy is a link",
    ),
    "a FIFO at passwd": ("RUN rm /etc/passwd && mkfifo /etc/passwd", "/etc/passwd is a FIFO"),
    "40 MB of groups": ("RUN yes x:x:1: | head -c 40000000 >>/etc/group", "/etc/group has 40"),
    "a volume": ("VOLUME /data", "declares volumes"),
}


@pytest.mark.parametrize(("line", "why"), IMAGES.values(), ids=IMAGES)
def test_an_image_that_is_not_fit_to_be_a_host_is_refused_and_says_so(agent, tmp_path, line, why):
    name = f"unfit-{agent.node}"
    (tmp_path / "Dockerfile").write_text(f"FROM cloud-cli-proxy/managed-user:latest\n{line}\n")
    agent.stack.docker("build", "--quiet", "--tag", name, str(tmp_path))
    one = agent.host(image=name)
    status, code, message, _ = one.wait_task(one.insert("host.create"))
    assert (status, code) == ("failed", "image_missing"), message
    assert why in message
    one.task("host.delete", '{"wipe": true}')
    agent.stack.docker("rmi", name)
