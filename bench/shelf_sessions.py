"""The traffic of `bench.shelf`: viewers who come one after another, each with a host, a scene and things to say."""

import asyncio
import random
import time
from typing import Final

from aiohttp import ClientError, ClientSession

from bench.deadlines import Spectator
from bench.server_process import ServerProcess
from client.sdk import AnimaClient, ApiError, RemoteSession

HOSTS: Final = ("mei", "mei", "yuna")
"""Two of three viewers come to the first host."""
SCENES: Final = ("commerce", "tutor", "npc", "meeting")
STAYS_S: Final = (40.0, 160.0)
PAUSES_S: Final = (1.0, 3.0, 6.0, 10.0, 18.0)
PATIENCE_S: Final = 120.0
LINES: Final = (
    "Good evening and welcome back, it is lovely to see you here.",
    "[happy] Tonight I have three things to show you.",
    "The first one is a teapot, made by hand, fired twice.",
    "[wave] Have a look at it!",
    "[sad] The last of these was sold yesterday. [neutral] But more will come on Monday.",
    "[surprise] Forty of each, and when they are gone they are gone!",
    "[nod] Yes, that is right.",
    "[angry] No, that price was a mistake.",
)
QUESTIONS: Final = ("How much is it?", "What is photosynthesis?", "Who are you?", "Can you explain that again?")
MOODS: Final = ("happy", "sad", "neutral", "surprise")


async def drive(server: ServerProcess, minutes: float, seats: int) -> None:
    """Keep so many seats taken for a while. What a viewer does is drawn from a seed, when it does it is the clock's."""
    end_s = time.monotonic() + 60.0 * minutes
    async with AnimaClient(server.url) as client, ClientSession() as http:
        await asyncio.gather(*(_seat(client, http, end_s, random.Random(seat)) for seat in range(seats)))


async def _seat(client: AnimaClient, http: ClientSession, end_s: float, chance: random.Random) -> None:
    while time.monotonic() < end_s:
        host, scene = chance.choice(HOSTS), chance.choice(SCENES)
        # a machine that others load refuses now and then
        session = await client.create_session(avatar=host, scene=scene, queue_s=PATIENCE_S)
        viewer = Spectator(session)
        try:
            await viewer.join(http, client.absolute(session.credentials.offer_url))
            await _converse(session, viewer, min(end_s, time.monotonic() + chance.uniform(*STAYS_S)), chance)
        finally:
            await asyncio.gather(viewer.leave(), session.delete(), return_exceptions=True)


async def _converse(session: RemoteSession, viewer: Spectator, end_s: float, chance: random.Random) -> None:
    while time.monotonic() < end_s:
        what = chance.random()
        try:
            if what < 0.5:
                await session.say(" ".join(chance.sample(LINES, chance.randint(1, 4))))
            elif what < 0.8:
                await session.chat(chance.choice(QUESTIONS))
            elif what < 0.9:
                await session.interrupt()
            else:
                await session.cue(emotion=chance.choice(MOODS))
        except (ApiError, ClientError):
            return
        await asyncio.sleep(min(chance.choice(PAUSES_S), max(0.0, end_s - time.monotonic())))
        viewer.forget()
