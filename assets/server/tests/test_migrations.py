import unittest

from geoclic_server.migrations import ordered, pending, psql_error, read_migration, statements, without_transaction_control


def texts(sql: str) -> list[str]:
    return [statement.text for statement in statements(sql)]


class OrderTest(unittest.TestCase):
    def test_first_then_number_then_name(self) -> None:
        names = ["016_b.sql", "zz.sql", "002_x.sql", "015_geoclic.sql", "add_system_settings.sql", "015_a.sql", "0100_y.sql"]
        self.assertEqual(
            ordered(names, ["add_system_settings.sql", "absent.sql"]),
            ["add_system_settings.sql", "002_x.sql", "015_a.sql", "015_geoclic.sql", "016_b.sql", "0100_y.sql", "zz.sql"],
        )

    def test_applied_ones_do_not_run_again_and_changes_are_told(self) -> None:
        one, two, three = (read_migration(f"00{number}.sql", b"SELECT 1;") for number in (1, 2, 3))
        to_run, changed = pending([one, two, three], {"001.sql": one.sha256, "002.sql": "another"})
        self.assertEqual(([each.name for each in to_run], changed), (["003.sql"], ["002.sql"]))

    def test_line_ends_and_byte_order_mark_do_not_count(self) -> None:
        windows = read_migration("x", b"\xef\xbb\xbfSELECT 1;\r\nSELECT 2;\r\n")
        self.assertEqual(windows.sha256, read_migration("x", b"SELECT 1;\nSELECT 2;\n").sha256)
        with self.assertRaises(UnicodeDecodeError):
            read_migration("x", "é".encode("latin-1"))


class StatementsTest(unittest.TestCase):
    def test_what_is_no_end_of_a_statement(self) -> None:
        for sql in (
            "SELECT ';'",
            "SELECT 'it''s; fine'",
            "SELECT E'a\\'; b'",
            'SELECT "a;b"',
            "SELECT 1 -- a; b\n + 2",
            "SELECT /* a; /* b; */ c; */ 1",
            "DO $$ BEGIN PERFORM 1; END $$",
            "DO $body$ BEGIN PERFORM '$$;'; END $body$",
            "DO $référence$ BEGIN; $référence$",
            "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
        ):
            with self.subTest(sql):
                self.assertEqual(texts(f"{sql};\nSELECT 2;"), [sql, "SELECT 2"])

    def test_lines_and_leading_comments(self) -> None:
        found = statements("-- one;\n\nSELECT 1;\n/* two;\n*/ SELECT\n 2;\n-- end")
        self.assertEqual([(each.line, each.text) for each in found], [(3, "SELECT 1"), (5, "SELECT\n 2")])

    def test_unfinished_quotes_end_with_the_file(self) -> None:
        for sql in ("SELECT 'a;", "SELECT $$ a;", "SELECT /* a;", 'SELECT "a;'):
            with self.subTest(sql):
                self.assertEqual(len(statements(sql)), 1)

    def test_parameters_are_no_dollar_quotes(self) -> None:
        self.assertEqual(texts("PREPARE p AS SELECT $1; SELECT $2;"), ["PREPARE p AS SELECT $1", "SELECT $2"])

    def test_own_transaction_is_blanked_in_place(self) -> None:
        sql = "-- BEGIN;\nBEGIN;\nSELECT 'COMMIT;';\nDO $$ BEGIN NULL; END $$;\ncommit work ;\n"
        blanked = without_transaction_control(sql)
        self.assertEqual(texts(blanked), ["SELECT 'COMMIT;'", "DO $$ BEGIN NULL; END $$"])
        self.assertEqual((blanked.count("\n"), len(blanked)), (sql.count("\n"), len(sql)))


class PsqlErrorTest(unittest.TestCase):
    def test_place_code_and_details(self) -> None:
        error = psql_error(
            "psql:<stdin>:7: NOTICE:  00000: relation exists, skipping\nLOCATION:  x\n"
            'psql:<stdin>:12: ERROR:  42703: column "é" does not exist\nLINE 1: SELECT é;\n               ^\n'
            "HINT:  Perhaps you meant another.\nLOCATION:  errorMissingColumn, parse_relation.c:3656\n"
        )
        self.assertEqual((error.line, error.sqlstate), (12, "42703"))
        self.assertEqual(
            error.describe("090_x.sql"),
            '090_x.sql:12: column "é" does not exist LINE 1: SELECT é; HINT:  Perhaps you meant another. (42703)',
        )

    def test_failures_without_a_place(self) -> None:
        for stderr, expected in [
            ('psql: error: connection to server at "db" failed: FATAL:  password refused', "x.sql: psql: error: connection to server"),
            ("ERROR:  55P03: canceling statement due to lock timeout\n", "x.sql: canceling statement due to lock timeout (55P03)"),
            ("", "x.sql: psql ended without a message"),
        ]:
            with self.subTest(stderr):
                self.assertTrue(psql_error(stderr).describe("x.sql").startswith(expected), psql_error(stderr).describe("x.sql"))
