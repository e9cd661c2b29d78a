"""What people told the lab about peers, beside the database: peers put by hand, and preshared keys."""

import json

from ccplab import plan, uapi


class Registry:
    def __init__(self, directory):
        self.directory = directory

    def _manual(self, exit):
        return self.directory / f"manual-exit{exit.number}.json"

    def manual(self, exit):
        """Keys (hex) of the peers that a person put at that exit: the provider lets them be."""
        try:
            return set(json.loads(self._manual(exit).read_text(encoding="ascii")))
        except FileNotFoundError:
            return set()

    def set_manual(self, exit, keys):
        draft = self._manual(exit).with_suffix(".new")
        draft.write_text(json.dumps(sorted(keys)), encoding="ascii")
        draft.replace(self._manual(exit))

    def set_preshared(self, address, secret):
        """Remembers a preshared key (hex) for an inside address: the provider gives it to the peer that has it."""
        directory = self.directory / "preshared"
        directory.mkdir(mode=0o700, exist_ok=True)
        draft = directory / ".new"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(secret, encoding="ascii")
        draft.replace(directory / uapi.inside_address(address, plan.PEER_NET).partition("/")[0])

    def preshared(self):
        """{inside address as /32: key in hex}"""
        directory = self.directory / "preshared"
        if not directory.is_dir():
            return {}
        return {
            f"{file.name}/32": file.read_text(encoding="ascii")
            for file in directory.iterdir()
            if not file.name.startswith(".")
        }
