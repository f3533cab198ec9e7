#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Types a name and a password into login(1) on a terminal of its own.  usage: console PERSON PASSWORD
Ends with 0 if that let the person in. login hangs up its terminal once, which ends expect, so this reads on."""
import os
import pty
import sys
import time

END = time.monotonic() + 40
person, password = sys.argv[1:3]
child, terminal = pty.fork()
if child == 0:
    os.execvp("login", ["login", person])
seen = b""


def await_any(*words):
    global seen
    while time.monotonic() < END:
        for word in words:
            if word in seen:
                seen = seen.split(word, 1)[1]
                return word
        try:
            data = os.read(terminal, 4096)
            seen += data
            sys.stdout.buffer.write(data)
        except OSError:
            if os.waitpid(child, os.WNOHANG)[0]:
                sys.exit("login ended")
            time.sleep(0.05)
    sys.exit("nothing more to see")


if await_any(b"assword: ", b"ncorrect") != b"assword: ":
    sys.exit("\nrefused before a password was asked for")
os.write(terminal, password.encode() + b"\n")
if await_any(b"$ ", b"# ", b"ncorrect", b"failure") not in (b"$ ", b"# "):
    sys.exit("\nrefused")
os.write(terminal, b"echo came-in-$(id -un)\n")
await_any(b"came-in-" + person.encode())
os.write(terminal, b"exit\n")
