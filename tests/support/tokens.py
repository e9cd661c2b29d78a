"""Login tokens made by tests: of the key itself, and logins without a password's time."""

import base64
import hmac
import json
import time


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(head, claims, secret, digest="sha256"):
    text = ".".join(b64(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{b64(hmac.new(secret, text.encode(), digest).digest())}"


def tokens_make(database, username, count=1, kid=None):
    """Tokens of new logins of a user, signed by the key that signs last, or by another."""
    kid, secret = database.rows(
        "select kid, encode(secret, 'hex') from ccp.signing_keys"
        " where case when %(kid)s is null then retired_at is null else kid = %(kid)s end",
        {"kid": kid},
    )[0]
    logins = database.rows(
        "insert into ccp.logins (user_id, expires_at) select u.id, clock.now() + interval '1 day'"
        " from ccp.users as u, generate_series(1, %s) where u.username = %s returning user_id::text, id::text",
        (count, username),
    )
    head, expires_at = {"alg": "HS256", "typ": "JWT", "kid": kid}, int(time.time()) + 3600
    return [
        signed(head, {"sub": user, "lid": login, "gen": 1, "exp": expires_at}, bytes.fromhex(secret))
        for user, login in logins
    ]
