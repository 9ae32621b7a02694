"""How a certificate is asked for, with certbot answered for in words that it has said. Not proven: certbot itself (test/lab)."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from geoclic_server import acme, boot, certificate, lineages
from geoclic_server.failure import Failure
from geoclic_server.process import Result
from tests.test_acme import DEACTIVATED, LIMIT, NONCE, UNEXPECTED, document

OK = (0, "Successfully received certificate.", "")
PASSING = (1, UNEXPECTED % NONCE, document("badNonce", NONCE))
LIMITED = (1, UNEXPECTED % LIMIT, document("rateLimited", LIMIT, 429, "Retry-After: 3000\n"))
LOST = (1, UNEXPECTED % DEACTIVATED, document("unauthorized", DEACTIVATED, 403))


class Asking(unittest.TestCase):
    def ask(self, *answers, accounts=(), wanted=None):
        """Words of each call of certbot, and how long was waited between them."""
        calls, waited, left, known = [], [], list(answers), list(accounts)
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "letsencrypt.log"

            def run(words, **_):
                calls.append(words)
                status, output, text = left.pop(0)
                log.write_text(text)
                return Result(status, "", output)

            lineage = lineages.Lineage("ville.fr-0001", f"account = {wanted}\n", 1, (1,), ()) if wanted else None
            with mock.patch.object(certificate, "run", run), mock.patch.object(certificate, "_LOG", log), \
                    mock.patch.object(certificate, "_lineage", lambda _domain: lineage), mock.patch.object(lineages, "accounts", lambda _server: list(known)), \
                    mock.patch.object(lineages, "forget_account", lambda _server, account: known.remove(account)), \
                    mock.patch.object(certificate.time, "sleep", waited.append):
                try:
                    certificate._ask("ville.fr", "a@ville.fr", "https://ca/dir")
                    failure = None
                except Failure as caught:
                    failure = caught
        return [words[words.index("--account") + 1] if "--account" in words else None for words in calls], waited, failure, calls

    def test_what_passes_by_itself_is_tried_again(self):
        accounts, waited, failure, _ = self.ask(PASSING, PASSING, OK)
        self.assertEqual((accounts, waited, failure), ([None, None, None], [2, 5], None))

    def test_one_that_never_passes_ends_with_the_authoritys_sentence(self):
        _, waited, failure, _ = self.ask(*[PASSING] * 9)
        self.assertEqual((waited, failure.code), ([2, 5, 15, 30, 60], "ACME_DOWN"))
        self.assertIn(NONCE, failure.cause)

    def test_a_limit_is_not_run_against(self):
        _, waited, failure, calls = self.ask(LIMITED)
        self.assertEqual((waited, failure.code, len(calls)), ([], "ACME_RATE_LIMITED", 1))
        self.assertIn("retry after 2026-11-26 19:00:00 UTC", failure.cause)

    def test_of_several_accounts_the_lineages_own_or_the_newest(self):
        for wanted, account in (("old", "old"), ("gone", "new"), (None, "new")):
            with self.subTest(wanted):
                self.assertEqual(self.ask(OK, accounts=("new", "old"), wanted=wanted)[0], [account])

    def test_a_lost_account_is_set_aside_and_the_next_one_used(self):
        accounts, waited, failure, _ = self.ask(LOST, LOST, OK, accounts=("new", "old"))
        self.assertEqual((accounts, waited, failure), (["new", "old", None], [], None))

    def test_an_authority_that_takes_no_account_is_left(self):
        accounts, _, failure, _ = self.ask(*[LOST] * 9, accounts=[f"a{number}" for number in range(9)])
        self.assertEqual((len(accounts), failure.code), (4, "ACME_ACCOUNT_LOST"))

    def test_goes_on_under_the_name_that_serves(self):
        *_, calls = self.ask(OK, wanted="x")
        self.assertIn("ville.fr-0001", calls[0])
        self.assertEqual(calls[0][calls[0].index("--domain") + 1], "ville.fr")


class Boot(unittest.TestCase):
    def test_the_pair_is_in_its_place_before_a_container_starts(self):
        done = []
        with mock.patch.object(boot.layout, "running_release", lambda: "0123456789ab"), mock.patch.object(boot.layout, "read_release", lambda _id: {}), \
                mock.patch.object(boot.certificate, "at_boot", lambda: done.append("pair")), mock.patch.object(boot, "_take_turn", lambda _held: False), \
                mock.patch.object(boot, "_start_down", lambda _release: done.append("containers") or []):
            boot.start()
        self.assertEqual(done, ["pair", "containers"])

    def test_nothing_keeps_the_town_down(self):
        for known, failure, expected in (({}, None, []), ({"domain": "ville.fr"}, None, ["ville.fr"]), ({"domain": "ville.fr"}, Failure("CERTIFICATE_MISSING", "certificate", "none", "x"), ["ville.fr"]),
                                         ({"domain": "ville.fr"}, OSError("disk"), ["ville.fr"])):
            called = []

            def deploy(domain, failure=failure, called=called):
                called.append(domain)
                if failure:
                    raise failure
            with self.subTest(known, failure=failure), mock.patch.object(certificate, "deploy", deploy), mock.patch.object(certificate.layout, "read_json", lambda _path, known=known: known):
                certificate.at_boot()
                self.assertEqual(called, expected)


class Words(unittest.TestCase):
    def test_certbot_itself_never_asks_a_person(self):
        self.assertIn("--non-interactive", certificate._agreed("a@x.fr", "https://ca/dir", None))
        self.assertNotIn("--account", certificate._agreed("a@x.fr", "https://ca/dir", None))
        self.assertIsNone(acme.pause(acme.read("something new", ""), 1))
