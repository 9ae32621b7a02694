"""Which migrations a database already has, told from its objects. Not proven: the queries that list objects (see the lab's tests)."""

import unittest

from geoclic_server import evidence
from geoclic_server.evidence import Trace, TracedFile
from geoclic_server.migrations import Migration, Statement


def statement(text: str, line: int = 1) -> Statement:
    return Statement(text, line)


def file(name: str, *traces: Trace) -> TracedFile:
    return TracedFile(Migration(name, name, ()), traces)


def makes(text: str, *made: str, line: int = 1, gone: tuple[str, ...] = ()) -> Trace:
    return Trace(statement(text, line), frozenset(made), frozenset(gone))


INIT = file("(init)", makes("CREATE TABLE a ()", "table public.a"), makes("INSERT INTO a DEFAULT VALUES"))
TWO = file("002.sql", makes("CREATE TABLE b ()", "table public.b", line=1), makes("INSERT INTO b VALUES (1)", line=2),
           makes("INSERT INTO a VALUES (1)", line=3), makes("CREATE INDEX i ON a (x)", "index public.i", line=4), makes("COMMENT ON TABLE a IS 'x'", line=5))
ROWS = file("003.sql", makes("UPDATE a SET x = 1"))
FOUR = file("004.sql", makes("CREATE TYPE t AS ENUM ()", "type public.t"))
FINAL = ["table public.a", "table public.b", "index public.i", "type public.t"]


class KindTest(unittest.TestCase):
    def test_what_a_statement_may_do(self) -> None:
        for text, expected in (
            ("CREATE TABLE a ()", "schema"),
            ("alter table a add b int", "schema"),
            ("DROP INDEX i", "schema"),
            ("INSERT INTO a VALUES (1)", "data"),
            ("WITH x AS (SELECT 1) INSERT INTO a SELECT 1", "data"),
            ("TRUNCATE a", "data"),
            ("COMMENT ON TABLE a IS 'x'", "harmless"),
            ("SET search_path = public", "harmless"),
            ("DO $$ BEGIN END $$", "opaque"),
            ("SELECT setval('s', 1)", "opaque"),
            ("(SELECT 1)", "opaque"),
            ("CREATE ROLE x", "cluster"),
            ("ALTER  DATABASE d SET x = 1", "cluster"),
            ("ALTER SYSTEM SET x = 1", "cluster"),
        ):
            with self.subTest(text):
                self.assertEqual(evidence.kind(statement(text)), expected)

    def test_only_what_changes_the_schema_is_traced(self) -> None:
        texts = ("CREATE TABLE a ()", "INSERT INTO a VALUES (1)", "DO $$ BEGIN END $$", "DROP ROLE r")
        traced = [text for text in texts if evidence.is_traced(statement(text))]
        self.assertEqual(traced, ["CREATE TABLE a ()", "DO $$ BEGIN END $$"])


class PlanTest(unittest.TestCase):
    def verdicts(self, present: list[str], *files: TracedFile, final: list[str] | None = None) -> list[str]:
        return [each.verdict for each in evidence.plan(files, FINAL if final is None else final, present)]

    def test_everything_is_there(self) -> None:
        plans = evidence.plan([INIT, TWO, ROWS, FOUR], FINAL, [*FINAL, "table public.of_somebody"])
        self.assertEqual([(each.verdict, each.statements) for each in plans], [("present", ())] * 4)
        self.assertEqual([bool(each.notes) for each in plans], [False, False, True, False])

    def test_the_end_is_missing(self) -> None:
        self.assertEqual(self.verdicts(["table public.a"], INIT, TWO, ROWS, FOUR), ["present", "absent", "absent", "absent"])

    def test_rows_alone_count_as_applied_where_a_later_file_was(self) -> None:
        self.assertEqual(self.verdicts(["table public.a", "type public.t"], INIT, TWO, ROWS, FOUR), ["present", "absent", "present", "present"])

    def test_an_absent_file_runs_whole(self) -> None:
        own = file("005.sql", makes("CREATE TABLE c ()", "table public.c"), makes("INSERT INTO a VALUES (1)"))
        plans = evidence.plan([INIT, own], ["table public.a", "table public.c"], ["table public.a"])
        self.assertEqual([each.text for each in plans[1].statements], ["CREATE TABLE c ()", "INSERT INTO a VALUES (1)"])

    def test_a_file_that_was_cut_before_what_runs_outside_transactions_is_for_people(self) -> None:
        index = Trace(Statement("CREATE INDEX CONCURRENTLY i ON a (x)", 2, True, "i"), frozenset({"index public.i"}))
        cut = file("005.sql", makes("CREATE TABLE c ()", "table public.c"), index)
        plans = evidence.plan([INIT, cut], ["table public.a", "table public.c", "index public.i"], ["table public.a", "table public.c"])
        self.assertEqual((plans[1].verdict, plans[1].blocked), ("partial", (2,)))

    def test_of_a_file_that_was_cut_only_what_is_missing_runs(self) -> None:
        plans = evidence.plan([INIT, TWO], FINAL, ["table public.a", "table public.b"])
        self.assertEqual((plans[1].verdict, [each.line for each in plans[1].statements]), ("partial", [4, 5]))
        self.assertEqual(plans[1].notes, "was there in part; run: lines 4, 5; not run again: lines 2, 3")

    def test_rows_go_into_a_table_that_is_only_now_made(self) -> None:
        plans = evidence.plan([INIT, TWO], FINAL, ["table public.a", "index public.i"])
        self.assertEqual([each.line for each in plans[1].statements], [1, 2, 5])

    def test_a_new_column_is_filled_and_others_are_not(self) -> None:
        column = file("006.sql", makes("ALTER TABLE a ADD x int", "column public.a.x", line=1), makes("UPDATE a SET x = 2", line=2),
                      makes("UPDATE a SET xy = 2", line=3), makes("DELETE FROM a", line=4), makes("CREATE TYPE u", "type public.u", line=5))
        plans = evidence.plan([INIT, column], ["table public.a", "column public.a.x", "type public.u"], ["table public.a", "type public.u"])
        self.assertEqual([each.line for each in plans[1].statements], [1, 2])

    def test_what_a_later_file_drops_is_not_missed(self) -> None:
        made = file("007.sql", makes("CREATE TABLE old ()", "table public.old"))
        dropped = file("008.sql", makes("DROP TABLE old", gone=("table public.old",)))
        self.assertEqual(self.verdicts(["table public.a"], INIT, made, dropped, final=["table public.a"]), ["present", "present", "present"])
        self.assertEqual(self.verdicts(["table public.a", "table public.old"], INIT, made, dropped, final=["table public.a"]), ["present", "present", "absent"])

    def test_one_that_drops_and_makes_again_is_not_run_again(self) -> None:
        again = file("014.sql", makes("DROP TABLE IF EXISTS zones", gone=("table public.zones",)), makes("CREATE TABLE zones ()", "table public.zones"))
        self.assertEqual(self.verdicts(["table public.a", "table public.zones"], INIT, again, final=["table public.a", "table public.zones"]), ["present", "present"])


    def test_one_that_makes_a_table_anew_runs_whole_on_the_old_table(self) -> None:
        anew = file("014.sql", makes("DROP TABLE zones", gone=("table public.zones", "column public.zones.old")),
                    makes("CREATE TABLE zones ()", "table public.zones", "column public.zones.new"), makes("INSERT INTO zones VALUES (1)"))
        final = ["table public.a", "table public.zones", "column public.zones.new"]
        plans = evidence.plan([INIT, anew], final, ["table public.a", "table public.zones", "column public.zones.old"])
        self.assertEqual((plans[1].verdict, len(plans[1].statements)), ("absent", 3))

    def test_a_file_that_was_cut_before_it_drops_something_is_for_people(self) -> None:
        moved = file("009.sql", makes("ALTER TABLE a ADD new int", "column public.a.new", line=1), makes("UPDATE a SET new = old", line=2),
                     makes("ALTER TABLE a DROP old", line=3, gone=("column public.a.old",)))
        final = ["table public.a", "column public.a.new"]
        cut = ["table public.a", "column public.a.new", "column public.a.old"]
        self.assertEqual(evidence.plan([INIT, moved], final, cut)[1].blocked, (3,))
        self.assertEqual(evidence.plan([INIT, moved], final, final)[1].verdict, "present")
        self.assertEqual(evidence.plan([INIT, moved], final, ["table public.a", "column public.a.old"])[1].verdict, "absent")

    def test_a_changed_constraint_does_not_stop_a_repair(self) -> None:
        check = file("010.sql", makes("ALTER TABLE a DROP CONSTRAINT c", line=1, gone=("constraint public.a.c",)),
                     makes("ALTER TABLE a ADD CONSTRAINT d", "constraint public.a.d", line=2), makes("CREATE TABLE e ()", "table public.e", line=3))
        plans = evidence.plan([INIT, check], ["table public.a", "constraint public.a.d", "table public.e"], ["table public.a", "table public.e", "constraint public.a.c"])
        self.assertEqual((plans[1].blocked, [each.line for each in plans[1].statements]), ((), [1, 2]))


class EssentialTest(unittest.TestCase):
    def test_tables_and_columns_are_needed_names_of_indexes_are_not(self) -> None:
        found = ["table public.a", "column public.a.x", "index public.i", "definition public.a.x integer", "constraint public.a.c"]
        self.assertEqual([each for each in found if evidence.is_essential(each)], ["table public.a", "column public.a.x"])


if __name__ == "__main__":
    unittest.main()
