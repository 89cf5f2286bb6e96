"""A TCP proxy between a client and a server that cuts both connections after so many bytes.

It resets rather than closes, as a machine that vanishes does. Does not belong here: what the bytes
mean.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

RESET = struct.pack("ii", 1, 0)


class CuttingProxy:
    """Listens on a free port of loopback; counts what clients send over all connections."""

    def __init__(self, target: tuple[str, int], cut_after: int | None = None) -> None:
        self.target, self.cut_after = target, cut_after
        self.sent = 0
        self.was_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self.target)
                for a, b, is_counted in ((client, server, True), (server, client, False)):
                    threading.Thread(
                        target=self._pump, args=(a, b, is_counted), daemon=True
                    ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, is_counted: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 14):
                if is_counted and self._must_cut(data):
                    sink.sendall(data[: len(data) // 2])
                    for end in (source, sink):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                        end.shutdown(socket.SHUT_RDWR)
                    break
                sink.sendall(data)
        for end in (source, sink):
            end.close()

    def _must_cut(self, data: bytes) -> bool:
        self.sent += len(data)
        if self.cut_after is None or self.sent < self.cut_after:
            return False
        self.was_cut = True
        return True
