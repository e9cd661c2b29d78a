"""No secret shows where it does not belong: the real values are looked for everywhere."""

import os
import subprocess
from pathlib import Path

import pytest

from support.automation import Automation

SEARCHED_TABLES = ("events", "task_rows", "verifications", "settings", "observations", "sessions", "processes", "idempotency_keys")


def secrets(stack):
    """The real values by name: passwords and private keys, wherever the product keeps them."""
    env, found = stack.env, {}
    for name in ("CCP_ADMIN_PASSWORD_FILE", "CCP_DEMO_PASSWORD_FILE", "CCP_DEMO_SSH_PASSWORD_FILE"):
        found[name] = Path(env[name]).read_text().strip()
    for path in Path(env["CCP_DATA_DIR"]).rglob("*"):
        # homes are the user's own, logs are searched
        if path.is_file() and not path.is_symlink() and "homes" not in path.parts and path.stat().st_size < 4096 and "key" in path.name:
            text = path.read_bytes()
            if b"PRIVATE KEY" in text:
                found[str(path)] = text.split(b"\n")[2].decode()
            elif not path.name.endswith(".pub") and path.name != "authorized_keys":
                found[str(path)] = text.decode(errors="replace").strip()
    return {name: value for name, value in found.items() if len(value) >= 16}


@pytest.fixture(scope="module")
def known(stack):
    host = Automation(stack)
    host.running()
    host.close()
    found = secrets(stack)
    assert any("wg" in name or "wireguard" in name for name in found), sorted(found)
    assert len(found) >= 5, sorted(found)
    return found


def shown(text, known):
    return [name for name, value in known.items() if value in text]


def test_nothing_is_in_arguments_or_environments(known):
    seen = 0
    for path in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ"):
            try:
                text = (path / file).read_bytes().decode(errors="replace")
            except OSError:
                continue
            seen += 1
            assert not shown(text, known), f"{file} of {text[:60]!r}"
    assert seen > 50


def test_nothing_is_in_the_logs(stack, known):
    files = [path for path in Path(stack.env["CCP_LOG_DIR"]).rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not shown(path.read_text(errors="replace"), known), path


@pytest.mark.parametrize("table", SEARCHED_TABLES)
def test_nothing_is_in_the_tables_that_people_read(stack, known, table):
    host = Automation(stack)
    text = "\n".join(str(row) for row in host.rows(f"select t::text from ccp.{table} as t"))
    host.close()
    assert not shown(text, known)


def test_the_container_holds_no_key_of_the_tunnel_and_none_that_logs_in(stack, known):
    host = Automation(stack)
    (container,) = [line.split()[0] for line in stack.docker("ps", "--no-trunc").splitlines() if host.host_id in line or stack.env["CCP_DEMO_HOST"] in line]
    inspected = stack.docker("inspect", container)
    host.close()
    assert not shown(inspected, known)
    pid = stack.docker("inspect", "-f", "{{.State.Pid}}", container).strip()
    host_key = {name: value for name, value in known.items() if "host_key" in name or "ssh_host" in name}
    others = {name: value for name, value in known.items() if name not in host_key}
    for path in (f"/proc/{pid}/root/.ccp", f"/proc/{pid}/root/etc", f"/proc/{pid}/root/run"):
        text = subprocess.run(["grep", "-rhaI", ".", path], capture_output=True, text=True, errors="replace", check=False, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}).stdout
        assert not shown(text, others), path
