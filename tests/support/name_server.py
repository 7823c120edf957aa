"""A name server that knows SRV records and nothing else, on port 53 of a loopback address of its own."""

import random
import socket
import struct
import threading


class NameServer:
    """`records`: {name: [(target, port, weight), ...]}, to be changed at will. Needs the right to port 53."""

    def __init__(self):
        self.records, self.asked = {}, 0
        self.address = f"127.0.53.{random.randrange(2, 255)}"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, 53))
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self):
        self._socket.close()

    def _run(self):
        while True:
            try:
                query, client = self._socket.recvfrom(4096)
                self.asked += 1
                self._socket.sendto(self._answer(query), client)
            except OSError:
                return

    def _answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += query[at] + 1
        question = query[12:at + 5]
        is_srv = struct.unpack_from("!H", query, at + 1)[0] == 33
        records = self.records.get(".".join(labels).lower(), []) if is_srv else []
        code = 0 if records else 3  # NXDOMAIN
        answer = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(records), 0, 0) + question
        for target, port, weight in records:
            data = struct.pack("!HHH", 0, weight, port) + _name(target)
            answer += b"\xc0\x0c" + struct.pack("!HHIH", 33, 1, 1, len(data)) + data
        return answer


def _name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"
