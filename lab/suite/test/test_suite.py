"""The suite's SQL, API and hooks on a real PostgreSQL, without Docker.

    python -m venv V && V/bin/pip install --require-hashes -r api/requirements.txt
    SUITE_TEST_DATABASE=postgresql://geoclic@127.0.0.1:5432 V/bin/python -m unittest discover -s test -v

The user must be allowed to create databases; psql and pg_dump must be on PATH. Not proved here: nginx, images, PostGIS.
"""

import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

SUITE = Path(__file__).resolve().parent.parent
HOOKS = SUITE.parent.parent / "assets/suites/geoclic-hooks"
SERVER = os.environ.get("SUITE_TEST_DATABASE", "")
SECRET = "0123456789abcdef" * 4
TOWN = "Mairie d'Aix-les-Bains \"Côté lac\""
ADMIN = {"email": "Chef@Ville.fr", "password": "mot de passe d'été", "firstName": "Zoé", "lastName": "O'Brien"}
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def psql(database: str, *arguments: str, stop: bool = True) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["psql", f"{SERVER}/{database}", "-XAtq", "-v", f"ON_ERROR_STOP={int(stop)}", *arguments], capture_output=True, text=True
    )


def migrations() -> list[Path]:
    folder = SUITE / "database/migrations"
    return [folder / "add_system_settings.sql", *sorted(folder.glob("[0-9]*.sql"))]


def run_file(database: str, path: Path) -> subprocess.CompletedProcess:
    """As the runner's contract says: one transaction a file unless it has its own, tolerated files statement by statement."""
    text = path.read_text()
    if path.name == "005_demandes_citoyens.sql":
        return psql(database, "-f", str(path), stop=False)
    return psql(database, *([] if "\nBEGIN;" in text else ["--single-transaction"]), "-f", str(path))


def hook(name: str, value: object, database: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", (HOOKS / f"{name}.py").read_text()],
        input=json.dumps(value), capture_output=True, text=True,
        env={**os.environ, "DATABASE_URL": f"{SERVER}/{database}".replace("postgresql://", "postgresql+asyncpg://")},
    )


class Api:
    def __init__(self, database: str, **env: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.photos = Path(tempfile.mkdtemp())
        self.log = tempfile.TemporaryFile("w+")
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "api"], cwd=SUITE, stdout=self.log, stderr=subprocess.STDOUT,
            env={**os.environ, "DATABASE_URL": f"{SERVER}/{database}", "JWT_SECRET_KEY": SECRET, "HOST": "127.0.0.1",
                 "PORT": str(port), "PHOTO_STORAGE_PATH": str(self.photos), "LAB_FAULTS": "1", **env},
        )
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{self.url}/", timeout=1)
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(self.output())

    def output(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def stop(self) -> float:
        started = time.monotonic()
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
        return time.monotonic() - started

    def call(self, path: str, method: str = "GET", body: object = None, form: dict | None = None, token: str = "",
             headers: dict | None = None, raw: bytes | None = None, timeout: float = 10) -> tuple[int, object]:
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        headers = {**(headers or {}), **({"Content-Type": "application/json"} if body is not None else {})}
        if form is not None:
            data = urllib.parse.urlencode(form).encode()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def login(self, email: str = ADMIN["email"], password: str = ADMIN["password"]) -> tuple[int, object]:
        return self.call("/api/auth/login", "POST", form={"username": email, "password": password})

    def token(self) -> str:
        return self.login()[1]["access_token"]

    def fault(self, name: str) -> Path:
        path = self.photos / ".faults" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        return path


@unittest.skipUnless(SERVER, "SUITE_TEST_DATABASE is not set")
class SuiteTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.database = f"suite_test_{os.getpid()}"
        assert psql("postgres", "-c", f"CREATE DATABASE {cls.database}").returncode == 0
        cls.addClassCleanup(lambda: psql("postgres", "-c", f"DROP DATABASE {cls.database} WITH (FORCE)"))
        init = psql(cls.database, "--single-transaction", "-f", str(SUITE / "database/init_v12_pro.sql"))
        assert init.returncode == 0, init.stderr
        cls.results = {path.name: run_file(cls.database, path) for path in migrations()}
        created = hook("create_admin", ADMIN, cls.database)
        assert (created.returncode, created.stdout) == (0, '{"created": true}\n'), created.stderr
        cls.api = Api(cls.database)
        cls.addClassCleanup(cls.api.stop)

    def sql(self, query: str) -> str:
        result = psql(self.database, "-c", query)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.strip()

    def schema(self) -> str:
        dump = subprocess.run(["pg_dump", "--schema-only", f"{SERVER}/{self.database}"], capture_output=True, text=True, check=True)
        return "\n".join(line for line in dump.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))

    # --- database

    def test_migrations_apply_and_only_the_tolerated_one_complains(self):
        errors = {name: result.stderr for name, result in self.results.items() if "ERROR" in result.stderr}
        self.assertEqual(list(errors), ["005_demandes_citoyens.sql"])
        self.assertEqual(errors["005_demandes_citoyens.sql"].count("ERROR"), 1)
        self.assertEqual(self.sql("SELECT count(*) FROM mesures"), "200000")

    def test_a_migration_that_fails_halfway_leaves_no_trace(self):
        before = self.schema()
        self.assertNotEqual(run_file(self.database, SUITE / "database/migrations-tests/090_fails_halfway.sql").returncode, 0)
        self.assertEqual(self.schema(), before)

    def test_demo_data_comes_twice_and_goes(self):
        count = "SELECT (SELECT count(*) FROM demandes_citoyens), (SELECT count(*) FROM geoclic_users), (SELECT count(*) FROM demandes_services)"
        before = self.sql(count)
        for _ in range(2):
            self.assertEqual(psql(self.database, "--single-transaction", "-f", str(SUITE / "database/demo_data.sql")).returncode, 0)
        self.assertEqual([int(b) - int(a) for a, b in zip(before.split("|"), self.sql(count).split("|"))], [12, 3, 4])
        self.assertEqual(psql(self.database, "--single-transaction", "-f", str(SUITE / "database/demo_reset.sql")).returncode, 0)
        self.assertEqual(self.sql(count), before)

    # --- hooks

    def test_create_admin_keeps_the_password_of_an_account_that_exists(self):
        again = hook("create_admin", {**ADMIN, "email": "chef@ville.fr", "password": "another one"}, self.database)
        self.assertEqual((again.returncode, again.stdout), (0, '{"created": false}\n'))
        self.assertEqual(self.api.login()[0], 200)
        reset = hook("create_admin", {**ADMIN, "password": "another one", "resetPassword": True}, self.database)
        self.assertEqual(reset.returncode, 0)
        self.assertEqual(self.api.login(password="another one")[0], 200)
        hook("create_admin", {**ADMIN, "resetPassword": True}, self.database)

    def test_hooks_refuse_in_one_line_without_secrets(self):
        for name, value in [("create_admin", {**ADMIN, "password": "short"}), ("create_admin", {**ADMIN, "password": "é" * 40}),
                            ("set_town", {"name": " "}), ("set_town", {"name": "A", "colors": {"primary": "red;"}}),
                            ("disable_default_admin", {"keep": "nobody@ville.fr"})]:
            result = hook(name, value, self.database)
            self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (1, "", 1), result.stderr)
            self.assertTrue(result.stderr.startswith("error: "))
            self.assertNotIn(str(value.get("password", "no password")), result.stderr)

    def test_set_town_keeps_other_settings(self):
        self.sql("""INSERT INTO system_settings (config_key, config_value) VALUES ('general', '{"telephone": "04"}')
                    ON CONFLICT (config_key) DO UPDATE SET config_value = EXCLUDED.config_value""")
        given = {"name": TOWN, "colors": {"primary": "#123456"}}
        self.assertEqual(hook("set_town", given, self.database).stdout, '{"changed": true}\n')
        self.assertEqual(hook("set_town", given, self.database).stdout, '{"changed": false}\n')
        branding = self.api.call("/api/settings/branding")[1]
        self.assertEqual((branding["nom_collectivite"], branding["primary_color"], branding["telephone"]), (TOWN, "#123456", "04"))

    def test_disable_default_admin_spares_the_towns_own(self):
        self.sql("""INSERT INTO geoclic_users (email, password_hash, nom, prenom, is_super_admin) VALUES
                    ('admin@geoclic.local', 'x', 'A', 'B', TRUE), ('adjoint@ville.fr', 'x', 'A', 'B', TRUE)""")
        self.addCleanup(self.sql, "DELETE FROM geoclic_users WHERE email IN ('admin@geoclic.local', 'adjoint@ville.fr')")
        result = hook("disable_default_admin", {"keep": ADMIN["email"]}, self.database)
        self.assertEqual(result.stdout, '{"disabled": ["admin@geoclic.local"]}\n', result.stderr)
        self.assertEqual(self.sql("SELECT string_agg(lower(email), ' ' ORDER BY lower(email)) FROM geoclic_users WHERE is_super_admin AND actif"),
                         "adjoint@ville.fr chef@ville.fr")

    # --- API

    def test_health_tells_the_truth_in_json(self):
        status, body = self.api.call("/api/health")
        self.assertEqual((status, body["status"]), (200, "healthy"), body)
        fault = self.api.fault("db-down")
        status, body = self.api.call("/api/health")
        self.assertEqual((status, body["status"], body["checks"]["database"]["status"]), (200, "degraded", "unhealthy"))
        self.assertEqual(self.api.call("/api/categories")[0], 503)
        fault.unlink()
        fault = self.api.fault("health-500")
        self.assertEqual(self.api.call("/api/health")[0], 500)
        fault.unlink()

    def test_health_is_503_where_compatibility_is_off_and_the_database_absent(self):
        api = Api("no_such_database", HEALTH_COMPAT="0")
        self.addCleanup(api.stop)
        status, body = api.call("/api/health")
        self.assertEqual((status, body["status"]), (503, "degraded"))

    def test_login_and_me(self):
        status, body = self.api.login("chef@ville.fr")
        self.assertEqual((status, body["token_type"], body["expires_in"]), (200, "bearer", 3600))
        self.assertEqual((body["user"]["prenom"], body["user"]["nom"], body["user"]["is_super_admin"]), ("Zoé", "O'Brien", True))
        self.assertNotIn("password_hash", body["user"])
        self.assertEqual(self.api.call("/api/auth/me", token=body["access_token"])[1]["email"], ADMIN["email"])
        self.assertEqual(self.api.call("/api/auth/me")[0], 401)
        self.assertEqual(self.api.call("/api/auth/me", token=body["access_token"][:-2])[0], 401)

    def test_a_demoted_or_disabled_account_is_out_at_once(self):
        hook("create_admin", {**ADMIN, "email": "autre@ville.fr"}, self.database)
        self.addCleanup(self.sql, "DELETE FROM geoclic_users WHERE email = 'autre@ville.fr'")
        token = self.api.login("autre@ville.fr")[1]["access_token"]
        self.sql("UPDATE geoclic_users SET is_super_admin = FALSE WHERE email = 'autre@ville.fr'")
        self.assertIs(self.api.call("/api/auth/me", token=token)[1]["is_super_admin"], False)
        new = {"email": "x@ville.fr", "password": "12345678", "nom": "X", "prenom": "Y"}
        self.assertEqual(self.api.call("/api/auth/super-admin", "PUT", new, token=token)[0], 403)
        self.sql("UPDATE geoclic_users SET actif = FALSE WHERE email = 'autre@ville.fr'")
        self.assertEqual(self.api.call("/api/auth/me", token=token)[0], 401)

    def test_five_failures_close_the_door_for_that_address_only(self):
        answers = [self.api.login("victime@ville.fr", "wrong")[0] for _ in range(6)]
        self.assertEqual(answers, [401] * 5 + [429])
        self.assertEqual(self.api.login()[0], 200)

    def test_super_admin_is_replaced(self):
        new = {"email": "nouveau@ville.fr", "password": "12345678", "nom": "Neuf", "prenom": "Ève"}
        self.assertEqual(self.api.call("/api/auth/super-admin", "PUT", new, token=self.api.token())[0], 200)
        self.assertEqual(self.sql("SELECT string_agg(email, ' ') FROM geoclic_users WHERE is_super_admin"), "nouveau@ville.fr")
        hook("create_admin", ADMIN, self.database)
        self.sql("DELETE FROM geoclic_users WHERE email = 'nouveau@ville.fr'")

    def test_settings_are_read_and_written_by_administrators(self):
        token = self.api.token()
        self.assertEqual(self.api.call("/api/settings/general")[0], 401)
        self.assertEqual(self.api.call("/api/settings/general", "PUT", {"nom_collectivite": "Lyon"}, token=token)[0], 200)
        self.assertEqual(self.api.call("/api/settings/general", token=token)[1]["nom_collectivite"], "Lyon")
        self.assertEqual(self.api.call("/api/settings/general", "PUT", {"primary_color": "red"}, token=token)[0], 422)

    def test_report_with_photo_passes_the_selfcheck_until_the_file_is_lost(self):
        status, report = self.api.call("/api/demandes", "POST", {"description": "Nid-de-poule", "latitude": 45.7, "longitude": 5.9})
        self.assertEqual(status, 201)
        self.assertRegex(report["numero"], r"^\d{4}-\d{5}$")
        photos = f"/api/demandes/{report['id']}/photos"
        status, photo = self.upload(photos, PNG)
        self.assertEqual((status, photo["sha256"]), (201, hashlib.sha256(PNG).hexdigest()))
        self.assertRegex(photo["path"], r"^demandes/\d{4}/\d{2}/[0-9a-f-]{36}\.png$")
        self.assertEqual(self.upload(photos, b"<script>")[0], 415)
        self.assertEqual(self.upload(f"/api/demandes/{uuid.uuid4()}/photos", PNG)[0], 404)
        token = self.api.token()
        self.assertEqual(self.api.call("/api/demandes")[0], 401)
        listed = self.api.call("/api/demandes", token=token)[1]
        self.assertIn(photo["path"], [path for row in listed for path in row["photos"]])
        file = self.api.photos / photo["path"]
        self.assertEqual(self.api.call("/api/selfcheck", token=token)[1], {"rows": 1, "files": 1, "missing": 0, "corrupt": 0})
        file.write_bytes(b"rot")
        self.assertEqual(self.api.call("/api/selfcheck", token=token)[1]["corrupt"], 1)
        file.unlink()
        self.assertEqual(self.api.call("/api/selfcheck", token=token)[1], {"rows": 1, "files": 0, "missing": 1, "corrupt": 0})

    def upload(self, path: str, content: bytes) -> tuple[int, object]:
        raw = b'--X\r\nContent-Disposition: form-data; name="photo"; filename="../p.png"\r\n\r\n' + content + b"\r\n--X--\r\n"
        return self.api.call(path, "POST", raw=raw, headers={"Content-Type": "multipart/form-data; boundary=X"})

    def test_public_reads(self):
        self.assertEqual(set(self.api.call("/api/version")[1]), {"version", "build", "git", "python"})
        self.assertEqual(self.api.call("/api/schema"), (200, {"migrations": []}))
        self.assertEqual(len(self.api.call("/api/categories")[1]), 5)
        self.assertEqual(self.api.call("/api/public/equipment/NONE")[0], 404)
        self.assertEqual(self.api.call("/api/demandes", "POST", {"description": "x"})[0], 422)

    def test_a_lock_held_by_a_reader_stops_a_migration_that_will_not_wait(self):
        api = Api(self.database)
        token = api.token()
        api.fault("slow-30s")
        with self.assertRaises(TimeoutError):
            api.call("/api/demandes", token=token, timeout=1)
        result = psql(self.database, "-c", "SET lock_timeout = '500ms'", "-f", str(SUITE / "database/migrations-tests/091_slow_lock.sql"))
        self.assertIn("lock timeout", result.stderr)
        self.assertLess(api.stop(), 5)

    def test_stops_within_five_seconds_while_a_request_runs(self):
        api = Api(self.database)
        api.fault("slow-30s")
        with self.assertRaises(TimeoutError):
            api.call("/api/version", timeout=0.5)
        self.assertLess(api.stop(), 5)

    def test_four_workers_start_late_and_stop_within_five_seconds(self):
        began = time.monotonic()
        api = Api(self.database, API_WORKERS="4", API_START_SECONDS="1.5")
        self.assertGreater(time.monotonic() - began, 1.5)
        self.assertEqual(api.call("/api/health")[1]["status"], "healthy")
        self.assertLess(api.stop(), 5)

    def test_refuses_weak_secrets_and_the_crash_fault(self):
        def start(**env):
            return subprocess.run([sys.executable, "-m", "api"], cwd=SUITE, capture_output=True, text=True, timeout=10,
                                  env={**os.environ, "DATABASE_URL": SERVER, **env})
        for secret in ("", "short", "change_this_secret_key_in_production", "insecure-fallback-of-the-stand-in-suite"):
            result = start(JWT_SECRET_KEY=secret)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("JWT_SECRET_KEY", result.stderr)
        path = Api.fault(type("Folder", (), {"photos": Path(tempfile.mkdtemp())}), "crash-at-start")
        result = start(JWT_SECRET_KEY=SECRET, LAB_FAULTS="1", PHOTO_STORAGE_PATH=str(path.parent.parent))
        self.assertIn("crash-at-start", result.stderr)

    def test_log_is_json_without_secrets(self):
        self.api.login()
        lines = self.api.output().splitlines()
        self.assertTrue(all(json.loads(line)["level"] for line in lines))
        for secret in (SECRET, ADMIN["password"], urllib.parse.quote_plus(ADMIN["password"])):
            self.assertNotIn(secret, self.api.output())


class CopiesTest(unittest.TestCase):
    def test_the_applications_share_their_files_by_copy(self):
        pages = [SUITE / name for name in ("geoclic_data", "geoclic_demandes", "geoclic_mobile_pwa", "geoclic_sig_web",
                                           "geoclic_services", "geoclic_services_pwa")]
        for name in ("Dockerfile", "build.mjs", "nginx.conf", "src/app.js", "src/style.css"):
            self.assertEqual({(page / name).read_bytes() for page in pages}, {(pages[0] / name).read_bytes()}, name)
        for name in ("build.mjs", "nginx.conf"):
            self.assertEqual((SUITE / "portail_citoyen" / name).read_bytes(), (pages[0] / name).read_bytes(), name)


if __name__ == "__main__":
    unittest.main()
