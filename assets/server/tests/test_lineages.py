"""Certbot's folder in its half states. Not proven: that certbot takes what is repaired (tried by hand with 5.8; Pebble's in test/lab)."""

import fcntl
import json
import subprocess
import sys
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path

from geoclic_server import lineages
from geoclic_server.certificate import with_account
from tests.pairs import pair

RENEWAL = """version = 5.8.0
archive_dir = {root}/archive/{name}
cert = {root}/live/{name}/cert.pem
privkey = {root}/live/{name}/privkey.pem
chain = {root}/live/{name}/chain.pem
fullchain = {root}/live/{name}/fullchain.pem

# Options used in the renewal process
[renewalparams]
account = 0123
authenticator = webroot
server = https://ca/dir
"""


class Half(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def make(self, name="ville.fr", generations=(1,), renewal=True, live=True, archive=True):
        for number in generations if archive else ():
            self.archive(name, number, pair(serial=number))
        if renewal:
            (self.root / "renewal").mkdir(exist_ok=True)
            (self.root / f"renewal/{name}.conf").write_text(RENEWAL.format(root=self.root, name=name))
        if live:
            folder = self.root / "live" / name
            folder.mkdir(parents=True)
            for kind in lineages.KINDS:
                (folder / f"{kind}.pem").symlink_to(f"../../archive/{name}/{kind}{generations[-1]}.pem")

    def archive(self, name, number, parts):
        folder = self.root / "archive" / name
        folder.mkdir(parents=True, exist_ok=True)
        cert, key = parts
        issuer = cert
        for kind, content in zip(lineages.KINDS, (cert, issuer, cert + issuer, key), strict=True):
            (folder / f"{kind}{number}.pem").write_bytes(content)

    def looked(self):
        return [(one.name, one.is_whole, one.serving, one.generations) for one in lineages.of("ville.fr", self.root)]

    def test_each_half_state_is_linked_again_or_set_aside(self):
        def torn(what):
            def tear():
                self.make(generations=(1, 2))
                what()
            return tear
        live, archive = self.root / "live/ville.fr", self.root / "archive/ville.fr"
        linked = lambda number: [("ville.fr", True, number, (1,) if number == 1 else (1, 2))]  # noqa: E731
        states = [
            ("whole", torn(lambda: None), linked(2)),
            ("no links", lambda: self.make(generations=(1, 2), live=False), linked(2)),
            ("one link missing", torn(lambda: (live / "chain.pem").unlink()), linked(2)),
            ("links of two generations", torn(lambda: ((live / "cert.pem").unlink(), (live / "cert.pem").symlink_to("../../archive/ville.fr/cert1.pem"))), linked(2)),
            ("a file where a link belongs", torn(lambda: ((live / "cert.pem").unlink(), (live / "cert.pem").write_text("x"))), linked(2)),
            ("a renewal that was cut: an empty file", torn(lambda: (archive / "fullchain2.pem").write_text("")), linked(1)),
            ("a renewal that was cut: a file missing", torn(lambda: (archive / "chain2.pem").unlink()), linked(1)),
            ("a renewal that was cut: an empty chain", torn(lambda: (archive / "chain2.pem").write_text("")), linked(1)),
            ("a renewal that was cut: another key", torn(lambda: (archive / "privkey2.pem").write_bytes(pair(serial=9)[1])), linked(1)),
            ("archive without renewal file", lambda: self.make(renewal=False, live=False), []),
            ("links and archive without renewal file", lambda: self.make(renewal=False), []),
            ("empty renewal file", torn(lambda: (self.root / "renewal/ville.fr.conf").write_text("")), []),
            ("renewal file alone", lambda: self.make(live=False, archive=False), []),
            ("links into nothing", lambda: self.make(archive=False), []),
        ]
        for name, make, expected in states:
            with self.subTest(name):
                self.setUp()
                live, archive = self.root / "live/ville.fr", self.root / "archive/ville.fr"
                make()
                done = lineages.repair("ville.fr", self.root)
                self.assertEqual(self.looked(), expected)
                self.assertEqual(len(done), 0 if name == "whole" else 1)
                self.assertEqual(lineages.repair("ville.fr", self.root), [])

    def test_what_is_set_aside_is_there_still(self):
        self.make(renewal=False)
        key = (self.root / "archive/ville.fr/privkey1.pem").read_bytes()
        lineages.repair("ville.fr", self.root)
        kept = list((self.root / "geoclic-aside").glob("*/archive/ville.fr/privkey1.pem"))
        self.assertEqual([path.read_bytes() for path in kept], [key])
        self.assertEqual((self.root / "geoclic-aside").stat().st_mode & 0o777, 0o700)

    def test_nothing_is_touched_while_certbot_works(self):
        self.make(live=False)
        script = f"import fcntl,sys\nf=open({str(self.root / '.certbot.lock')!r},'w')\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint('held',flush=True)\nsys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            other.stdout.readline()
            self.assertEqual(lineages.repair("ville.fr", self.root), [])
            other.stdin.close()
            other.wait()
        self.assertEqual(len(lineages.repair("ville.fr", self.root)), 1)
        self.assertIsNotNone(fcntl)

    def test_names_that_certbot_made_beside_count_and_others_do_not(self):
        for name in ("ville.fr", "ville.fr-0001", "ville.fr-old", "ville.fr.example"):
            self.make(name)
        self.assertEqual([one.name for one in lineages.of("ville.fr", self.root)], ["ville.fr", "ville.fr-0001"])

    def test_the_one_that_ends_last_is_chosen_the_plain_name_of_equals(self):
        self.make("ville.fr")
        self.make("ville.fr-0001")
        found = lineages.of("ville.fr", self.root)
        early, late = (datetime(2027, month, 1, tzinfo=timezone.utc) for month in (1, 2))
        for ends, name in (((early, late), "ville.fr-0001"), ((late, early), "ville.fr"), ((early, early), "ville.fr")):
            self.assertEqual(lineages.chosen(found, ends).name, name)
        self.assertIsNone(lineages.chosen([], []))

    def account(self, name, made, without=None):
        folder = self.root / "accounts/ca.fr/dir" / name
        folder.mkdir(parents=True)
        for file, content in (("meta.json", {"creation_dt": made}), ("regr.json", {}), ("private_key.json", {})):
            if file != without:
                (folder / file).write_text(json.dumps(content))

    def test_accounts_the_newest_first_and_whole_ones_alone(self):
        self.account("aa", "2026-01-01T00:00:00Z")
        self.account("bb", "2026-03-01T00:00:00Z")
        self.account("cc", "2026-05-01T00:00:00Z", without="private_key.json")
        known = lineages.accounts("https://ca.fr/dir", self.root)
        self.assertEqual(known, ["bb", "aa"])
        for wanted, account in (("aa", "aa"), ("bb", "bb"), ("gone", "bb"), (None, "bb")):
            self.assertEqual(lineages.account_for(known, wanted), account)
        self.assertIsNone(lineages.account_for([], "aa"))
        lineages.forget_account("https://ca.fr/dir", "bb", self.root)
        self.assertEqual(lineages.accounts("https://ca.fr/dir", self.root), ["aa"])
        self.assertTrue(list((self.root / "geoclic-aside").glob("*/accounts/ca.fr/dir/bb/meta.json")))

    def test_the_account_that_renews_is_named(self):
        text = RENEWAL.format(root="/r", name="x")
        self.assertIn("\naccount = 4567\n", with_account(text, "4567"))
        self.assertEqual(with_account(text, "0123"), text)
        without = text.replace("account = 0123\n", "")
        self.assertIn("[renewalparams]\naccount = 4567\n", with_account(without, "4567"))
