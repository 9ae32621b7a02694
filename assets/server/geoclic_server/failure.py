"""Failures that the operator's side understands: one line, the last one on standard error."""

import errno


class Failure(Exception):
    """Something that did not work, for a known reason.

    code: capitals, e.g. DISK_FULL. cause: what was found. action: what to do next. None may hold a secret.
    """

    def __init__(self, code: str, step: str, cause: str, action: str) -> None:
        super().__init__(f"{code}: {cause}")
        self.code, self.step, self.cause, self.action = code, step, cause, action

    def line(self, client: str) -> str:
        cause = one_line(self.cause).rstrip(".")
        return f"error {self.code} [{client}] {self.step}: {cause}. Next: {one_line(self.action)}"


def known(error: Exception, step: str) -> Failure:
    """The failure behind any exception: the disk's, or a defect of ours."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure("DISK_FULL", step, f"{error.filename or 'a file'}: no space left on the disk", "free space on the server, then run again.")
    return Failure("DEFECT", step, f"{type(error).__name__}: {error}", "report this: it is a defect of the tool.")


def one_line(text: str, limit: int = 2000) -> str:
    """Text with its line breaks made visible as ` | `, at most `limit` characters from its end."""
    joined = " | ".join(line.strip() for line in text.splitlines() if line.strip())
    return joined if len(joined) <= limit else "…" + joined[-limit:]


def say(step: str, text: str) -> None:
    """One line of progress."""
    print(f"{step}: {text}", flush=True)
