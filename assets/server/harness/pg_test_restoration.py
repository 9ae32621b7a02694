"""Dumps and restores against a real PostgreSQL. Not proven here: PostGIS, Docker's own streams."""

import shutil
import subprocess
import tempfile
import threading
import unittest
from datetime import datetime, timezone
from pathlib import Path
from unittest import mock

from geoclic_server import restoration, retention, streams
from geoclic_server.failure import Failure

from .pg_town import PgTown

_SAMPLE = (
    "CREATE FUNCTION public.sans_accent(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ select translate($1,'éè','ee') $$",
    "CREATE FUNCTION public.cle(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ select lower(sans_accent($1)) $$",
    "CREATE TABLE public.voies(id int, nom text)",
    "INSERT INTO public.voies VALUES (1,'Rue de l''Église')",
    "CREATE INDEX voies_cle ON public.voies (public.cle(nom))",
)


class DumpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.town = PgTown()
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.addClassCleanup(cls.town.stop)

    def setUp(self) -> None:
        self.town.again()
        self.dump = self.folder / "database.dump"
        self.dump.unlink(missing_ok=True)
        self.told: list[str] = []

    def make_dump(self) -> Path:
        self.dump.unlink(missing_ok=True)
        self.town.database.dump(self.dump, "dump")
        return self.dump

    def restore(self, **options: bool) -> None:
        restoration.restore(self.town.database, self.dump, tell=lambda _step, text: self.told.append(text), **options)

    def databases(self) -> list[str]:
        return self.town.ask("select datname from pg_database where datname like 'geo%' order by 1", name="postgres")


class HoldsDataTest(DumpTest):
    def test_whatever_somebody_put_into_it_is_seen(self) -> None:
        """What a first activation that failed left may be removed only where this says no."""
        database = self.town.database
        self.assertFalse(database.holds_data())
        for name, put, away in (("the suite's", "create table t ()", "drop table t"), ("postgres", "create table t ()", "drop table t"),
                                ("postgres", "create database geo_by_hand", "drop database geo_by_hand")):
            with self.subTest(put, name=name):
                where = "geo" if name == "the suite's" else name
                self.town.ask(put, name=where)
                self.assertTrue(database.holds_data())
                self.town.ask(away, name=where)
                self.assertFalse(database.holds_data())
        # As an image of PostGIS brings.
        self.town.ask("create database geo_template with is_template true", name="postgres")
        self.addCleanup(self.town.ask, "alter database geo_template is_template false", name="postgres")
        self.assertFalse(database.holds_data())


class VerificationTest(DumpTest):
    def test_every_block_is_read(self) -> None:
        self.town.ask("create table t as select i, md5(i::text) from generate_series(1, 20000) i")
        whole = self.make_dump().read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) * 6 // 10] ^= 0x10
        for name, content in (("95 %", whole[: len(whole) * 95 // 100]), ("60 %", whole[: len(whole) * 60 // 100]),
                              ("20 %", whole[: len(whole) * 20 // 100]), ("a flipped bit", bytes(flipped)), ("nothing", b"")):
            with self.subTest(name):
                self.dump.write_bytes(content)
                for read in (streams.verify_dump, streams.rows_in):
                    with self.assertRaises(Failure) as caught:
                        read("db-1", self.dump, "backup")
                    self.assertEqual(caught.exception.code, "BACKUP_UNREADABLE")

    def test_rows_are_counted_in_the_dump(self) -> None:
        self.town.ask('create schema "S ""x"', 'create table "S ""x"."T (1)" (a text)', "create table none()", "create table empty(i int)",
                      'insert into "S ""x"."T (1)" values (E\'two\\nlines\'), (E\'\\\\.\'), (\'COPY public.empty (i) FROM stdin;\')',
                      "insert into none default values")
        self.assertEqual(streams.rows_in("db-1", self.make_dump(), "backup"), {'S "x.T (1)': 3, "public.none": 1, "public.empty": 0})

    def test_a_program_without_end_is_a_failure(self) -> None:
        self.dump.write_bytes(b"x")
        with self.assertRaises(Failure) as caught:
            streams.to_file(self.dump, ["sleep", "30"], step="backup", seconds=0.2)
        self.assertEqual(caught.exception.code, "BACKUP_FAILED")
        self.assertEqual(streams.from_file(self.dump, ["sleep", "30"], seconds=0.2).status, 124)
        self.assertEqual(streams.each_line(["sh", "-c", "echo a; exec sleep 30"], lambda _line: None, source=self.dump, seconds=0.2).status, 124)
        self.assertEqual(streams.pour(["echo", "a"], self.dump, ["sleep", "30"], lambda line: line, seconds=0.2).status, 124)

    def test_what_is_poured_fails_with_either_end(self) -> None:
        self.dump.write_bytes(b"a\nb\n")
        for source, sink, status in (("cat", "cat >/dev/null", 0), ("cat; exit 3", "cat >/dev/null", 3), ("cat", "exit 4", 4), ("yes", "head -c 9 >/dev/null", 141)):
            with self.subTest(f"{source} | {sink}"):
                self.assertEqual(streams.pour(["sh", "-c", source], self.dump, ["sh", "-c", sink], lambda line: line, seconds=20).status, status)


class RestoreTest(DumpTest):
    def test_it_is_what_it_was(self) -> None:
        self.town.ask("drop role if exists lecteur_sig", "create role lecteur_sig", "drop role if exists proprio", "create role proprio", name="postgres")
        self.town.again("TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'fr' LOCALE 'C.UTF-8' OWNER proprio CONNECTION LIMIT 77")
        self.town.ask("alter database geo set timezone = 'Europe/Paris'", "alter database geo set search_path = sig, public",
                      "alter database geo set default_transaction_isolation = 'serializable'",
                      "alter role geoclic in database geo set work_mem = '5MB'", "grant connect on database geo to lecteur_sig",
                      "revoke connect on database geo from public", "comment on database geo is E'ville d''Aix\\n\\\\connect x'",
                      "create extension pgcrypto", "create table t as select i, i % 7 as j from generate_series(1, 1000) i", "analyze")
        look = ("select pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider, daticulocale, datcollversion, datdba::regrole, datconnlimit,"
                " datallowconn, (select array_agg(a::text order by a::text) from unnest(datacl) a), shobj_description(d.oid, 'pg_database'), (select string_agg(setrole || array_to_string(setconfig, ';'), '|' order by setrole)"
                " from pg_db_role_setting s where s.setdatabase = d.oid), (select array_agg(extname) from pg_extension),"
                " (select count(*) from pg_stats where tablename = 't'), (select count(*) from t) from pg_database d where datname = 'geo'")
        before = self.town.ask(look)
        self.make_dump()
        self.town.ask("alter database geo set timezone = 'UTC'", "alter database geo reset search_path", "alter database geo owner to geoclic",
                      "comment on database geo is null", "grant connect on database geo to public", "drop table t")
        self.restore()
        self.assertEqual(self.town.ask(look), before)

    def test_functions_that_rely_on_the_search_path(self) -> None:
        check = ("CREATE TABLE public.communes(code text)", "INSERT INTO public.communes VALUES ('34172')",
                 "CREATE FUNCTION public.connue(text) RETURNS boolean LANGUAGE plpgsql AS $$ begin return exists (select from communes where code = $1); end $$",
                 "CREATE TABLE public.points(code text CHECK (public.connue(code)))", "INSERT INTO public.points VALUES ('34172')")
        in_another = ("CREATE SCHEMA sig", "ALTER DATABASE geo SET search_path = sig, public", "SET search_path = sig, public",
                      "CREATE FUNCTION sig.sans_accent(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ select translate($1,'éè','ee') $$",
                      "CREATE FUNCTION sig.cle(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ select lower(sans_accent($1)) $$",
                      "CREATE TABLE sig.voies(id int, nom text)", "INSERT INTO sig.voies VALUES (1,'Église')", "CREATE INDEX voies_cle ON sig.voies (sig.cle(nom))")
        for name, sql, table in (("index", _SAMPLE, "public.voies"), ("check", check, "public.points"), ("schema", in_another, "sig.voies")):
            with self.subTest(name):
                self.told.clear()
                self.town.again()
                self.town.ask(*sql)
                self.make_dump()
                self.town.ask(f"drop table {table} cascade")
                self.restore()
                self.assertEqual(self.town.ask(f"select count(*) from {table}"), ["1"])
                self.assertEqual(len([text for text in self.told if "search_path" in text and "does not exist" in text]), 1)

    def test_a_dump_that_does_not_restore_leaves_all_as_it_is(self) -> None:
        # Rows that its own check does not allow, on whatever path.
        self.town.ask("CREATE TABLE n(i int)", "CREATE FUNCTION f(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'select true'",
                      "CREATE TABLE t(i int CHECK (f(i)))", "INSERT INTO t VALUES (1)",
                      "CREATE OR REPLACE FUNCTION f(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'select false'")
        self.make_dump()
        with self.assertRaises(Failure) as caught:
            self.restore()
        self.assertEqual(caught.exception.code, "RESTORE_FAILED")
        self.assertEqual((self.databases(), self.town.ask("select i from t")), (["geo"], ["1"]))
        self.dump.write_bytes(self.dump.read_bytes()[:-100])
        with self.assertRaises(Failure) as caught:
            self.restore()
        self.assertEqual((caught.exception.code, self.databases()), ("BACKUP_UNREADABLE", ["geo"]))

    def test_a_dump_of_another_database_is_refused(self) -> None:
        self.town.ask("create database geo_other", name="postgres")
        self.dump.write_bytes(subprocess.run(["pg_dump", "-h", "127.0.0.1", "-U", "geoclic", "-Fc", "geo_other"], capture_output=True, check=True).stdout)
        with self.assertRaises(Failure) as caught:
            self.restore()
        self.assertIn("geo_other", caught.exception.cause)

    def test_without_room_nothing_is_begun(self) -> None:
        self.make_dump()
        with mock.patch.object(restoration, "reserve", lambda total: total), self.assertRaises(Failure) as caught:
            self.restore()
        self.assertEqual((caught.exception.code, self.databases()), ("DISK_FULL", ["geo"]))

    def test_two_restores_in_one_second_keep_two_databases(self) -> None:
        self.town.ask("create table t(i int)")
        self.make_dump()
        moment = datetime(2026, 11, 26, 12, 0, 0, tzinfo=timezone.utc)
        with mock.patch.object(retention, "_now", lambda: moment):
            for word in (1, 2, 3):
                self.town.ask(f"insert into t values ({word})")
                self.restore()
        kept = ["geo_replaced_20261126120000", "geo_replaced_20261126120001", "geo_replaced_20261126120002"]
        self.assertEqual(self.databases(), ["geo", *kept])
        for name, word in zip(kept, ("1", "2", "3")):
            self.town.ask(f'alter database "{name}" allow_connections true', name="postgres")
            self.assertEqual(self.town.ask("select i from t", name=name), [word])

    def test_what_is_replaced_is_kept(self) -> None:
        self.town.ask("create table t(i int)", "insert into t values (1)")
        self.make_dump()
        self.town.ask("insert into t values (2)")
        self.restore(holds_writes=False)
        self.assertEqual((self.databases(), self.town.ask("select i from t")), (["geo", "geo_replaced"], ["1"]))
        self.town.ask("insert into t values (3)")
        self.restore()
        kept = self.databases()[-1]
        self.assertEqual(self.databases(), ["geo", "geo_replaced", kept])
        self.assertRegex(kept, r"^geo_replaced_\d{14}$")
        self.restore(holds_writes=False)
        self.assertEqual(self.databases(), ["geo", "geo_replaced", kept])
        self.told.clear()
        restoration.drop_replaced(self.town.database, lambda _step, text: self.told.append(text))
        self.assertEqual(self.databases(), ["geo", kept])
        self.assertIn(kept, self.told[0])
        # Nobody writes to it by mistake; a person can open it.
        self.town.ask(f"alter database {kept} allow_connections true", name="postgres")
        self.assertEqual(self.town.ask("select i from t", name=kept), ["1", "3"])

    def test_a_pool_that_connects_again_at_once_does_not_hold_it_up(self) -> None:
        self.town.ask("create table t(i int)")
        self.make_dump()
        is_over = threading.Event()

        def pool() -> None:
            while not is_over.is_set():
                subprocess.run(["psql", "-XAtq", "-h", "127.0.0.1", "-U", "geoclic", "-d", "geo", "-c", "select pg_sleep(30)"], capture_output=True, check=False)

        threads = [threading.Thread(target=pool) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            self.restore(holds_writes=False)
        finally:
            is_over.set()
            self.town.ask("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()", name="postgres")
            for thread in threads:
                thread.join(35)
        self.assertEqual(self.databases(), ["geo", "geo_replaced"])

    def test_long_names_stay_apart(self) -> None:
        names = [restoration._beside("é" * 31, ending) for ending in ("_restored", "_replaced", "_replaced_20261126000000")]
        self.assertTrue(all(len(name.encode()) <= 63 for name in names))
        self.assertEqual(len(set(names)), 3)
        self.assertEqual(retention.reserve(1000 << 30), 50 << 30)


if __name__ == "__main__":
    unittest.main()
