"""Hosts of an agent's whose exits are proxies of the lab's, and the cage that their engines live in."""

import re
import subprocess
from pathlib import Path

FIRST_UID = 2147446782  # of engines (db/code/host/ids.sql)


class Proxied:
    """A host of the agent's whose exit is one of the lab's proxies."""

    def __init__(self, agent, kind, secret=None, **config):
        self.agent = agent
        self.host = agent.host(exit_columns=agent.proxy_exit(kind, secret, **config))
        self.host.task("host.create")

    def engine(self):
        """The pid of its engine: of its user, whose number others have in other stacks, and its stack's program."""
        slot = self.host.owner.value("select slot from ccp.hosts where id = %s", [self.host.id])
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if path.stat().st_uid == FIRST_UID + slot and (path / "exe").readlink() == self.agent.proxy_engine:
                    return int(path.name)
            except OSError:
                continue
        return None

    def delete(self):
        if self.host.status != "deleted":
            self.host.task("host.delete", '{"wipe": true}')


def cage(agent):
    """The ruleset of the cage in the uplink's namespace, as nft shows it."""
    words = ["nsenter", f"--net={agent.lab.env['LAB_UPLINK_NETNS']}", "nft", "list", "ruleset"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def doors(agent):
    """Its doors."""
    return re.findall(rf"{FIRST_UID // 10**6}\d+ \. [^,}}]+", cage(agent))
