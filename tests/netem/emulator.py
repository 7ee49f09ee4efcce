"""Carries IP packets between two network namespaces over a `Link` each way, through TUN devices. Needs root.

`python -m tests.netem.emulator SPEC`, SPEC being JSON as `namespaces.Wire` writes it. Prints "up" when packets pass and
what happened to them when it is told to end. The kernel's own emulator (sch_netem) is not built into every kernel."""

import ctypes
import fcntl
import heapq
import json
import os
import select
import signal
import struct
import subprocess
import sys
import time
from dataclasses import asdict
from types import FrameType
from typing import Any, Final

from tests.netem.link import Link, LinkSpec

_TUNSETIFF: Final = 0x400454CA
_IFF_TUN_NO_PI: Final = 0x1001
_CLONE_NEWNET: Final = 0x40000000
_MTU: Final = 1400
_UDP: Final = 17
_IDLE_S: Final = 0.05
_SPIN_S: Final = 0.0003


def open_tun(namespace: str, device: str, address: str) -> int:
    """A TUN device in a namespace; its file descriptor here."""
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(there, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {namespace}")
        tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH", device.encode(), _IFF_TUN_NO_PI))
    finally:
        libc.setns(home, _CLONE_NEWNET)
        os.close(there)
        os.close(home)
    for arguments in (
        ("addr", "add", f"{address}/24", "dev", device),
        ("link", "set", device, "up", "mtu", str(_MTU)),
        ("link", "set", "lo", "up"),
    ):
        subprocess.run(("ip", "-n", namespace, *arguments), check=True)
    os.set_blocking(tun, False)
    return tun


class Emulator:
    """Moves packets until it is stopped."""

    def __init__(self, ends: dict[int, tuple[int, Link]]) -> None:
        self._ends = ends
        self._began_s = time.monotonic()
        self._waiting: list[tuple[float, int, int, bytes]] = []
        self._serial = 0
        self._stopped = False
        self._cut = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Signal handler."""
        self._stopped = True

    def cut(self, number: int, frame: FrameType | None) -> None:
        """Signal handler: SIGUSR1 cuts the wire, SIGUSR2 mends it."""
        self._cut = number == signal.SIGUSR1

    def run(self) -> None:
        """Carry packets."""
        while not self._stopped:
            now_s = time.monotonic() - self._began_s
            while self._waiting and self._waiting[0][0] <= now_s:
                self._deliver(*heapq.heappop(self._waiting)[2:])
            idle_s = min(_IDLE_S, self._waiting[0][0] - now_s) if self._waiting else _IDLE_S
            ready, _, _ = select.select(list(self._ends), [], [], max(0.0, idle_s - _SPIN_S))
            for end in ready:
                self._take(end)

    def _take(self, end: int) -> None:
        out, link = self._ends[end]
        while True:
            try:
                packet = os.read(end, 2048)
            except BlockingIOError:
                return
            if not link.spec.udp and _is_udp(packet):
                continue
            out_s = link.pass_on(len(packet), time.monotonic() - self._began_s)
            if out_s is not None and not self._cut:
                self._serial += 1
                heapq.heappush(self._waiting, (out_s, self._serial, out, packet))

    @staticmethod
    def _deliver(end: int, packet: bytes) -> None:
        try:
            os.write(end, packet)
        except OSError:
            pass  # a device that is full or gone loses packets, as devices do


def _is_udp(packet: bytes) -> bool:
    """Whether this IP packet, of either version, carries UDP."""
    return packet[9 if packet[0] >> 4 == 4 else 6] == _UDP


def main(spec: dict[str, Any]) -> None:
    """Open both ends and carry packets between them until SIGTERM."""
    (near, far) = spec["ends"]
    near_tun = open_tun(near["namespace"], near["device"], near["address"])
    far_tun = open_tun(far["namespace"], far["device"], far["address"])
    for side in (spec["to_far"], spec["to_near"]):
        side["outage_s"] = tuple(side["outage_s"]) if side["outage_s"] else None
    to_far = Link(LinkSpec(**spec["to_far"]), spec["seed"])
    to_near = Link(LinkSpec(**spec["to_near"]), spec["seed"] + 1)
    emulator = Emulator({near_tun: (far_tun, to_far), far_tun: (near_tun, to_near)})
    signal.signal(signal.SIGTERM, emulator.stop)
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, emulator.cut)
    print("up", flush=True)
    emulator.run()
    print(json.dumps({"to_far": asdict(to_far.counts), "to_near": asdict(to_near.counts)}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
