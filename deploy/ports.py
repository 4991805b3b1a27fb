"""Ports on the loopback interface: chosen free once, then fixed in longzheng.yaml."""

import errno
import hashlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from deploy import processes
from deploy.configuration import PORT_NAMES, Ports
from deploy.errors import BadUsage, PortTaken

# Below the ephemeral range, so that no outgoing connection takes a port while the system is down.
FIRST_BLOCK, LAST_BLOCK, BLOCK = 20_000, 31_990, 10


def choose(state_dir: Path, *, asked: Mapping[str, int]) -> Ports:
    """Six free ports side by side, beginning at a place that depends on the state directory.

    Args:
        state_dir: two state directories begin their search at different places.
        asked: ports that were given by hand, by name; these are taken as they are.

    Raises:
        PortTaken: a port that was asked for is taken, or none is free.
        BadUsage: two parts were given the same port.
    """
    if len(set(asked.values())) != len(asked):
        raise BadUsage("Two parts were given the same port: give each its own.")
    for name, port in asked.items():
        check_free(port, name)
    blocks = (LAST_BLOCK - FIRST_BLOCK) // BLOCK
    start = int.from_bytes(hashlib.sha256(str(state_dir).encode()).digest()[:4], "big") % blocks
    for step in range(blocks):
        base = FIRST_BLOCK + (start + step) % blocks * BLOCK
        ports = {name: asked.get(name, base + place) for place, name in enumerate(PORT_NAMES)}
        chosen = [port for name, port in ports.items() if name not in asked]
        if len(set(ports.values())) == len(ports) and all(is_free(port) for port in chosen):
            return Ports(**ports)
    raise PortTaken("No free ports from 20000 to 31999: stop some programs, or give ports with --port.")


def asked_for(options: list[str]) -> dict[str, int]:
    """Ports given by hand: `NAME=NUMBER` options, then variables LONGZHENG_PORT_NAME.

    Raises:
        BadUsage: an unknown name or a number that is no port.
    """
    asked = {
        name: _number(name, os.environ[variable])
        for name in PORT_NAMES
        if os.environ.get(variable := f"LONGZHENG_PORT_{name.upper()}")
    }
    for option in options:
        name, _, number = option.partition("=")
        name = name.replace("-", "_")
        if name not in PORT_NAMES:
            raise BadUsage(f"--port {option}: the name must be one of {', '.join(PORT_NAMES)}.")
        asked[name] = _number(name, number)
    return asked


def is_free(port: int) -> bool:
    """Whether a program could listen on this port of the loopback interface, IPv4 and IPv6."""
    addresses = [(socket.AF_INET, "127.0.0.1")]
    if socket.has_ipv6:
        addresses.append((socket.AF_INET6, "::1"))
    for family, address in addresses:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except OSError as error:
                if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                    continue
                return False
    return True


def check_free(port: int, name: str) -> None:
    """Refuses a port on which another program listens.

    Raises:
        PortTaken: the sentence names the program, or says how to find it.
    """
    if not is_free(port):
        holder = processes.listener(port)
        found = f"stop it ({holder})" if holder else f"find it with `ss -ltnp 'sport = :{port}'` and stop it"
        raise PortTaken(
            f"Port {port} ({name}) is taken by another program: {found}, then run up again. Ports are fixed at"
            " first start, since addresses stand in certificates; only `./longzheng reset`, which deletes all"
            f" keys and data, lets `up --port {name}=NUMBER` choose another."
        )


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise BadUsage(f"The port of {name} must be a number from 1 to 65535, not {text!r}.")
    return int(text)
