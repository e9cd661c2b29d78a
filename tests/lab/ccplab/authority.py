"""The lab's own certificate authority, and the one certificate of its targets and proxies."""

import os
import shutil
import ssl
import tempfile
from pathlib import Path

from ccplab import netns, plan

NAMES = [plan.PROXY_NAME, *plan.NAMES]
DAYS = "3650"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
PADDING = 3000  # bytes of comment: the server's part of a handshake is more than one packet of any tunnel of 1500 bytes


def directory(lab):
    return lab.directory / "tls"


def certificate(lab):
    """The file with what a client is to trust."""
    return directory(lab) / "ca.pem"


def chain(lab):
    return directory(lab) / "chain.pem"


def key(lab):
    return directory(lab) / "key.pem"


def make(lab):
    """Once, whole or not at all: `down` keeps it, so that a certificate which was written down stays right."""
    place = directory(lab)
    if place.exists():
        return
    draft = Path(tempfile.mkdtemp(prefix="tls.new.", dir=place.parent))
    try:
        _make_in(draft)
        os.chmod(draft, 0o755)
        draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _make_in(place):
    ca, ca_key = str(place / "ca.pem"), str(place / "ca.key")
    leaf, chained = place / "leaf.pem", place / "chain.pem"
    new = ("openssl", "req", "-x509", "-days", DAYS, "-sha256", *KEY)
    netns.run(*new, "-subj", "/CN=lab authority", "-keyout", ca_key, "-out", ca)
    netns.run(
        *new,
        *("-CA", ca, "-CAkey", ca_key, "-subj", f"/CN={plan.PROXY_NAME}"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),
        *("-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in NAMES)),
        *("-addext", "nsComment=" + "lab " * (PADDING // 4)),
        *("-keyout", str(place / "key.pem"), "-out", str(leaf)),
    )
    chained.write_bytes(leaf.read_bytes() + Path(ca).read_bytes())


def server_context(lab):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain(lab), key(lab))
    return context
