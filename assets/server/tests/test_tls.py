"""The pair that the ingress reads, cut at every effect, and what port 443 shows of it. Not proven: nginx in a container (test/lab)."""

import os
import shutil
import socket
import ssl
import tempfile
import threading
import unittest
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest import mock

from geoclic_server import layout, tls, town
from geoclic_server.failure import Failure
from geoclic_server.process import Result
from tests.pairs import pair


class Cut(BaseException):
    """The power goes."""


EFFECTS = ("replace", "mkdir", "unlink", "symlink")


@contextmanager
def dying_after(count):
    """Every call that changes the folder is counted; the one after `count` of them never happens, nor any later one."""
    left = [count]

    def counted(function):
        def call(*args, **kwargs):
            if left[0] <= 0:
                raise Cut
            left[0] -= 1
            return function(*args, **kwargs)
        return call

    with mock.patch.object(os, "replace", counted(os.replace)), mock.patch.object(Path, "mkdir", counted(Path.mkdir)), \
            mock.patch.object(Path, "symlink_to", counted(Path.symlink_to)), mock.patch.object(shutil, "rmtree", counted(shutil.rmtree)):
        yield left


@contextmanager
def serving(chain, key, answer):
    """A server of one certificate, which whoever asks port 443 reaches."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        for name, content in (("c", chain), ("k", key)):
            Path(folder, name).write_bytes(content)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(folder, "c"), Path(folder, "k"))

        def serve():
            with suppress(OSError), listening.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as secured:
                secured.recv(4096)
                secured.sendall(answer)
        thread = threading.Thread(target=serve)
        thread.start()
        reached = listening.getsockname()
        connect = socket.create_connection
        with mock.patch.object(town.socket, "create_connection", lambda _address, timeout: connect(reached, timeout)):
            yield
        thread.join()


class Pairs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tls = Path(folder.name) / "tls"
        self.tls.mkdir()
        for module, name, value in ((layout, "TLS", self.tls), (tls, "CHAIN", self.tls / "fullchain.pem"), (tls, "KEY", self.tls / "privkey.pem"),
                                    (tls, "_PAIRS", self.tls / "pairs"), (tls, "_LIVE", self.tls / "live"),
                                    # A thousand of them take ten seconds.
                                    (os, "fsync", lambda _descriptor: None)):
            patch = mock.patch.object(module, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def test_what_the_ingress_still_serves_is_believed_after_a_renewal(self):
        """Certbot's hook may come in the middle of an activation, whose end the reload waits for."""
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        tls.place(*pair(serial=1))
        tls.place(*pair(serial=2))
        with serving(*pair(serial=1), answer):
            self.assertEqual(town.get("ville.fr", "/", 5), (200, b"ok"))
        with serving(*pair(serial=2), answer):
            self.assertEqual(town.get("ville.fr", "/", 5), (200, b"ok"))
        tls.place(*pair(serial=3))
        with serving(*pair(serial=1), answer), self.assertRaises(ssl.SSLError):
            town.get("ville.fr", "/", 5)

    def read(self):
        """As nginx does: each file by its name. Whether they fit, and which they are."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls / "fullchain.pem", self.tls / "privkey.pem")
        return (self.tls / "fullchain.pem").read_bytes()

    def former(self, state):
        """Installations of before."""
        if state == "plain files":
            for name, content in zip(("fullchain.pem", "privkey.pem"), pair(serial=1), strict=True):
                (self.tls / name).write_bytes(content)
        elif state == "half a pair":
            (self.tls / "fullchain.pem").write_bytes(pair(serial=1)[0])
            (self.tls / "privkey.pem").write_bytes(pair(serial=2)[1])
        elif state == "linked":
            tls.place(*pair(serial=1))

    def test_places_in_every_former_state_and_is_idempotent(self):
        for state in ("nothing", "plain files", "half a pair", "linked"):
            with self.subTest(state):
                self.setUp()
                self.former(state)
                self.assertTrue(tls.place(*pair(serial=2)))
                self.assertEqual(self.read(), pair(serial=2)[0])
                self.assertFalse(tls.place(*pair(serial=2)))
                self.assertEqual((self.tls / "privkey.pem").stat().st_mode & 0o777, 0o600)

    def test_an_installation_of_before_becomes_links_without_another_content(self):
        self.former("plain files")
        self.assertFalse(tls.place(*pair(serial=1)))
        self.assertTrue((self.tls / "fullchain.pem").is_symlink())
        self.assertEqual(self.read(), pair(serial=1)[0])

    def test_links_hold_inside_a_container_that_mounts_the_folder_elsewhere(self):
        tls.place(*pair(serial=1))
        with tempfile.TemporaryDirectory() as elsewhere:
            shutil.copytree(self.tls, Path(elsewhere) / "ssl", symlinks=True)
            shutil.rmtree(self.tls)
            self.assertEqual((Path(elsewhere) / "ssl/fullchain.pem").read_bytes(), pair(serial=1)[0])

    def test_cut_anywhere_what_can_be_read_is_a_whole_pair(self):
        for state in ("plain files", "linked"):
            cuts = 0
            while True:
                self.setUp()
                self.former(state)
                with dying_after(cuts) as left:
                    try:
                        tls.place(*pair(serial=2))
                    except Cut:
                        pass
                    is_over = left[0] > 0
                with self.subTest(state, cuts=cuts):
                    self.assertIn(self.read(), (pair(serial=1)[0], pair(serial=2)[0]))
                    tls.place(*pair(serial=2))
                    self.assertEqual(self.read(), pair(serial=2)[0])
                if is_over:
                    break
                cuts += 1
            self.assertGreater(cuts, 5)

    def test_a_key_that_does_not_fit_is_refused_before_anything_changes(self):
        tls.place(*pair(serial=1))
        for chain, key in ((pair(serial=2)[0], pair(serial=3)[1]), (b"", pair(serial=2)[1]), (pair(serial=2)[0], b"")):
            with self.assertRaises(Failure) as caught:
                tls.place(chain, key)
            self.assertEqual(caught.exception.code, "CERTIFICATE_BROKEN")
            self.assertEqual(self.read(), pair(serial=1)[0])

    def test_the_former_pair_stays_and_older_ones_go(self):
        for serial in (1, 2, 3, 4):
            tls.place(*pair(serial=serial))
        self.assertEqual(len(list((self.tls / "pairs").iterdir())), 2)


class Serving(Pairs):
    """`serve` with an ingress of the test's own: what it read last is what it shows."""

    def setUp(self):
        super().setUp()
        self.shown, self.said, self.refuses, self.held = None, [], False, 0
        release = {"adapter": {"tls": {"service": "nginx", "test": ["nginx", "-tq"], "reload": ["nginx", "-s", "reload"]}}}

        @contextmanager
        def operation(_what, wait=0, _on_wait=None):
            if self.held > wait:
                raise Failure("BUSY", "lock", "an activation is going on here", "wait.")
            yield

        for module, name, value in ((tls, "_ingress", lambda: ("c1", release)), (tls, "shown", lambda _domain: self.shown), (tls, "run", self.run_),
                                    (tls, "operation", operation), (tls.detour, "forget", lambda _release: self.said.append("forget")), (tls, "_SHOWN_SECONDS", 0.1)):
            patch = mock.patch.object(module, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def run_(self, words, **kwargs):
        if words[0] == "openssl":
            return Result(0, "serial=02\nnotAfter=2027-03-15 12:00:00Z\nissuer=x\n", "")
        self.said.append(" ".join(words))
        if "-tq" in words and self.refuses:
            return Result(1, "", "host not found in upstream")
        if "reload" in words:
            self.shown = ssl.PEM_cert_to_DER_cert(self.read().decode())
        return Result(0, "", "")

    def test_a_reload_that_was_refused_is_made_up_for(self):
        tls.serve("ville.fr", *pair(serial=1), 0)
        self.refuses = True
        with self.assertRaises(Failure) as caught:
            tls.serve("ville.fr", *pair(serial=2), 0)
        self.assertEqual(caught.exception.code, "INGRESS_REFUSES")
        self.refuses = False
        # The file is not new any more, and the hook does not come again.
        tls.serve("ville.fr", *pair(serial=2), 0)
        self.assertEqual(self.shown, ssl.PEM_cert_to_DER_cert(pair(serial=2)[0].decode()))

    def test_nothing_is_said_to_an_ingress_that_serves_it(self):
        tls.serve("ville.fr", *pair(serial=2), 0)
        self.said.clear()
        tls.serve("ville.fr", *pair(serial=2), 0)
        self.assertEqual(self.said, [])

    def test_copied_and_not_reloaded_while_an_activation_holds_the_ingress(self):
        self.held = 60
        with self.assertRaises(Failure) as caught:
            tls.serve("ville.fr", *pair(serial=2), 10)
        self.assertEqual((caught.exception.code, self.said, self.read()), ("BUSY", [], pair(serial=2)[0]))

    def test_one_that_keeps_the_former_is_told(self):
        with mock.patch.object(tls, "shown", lambda _domain: b"former"), self.assertRaises(Failure) as caught:
            tls.serve("ville.fr", *pair(serial=2), 0)
        self.assertEqual(caught.exception.code, "CERTIFICATE_NOT_SERVED")
