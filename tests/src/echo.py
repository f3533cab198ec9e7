#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Talks through `virsh console` with something that sends back each byte it hears, and compares.
usage: echo guest FILE         writes the disk of a guest that does so
       echo far PID            does so itself, in the place of an emulator, at the far end of its pseudo terminal
       echo talk VM BYTES [AT ONCE]
                               ends with 0 if so many bytes came back as they went"""
import ctypes
import os
import pty
import random
import select
import signal
import sys
import termios
import time
import zlib

# What a PC runs from its disk's first sector: waits for a byte at the first serial port and sends it back.
GUEST = bytes.fromhex(
    "fa"  # no interrupts
    "baf903 30c0 ee"  # none from the port either
    "bafa03 b001 ee"  # queues on
    "bafd03 ec a801 74fb"  # wait until there is a byte
    "baf803 ec 88c4"  # take it
    "bafd03 ec a820 74fb"  # wait until there is room
    "88e0 baf803 ee"  # send it
    "ebe2"  # and again
)
# So much is under way at once: what nobody fetches in time, a serial port may lose.
WINDOW = 2048
PIDFD_GETFD = 438
END = time.monotonic() + 240


def guest(path):
    with open(path, "wb") as disk:
        disk.write(GUEST.ljust(510, b"\0") + b"\x55\xaa")
        disk.truncate(1 << 20)


def far(pid):
    """Serial ports pass a byte at a time, which takes an hour for what is a moment for a stream. So the emulator is
    stopped, and its end of the terminal taken from it."""
    os.kill(pid, signal.SIGSTOP)
    number = next(fd for fd in os.listdir(f"/proc/{pid}/fd") if "ptmx" in os.readlink(f"/proc/{pid}/fd/{fd}"))
    end = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, os.pidfd_open(pid), int(number), 0)
    if end < 0:
        sys.exit(f"echo: no descriptor: {os.strerror(ctypes.get_errno())}")
    os.set_blocking(end, True)
    while True:
        try:
            data = os.read(end, 4096)
        except OSError:
            # Nobody has it open.
            time.sleep(0.1)
            continue
        while data:
            data = data[os.write(end, data) :]


class Console:
    """virsh on a terminal of its own."""

    def __init__(self, vm):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.execvp("virsh", ["virsh", "-c", "qemu:///system", "console", vm])
        seen = b""
        while not seen.rstrip(b"\r\n ").endswith(b"(Ctrl + ])"):
            seen += self.hear(60) or self.give_up(f"virsh said {seen!r}")
        # From now on nothing between here and virsh changes a byte.
        while termios.tcgetattr(self.terminal)[3] & (termios.ICANON | termios.ECHO):
            time.sleep(0.1)

    def give_up(self, why):
        sys.exit(f"echo: {why}")

    def hear(self, patience):
        if not select.select([self.terminal], [], [], patience)[0]:
            return b""
        try:
            return os.read(self.terminal, 65536)
        except OSError:
            return b""

    def say(self, data):
        while data:
            data = data[os.write(self.terminal, data) :]

    def wake(self):
        """The guest may still be starting: asks until it answers, then waits until it has said everything."""
        while True:
            if time.monotonic() > END:
                self.give_up("the guest does not answer")
            self.say(b"?")
            if b"?" in self.hear(1):
                break
        while self.hear(3):
            pass

    def exchange(self, data):
        left, heard = data, b""
        while len(heard) < len(data):
            talking = [self.terminal] if left else []
            may_hear, may_say, _ = select.select([self.terminal], talking, [], 60)
            if may_say:
                left = left[os.write(self.terminal, left[:1024]) :]
            if may_hear:
                heard += self.hear(0)
            if not may_say and not may_hear:
                self.give_up(f"{len(heard)} of {len(data)} bytes came back")
        if heard != data:
            at = next(at for at, pair in enumerate(zip(data, heard)) if pair[0] != pair[1])
            self.give_up(f"byte {at} of {len(data)} went as {data[at:at + 8]!r} and came as {heard[at:at + 8]!r}")


def talk(vm, length, window):
    console = Console(vm)
    console.wake()
    began, sum_of_all = time.monotonic(), 0
    # All bytes but the one that ends virsh.
    alphabet = bytes(byte for byte in range(256) if byte != 0x1D)
    for at in range(0, length, window):
        if time.monotonic() > END:
            console.give_up(f"only {at} bytes in time")
        data = bytes(random.choices(alphabet, k=min(window, length - at)))
        console.exchange(data)
        sum_of_all = zlib.crc32(data, sum_of_all)
    console.say(b"\x1d")
    print(f"{length} bytes came back as they went, in {time.monotonic() - began:.1f} s, sum {sum_of_all:08x}")


match sys.argv[1:]:
    case ["guest", path]:
        guest(path)
    case ["far", pid]:
        far(int(pid))
    case ["talk", vm, length]:
        talk(vm, int(length), WINDOW)
    case ["talk", vm, length, window]:
        talk(vm, int(length), int(window))
    case _:
        sys.exit(__doc__)
