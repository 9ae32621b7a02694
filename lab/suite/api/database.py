"""The pool of connections. It connects at the first query, so that the API starts before its database does."""

import json

import asyncpg
from fastapi import HTTPException

from . import faults

DOWN = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.InterfaceError)


class Database:
    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=5,
            timeout=3,
            command_timeout=60,
            # Migrations change tables under a running API: a cached plan would fail once per connection.
            statement_cache_size=0,
            # When the API dies, its queries and their locks end with it instead of running on.
            server_settings={"client_connection_check_interval": "1000"},
            init=_decode_json,
        )

    async def close(self) -> None:
        if self._pool:
            self._pool.terminate()

    async def rows(self, query: str, *values: object) -> list[dict]:
        async with self.connection() as connection:
            return [dict(row) for row in await connection.fetch(query, *values)]

    async def row(self, query: str, *values: object) -> dict | None:
        found = await self.rows(query, *values)
        return found[0] if found else None

    def connection(self) -> "Connection":
        return Connection(self._pool)


class Connection:
    """A connection in a transaction. A database that does not answer becomes HTTP 503, not a stack trace."""

    def __init__(self, pool: asyncpg.Pool | None) -> None:
        self._pool = pool

    async def __aenter__(self) -> asyncpg.Connection:
        if self._pool is None or faults.is_on("db-down"):
            raise HTTPException(503, "La base de données ne répond pas")
        try:
            self._connection = await self._pool.acquire(timeout=5)
        except DOWN as error:
            raise HTTPException(503, "La base de données ne répond pas") from error
        self._transaction = self._connection.transaction()
        try:
            await self._transaction.start()
        except DOWN as error:
            await self._pool.release(self._connection)
            raise HTTPException(503, "La base de données ne répond pas") from error
        return self._connection

    async def __aexit__(self, kind: type | None, error: BaseException | None, _trace: object) -> None:
        try:
            await (self._transaction.rollback() if kind else self._transaction.commit())
        except DOWN as lost:
            if error is None:
                raise HTTPException(503, "La base de données ne répond pas") from lost
        finally:
            await self._pool.release(self._connection)
        if isinstance(error, DOWN):
            raise HTTPException(503, "La base de données ne répond pas") from error


async def _decode_json(connection: asyncpg.Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
