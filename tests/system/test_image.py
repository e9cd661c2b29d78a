"""The user image, as it is found over ssh in a host: what a developer expects, and slim without the heavy part."""

import ipaddress
import re
import subprocess

import pexpect
import pytest
from support.guest import Guest
from support.paths import CHECKOUT
from support.ssh import Client
from support.wait import WAIT_S

DOCKERFILE = (CHECKOUT / "deploy" / "docker" / "managed-user" / "Dockerfile").read_text()
SLIM = """bash curl file git ip jq less nano ping ps python3 rsync ssh strace sudo tmux tree unzip vi wget xz zip
    zsh"""
FULL = """bat cc claude dig fd fzf g++ gcc gdb git-lfs htop locale lsof make man nc node npm npx pip3 pkg-config rg
    socat sqlite3 vim"""
PLACES = {"slim": 90, "full": 91}  # of the guests' ends of the tunnel


@pytest.fixture(scope="module", params=["slim", "full"])
def guest(stack, tmp_path_factory, request):
    """A user whose host is of that target. `target` says which."""
    stack.script("image", CCP_IMAGE_TARGET=request.param)
    address = ipaddress.ip_network(stack.env["CCP_EXIT_PEER_NET"])[PLACES[request.param]]
    one = Guest(stack, f"image-{request.param}", tmp_path_factory.mktemp("image"), f"{address}/32")
    one.target = request.param
    stack.script("image")
    one.host.running()
    yield one
    one.end()


def says(guest, command):
    """(exit status, output) of a shell command over ssh; no shell reads a profile for it."""
    one = guest.bootstrap("sh", "-c", f"exec 2>&1; {command}", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, _ = one.communicate(timeout=WAIT_S)
    return one.returncode, out


def test_the_tools_are_there(guest):
    names = " ".join([SLIM, FULL] if guest.target == "full" else [SLIM]).replace("\n", " ")
    status, out = says(guest, f"for name in {names}; do command -v $name >/dev/null || echo $name; done")
    assert (status, out) == (0, "")


def test_programs_of_the_user_come_first_in_every_kind_of_shell(guest):
    status, out = says(
        guest,
        "mkdir -p ~/.local/bin && printf '#!/bin/sh\\necho mine\\n' >~/.local/bin/tree && chmod +x ~/.local/bin/tree"
        "; tree; bash -c tree; bash -lc tree; zsh -c tree; zsh -lc tree; sudo -iu dev tree; sh -lc tree",
    )
    assert (status, out) == (0, "mine\n" * 7)
    shell = guest.terminal()
    for line in ("tree", "tmux new-session -d 'tree >out'; until [ -s out ]; do sleep 0.1; done; cat out"):
        shell.sendline(line)
        shell.expect("\rmine\r\n|\nmine\r\n")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)


def test_zsh_asks_no_questions_and_bash_completes(guest):
    shell = guest.terminal()
    shell.sendline("complete -p ssh; exec zsh")
    shell.expect("complete .* ssh")
    shell.expect(r"dev@\S+:\S*~\S*\$ ")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)


def test_nothing_of_the_machine_that_built_it_is_inside(guest):
    """Its certificates were needed to reach the registries, and a user's traffic does not go that way."""
    status, out = says(
        guest, "ls -d /build /etc/ssl/certs/*machine* 2>/dev/null; ls /etc/ssh/ssh_host_* 2>/dev/null; true"
    )
    assert (status, out) == (0, "")


FULL_WORKS = {
    "manuals": ("man ls | head -n 1; man -w 3 printf gcc", r"LS\(1\).*/man3/printf.*gcc"),
    "a compiler and a debugger": (
        "cd /tmp; echo 'int main(void) { return 7; }' >x.c; cc -g -o x x.c; gdb -batch -ex run ./x",
        r"exited with code 07",
    ),
    "strace": ("strace -e trace=exit_group true", r"exit_group\(0\)"),
    "python's environments": ("python3 -m venv /tmp/v && /tmp/v/bin/pip --version", r"pip \d+.*python 3"),
    "what npm installs for the user": ("npm prefix -g", r"^/home/dev/.local$"),
    "git's large files": ("git lfs version; git config --system filter.lfs.required", r"git-lfs/\d.*true"),
    "sqlite": ("echo 'select 1 + 1;' | sqlite3", r"^2$"),
    "names with other names": ("fd --version; bat --version", r"fd(find)? \d.*bat(cat)? \d"),
    "the locale of the client": (
        "export LC_ALL=zh_CN.UTF-8; locale charmap; date -d 2030-01-01 +%B; LC_ALL=de_DE.UTF-8 date -d 2030-03-01 +%B",
        r"^UTF-8\n(1|一)月\nMärz$",
    ),
}


def test_the_heavy_part_works(guest):
    if guest.target == "slim":
        assert says(guest, "command -v gcc node claude")[0] != 0
        return
    version = re.search(r"^ARG CLAUDE_CODE_VERSION=(\S+)$", DOCKERFILE, re.M)[1]
    node = re.search(r"^ARG NODE_VERSION=(\S+)$", DOCKERFILE, re.M)[1]
    works = FULL_WORKS | {
        "Claude Code, as pinned": ("claude --version", rf"^{re.escape(version)}\b"),
        "Node, as pinned": ("node --version; npm --version", rf"^v{re.escape(node)}\n\d+"),
    }
    for what, (command, expected) in works.items():
        _, out = says(guest, f"LANG=C.UTF-8; {command}")
        assert re.search(expected, out.strip(), re.S | re.M), (what, out)


def test_a_clients_locale_reaches_the_shell(guest, tmp_path):
    known = guest.target == "full"
    done = Client(guest, tmp_path).by_password(
        guest.ssh_password,
        "bash -c 'echo $LC_ALL; locale -k decimal_point'",
        options=["-o", "SetEnv=LC_ALL=de_DE.UTF-8"],
    )
    assert done.stdout == f'de_DE.UTF-8\ndecimal_point="{"," if known else "."}"\n', done
