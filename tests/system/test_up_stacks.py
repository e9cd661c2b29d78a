"""The scripts of several stacks on one machine: each touches its own."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from support.paths import CHECKOUT, SCRIPTS
from support.wait import WAIT_S

PARTS = ("lib.sh", "servers.sh", "lab.sh", "demo.sh")
SOURCE = "; ".join(f". {SCRIPTS}/{name}" for name in PARTS)
VARIABLES = (
    "STATE_DIR",
    "CCP_RUN_DIR",
    "CCP_HTTP_PORT",
    "CCP_SSHPROXY_PORT",
    "CCP_METRICS_PORT",
    "CCP_LAB_PREFIX",
    "CCP_DOCKER_SOCKET",
    "CCP_MODE",
)
PLAIN = {name: value for name, value in os.environ.items() if name not in (*VARIABLES, "CCP_OWN_DOCKER")}
# What only looks, and so may be called in a test beside a stack that is the default one.
LOOKS = [
    "settings_saved",
    "supervisor_pid",
    "service_pid postgres",
    "service_gone postgres",
    "postgres_bin",
    "conninfo ccp_dba",
    "docker_is_ours",
    "docker_choose",
    "shims",
    "lab_uplink",
    "api_url",
    "secrets admin-password",
    "database_url ccp_dba",
    "service_script root true",
]


@pytest.fixture
def directory():
    """With a path that is short enough for a stack."""
    with tempfile.TemporaryDirectory(prefix="ccp-", dir="/var/tmp") as path:
        yield Path(path)


def shell(script, **environment):
    return subprocess.run(
        ["bash", "-c", script],
        env=PLAIN | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def functions():
    text = "\n".join((SCRIPTS / name).read_text() for name in PARTS)
    return re.findall(r"^(\w+)\(\) \{((?:.*\n)*?)^\}", text, re.M)


def test_no_function_but_the_one_that_chooses_knows_a_default_stack():
    known = {name for name, body in functions() if re.search(r"default_state_dir|/var/lib/cloud-cli-proxy", body)}
    assert known == {"settings_load", "is_default_stack"}
    default = re.compile(rf"\$\{{({'|'.join(VARIABLES)}):?-")
    defaults = {name for name, body in functions() if default.search(body)}
    assert defaults == {"settings_load", "docker_choose"}  # the latter asks whether it was chosen


def test_without_a_stack_that_was_chosen_no_function_does_anything():
    """Where it would use the stack's directory the name is not set, which is an error; no path is made without it."""
    names = [name for name, body in functions() if "$STATE_DIR" in body]
    assert len(names) > 30
    calls = "".join(f"( PATH=/nowhere; {name} postgres 1 true >&2 );" for name in names)
    done = shell(f"{SOURCE}; {calls}")
    assert len(re.findall(r"\b(STATE_DIR|CCP_\w+): unbound variable", done.stderr)) >= len(names), done.stderr
    assert not re.search(r"(?<![\w./])/(service|run|log|pg|stack|secrets|docker|libexec)\b", done.stderr), done.stderr


def test_functions_that_were_sourced_for_a_stack_touch_that_one_only(directory):
    state = directory / "state"
    for part in ("service/postgres/supervise", "run", "pg", "secrets", "log"):
        (state / part).mkdir(parents=True)
    (state / "stack").write_text("CCP_LAB_PREFIX=tother\nCCP_HTTP_PORT=28001\n")
    script = f"{SOURCE}; settings_load kept; " + "".join(f"( {line} ); " for line in LOOKS)
    trace = directory / "trace"
    strace = ["strace", "-f", "-qq", "-e", "trace=%file,%network", "-o", trace, "bash", "-c", script]
    subprocess.run(
        strace,
        env=PLAIN | {"STATE_DIR": str(state)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=WAIT_S,
        check=True,
    )
    touched = re.findall(r'"(/[^"]*)"', trace.read_text())
    assert any(path.startswith(f"{state}/") for path in touched)
    others = ("/var/lib/cloud-cli-proxy/", f"{CHECKOUT}/.run", "/run/netns/ccp-", "/var/lib/ccp-lab/ccp")
    assert [path for path in touched if path.startswith(others)] == []


def test_the_words_of_another_stack_in_the_environment_do_not_reach_one_that_stands(directory):
    (directory / "stack").write_text(
        "CCP_RUN_DIR=/its/own\nCCP_HTTP_PORT=28001\nCCP_SSHPROXY_PORT=28002\nCCP_METRICS_PORT=28003\n"
        "CCP_LAB_PREFIX=tother\n"
        "CCP_DOCKER_SOCKET=/its.sock\nCCP_MODE=socket\n"
    )
    other = dict(zip(VARIABLES[1:], ("/another", "1", "2", "3", "ccp", "/another.sock", "embedded"), strict=True))
    told = shell(
        f"{SOURCE}; settings_load kept; printf '%s ' " + " ".join(f"${name}" for name in VARIABLES[1:]),
        STATE_DIR=str(directory),
        **other,
    )
    assert told.stdout.split() == ["/its/own", "28001", "28002", "28003", "tother", "/its.sock", "socket"], told
    told = shell(
        f"{SOURCE}; settings_load given; echo $CCP_HTTP_PORT $CCP_LAB_PREFIX", STATE_DIR=str(directory), **other
    )
    assert told.stdout.split() == ["1", "tother"], told


def test_another_directory_has_a_lab_and_an_env_of_its_own(directory):
    told = shell(f"{SOURCE}; settings_load kept; echo $CCP_RUN_DIR $CCP_LAB_PREFIX", STATE_DIR=str(directory))
    run_dir, prefix = told.stdout.split()
    assert run_dir.startswith(f"{directory}/") and prefix not in ("", "ccp"), told
    told = shell(f"{SOURCE}; settings_load kept; echo $CCP_RUN_DIR $CCP_LAB_PREFIX")
    assert told.stdout.split() == [f"{CHECKOUT}/.run", "ccp"], told


def test_a_shell_works_for_one_stack():
    told = shell(f"{SOURCE}; STATE_DIR=/one settings_load kept; STATE_DIR=/two; settings_load kept; echo went on")
    assert told.returncode == 1 and "use another" in told.stderr and "went on" not in told.stdout, told
