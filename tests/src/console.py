#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Types a name and a password into login(1) on a terminal of its own.  usage: console PERSON PASSWORD [COMMAND]
Ends with 0 if that let the person in, who then ran the command. The password `-` is nobody's: login asks for none.
login hangs up its terminal once, which ends expect, so this reads on."""
import os
import pty
import sys
import time

END = time.monotonic() + 100
person, password = sys.argv[1:3]
command = sys.argv[3] if len(sys.argv) > 3 else "echo came-in-$(id -un)"
child, terminal = pty.fork()
if child == 0:
    os.execvp("login", ["login"] + (["-f"] if password == "-" else []) + [person])
seen = b""


def read_on():
    """Takes what is shown next. Ends with login."""
    global seen
    try:
        data = os.read(terminal, 4096)
        seen += data
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.05)
    return time.monotonic() < END


def await_any(*words):
    global seen
    while read_on():
        for word in words:
            if word in seen:
                seen = seen.split(word, 1)[1]
                return word
    sys.exit("login ended, or nothing more to see")


if password != "-":
    if await_any(b"assword: ", b"ncorrect") != b"assword: ":
        sys.exit("\nrefused before a password was asked for")
    os.write(terminal, password.encode() + b"\n")
if await_any(b"$ ", b"# ", b"ncorrect", b"failure") not in (b"$ ", b"# "):
    sys.exit("\nrefused")
os.write(terminal, command.encode() + b"; exit\n")
while read_on():
    pass
if time.monotonic() >= END:
    sys.exit("\nthe command did not end in time")
