"""The VPN company's portal: lets the peers of each exit be what the database says, within milliseconds.

It reads the view ccp.exit_peers, on each ring of channel ccp_event and each second, and speaks to each exit's engine.
Peers that a person put there (`lab peer add`) stay. A frozen exit holds up itself only.
"""

import asyncio
import json
import signal
import sys
import time

import psycopg2
import psycopg2.extensions as pg

from ccplab import plan, process, uapi
from ccplab.errors import LabError

CHANNEL = "ccp_event"
RESCAN_S = 1.0
GATHER_S = 0.02  # what rings meanwhile is read once: the channel rings for much else, too
CALL_S = 3.0
BACKOFF_S = (0.1, 5.0)
ROWS_MAX = 20000
QUERY = f"""
    select exit_public_key, host_public_key, a.address::text
    from ccp.exit_peers as p
    cross join lateral (values (p.peer_address), (p.peer_address6)) as a (address)
    where a.address is not null
    limit {ROWS_MAX}"""


def log(event, **fields):
    text = " ".join(f"{name}={json.dumps(' '.join(str(value).split()))}" for name, value in fields.items())
    print(f"time={time.time():.3f} program=lab-provider event={event} {text}", file=sys.stderr, flush=True)


class Database:
    """A psycopg2 connection in its asynchronous mode: every wait has a deadline."""

    def __init__(self, conninfo):
        self.connection = psycopg2.connect(conninfo, async_=1, application_name="lab-provider")

    async def _ready(self, writing=False):
        """Until the socket can be read (or written). It is unwatched again before libpq may close it."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        fd = self.connection.fileno()
        if writing:
            loop.add_writer(fd, ready.set)
        else:
            loop.add_reader(fd, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(fd)
            loop.remove_reader(fd)

    async def _settle(self):
        """Until the running operation is over."""
        async with asyncio.timeout(CALL_S):
            while (state := self.connection.poll()) != pg.POLL_OK:
                await self._ready(writing=state == pg.POLL_WRITE)

    async def listen(self):
        await self._settle()
        await self._call(f"listen {CHANNEL}")

    async def _call(self, text):
        cursor = self.connection.cursor()
        cursor.execute(text)
        await self._settle()
        return cursor

    async def rows(self):
        self.connection.notifies.clear()
        return (await self._call(QUERY)).fetchall()

    async def wait_ring(self, timeout_s):
        """Until the channel rings, at most that long. A ring that came during a call counts."""
        try:
            async with asyncio.timeout(timeout_s):
                self.connection.poll()
                while not self.connection.notifies:
                    await self._ready()
                    self.connection.poll()
        except TimeoutError:
            pass

    def close(self):
        self.connection.close()


class Keeper:
    """Keeps the peers of one exit as they are wanted."""

    def __init__(self, registry, exit):
        self.registry = registry
        self.exit = exit
        self.wanted = None
        self.changed = asyncio.Event()
        self.trouble = None

    def want(self, peers):
        self.wanted = peers
        self.changed.set()

    def _apply(self, wanted):
        manual = self.registry.manual(self.exit)
        present = uapi.peers(self.exit.engine)
        put = [peer for key, peer in wanted.items() if key not in manual and not _same(present.get(key), peer)]
        drop = [key for key in present if key not in wanted and key not in manual]
        uapi.change(self.exit.engine, put, drop)
        return put, drop

    async def run(self):
        while True:
            await self.changed.wait()
            self.changed.clear()
            try:
                put, drop = await asyncio.to_thread(self._apply, self.wanted)
            except LabError as error:
                if str(error) != self.trouble:
                    log("exit_silent", exit=self.exit.number, why=error)
                self.trouble = str(error)
                continue
            self.trouble = None
            for peer in put:
                key = uapi.key_to_base64(peer.key)
                log("peer_put", exit=self.exit.number, key=key, address=",".join(peer.allowed))
            for key in drop:
                log("peer_dropped", exit=self.exit.number, key=uapi.key_to_base64(key))


def _same(present, peer):
    return present is not None and present.allowed == peer.allowed and present.preshared == peer.preshared


class Provider:
    def __init__(self, registry, exits):
        """exits: by their public key"""
        self.registry = registry
        self.keepers = {uapi.key_to_hex(key): Keeper(registry, exit) for key, exit in exits.items()}
        self.refused = set()

    def deal(self, rows):
        """Rows of the view to the exits they name. A row of an exit that is not the lab's is left out."""
        wanted = {key: {} for key in self.keepers}
        secrets = self.registry.preshared()
        for exit_base64, host_base64, inside in rows:
            try:
                exit_key = uapi.key_to_hex(exit_base64, "exit key")
                if exit_key not in wanted:
                    continue
                key = uapi.key_to_hex(host_base64, "host key")
                address = uapi.inside_address(inside, plan.PEER_NET, plan.PEER_NET6)
            except LabError as error:
                if str(error) not in self.refused and len(self.refused) < ROWS_MAX:
                    self.refused.add(str(error))
                    log("row_refused", why=error)
                continue
            peer = wanted[exit_key].setdefault(key, uapi.Peer(key))
            peer.allowed.add(address)
            peer.preshared = secrets.get(address, peer.preshared)
        for key, keeper in self.keepers.items():
            keeper.want(wanted[key])


async def follow(provider, conninfo):
    """Reads the view at each ring and each second; connects again when the database was away."""
    pause = BACKOFF_S[0]
    trouble = None
    while True:
        database = None
        try:
            database = Database(conninfo)
            await database.listen()
            log("listening", channel=CHANNEL)
            while True:
                provider.deal(await database.rows())
                process.tell_ready()
                pause, trouble = BACKOFF_S[0], None
                await asyncio.sleep(GATHER_S)
                await database.wait_ring(RESCAN_S)
        except (psycopg2.Error, TimeoutError) as error:
            why = str(error).strip() or f"no answer within {CALL_S} s"
            if why != trouble:
                log("database_away", why=why)
            trouble = why
            process.tell_ready(f"the database is away, the provider keeps trying: {why}".encode())
        finally:
            if database:
                database.close()
        await asyncio.sleep(pause)
        pause = min(pause * 2, BACKOFF_S[1])


async def serve(provider, conninfo):
    """Until SIGTERM. A bug in any part ends it all, with its trace in the log."""
    me = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, me.cancel)
    try:
        async with asyncio.TaskGroup() as work:
            for keeper in provider.keepers.values():
                work.create_task(keeper.run())
            work.create_task(follow(provider, conninfo))
    except asyncio.CancelledError:
        log("stopped")
