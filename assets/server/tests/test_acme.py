"""What certbot says, as certbot 5.8 said it to an authority of the test's own. Not proven: certbot and Pebble themselves (test/lab)."""

import re
import unittest

from geoclic_server import acme
from geoclic_server.acme import Problem

SERVER_ERROR = re.compile(r"^error [A-Z0-9_]+ \[\S+\] \S+: .+\. Next: .+$")
UNEXPECTED = "Saving debug log to /var/log/letsencrypt/letsencrypt.log\nAn unexpected error occurred:\n%s\n" \
    "Ask for help or search for solutions at https://community.letsencrypt.org. See the logfile /var/log/letsencrypt/letsencrypt.log or re-run Certbot with -v for more details.\n"
REGISTERED = "Account registered.\nRequesting a certificate for ville.fr\n"


def document(kind, detail, status=400, headers=""):
    quoted = detail.replace('"', '\\"')
    return f'HTTP {status}\nContent-Type: application/problem+json\n{headers}\n{{"type": "urn:ietf:params:acme:error:{kind}", "detail": "{quoted}", "status": {status}}}\n'


NONCE = "JWS has an invalid anti-replay nonce: abcdef"
BUSY = "Service busy; retry later."
LIMIT = "too many new orders (300) from this account in the last 3h0m0s, retry after 2026-11-26 19:00:00 UTC: see https://letsencrypt.org/docs/rate-limits/"
LOST = 'Account "https://ca/acct/1" not found'
DEACTIVATED = 'Account is not valid, has status "deactivated"'

# (name, output, log, code, cause shown, seconds before a second attempt or None)
CASES = [
    ("badNonce twice", REGISTERED + UNEXPECTED % NONCE, document("badNonce", NONCE), "ACME_DOWN", NONCE, 2),
    ("busy, with a short pause", UNEXPECTED % f"Unable to register an account with ACME server. Error returned by the ACME server: {BUSY}", document("rateLimited", BUSY, 503, "Retry-After: 7\n"),
     "ACME_RATE_LIMITED", BUSY, 7),
    ("limited for long", UNEXPECTED % LIMIT, document("rateLimited", LIMIT, 429, "Retry-After: 3000\n"), "ACME_RATE_LIMITED", LIMIT, None),
    ("limited, without a word how long", UNEXPECTED % LIMIT, document("rateLimited", LIMIT, 429), "ACME_RATE_LIMITED", LIMIT, None),
    ("error of the authority", UNEXPECTED % "Error creating new order", document("serverInternal", "Error creating new order", 500), "ACME_DOWN", "Error creating new order", 2),
    ("a gateway's page", UNEXPECTED % "acme.errors.ClientError: <Response [502]>", "HTTP 502\n\n<html><h1>502 Bad Gateway</h1></html>", "ACME_DOWN", "acme.errors.ClientError: <Response [502]>", 2),
    ("no answer in time", UNEXPECTED % "requests.exceptions.ReadTimeout: HTTPConnectionPool(host='ca', port=443): Read timed out. (read timeout=45)", "", "ACME_DOWN", "Read timed out", 2),
    ("connection reset", UNEXPECTED % "requests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", "", "ACME_DOWN", "Connection reset", 2),
    ("connection refused", UNEXPECTED % "requests.exceptions.ConnectionError: Max retries exceeded with url: /dir (Connection refused)", "", "ACME_DOWN", "Connection refused", 2),
    ("another certbot", "Another instance of Certbot is already running.", "", "CERTBOT_BUSY", "Another instance", 2),
    ("no trust in the authority's own TLS", UNEXPECTED % "requests.exceptions.SSLError: certificate verify failed: unable to get local issuer certificate", "", "ACME_DOWN", "verify failed", None),
    ("a name that is refused", UNEXPECTED % "Error creating new order :: Cannot issue for \"ville.fr\": policy forbids issuing for name",
     document("rejectedIdentifier", 'Error creating new order :: Cannot issue for "ville.fr": policy forbids issuing for name'), "ACME_REFUSED", "policy forbids", None),
    ("account forgotten", UNEXPECTED % LOST, document("accountDoesNotExist", LOST), "ACME_ACCOUNT_LOST", LOST, None),
    ("account deactivated", UNEXPECTED % DEACTIVATED, document("unauthorized", DEACTIVATED, 403), "ACME_ACCOUNT_LOST", DEACTIVATED, None),
    ("a nonce that certbot got over by itself is no cause", UNEXPECTED % "OSError: [Errno 30] Read-only file system", document("badNonce", NONCE), "ACME_FAILED", "Read-only file system", None),
    ("two accounts, none chosen", "Missing command line flag or config entry for this setting:\nPlease choose an account\nChoices: ['a@1 (78b6)', 'b@2 (6808)']\nAsk for help or search", "",
     "ACME_FAILED", "Please choose an account Choices: ['a@1 (78b6)', 'b@2 (6808)']", None),
    ("address that does not resolve", '  Type:   connection\n  Detail: Get "http://x.fr:80/": could not resolve URL "http://x.fr:80/"', "", "DNS_FAILED", "could not resolve", None),
    ("no such name", "Certbot failed to authenticate some domains\n  Domain: x.fr\n  Type:   dns\n  Detail: DNS problem: NXDOMAIN looking up A for x.fr\n\nHint: check it\nSome challenges have failed.\n", "", "DNS_FAILED",
     "Type:   dns Detail: DNS problem: NXDOMAIN looking up A for x.fr", None),
    ("port 80 closed: a look that counts is not repeated", "  Type:   connection\n  Detail: 1.2.3.4: Fetching http://x.fr/: Timeout during connect (likely firewall problem)",
     document("connection", "1.2.3.4: Fetching http://x.fr/: Timeout during connect (likely firewall problem)"), "PORT80_CLOSED", "Timeout during connect", None),
    ("somebody else answers", "  Type:   unauthorized\n  Detail: 1.2.3.4: Invalid response from http://x.fr/: 404", "", "ACME_REFUSED", "Invalid response", None),
    ("CAA", "  Type:   caa\n  Detail: CAA record for x.fr prevents issuance", "", "ACME_REFUSED", "CAA record", None),
    ("something new", "something new", "", "ACME_FAILED", "something new", None),
]


class Words(unittest.TestCase):
    def test_code_cause_and_second_attempt(self):
        for name, output, log, code, cause, pause in CASES:
            with self.subTest(name):
                problem = acme.read(output, log)
                failure = acme.failure("ville.fr", problem)
                self.assertEqual(failure.code, code)
                self.assertIn(cause, failure.cause)
                self.assertNotIn("unexpected error", failure.cause)
                self.assertNotIn("Ask for help", failure.cause)
                self.assertEqual(acme.pause(problem, 1), pause)
                self.assertRegex(failure.line("c"), SERVER_ERROR)

    def test_an_account_is_lost_in_these_cases_alone(self):
        lost = [name for name, output, log, *_ in CASES if acme.is_account_lost(acme.read(output, log))]
        self.assertEqual(lost, ["account forgotten", "account deactivated"])

    def test_pauses_grow_and_end(self):
        passing = Problem("badNonce", NONCE, None, False)
        self.assertEqual([acme.pause(passing, attempt) for attempt in range(1, 8)], [2, 5, 15, 30, 60, None, None])

    def test_a_pause_that_the_authority_asks_for_is_told(self):
        self.assertIn("(retry after 3600 s)", acme.failure("x.fr", Problem("rateLimited", "slow down", 3600.0, False)).cause)
