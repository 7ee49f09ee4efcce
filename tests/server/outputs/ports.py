"""Ports that nobody has taken."""

import socket


def free_port() -> int:
    """A TCP port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_udp_ports(count: int) -> int:
    """The first, an even one, of so many UDP ports in a row."""
    for first in range(20_000, 60_000, count + count % 2):
        taken: list[socket.socket] = []
        try:
            for port in range(first, first + count):
                taken.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                taken[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for one in taken:
                one.close()
    raise AssertionError("no UDP ports are free")
