"""A second user with a host of their own, made through the API as an admin would."""

import os
import subprocess
from pathlib import Path

import pexpect
from support.host import Host
from support.http import Api
from support.wait import WAIT_S, wait_until


class Guest:
    """Lives in a stack until end(). `exit_fields` override those of the lab's second exit."""

    def __init__(self, stack, name, directory, peer_address, **exit_fields):
        self.stack = stack
        self.name = name
        self.directory = Path(directory)
        env = stack.env
        self.admin = Api(int(stack.environment["CCP_HTTP_PORT"])).login(
            "admin", Path(env["CCP_ADMIN_PASSWORD_FILE"]).read_text().strip()
        )
        made = self.told("POST", "/v1/admin/users", {"username": name})
        self.user_id, self.password = made["id"], made["password"]
        self.password_file = self.directory / f"{name}.password"
        self.password_file.touch(0o600)
        self.password_file.write_text(self.password + "\n")
        (like,) = [
            one
            for one in self.told("GET", "/v1/admin/egress-ips?limit=200")["egress_ips"]
            if one["id"] == env["CCP_EXIT2_ID"]
        ]
        fields = {
            name: like[name]
            for name in (
                "ip_address",
                "tunnel_type",
                "wg_endpoint",
                "wg_public_key",
                "wg_dns_server",
                "wg_allowed_ips",
                "wg_mtu",
            )
        }
        self.exit_id = self.told(
            "POST",
            "/v1/admin/egress-ips",
            fields | {"label": f"of {name}", "wg_peer_address": peer_address} | exit_fields,
        )["id"]
        host = self.told("POST", "/v1/admin/hosts", {"user_id": self.user_id, "egress_ip_id": self.exit_id})
        self.host_id, self.short_id, self.ssh_password = host["id"], host["short_id"], host["ssh_password"]
        self.host = Host(stack, self.host_id)
        self.host.wait_status("stopped")

    def told(self, method, path, body=None):
        answer = self.admin.send(method, path, body)
        assert answer.status < 300, f"{method} {path}: {answer}"
        return answer.json if answer.text else None

    def bootstrap(self, *command, **streams):
        """The bootstrap line with a command, as a process."""
        line = f'curl -sSf {self.stack.url}/v1/bootstrap/script | sh -s -- "$@"'
        return subprocess.Popen(
            ["sh", "-c", line, "sh", "--user", self.name, "--password-file", self.password_file, "--", *command],
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory), "TMPDIR": str(self.directory)},
            text=True,
            **streams,
        )

    def terminal(self):
        """The bootstrap line in a terminal, at the shell's prompt; `said` is what came before that."""
        who = f"--user {self.name} --password-file {self.password_file}"
        line = f"curl -sSf {self.stack.url}/v1/bootstrap/script | sh -s -- {who}"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "TMPDIR": str(self.directory),
            "TERM": "xterm",
        }
        child = pexpect.spawn(
            "sh", ["-c", line], env=environment, timeout=WAIT_S, encoding="utf-8", dimensions=(24, 200)
        )
        child.expect(r"dev@\S+:\S*\$ ")
        child.said = child.before
        return child

    def end(self):
        self.told("DELETE", f"/v1/admin/hosts/{self.host_id}?wipe=true")
        wait_until(lambda: self.host.status == "deleted", "the guest's host is deleted")
