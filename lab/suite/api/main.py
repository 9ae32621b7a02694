"""The stand-in suite's API: the original's routes, as far as the fleet's tool and the pages need them."""

import asyncio
import json
import logging
import time
import uuid
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Form, HTTPException, Request, Response, UploadFile
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import OAuth2PasswordBearer

from . import faults, security, settings, storage
from .database import Database
from .schemas import Branding, GeneralSettings, NewReport, NewSuperAdmin

log = logging.getLogger("geoclic")
config = settings.load()
database = Database(config.database_url)
failed_logins = security.FailedLogins()
bearer = OAuth2PasswordBearer("/api/auth/login")

USER = """SELECT u.id, u.email, u.nom, u.prenom, u.actif, u.is_super_admin, u.role_data, u.role_demandes, u.role_sig,
       u.role_terrain, u.service_id, s.nom AS service_nom, u.last_login, u.created_at
  FROM geoclic_users u LEFT JOIN demandes_services s ON s.id = u.service_id"""
MAX_PHOTOS = 5


@asynccontextmanager
async def lifespan(_app: FastAPI):
    # The original imports and prepares for this long.
    await asyncio.sleep(config.start_seconds)
    await database.open()
    log.info("started", extra={"facts": {"version": config.version, "build": config.build}})
    yield
    await database.close()


app = FastAPI(title="GéoClic (suite témoin)", version=config.version, lifespan=lifespan, docs_url=None, redoc_url=None)
app.add_middleware(
    CORSMiddleware, allow_origins=config.cors_origins, allow_methods=["*"], allow_headers=["Authorization", "Content-Type"]
)


@app.middleware("http")
async def log_request(request: Request, call_next):
    started = time.monotonic()
    if faults.is_on("slow-30s") and request.url.path != "/api/demandes":
        await asyncio.sleep(30)
    response = await call_next(request)
    facts = {
        "method": request.method,
        "path": request.url.path,
        "status": response.status_code,
        "ms": round((time.monotonic() - started) * 1000),
    }
    log.info("request", extra={"facts": facts})
    return response


@app.get("/")
async def root():
    return {"status": "ok", "app": "GéoClic", "version": config.version}


@app.get("/api/health")
async def health(response: Response):
    if faults.is_on("health-500"):
        raise HTTPException(500, "fault health-500 is on")
    checks = {
        "database": await check_database(),
        "storage": await check_storage(),
        "migrations": await check_migrations(),
    }
    is_healthy = all(check["status"] == "healthy" for check in checks.values())
    if not is_healthy and not config.is_health_compatible:
        response.status_code = 503
    return {"status": "healthy" if is_healthy else "degraded", "version": config.version, "checks": checks}


async def check_database() -> dict:
    try:
        await database.row("SELECT count(*) FROM projects")
    except Exception as error:
        return {"status": "unhealthy", "detail": cause(error)}
    return {"status": "healthy"}


async def check_storage() -> dict:
    path = {"path": str(config.photos)}
    try:
        await asyncio.to_thread(storage.probe, config.photos)
    except OSError as error:
        return {"status": "unhealthy", **path, "detail": error.strerror or str(error)}
    return {"status": "healthy", **path}


async def check_migrations() -> dict:
    try:
        names = [row["name"] for row in await applied_migrations()]
        table = await database.row("SELECT to_regclass('geoclic_users') AS users, to_regclass('system_settings') AS settings")
    except Exception as error:
        return {"status": "unknown", "applied": 0, "last": None, "detail": cause(error)}
    is_complete = table is not None and table["users"] and table["settings"]
    return {
        "status": "healthy" if is_complete else "missing",
        "applied": len(names),
        "last": names[-1] if names else None,
    }


def cause(error: Exception) -> str:
    return str(error.detail) if isinstance(error, HTTPException) else f"{type(error).__name__}: {error}"


async def applied_migrations() -> list[dict]:
    """The ledger belongs to the fleet's tool; without it nothing is known."""
    ledger = await database.row("SELECT to_regclass('fleet_migrations') IS NOT NULL AS is_there")
    if not ledger or not ledger["is_there"]:
        return []
    return await database.rows("SELECT * FROM fleet_migrations ORDER BY applied_at, name")


@app.get("/api/version")
async def version():
    return {"version": config.version, "build": config.build, "git": config.git, "python": config.python}


@app.get("/api/schema")
async def schema():
    return {"migrations": await applied_migrations()}


@app.post("/api/auth/login")
async def login(username: Annotated[str, Form()], password: Annotated[str, Form()]):
    email = username.strip().lower()
    if wait := failed_logins.wait_seconds(email):
        raise HTTPException(429, "Trop d'essais, attendez une minute", {"Retry-After": str(wait)})
    stored = await database.row("SELECT id, password_hash FROM geoclic_users WHERE lower(email) = $1 AND actif", email)
    if not await security.is_password(password, stored and stored["password_hash"]):
        failed_logins.add(email)
        raise HTTPException(401, "Identifiants incorrects", {"WWW-Authenticate": "Bearer"})
    failed_logins.forget(email)
    await database.rows("UPDATE geoclic_users SET last_login = now() WHERE id = $1", stored["id"])
    user = await database.row(f"{USER} WHERE u.id = $1", stored["id"])
    return {
        "access_token": security.make_token(user, config.jwt_secret, config.token_minutes),
        "token_type": "bearer",
        "expires_in": config.token_minutes * 60,
        "user": user,
    }


async def current_user(token: Annotated[str, Depends(bearer)]) -> dict:
    """Reads the account at each request: one that was demoted or disabled is out at once."""
    user_id = security.subject(token, config.jwt_secret)
    user = await database.row(f"{USER} WHERE u.id::text = $1 AND u.actif", user_id) if user_id else None
    if user is None:
        raise HTTPException(401, "Session expirée ou compte désactivé", {"WWW-Authenticate": "Bearer"})
    return user


User = Annotated[dict, Depends(current_user)]


@app.get("/api/auth/me")
async def me(user: User):
    return user


@app.put("/api/auth/super-admin")
async def replace_super_admin(new: NewSuperAdmin, user: User):
    if not user["is_super_admin"]:
        raise HTTPException(403, "Réservé au super administrateur")
    if len(new.password.encode()) > 72:
        raise HTTPException(422, "Mot de passe trop long (72 octets au plus)")
    password_hash = await security.hash_password(new.password)
    async with database.connection() as connection:
        await connection.execute("UPDATE geoclic_users SET is_super_admin = FALSE WHERE is_super_admin")
        await connection.execute(
            """INSERT INTO geoclic_users (email, password_hash, nom, prenom, is_super_admin,
                                          role_data, role_demandes, role_sig, role_terrain)
               VALUES ($1, $2, $3, $4, TRUE, 'admin', 'admin', 'edition', 'agent')
               ON CONFLICT (email) DO UPDATE SET password_hash = EXCLUDED.password_hash, nom = EXCLUDED.nom,
                 prenom = EXCLUDED.prenom, actif = TRUE, is_super_admin = TRUE, role_data = 'admin',
                 role_demandes = 'admin', role_sig = 'edition', role_terrain = 'agent'""",
            new.email, password_hash, new.nom, new.prenom,
        )
    return await database.row(f"{USER} WHERE u.email = $1", new.email)


async def general_settings() -> dict:
    row = await database.row("SELECT config_value FROM system_settings WHERE config_key = 'general'")
    return json.loads(row["config_value"]) if row and row["config_value"] else {}


@app.get("/api/settings/branding")
async def branding() -> Branding:
    return Branding(**await general_settings())


@app.get("/api/settings/general")
async def read_settings(_user: User) -> GeneralSettings:
    return GeneralSettings(**await general_settings())


@app.put("/api/settings/general")
async def write_settings(new: GeneralSettings, user: User) -> GeneralSettings:
    if not user["is_super_admin"] and "admin" not in (user["role_data"], user["role_demandes"]):
        raise HTTPException(403, "Réservé aux administrateurs")
    await database.rows(
        """INSERT INTO system_settings (config_key, config_value) VALUES ('general', $1)
           ON CONFLICT (config_key) DO UPDATE SET config_value = EXCLUDED.config_value, updated_at = now()""",
        json.dumps({**await general_settings(), **new.model_dump()}, ensure_ascii=False),
    )
    return new


@app.get("/api/categories")
async def categories():
    return await database.rows("SELECT id, nom FROM demandes_categories WHERE actif ORDER BY ordre_affichage, nom")


@app.get("/api/demandes")
async def list_reports(_user: User, limit: int = 100):
    async with database.connection() as connection:
        if faults.is_on("slow-30s"):
            # Holds the table as a long report does: a migration that changes it must give up, not wait.
            await connection.execute("LOCK TABLE demandes_citoyens IN ACCESS SHARE MODE")
            await connection.execute("SELECT pg_sleep(30)")
        return [
            dict(row)
            for row in await connection.fetch(
                """SELECT d.id, d.numero, d.description, d.statut, d.latitude, d.longitude, d.created_at, c.nom AS categorie,
                          ARRAY(SELECT p.path FROM demandes_photos p WHERE p.demande_id = d.id ORDER BY p.created_at) AS photos
                     FROM demandes_citoyens d LEFT JOIN demandes_categories c ON c.id = d.categorie_id
                    ORDER BY d.created_at DESC, d.numero DESC LIMIT $1""",
                max(1, min(limit, 500)),
            )
        ]


@app.post("/api/demandes", status_code=201)
async def post_report(new: NewReport):
    return await database.row(
        """INSERT INTO demandes_citoyens (numero, description, categorie_id, latitude, longitude, declarant_email)
           VALUES (to_char(now(), 'YYYY') || '-' || lpad(nextval('demandes_numero_seq')::text, 5, '0'), $1,
                   (SELECT id FROM demandes_categories WHERE id::text = $2), $3, $4, $5)
           RETURNING id, numero, statut, created_at""",
        new.description, new.categorie_id, new.latitude, new.longitude, new.declarant_email,
    )


@app.post("/api/demandes/{report_id}/photos", status_code=201)
async def post_photo(report_id: uuid.UUID, photo: UploadFile):
    """The report's id, which only its author was given, is the right to add to it."""
    count = await database.row(
        """SELECT (SELECT count(*) FROM demandes_photos WHERE demande_id = d.id) AS photos
             FROM demandes_citoyens d WHERE id = $1""", report_id)
    if count is None:
        raise HTTPException(404, "Signalement inconnu")
    if count["photos"] >= MAX_PHOTOS:
        raise HTTPException(409, f"{MAX_PHOTOS} photos au plus")
    content = await photo.read(config.photo_max_bytes + 1)
    if len(content) > config.photo_max_bytes:
        raise HTTPException(413, f"Photo trop lourde ({config.photo_max_bytes // 1024 // 1024} Mo au plus)")
    end = storage.extension(content)
    if end is None:
        raise HTTPException(415, "Formats acceptés : PNG, JPEG, WebP")
    stored = await asyncio.to_thread(storage.store, config.photos, content, end)
    await database.rows(
        "INSERT INTO demandes_photos (demande_id, path, sha256, bytes) VALUES ($1, $2, $3, $4)",
        report_id, stored.path, stored.sha256, stored.bytes,
    )
    return {"path": stored.path, "url": f"/photos/{stored.path}", "sha256": stored.sha256, "bytes": stored.bytes}


@app.get("/api/selfcheck")
async def selfcheck(_user: User):
    expected = {row["path"]: row["sha256"] for row in await database.rows("SELECT path, sha256 FROM demandes_photos")}
    return await asyncio.to_thread(storage.compare, config.photos, expected)


@app.get("/api/public/equipment/{code}")
async def equipment(code: str):
    found = await database.row("SELECT code, nom, latitude, longitude FROM short_codes WHERE code = $1", code.upper())
    if found is None:
        raise HTTPException(404, "Code inconnu")
    return found
