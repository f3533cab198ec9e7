#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Types keys into a shell on a terminal, as a person does.  usage: keys bash|zsh|fish KEYS
`<TAB>` in KEYS is that key; the line is entered at its end. Shows what the terminal showed from the line on, without
what only moves or colours."""
import os
import pty
import re
import select
import sys
import time

SHELLS = {
    "bash": (["bash", "--norc", "-i"], ". /usr/share/bash-completion/completions/virtwarden"),
    "zsh": (["zsh", "-f", "-i"], "autoload -Uz compinit && compinit -u -D; setopt no_auto_menu no_always_last_prompt"),
    "fish": (["fish", "--private"], "set -g fish_autosuggestion_enabled 0"),
}
END = time.monotonic() + 100
program, setup = SHELLS[sys.argv[1]]
child, terminal = pty.fork()
if child == 0:
    os.environ.update(TERM="xterm", COLUMNS="200", LINES="50", LC_ALL="C.UTF-8")
    os.execvp(program[0], program)


def read(quiet):
    """Everything from when something comes until nothing has come for so long."""
    seen, patience = b"", 20
    while time.monotonic() < END and select.select([terminal], [], [], patience)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        # fish asks what the terminal is, and waits for the answer.
        if b"\x1b[c" in data or b"\x1b[0c" in data:
            os.write(terminal, b"\x1b[?62;c")
        seen, patience = seen + data, quiet
    return seen.decode(errors="replace")


read(1)
os.write(terminal, setup.encode() + b"\r")
read(1)
shown = ""
for part in re.split("(<TAB>)", sys.argv[2]):
    if part:
        os.write(terminal, b"\t" if part == "<TAB>" else part.encode())
        shown += read(0.6)
os.write(terminal, b"\r")
shown += read(1.5)
print(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|\x1b\(B|[\x07\x08\r]", "", shown))
