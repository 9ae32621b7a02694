"""What certbot's words and log mean, and what to do about them. Pure."""

import re
from dataclasses import dataclass

from .failure import Failure, one_line

_STEP = "certificate"

_MEANINGS = (
    # (pattern over the authority's type and certbot's words, code, what to do next); the first that fits.
    (r"Another instance of Certbot is already running", "CERTBOT_BUSY", "wait a minute, then run again."),
    (r"ratelimited|too many (certificates|failed|new orders|registrations)|\b429\b", "ACME_RATE_LIMITED", "wait until the time that the message names, then run again."),
    (r"caa record|error:caa", "ACME_REFUSED", "let the CAA records of the domain allow this authority, then run again."),
    (r"error:dns|type:\s+dns|nxdomain|no valid a records|could not resolve", "DNS_FAILED", "correct the DNS records (A; no AAAA of elsewhere) and run again once they resolve."),
    (r"error:connection|type:\s+connection|timeout during connect|error:tls", "PORT80_CLOSED", "open port 80 from everywhere (OVH firewall, other programs), then run again."),
    (r"status \"?(deactivated|revoked)|accountdoesnotexist", "ACME_ACCOUNT_LOST", "run again: another account is registered."),
    (r"error:unauthorized|type:\s+unauthorized|invalid response from http", "ACME_REFUSED", "somebody else answers on port 80 of this name: check DNS (A and AAAA), then run again."),
    (r"rejectedidentifier|policy forbids|invalidcontact|invalidemail|externalaccountrequired", "ACME_REFUSED", "correct the domain or the e-mail in the stack file, then run again."),
    (r"badnonce|serverinternal|down for maintenance|internal error|\b50[0-9]\b|service unavailable|bad gateway|timed out|max retries|connection (refused|reset|aborted)|remote end closed"
     r"|name or service not known|temporary failure in name resolution|failed to establish a new connection|certificate verify failed", "ACME_DOWN", "wait until the authority works again, then run again."),
)

_PASSING = re.compile(r"\b50[0-9]\b|timed out|max retries|connection (refused|reset|aborted)|remote end closed|temporary failure in name resolution"
                      r"|failed to establish a new connection|another instance of certbot", re.IGNORECASE)
_PASSING_KINDS = {"badNonce", "serverInternal"}
_PAUSES = (2.0, 5.0, 15.0, 30.0, 60.0)
_LONGEST_PAUSE = 60.0
"""An authority that asks for longer is not waited for."""

_STRING = r'"((?:[^"\\]|\\.)*)"'
_DOCUMENT = re.compile(rf'"type":\s*"urn:ietf:params:acme:error:(\w+)",\s*"detail":\s*{_STRING}')
_NOISE = re.compile(r"^(Saving debug log|Ask for help|See the logfile|Hint:|Some challenges have failed|Certbot failed to authenticate|An unexpected error occurred"
                    r"|Account registered|Requesting a certificate|Renewing an existing certificate|Domain:|Missing command line flag)")


@dataclass(frozen=True)
class Problem:
    """Why an attempt failed."""

    kind: str
    """The authority's own word, e.g. `rateLimited`; empty where it said nothing."""
    detail: str
    """The authority's own sentence, or certbot's."""
    retry_after: float | None
    """Seconds, where the authority asks for a pause."""
    is_challenge: bool
    """The authority looked at the name and was not content: each such look counts towards its limits."""


def read(output: str, log: str) -> Problem:
    """`output`: standard output and error of one attempt; `log`: letsencrypt.log of the same one."""
    detail = _lines(output)
    documents = [(kind, text.replace('\\"', '"')) for kind, text in _DOCUMENT.findall(log)]
    # One that certbot got over by itself is no cause.
    fitting = [(kind, text) for kind, text in documents if text[:60] in output]
    said = re.findall(r"urn:ietf:params:acme:error:(\w+)", output)
    kind = fitting[-1][0] if fitting else said[-1] if said else ""
    is_challenge = re.search(r"^\s*Type:\s", output, re.MULTILINE) is not None
    asked = re.findall(r"^Retry-After: (\d+)\s*$", log, re.MULTILINE | re.IGNORECASE)
    return Problem(kind, fitting[-1][1] if fitting and not is_challenge else detail, float(asked[-1]) if asked else None, is_challenge)


def pause(problem: Problem, attempt: int) -> float | None:
    """Seconds before the next attempt; None where another one would not help. `attempt`: how many were made."""
    if problem.is_challenge or attempt > len(_PAUSES):
        return None
    wanted = max(problem.retry_after or 0.0, _PAUSES[attempt - 1])
    if problem.kind == "rateLimited":
        return wanted if problem.retry_after is not None and problem.retry_after <= _LONGEST_PAUSE else None
    is_passing = problem.kind in _PASSING_KINDS or (problem.kind == "" and _PASSING.search(problem.detail) is not None)
    return wanted if is_passing and wanted <= _LONGEST_PAUSE else None


def is_account_lost(problem: Problem) -> bool:
    """The authority does not know the account any more, or it was deactivated."""
    return not problem.is_challenge and re.search(r"accountDoesNotExist|Account .*not found|No account exists|Account is not valid, has status",
                                                  f"{problem.kind} {problem.detail}", re.IGNORECASE) is not None


def failure(domain: str, problem: Problem) -> Failure:
    text = f"error:{problem.kind} {problem.detail}"
    cause = f"no certificate for {domain}: {problem.detail}"
    if problem.retry_after is not None and "retry after" not in problem.detail:
        cause += f" (retry after {problem.retry_after:.0f} s)"
    for pattern, code, action in _MEANINGS:
        if re.search(pattern, text, re.IGNORECASE):
            return Failure(code, _STEP, cause, action)
    return Failure("ACME_FAILED", _STEP, cause, "read /var/log/letsencrypt/letsencrypt.log on the server, then run again.")


def _lines(output: str) -> str:
    """The lines that say why, without certbot's advice."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"(Type|Detail):", line)]
    chosen = told or [line for line in lines if not _NOISE.match(line)] or lines[-1:]
    return one_line(" ".join(dict.fromkeys(chosen))[:500])
