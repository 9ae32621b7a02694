"""Init files and migrations on a real PostgreSQL: what is kept, what is recorded and what is told, also where the program between dies."""

import os
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import database as database_module
from geoclic_server import migrating, session
from geoclic_server.adoption import Adoption
from geoclic_server.database import Database
from geoclic_server.failure import Failure
from geoclic_server.migrations import Migration, read_migration

from .pg_town import SUITE, PgTown

# As the command line of Docker: when it dies, what it began sees the end of its input, and lives.
RELAY = """
import os, subprocess, sys, threading
program = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
def copy(source, target, close):
    while part := source.read1(65536):
        target.write(part); target.flush()
    if close: target.close()
threads = [threading.Thread(target=copy, args=each, daemon=each[2]) for each in
           ((sys.stdin.buffer, program.stdin, True), (program.stdout, sys.stdout.buffer, False), (program.stderr, sys.stderr.buffer, False))]
for each in threads: each.start()
for each in threads[1:]: each.join()
# Python itself would wait for the reader of the input, and abort where that holds its lock.
os._exit(program.wait())
"""
NAME = SUITE["name"]
LEDGER = SUITE["ledger"]
server: PgTown


def setUpModule() -> None:
    global server
    server = PgTown()


def tearDownModule() -> None:
    server.stop()


def ask(*commands: str, name: str = NAME) -> list[list[str]]:
    """Rows of the answers; each command by itself."""
    return [line.split("|") for line in server.ask(*commands, name=name)]


class Town(Database):
    """Reached by a relay that can be killed as the command line of Docker can."""

    def words(self, program: str, *words: str, name: str = "", application: str = database_module._APPLICATION) -> list[str]:
        whole = super().words(program, *words, name=name, application=application)
        given = [word for before, word in zip(whole, whole[1:]) if before == "-e" and "=" in word]
        return [sys.executable, "-c", RELAY, "env", *given, *whole[whole.index(program) :]]


def release(**change: Any) -> dict[str, Any]:
    database = {**SUITE, "init": "init.sql", "migrations": "migrations", "first": [], "tolerate": {}, "breaking": [], **change}
    return {"project": "deploy", "adapter": {"database": database}}


def file(name: str, *statements: str, mode: str = "transaction", alone: tuple[str, ...] = (), index: str = "", sep: str = ";\n") -> Migration:
    """A file that has these statements, read as from a release."""
    text, told = "-- d'abord l'état\n", []
    for each in statements:
        start = len(text.encode())
        text += each + sep
        entry: dict[str, Any] = {"start": start, "end": start + len(each.encode())}
        told.append({**entry, "alone": True, "index": index} if each in alone else entry)
    content = text.encode()
    sha256 = read_migration(name, content, None).sha256
    return read_migration(name, content, {"sha256": sha256, "mode": mode, "statements": told})


class MigratingCase(unittest.TestCase):
    change: dict[str, Any] = {}

    def setUp(self) -> None:
        server.again()
        self.town = Town(release(**self.change), "secret")
        with mock.patch.object(self.town, "read_init", lambda _folder: file("init.sql", "CREATE TABLE first (n int)")):
            migrating.initialise(self.town, Path())

    def tables(self) -> list[str]:
        return [name for (name,) in ask(f"select tablename from pg_tables where schemaname = 'public' and tablename not like '{LEDGER}%' order by 1")]

    def recorded(self) -> list[tuple[str, ...]]:
        return [tuple(row) for row in ask(f"select name, outcome, notes from {LEDGER} where name <> '(init)' order by name")]

    def failure(self, migration: Migration) -> Failure:
        with self.assertRaises(Failure) as caught:
            migrating.migrate(self.town, migration)
        return caught.exception


class TransactionTest(MigratingCase):
    def test_init_and_ledger_come_together(self) -> None:
        self.assertEqual(self.tables(), ["first"])
        self.assertEqual(set(self.town.applied() or {}), {"(init)"})

    def test_a_file_that_fails_leaves_nothing_and_its_own_line_is_told(self) -> None:
        failure = self.failure(file("090.sql", "CREATE TABLE c (n int)", "SELECT 1,\n  colonne\nFROM c", "CREATE TABLE d ()"))
        self.assertEqual((failure.code, failure.cause), ("MIGRATION_FAILED", '090.sql:4: column "colonne" does not exist (42703)'))
        self.assertEqual((self.tables(), self.recorded()), (["first"], []))

    def test_an_error_without_a_place_has_its_statements_line(self) -> None:
        self.assertIn("091.sql:3: division by zero", self.failure(file("091.sql", "SELECT 1", "DO $$ BEGIN PERFORM 1/0; END $$")).cause)

    def test_a_deferred_constraint_fails_at_the_commit(self) -> None:
        found = self.failure(file("092.sql", "CREATE TABLE u (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)", "INSERT INTO u VALUES (1), (1)"))
        self.assertIn("duplicate key", found.cause)
        self.assertEqual((self.tables(), self.recorded()), (["first"], []))

    def test_text_is_never_a_command_or_a_variable_of_psql(self) -> None:
        migrating.migrate(self.town, file("093.sql", "CREATE TABLE t (a int[], b text)", "INSERT INTO t VALUES ('{1,2,3}', ':USER \\c postgres')",
                                          "SELECT a[1:n] FROM (SELECT a, 2 AS n FROM t) AS x", "INSERT INTO t VALUES (NULL, $q$\n\\! touch /tmp/x\n\\q\n$q$)"))
        self.assertEqual(ask("select to_json(b) from t"), [['":USER \\\\c postgres"'], ['"\\n\\\\! touch /tmp/x\\n\\\\q\\n"']])
        failure = self.failure(file("094.sql", "CREATE TABLE v ()", "\\c postgres\nDROP TABLE first"))
        self.assertIn('094.sql:3: syntax error at or near "\\"', failure.cause)
        self.assertEqual(self.tables(), ["first", "t"])

    def test_output_of_a_dump_that_empties_the_search_path_and_the_limits(self) -> None:
        migrating.migrate(self.town, file("095.sql", "SET statement_timeout = 0", "SET lock_timeout = 0", "SELECT pg_catalog.set_config('search_path', '', false)",
                                          "CREATE TABLE public.dumped (n int)"))
        self.assertEqual((self.tables(), self.recorded()), (["dumped", "first"], [("095.sql", "applied", "")]))

    def test_a_role_that_a_file_takes_is_given_back(self) -> None:
        ask("drop role if exists little", "create role little")
        migrating.migrate(self.town, file("096.sql", "SET ROLE little", "SET SESSION AUTHORIZATION little"))
        self.assertEqual(self.recorded(), [("096.sql", "applied", "")])

    def test_words_that_end_the_transaction_are_seen_whatever_the_release_told(self) -> None:
        for name, word in (("097.sql", "COMMIT"), ("098.sql", "ROLLBACK"), ("099.sql", "COMMIT AND CHAIN")):
            with self.subTest(word):
                failure = self.failure(file(name, "CREATE TABLE IF NOT EXISTS half ()", word, "SELECT 1"))
                self.assertIn("ended the transaction", failure.cause)
                self.assertEqual(self.recorded(), [])

    def test_a_file_with_crlf_bom_and_signs_of_four_bytes(self) -> None:
        text = "﻿-- 😀 l'état\r\nCREATE TABLE \"é😀\" (n int);\r\nSELECT 1/0;"
        plain = text.lstrip("﻿").replace("\r\n", "\n").encode()
        parts = [{"start": plain.index(b"CREATE"), "end": plain.index(b";")}, {"start": plain.index(b"SELECT"), "end": len(plain) - 1}]
        told = {"sha256": read_migration("x", plain, None).sha256, "mode": "transaction", "statements": parts}
        self.assertIn("x.sql:3: division by zero", self.failure(read_migration("x.sql", text.encode(), told)).cause)
        with self.assertRaises(ValueError):
            read_migration("x.sql", text.replace("1/0", "1/1").encode(), told)

    def test_a_lock_is_waited_for_and_told(self) -> None:
        with mock.patch.object(migrating, "_LOCK_TIMEOUT", "200ms"), mock.patch.object(time, "sleep"):
            holder = subprocess.Popen(["psql", "-XAtq", "-h", "127.0.0.1", "-U", SUITE["user"], "-d", NAME, "-c", "begin; lock table first; select pg_sleep(60)"],
                                      stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            while not ask("select 1 from pg_locks where mode = 'AccessExclusiveLock' and relation = 'first'::regclass"):
                pass
            failure = self.failure(file("100.sql", "ALTER TABLE first ADD m int"))
            ask("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()")
            holder.wait()
        self.assertEqual(failure.code, "MIGRATION_LOCKED")

    def test_a_release_that_does_not_tell_statements_runs_none(self) -> None:
        self.assertEqual(self.failure(read_migration("101.sql", b"SELECT 1", None)).code, "RELEASE_OLD")


class ToleratingTest(MigratingCase):
    change = {"tolerate": {"015.sql": ["42P07"]}}

    def test_a_tolerated_error_undoes_its_statement_alone(self) -> None:
        notes = migrating.migrate(self.town, file("015.sql", "CREATE TABLE second ()", "CREATE TABLE first (n int)", "CREATE TABLE third ()"))
        self.assertEqual(notes, "line 3: 42P07")
        self.assertEqual((self.tables(), self.recorded()), (["first", "second", "third"], [("015.sql", "tolerated", "line 3: 42P07")]))

    def test_the_error_that_is_told_is_the_one_that_counted(self) -> None:
        failure = self.failure(file("015.sql", "CREATE TABLE first (n int)", "SELECT 1", "SELECT ici"))
        self.assertEqual(failure.cause, '015.sql:4: column "ici" does not exist (42703)')
        self.assertEqual((self.tables(), self.recorded()), (["first"], []))


class LostTest(MigratingCase):
    """The command line of Docker dies, is killed or passes its limit."""

    def kill_when(self, condition: str) -> threading.Thread:
        """Kills the session's program, and nothing else, once a query has rows."""
        found: list[session.Session] = []
        make = session.Session.__init__

        def made(self: session.Session, *words: Any) -> None:
            make(self, *words)
            found.append(self)

        def work() -> None:
            while not ask(condition):
                time.sleep(0.01)
            found[-1]._program.kill()

        patch = mock.patch.object(session.Session, "__init__", made)
        patch.start()
        self.addCleanup(patch.stop)
        thread = threading.Thread(target=work)
        thread.start()
        return thread

    ASLEEP = "select 1 from pg_stat_activity where query like '%pg_sleep%' and state = 'active' and pid <> pg_backend_pid()"

    def test_a_statement_that_goes_on_is_ended_before_anything_is_told(self) -> None:
        began = time.monotonic()
        thread = self.kill_when(self.ASLEEP)
        failure = self.failure(file("093_import.sql", "CREATE TABLE half (n int)", "SELECT pg_sleep(30)"))
        thread.join()
        self.assertEqual(failure.code, "MIGRATION_FAILED")
        self.assertEqual(ask("select 1 from pg_stat_activity where application_name like 'geoclic-fleet%'"), [])
        self.assertEqual((self.tables(), self.recorded()), (["first"], []))
        self.assertLess(time.monotonic() - began, 20)

    def test_a_limit_that_is_passed_ends_what_runs(self) -> None:
        with mock.patch.object(database_module, "_SECONDS", 61):
            self.town = Town(release(), "secret")
            # The server's own limit, a second of it.
            self.assertIn("statement timeout", self.failure(file("094.sql", "SELECT pg_sleep(30)")).cause)
        with mock.patch.object(session.Session, "_next", side_effect=session.SessionLost("it gave no answer within 1 s")):
            self.assertEqual(self.failure(file("095.sql", "SELECT 1")).code, "MIGRATION_FAILED")
        self.assertEqual(ask("select 1 from pg_stat_activity where application_name like 'geoclic-fleet%'"), [])

    def test_cut_at_every_byte_of_a_statement_nothing_is_kept(self) -> None:
        text = "UPDATE first SET n = 2 WHERE false"
        for cut in range(0, len(text), 3):
            ask("truncate first", "insert into first values (1)")
            send = session.Session._ask

            def cutting(self: session.Session, sql: str, cut: int = cut, send: Any = send) -> Any:
                if text not in sql:
                    return send(self, sql)
                self._program.stdin.write(sql[: sql.index(text) + cut].encode())  # type: ignore[union-attr]
                self._program.stdin.flush()  # type: ignore[union-attr]
                self._program.kill()
                raise self._lost("cut")

            with mock.patch.object(session.Session, "_ask", cutting):
                self.failure(file("096.sql", text))
            self.assertEqual((ask("select n from first"), self.recorded()), ([["1"]], []))

    def test_a_commit_whose_answer_is_lost_counts(self) -> None:
        send = session.Session._ask

        def losing(self: session.Session, sql: str) -> Any:
            answer = send(self, sql)
            if sql == "COMMIT;":
                raise self._lost("cut")
            return answer

        with mock.patch.object(session.Session, "_ask", losing):
            migrating.migrate(self.town, file("097.sql", "CREATE TABLE kept ()"))
        self.assertEqual((self.tables(), len(self.recorded())), (["first", "kept"], 1))

    def test_what_a_killed_run_left_is_ended_by_the_next_start(self) -> None:
        words = self.town.words("psql", "-h", "127.0.0.1", "-c", "begin; lock table first; select pg_sleep(60)", application="geoclic-fleet sql 0123")
        left = session.Session(words, {}, 60)
        while not ask(self.ASLEEP):
            time.sleep(0.01)
        left._program.kill()
        self.town.end_sessions(database_module._SQL)
        migrating.migrate(self.town, file("098.sql", "ALTER TABLE first ADD m int"))
        left._program.wait()

    def test_a_program_leaves_no_session_behind(self) -> None:
        with self.town.own_sessions() as application:
            words = self.town.words("psql", "-h", "127.0.0.1", "-c", "select pg_sleep(60)", application=application)
            program = session.Session(words, {}, 60)._program
            while not ask(self.ASLEEP):
                time.sleep(0.01)
            program.kill()
            program.wait()
        self.assertEqual(ask(self.ASLEEP), [])


class AutocommitTest(MigratingCase):
    INDEX = "CREATE INDEX CONCURRENTLY i ON first (n)"

    def big(self, *more: str) -> Migration:
        return file("050.sql", "INSERT INTO first VALUES (1), (2)", self.INDEX, *more, mode="autocommit", alone=(self.INDEX,), index="i")

    def test_each_statement_is_kept_by_itself(self) -> None:
        self.assertEqual(migrating.migrate(self.town, self.big("CREATE TABLE last ()")), "")
        self.assertEqual((self.tables(), self.recorded()), (["first", "last"], [("050.sql", "applied", "")]))
        self.assertEqual(ask("select count(*) from schema_history_progress"), [["0"]])

    def test_the_next_run_goes_on_behind_what_is_kept(self) -> None:
        failure = self.failure(self.big("SELECT ici"))
        self.assertEqual((failure.code, failure.cause.split("; ")[0]), ("MIGRATION_STOPPED", '050.sql:4: column "ici" does not exist (42703)'))
        self.assertIn("its 2 statements before line 4 are kept", failure.cause)
        self.assertEqual(self.recorded(), [])
        self.assertEqual(migrating.migrate(self.town, self.big("SELECT 1")), "went on from line 4")
        self.assertEqual(ask("select count(*) from first"), [["2"]])

    def test_a_file_that_begins_otherwise_now_is_refused(self) -> None:
        self.failure(self.big("SELECT ici"))
        changed = file("050.sql", "INSERT INTO first VALUES (3)", self.INDEX, "SELECT 1", mode="autocommit", alone=(self.INDEX,), index="i")
        self.assertIn("read otherwise now", self.failure(changed).cause)
        self.assertEqual(ask("select count(*) from first"), [["2"]])

    def test_an_invalid_index_of_a_failed_run_is_made_anew(self) -> None:
        unique = "CREATE UNIQUE INDEX CONCURRENTLY i ON first (n)"
        migration = file("050.sql", "INSERT INTO first VALUES (1), (1)", unique, mode="autocommit", alone=(unique,), index="i")
        self.assertIn("could not create unique index", self.failure(migration).cause)
        self.assertEqual(ask("select indisvalid from pg_index where indexrelid = 'i'::regclass"), [["f"]])
        ask("delete from first", "insert into first values (1)")
        self.assertIn("run again", migrating.migrate(self.town, migration))
        self.assertEqual(ask("select indisvalid from pg_index where indexrelid = 'i'::regclass"), [["t"]])

    def test_killed_at_every_answer_no_statement_is_done_twice(self) -> None:
        migration = self.big("INSERT INTO first VALUES (3)")
        # Every third; each one with GEOCLIC_ALL.
        step = 1 if os.environ.get("GEOCLIC_ALL") else 3
        for number in range(1, 60, step):
            ask(f"drop table first, {LEDGER}", f"drop table if exists {LEDGER}_progress", "create table first (n int)", self.town.ledger.create())
            send, count = session.Session._ask, [0]

            def dying(self: session.Session, sql: str, send: Any = send, count: list[int] = count, number: int = number) -> Any:
                answer = send(self, sql)
                count[0] += 1
                if count[0] == number:
                    self._program.kill()
                    raise self._lost("cut")
                return answer

            is_cut = True
            with mock.patch.object(session.Session, "_ask", dying):
                try:
                    migrating.migrate(self.town, migration)
                    is_cut = count[0] >= number
                except Failure as failure:
                    self.assertEqual(failure.code, "MIGRATION_STOPPED")
            if "050.sql" not in (self.town.applied() or {}):
                migrating.migrate(self.town, migration)
            self.assertEqual(ask("select string_agg(n::text, ',' order by n) from first"), [["1,2,3"]])
            self.assertEqual(ask("select indisvalid from pg_index where indexrelid = 'i'::regclass"), [["t"]])
            self.assertEqual(len(self.recorded()), 1)
            if not is_cut:
                break
        self.assertGreater(number, 20)


class LedgerTest(MigratingCase):
    change = {"breaking": ["092.sql"]}

    def test_breaking_is_written_down_also_into_a_ledger_of_former_days(self) -> None:
        ask("alter table schema_history drop column breaking")
        self.assertEqual(self.town.applied_breaking(), set())
        migrating.migrate(self.town, file("092.sql", "SELECT 1"))
        migrating.migrate(self.town, file("093.sql", "SELECT 1"))
        self.assertEqual(ask("select name, breaking from schema_history order by name"), [["(init)", ""], ["092.sql", "t"], ["093.sql", "f"]])

    def test_a_release_that_lacks_a_breaking_one_is_refused(self) -> None:
        one, two = file("092.sql", "SELECT 1"), file("093.sql", "SELECT 1")
        migrating.migrate(self.town, one)
        migrating.migrate(self.town, two)
        applied = self.town.applied() or {}
        migrating.refuse_older(self.town, [one], applied, [])
        for known, breaking in (([two], []), ([one], ["093.sql"])):
            with self.assertRaises(Failure) as caught:
                migrating.refuse_older(self.town, known, applied, breaking)
            self.assertEqual(caught.exception.code, "MIGRATION_BREAKING")

    def test_messages_are_not_translated_and_strings_are_plain(self) -> None:
        ask(f"alter database {NAME} set lc_messages = 'C.UTF-8'", f"alter database {NAME} set standard_conforming_strings = off")
        self.assertEqual(self.town.query("select current_setting('lc_messages'), current_setting('standard_conforming_strings')"), [["C", "on"]])
        with self.town.session() as opened:
            self.assertEqual(opened.rows("SHOW lc_messages"), [["C"]])


class AdoptionTest(MigratingCase):
    def setUp(self) -> None:
        super().setUp()
        ask("drop table schema_history")

    def adoption(self, *files: Migration) -> Adoption:
        patches = (mock.patch.object(self.town, "read_init", lambda _folder: file("init.sql", "CREATE TABLE first (n int)")),
                   mock.patch.object(self.town, "read_migrations", lambda _folder: list(files)))
        for patch in patches:
            patch.start()
            self.addCleanup(patch.stop)
        return Adoption(self.town, lambda _step, _text: None)

    def test_the_reference_cannot_reach_the_towns_database(self) -> None:
        ask("create table precious ()")
        text = f"\\c {NAME}\nDROP TABLE precious"
        adoption = self.adoption(file("001.sql", text, f"\\connect {NAME}", "DROP TABLE IF EXISTS precious"), file("002.sql", "CREATE TABLE second ()"))
        plans = adoption.plan(Path())
        self.assertIn("precious", self.tables())
        self.assertEqual([each.verdict for each in plans], ["present", "present", "absent"])
        adoption.carry_out(plans)
        self.assertEqual(self.tables(), ["first", "precious", "second"])
        self.assertEqual(ask("select name, outcome from schema_history order by 1"), [["(init)", "adopted"], ["001.sql", "adopted"], ["002.sql", "applied"]])

    def test_a_repair_runs_what_is_missing_and_tolerates_what_is_there(self) -> None:
        cut = file("002.sql", "CREATE TABLE second ()", "CREATE TABLE third (n int)", "INSERT INTO third VALUES (1)")
        ask("create table second ()")
        adoption = self.adoption(cut, file("003.sql", "SET search_path = pg_catalog", "CREATE TABLE public.second ()", "CREATE TABLE public.fourth ()"))
        adoption.carry_out(adoption.plan(Path()))
        self.assertEqual(self.tables(), ["first", "fourth", "second", "third"])
        self.assertEqual(ask("select n from third"), [["1"]])
        self.assertEqual(ask("select 1 from pg_database where datname like '%reference%'"), [])

    def test_a_file_outside_transactions_is_left_to_a_migration(self) -> None:
        index = "CREATE INDEX CONCURRENTLY i ON first (n)"
        apart = file("002.sql", index, mode="autocommit", alone=(index,), index="i")
        after = file("003.sql", "CREATE TABLE third ()")
        adoption = self.adoption(apart, after)
        adoption.carry_out(adoption.plan(Path()))
        self.assertEqual(ask("select name from schema_history"), [["(init)"]])
        for each in (apart, after):
            migrating.migrate(self.town, each)
        self.assertEqual(self.tables(), ["first", "third"])

    def test_what_cannot_be_made_is_told_and_nothing_is_changed(self) -> None:
        ask("alter table first drop column n; alter table first add column m int")
        adoption = self.adoption(file("002.sql", "CREATE TABLE second ()"))
        with self.assertRaises(Failure) as caught:
            adoption.carry_out(adoption.plan(Path()))
        self.assertIn(caught.exception.code, ("SCHEMA_DIFFERS", "MIGRATION_FAILED"))
        self.assertEqual(self.tables(), ["first"])
        self.assertEqual(ask(f"select to_regclass('{LEDGER}') is null"), [["t"]])


if __name__ == "__main__":
    unittest.main()
