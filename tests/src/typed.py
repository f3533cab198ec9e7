#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program on a terminal of its own and types a line at each prompt.  usage: typed LINE PROGRAM...
Shows what the terminal shows, and ends as the program ends."""
import os
import pty
import sys
import time

END = time.monotonic() + 60
PROMPTS = (b"assword", b"ogin: ", b"Type `yes`")
line, program = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(program[0], program)
seen = b""
while time.monotonic() < END:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    seen += data
    sys.stdout.buffer.write(data.replace(b"\r", b""))
    sys.stdout.buffer.flush()
    # What has a colon and nothing behind it waits for an answer.
    if seen.rstrip(b" ").endswith(b":") and any(prompt in seen for prompt in PROMPTS):
        seen = b""
        time.sleep(0.2)
        os.write(terminal, line.encode() + b"\n")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
