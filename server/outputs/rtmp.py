"""Publishes to an RTMP or RTMPS server: H.264 as the viewers get it, AAC of its own. Nothing here blocks the loop.

FFmpeg's own client holds Python's lock while it connects; ours is a few messages."""

import asyncio
import logging
import os
import ssl
import struct
from collections.abc import Callable
from typing import Any, Final

import av

from realtime.core.units import AUDIO_RATE_HZ, VIDEO_CLOCK_HZ
from server.outputs import amf
from server.outputs.feed import Feed
from server.outputs.muxer import AacTrack, aac_codec
from server.outputs.rtmp_messages import (
    ACKNOWLEDGEMENT,
    CHUNK_BYTES,
    COMMAND,
    DATA,
    PICTURE,
    PING,
    PONG,
    SET_CHUNK_SIZE,
    SOUND,
    USER_CONTROL,
    WINDOW_SIZE,
    Message,
    Reader,
    written,
)
from server.outputs.samples import Picture, Sample, parameter_sets
from server.outputs.sink import SinkFailed
from server.outputs.targets import Target
from server.outputs.trust import trusting, why_not

_log = logging.getLogger(__name__)

_HANDSHAKE_BYTES: Final = 1536
_STEP_TIMEOUT_S: Final = 10.0
_STALL_TIMEOUT_S: Final = 10.0
_BACKLOG_BYTES: Final = 256 * 1024
_FINISH_TIMEOUT_S: Final = 3.0
_CONTROL, _COMMANDS, _SOUNDS, _PICTURES = 2, 3, 4, 6
"""Chunk streams: any number above 2 will do, and these are what others use."""


class RtmpSink:
    """One attempt after the other to publish one stream."""

    def __init__(self, target: Target, size: tuple[int, int], fps: int) -> None:
        self._target = target
        self._size = size
        self._fps = fps
        self._sent_bytes = 0

    def figures(self) -> dict[str, object]:
        """What went out."""
        return {"sent_bytes": self._sent_bytes}

    async def run(self, feed: Feed, live: Callable[[], None]) -> None:
        """See `Sink.run`."""
        context = await trusting(self._target.rules.ca) if self._target.secure else None
        address = await self._target.address()
        name = self._target.host if context is not None else None
        try:
            async with asyncio.timeout(_STEP_TIMEOUT_S):
                streams = await asyncio.open_connection(address, self._target.port, ssl=context, server_hostname=name)
        except (OSError, TimeoutError, ssl.SSLError) as error:
            raise SinkFailed(why_not(error)) from error
        session = _Session(*streams, self._size, self._fps)
        try:
            await session.publish(self._target)
            live()
            await session.stream(feed)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            raise SinkFailed(f"the connection was lost: {type(error).__name__}") from error
        finally:
            feed.pause()
            self._sent_bytes += session.sent_bytes
            await session.aclose()


class _Session:
    """One connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: tuple[int, int], fps: int
    ) -> None:
        self.sent_bytes = 0
        self._in, self._out = reader, writer
        self._size, self._fps = size, fps
        self._messages = Reader()
        self._inbox: list[Message] = []
        self._window = 0
        self._acknowledged = 0
        self._stream = 0
        self._opened = False
        writer.transport.set_write_buffer_limits(high=_BACKLOG_BYTES)

    async def publish(self, target: Target) -> None:
        """Shake hands, connect and begin to publish."""
        async with asyncio.timeout(_STEP_TIMEOUT_S):
            await self._shake_hands()
            self._send(Message(SET_CHUNK_SIZE, struct.pack(">I", CHUNK_BYTES)), _CONTROL)
            app, key = target.path
            about: dict[str, amf.Value] = {
                "app": app, "type": "nonprivate", "flashVer": "FMLE/3.0 (compatible; Anima)", "tcUrl": target.app_url,
            }  # fmt: skip
            self._command("connect", 1.0, about)
            await self._result(1.0)
            self._command("releaseStream", 2.0, None, key)
            self._command("FCPublish", 3.0, None, key)
            self._command("createStream", 4.0, None)
            found = await self._result(4.0)
            self._stream = int(found) if isinstance(found, float) else 1
            self._command("publish", 5.0, None, key, "live", stream=self._stream)
            await self._status()

    async def stream(self, feed: Feed) -> None:
        """Send what the feed gives until it ends; raises when the server goes or takes nothing for too long."""
        listening = asyncio.create_task(self._listen(), name="rtmp-in")
        sending = asyncio.create_task(self._send_all(feed), name="rtmp-out")
        try:
            done, _ = await asyncio.wait((listening, sending), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if sending not in done:
                raise ConnectionResetError("the server ended the stream")
        finally:
            for task in (listening, sending):
                task.cancel()
            await asyncio.gather(listening, sending, return_exceptions=True)

    async def aclose(self) -> None:
        """Take leave if there is somebody to, and close."""
        try:
            async with asyncio.timeout(_FINISH_TIMEOUT_S):
                if self._stream:
                    self._command("deleteStream", 7.0, None, float(self._stream))
                    await self._out.drain()
                self._out.close()
                await self._out.wait_closed()
        except (OSError, TimeoutError, ssl.SSLError):
            self._out.transport.abort()

    # --- out

    async def _send_all(self, feed: Feed) -> None:
        codec = aac_codec()
        track = AacTrack(codec)
        feed.begin()
        while samples := await feed.take():
            for sample in samples:
                self._send_sample(sample, track, codec.extradata or b"")
            async with asyncio.timeout(_STALL_TIMEOUT_S):
                await self._out.drain()
        self._send_sound(track.flush())
        async with asyncio.timeout(_STALL_TIMEOUT_S):
            await self._out.drain()

    def _send_sample(self, sample: Sample, track: AacTrack, configuration: bytes) -> None:
        if isinstance(sample, Picture):
            at_ms = sample.pts * 1000 // VIDEO_CLOCK_HZ
            if not self._opened:
                self._opened = True
                self._open(sample, configuration)
            body = b"".join(struct.pack(">I", len(unit)) + unit for unit in sample.units)
            kind = 0x17 if sample.keyframe else 0x27
            self._send(Message(PICTURE, bytes([kind, 1, 0, 0, 0]) + body, self._stream, at_ms), _PICTURES)
        elif sample.pcm is not None:
            self._send_sound(track.encode(sample.pts, sample.pcm))

    def _open(self, first: Picture, configuration: bytes) -> None:
        """Metadata and the decoders' configurations, FLV specification version 10.1 annex E.4."""
        width, height = self._size
        about: dict[str, amf.Value] = {
            "width": float(width), "height": float(height), "framerate": float(self._fps), "videocodecid": 7.0,
            "audiocodecid": 10.0, "audiosamplerate": float(AUDIO_RATE_HZ), "audiosamplesize": 16.0, "stereo": False,
        }  # fmt: skip
        self._send(Message(DATA, amf.write("@setDataFrame", "onMetaData", about), self._stream), _SOUNDS)
        header = bytes([0x17, 0, 0, 0, 0]) + decoder_record(*parameter_sets(first.units))
        self._send(Message(PICTURE, header, self._stream), _PICTURES)
        self._send(Message(SOUND, bytes([0xAF, 0]) + configuration, self._stream), _SOUNDS)

    def _send_sound(self, packets: "list[av.Packet[Any]]") -> None:
        for packet in packets:
            # what lies before the first picture has no time here
            if packet.pts is not None and packet.pts >= 0:
                at_ms = packet.pts * 1000 // AUDIO_RATE_HZ
                self._send(Message(SOUND, bytes([0xAF, 1]) + bytes(packet), self._stream, at_ms), _SOUNDS)

    def _command(self, *values: amf.Value, stream: int = 0) -> None:
        self._send(Message(COMMAND, amf.write(*values), stream), _COMMANDS)

    def _send(self, message: Message, chunk_stream: int) -> None:
        # the chunk size holds from the message that announces it on, which is shorter than the first one's limit
        data = written(message, chunk_stream)
        self.sent_bytes += len(data)
        self._out.write(data)

    # --- in

    async def _shake_hands(self) -> None:
        """Section 5.2, the simple form, which every server takes."""
        first = bytes(8) + os.urandom(_HANDSHAKE_BYTES - 8)
        self._out.write(b"\x03" + first)
        answer = await self._in.readexactly(1 + 2 * _HANDSHAKE_BYTES)
        if answer[0] != 3:
            raise ValueError("no RTMP server")
        self._out.write(answer[1 : 1 + _HANDSHAKE_BYTES])

    async def _listen(self) -> None:
        while True:
            message = await self._next()
            if message.kind == COMMAND:
                values = amf.read(message.payload)
                about = values[3] if len(values) > 3 else None
                if values[:1] == ["onStatus"] and isinstance(about, dict) and about.get("level") == "error":
                    raise ConnectionResetError("the server refuses the stream")

    async def _next(self) -> Message:
        """The next message that is not about the connection itself. Raises `ConnectionResetError` at its end."""
        while True:
            while not self._inbox:
                data = await self._in.read(1 << 16)
                if not data:
                    raise ConnectionResetError("the server closed the connection")
                self._inbox += self._messages.feed(data)
                if self._window and self._messages.received_bytes - self._acknowledged >= self._window // 2:
                    self._acknowledged = self._messages.received_bytes
                    count = struct.pack(">I", self._acknowledged & 0xFFFFFFFF)
                    self._send(Message(ACKNOWLEDGEMENT, count), _CONTROL)
            message = self._inbox.pop(0)
            if message.kind == WINDOW_SIZE:
                self._window = int.from_bytes(message.payload[:4], "big")
            elif message.kind == USER_CONTROL and message.payload[:2] == PING.to_bytes(2, "big"):
                self._send(Message(USER_CONTROL, PONG.to_bytes(2, "big") + message.payload[2:6]), _CONTROL)
            elif message.kind in (COMMAND, DATA):
                return message

    async def _result(self, transaction: float) -> amf.Value:
        while True:
            values = amf.read((await self._next()).payload)
            if values[1:2] == [transaction]:
                if values[0] != "_result":
                    raise SinkFailed("the server refuses the application or stream")
                return values[3] if len(values) > 3 else None

    async def _status(self) -> None:
        while True:
            values = amf.read((await self._next()).payload)
            about = values[3] if len(values) > 3 else None
            if values[0] == "onStatus" and isinstance(about, dict):
                if about.get("code") != "NetStream.Publish.Start":
                    raise SinkFailed("the server refuses the stream's name or key")
                return


def decoder_record(sps: bytes, pps: bytes) -> bytes:
    """AVCDecoderConfigurationRecord, ISO/IEC 14496-15 section 5.3.3.1, lengths of four bytes."""
    one = bytes([1, *sps[1:4], 0xFF, 0xE1]) + struct.pack(">H", len(sps)) + sps
    return one + bytes([1]) + struct.pack(">H", len(pps)) + pps
