#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A guest agent, as libvirt sees one: QEMU's channel to the guest is opened from within, commands are answered.
usage: agent guest FILE        writes the disk of a guest that passes on what its channel and its first serial port say
       agent answer SOCKET     answers there, in the place of the serial port, and prints each command"""
import json
import os
import socket
import sys

# What a PC runs from its disk's first sector; its source is agent.s beside this.
GUEST = bytes.fromhex(
    "31c08ed88ed0bc007cfcb802b1b90310baf41a31f6cd1abf0400b809b1cd1a83c907b80cb1cd1abf1000b809b1cd1a83e1fc"
    "89cdfa8d5612b001eeb003ee8d560466b80200000066efbe0091b80300b90010e8c500b80400b90018e8bc00b80500b90020"
    "e8b3008d5612b007eeb800108ee064c7060000109064c60608000866c70610900100000066c706149006000100b800188ee0"
    "64c7060000008064c7060800001064c6060c0002b800208ee064c7060000009064c606080001baf90331c0ee4240eebe0891"
    "e89500be0091e88f00be0891e89b00752548234406c1e00301c7648b4d08be0080bafd03eca82074fbacbaf803eee2f1be08"
    "91e86200bafd03eca80174cbbaf803eca20090be1091e84d00e85c0075fbebb78ec1890c508d560eef31ff31c0b90040f3ab"
    "8d560ced89c14889440689c8c1e00489440201c801c80505102500f0894404660fb704c1e8088d560866ef588984800083c6"
    "08c38e248b5c0264ff47028b8480008d5610efc38e248b5c028b7c04648b4502643b4702c3"
)


def guest(path):
    with open(path, "wb") as disk:
        disk.write(GUEST.ljust(510, b"\0") + b"\x55\xaa")
        disk.truncate(1 << 20)


def answer(path):
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o777)
    listener.listen(4)
    while True:
        stream = listener.accept()[0].makefile("rwb")
        for line in stream:
            command = json.loads(line.lstrip(b"\xff"))
            print(json.dumps(command), flush=True)
            told = command.get("arguments", {}).get("id", {})
            mark = b"\xff" if command["execute"] == "guest-sync-delimited" else b""
            stream.write(mark + json.dumps({"return": told}).encode() + b"\n")
            stream.flush()


match sys.argv[1:]:
    case ["guest", path]:
        guest(path)
    case ["answer", path]:
        answer(path)
    case _:
        sys.exit(__doc__)
