# SPDX-License-Identifier: MIT
"""A gate in front of a sandbox: what the proxy asks waits there until it is opened, so that a test knows what is under
way.

    with Gate(sandbox) as gate, Anchorage(gate.url) as proxy:
        gate.shut()
        ...            # a call is started
        gate.wait(1)   # its request has come
        gate.open()
"""
import socket
import threading

PATIENCE = 60


class Gate:
    def __init__(self, sandbox):
        self.target = ("127.0.0.1", sandbox.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v3"
        self.change = threading.Condition()
        self.is_open, self.came = True, 0
        self.threads, self.sockets = [], []
        self._spawn(self._accept)

    def _spawn(self, run, *arguments):
        thread = threading.Thread(target=run, args=arguments)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            self.sockets += [client, server]
            self._spawn(self._ask, client, server)
            self._spawn(self._pass, server, client)

    def _ask(self, client, server):
        """Requests are small, and the proxy sends each in one piece."""
        while data := self._receive(client):
            with self.change:
                self.came += data.count(b"GET /v3/")
                self.change.notify_all()
                self.change.wait_for(lambda: self.is_open, PATIENCE)
            self._send(server, data)
        self._end(server)

    def _pass(self, server, client):
        while data := self._receive(server):
            self._send(client, data)
        self._end(client)

    @staticmethod
    def _receive(connection):
        try:
            return connection.recv(65536)
        except OSError:
            return b""

    @staticmethod
    def _send(connection, data):
        try:
            connection.sendall(data)
        except OSError:
            pass

    @staticmethod
    def _end(connection):
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def shut(self):
        with self.change:
            self.is_open, self.came = False, 0

    def open(self):
        with self.change:
            self.is_open = True
            self.change.notify_all()

    def wait(self, count):
        """Return once so many requests have come since it was shut."""
        with self.change:
            if not self.change.wait_for(lambda: self.came >= count, PATIENCE):
                raise AssertionError(f"{self.came} requests came, not {count}")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.open()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.sockets):
            self._end(connection)
        for thread in self.threads:
            thread.join()
        for connection in self.sockets:
            connection.close()
