"""Stores the town's name and colours where the suite's pages read them. Runs inside the API's image: `python -c TEXT`, JSON on standard input.

in   {"name", "colors"?: {"primary"?, "secondary"?, "accent"?, "sidebar"?}}   colours as #rrggbb
out  {"changed": bool}
Other settings in the same row stay as they are.
"""

import asyncio
import json
import os
import re
import sys

import asyncpg

COLORS = {name: f"{name}_color" for name in ("primary", "secondary", "accent", "sidebar")}


def read() -> dict[str, str]:
    given = json.load(sys.stdin)
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError("name is missing or empty")
    values = {"nom_collectivite": name.strip()}
    for color, value in (given.get("colors") or {}).items():
        if color not in COLORS:
            raise ValueError(f"unknown colour {color}, expected one of: {', '.join(COLORS)}")
        if not isinstance(value, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            raise ValueError(f"colour {color} must be like #1d4ed8")
        values[COLORS[color]] = value
    return values


async def main() -> dict:
    values = read()
    connection = await asyncpg.connect(os.environ["DATABASE_URL"].replace("+asyncpg", "", 1), timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE system_settings IN SHARE ROW EXCLUSIVE MODE")
            stored = await connection.fetchval("SELECT config_value FROM system_settings WHERE config_key = 'general'")
            before = json.loads(stored) if stored else {}
            after = {**before, **values}
            if after != before:
                await connection.execute(
                    "INSERT INTO system_settings (config_key, config_value) VALUES ('general', $1)"
                    " ON CONFLICT (config_key) DO UPDATE SET config_value = EXCLUDED.config_value",
                    json.dumps(after, ensure_ascii=False),
                )
    finally:
        await connection.close()
    return {"changed": after != before}


try:
    print(json.dumps(asyncio.run(main())))
except Exception as error:
    sys.exit(f"error: {type(error).__name__}: {' '.join(str(error).split())}")
