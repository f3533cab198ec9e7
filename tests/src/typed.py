#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program on a terminal of its own and types a line at each prompt.  usage: typed LINE PROGRAM...
Shows what the terminal shows, and ends as the program ends."""
import os
import pty
import select
import sys
import termios
import time

END = time.monotonic() + 120
PROMPTS = (b"assword", b"ogin: ", b"Type `yes`")
line, program = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(program[0], program)
seen = b""


def hides():
    """Waits until what is typed is not shown. Some programs prompt first and then throw away what was typed before."""
    for _ in range(200):
        if not termios.tcgetattr(terminal)[3] & termios.ECHO:
            return
        time.sleep(0.1)


while time.monotonic() < END:
    if not select.select([terminal], [], [], 1)[0]:
        continue
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    seen += data
    sys.stdout.buffer.write(data.replace(b"\r", b""))
    sys.stdout.buffer.flush()
    # What has a colon and nothing behind it waits for an answer.
    if seen.rstrip(b" ").endswith(b":") and any(prompt in seen for prompt in PROMPTS):
        if b"assword" in seen:
            hides()
        seen = b""
        time.sleep(0.2)
        os.write(terminal, line.encode() + b"\n")
else:
    sys.exit("typed: the program did not end in time")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
