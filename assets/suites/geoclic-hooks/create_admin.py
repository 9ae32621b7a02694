"""Makes sure that a super admin exists. Runs inside the API's image: `python -c TEXT`, JSON on standard input.

in   {"email", "password", "firstName", "lastName", "resetPassword"?: false}
out  {"created": bool}
An account that exists becomes super admin and active; its password changes only with resetPassword.
"""

import asyncio
import json
import os
import sys

import asyncpg
from passlib.hash import bcrypt


def read() -> dict:
    given = json.load(sys.stdin)
    for key in ("email", "password", "firstName", "lastName"):
        if not isinstance(given.get(key), str) or not given[key].strip():
            raise ValueError(f"{key} is missing or empty")
    if "@" not in given["email"]:
        raise ValueError("email has no @")
    # bcrypt reads 72 bytes and silently drops the rest.
    if not 8 <= len(given["password"]) or len(given["password"].encode()) > 72:
        raise ValueError("password must have 8 characters or more and 72 bytes or fewer")
    return given


async def main() -> dict:
    given = read()
    email, last_name, first_name = (given[key].strip() for key in ("email", "lastName", "firstName"))
    password_hash = bcrypt.using(rounds=12).hash(given["password"])
    connection = await asyncpg.connect(os.environ["DATABASE_URL"].replace("+asyncpg", "", 1), timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE geoclic_users IN SHARE ROW EXCLUSIVE MODE")
            found = await connection.fetchval("SELECT id FROM geoclic_users WHERE lower(email) = lower($1)", email)
            if found is None:
                await connection.execute(
                    "INSERT INTO geoclic_users (email, password_hash, nom, prenom, actif, is_super_admin,"
                    " role_data, role_demandes, role_sig, role_terrain)"
                    " VALUES ($1, $2, $3, $4, TRUE, TRUE, 'admin', 'admin', 'edition', 'agent')",
                    email, password_hash, last_name, first_name,
                )
            else:
                await connection.execute(
                    "UPDATE geoclic_users SET actif = TRUE, is_super_admin = TRUE, role_data = 'admin',"
                    " role_demandes = 'admin', role_sig = 'edition', role_terrain = 'agent' WHERE id = $1",
                    found,
                )
                if given.get("resetPassword") is True:
                    await connection.execute("UPDATE geoclic_users SET password_hash = $2 WHERE id = $1", found, password_hash)
    finally:
        await connection.close()
    return {"created": found is None}


try:
    print(json.dumps(asyncio.run(main())))
except Exception as error:
    sys.exit(f"error: {type(error).__name__}: {' '.join(str(error).split())}")
