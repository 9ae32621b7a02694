"""What certbot's words mean. Pure."""

import re

from .failure import Failure, one_line

_STEP = "certificate"

_MEANINGS = (
    # (pattern, code, what to do next); the first that fits.
    (r"Another instance of Certbot is already running", "CERTBOT_BUSY", "wait a minute, then run again."),
    (r"ratelimited|too many (certificates|failed|new orders|registrations)|\b429\b", "ACME_RATE_LIMITED", "wait until the time that the message names, then run again."),
    (r"caa record|error:caa", "ACME_REFUSED", "let the CAA records of the domain allow this authority, then run again."),
    (r"error:dns|type:\s+dns|nxdomain|no valid a records|could not resolve", "DNS_FAILED", "correct the DNS records (A; no AAAA of elsewhere) and run again once they resolve."),
    (r"error:connection|type:\s+connection|timeout during connect|error:tls", "PORT80_CLOSED", "open port 80 from everywhere (OVH firewall, other programs), then run again."),
    (r"error:unauthorized|type:\s+unauthorized|invalid response from http", "ACME_REFUSED", "somebody else answers on port 80 of this name: check DNS (A and AAAA), then run again."),
    (r"rejectedidentifier|policy forbids|invalidcontact|invalidemail|externalaccountrequired", "ACME_REFUSED", "correct the domain or the e-mail in the stack file, then run again."),
    (r"serverinternal|down for maintenance|internal error|\b50[0-9]\b|service unavailable|bad gateway|timed out|max retries|connection (refused|reset|aborted)|name or service not known"
     r"|temporary failure in name resolution|failed to establish a new connection|certificate verify failed", "ACME_DOWN", "wait until the authority works again, then run again."),
)


def is_account_lost(output: str) -> bool:
    """The server has forgotten the account, as a test server does that was started again."""
    return re.search(r"accountDoesNotExist|Account .*not found|No account exists", output, re.IGNORECASE) is not None


def failure(domain: str, output: str) -> Failure:
    for pattern, code, action in _MEANINGS:
        if re.search(pattern, output, re.IGNORECASE):
            return Failure(code, _STEP, f"no certificate for {domain}: {detail(output)}", action)
    return Failure("ACME_FAILED", _STEP, f"no certificate for {domain}: {detail(output)}", "read /var/log/letsencrypt/letsencrypt.log on the server, then run again.")


def detail(output: str) -> str:
    """The lines that say why, without certbot's advice."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"^(Type|Detail):|urn:ietf|Error|error|unexpected|refused|too many", line)]
    noise = re.compile(r"^(Saving debug log|Ask for help|See the logfile|Hint:|Some challenges have failed|Certbot failed to authenticate)")
    chosen = [line for line in (telling or lines[-2:]) if not noise.match(line)] or lines[-1:]
    return one_line(" ".join(dict.fromkeys(chosen))[:500])
