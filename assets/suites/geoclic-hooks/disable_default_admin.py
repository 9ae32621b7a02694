"""Disables the super admins that a suite ships with. Runs inside the API's image: `python -c TEXT`, JSON on standard input.

in   {"keep": e-mail of the town's own super admin}
out  {"disabled": [e-mails]}
Refuses to run while the one to keep is not an active super admin: nobody is locked out.
"""

import asyncio
import json
import os
import sys

import asyncpg

# No town has an address under .local: whatever is there came with the suite.
SHIPPED = r"@([^@]+\.)?geoclic\.local$"


async def main() -> dict:
    keep = json.load(sys.stdin).get("keep")
    if not isinstance(keep, str) or "@" not in keep:
        raise ValueError("keep must be an e-mail address")
    connection = await asyncpg.connect(os.environ["DATABASE_URL"].replace("+asyncpg", "", 1), timeout=10)
    try:
        async with connection.transaction():
            is_there = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM geoclic_users WHERE lower(email) = lower($1) AND actif AND is_super_admin)", keep.strip()
            )
            if not is_there:
                raise ValueError("the account to keep is not an active super admin")
            rows = await connection.fetch(
                "UPDATE geoclic_users SET actif = FALSE, is_super_admin = FALSE"
                " WHERE lower(email) <> lower($1) AND lower(email) ~ $2 AND (actif OR is_super_admin) RETURNING email",
                keep.strip(), SHIPPED,
            )
    finally:
        await connection.close()
    return {"disabled": sorted(row["email"] for row in rows)}


try:
    print(json.dumps(asyncio.run(main())))
except Exception as error:
    sys.exit(f"error: {type(error).__name__}: {' '.join(str(error).split())}")
