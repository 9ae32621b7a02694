import unittest

from geoclic_server.migrations import Apart, Statement, compare, ordered, pending, program_error, psql_error, read_migration


class OrderTest(unittest.TestCase):
    def test_first_then_number_then_name(self) -> None:
        names = ["016_b.sql", "zz.sql", "002_x.sql", "015_geoclic.sql", "add_system_settings.sql", "015_a.sql", "0100_y.sql"]
        self.assertEqual(
            ordered(names, ["add_system_settings.sql", "absent.sql"]),
            ["add_system_settings.sql", "002_x.sql", "015_a.sql", "015_geoclic.sql", "016_b.sql", "0100_y.sql", "zz.sql"],
        )

    def test_applied_ones_do_not_run_again_and_changes_are_told(self) -> None:
        one, two, three = (read_migration(f"00{number}.sql", b"SELECT 1;", None) for number in (1, 2, 3))
        to_run, changed = pending([one, two, three], {"001.sql": one.sha256, "002.sql": "another"})
        self.assertEqual(([each.name for each in to_run], changed), (["003.sql"], ["002.sql"]))


    def test_a_database_is_behind_by_what_it_lacks_and_ahead_by_what_breaks_alone(self) -> None:
        for name, applied, expected in (
            ("as brought", ["(init)", "1", "2", "3"], Apart([], [])), ("an older backup", ["(init)", "1"], Apart(["2", "3"], [])),
            ("of a newer release, additive", ["1", "2", "3", "4"], Apart([], [])), ("of a newer release, breaking", ["1", "2", "3", "5"], Apart([], ["5"])),
            ("of another branch", ["1", "3", "5"], Apart(["2"], ["5"])),
        ):
            with self.subTest(name):
                self.assertEqual(compare(["1", "2", "3"], applied, {"2", "5"}), expected)


class ReadTest(unittest.TestCase):
    def test_line_ends_and_byte_order_mark_do_not_count(self) -> None:
        windows = read_migration("x", b"\xef\xbb\xbfSELECT 1;\r\nSELECT 2;\r\n", None)
        self.assertEqual(windows.sha256, read_migration("x", b"SELECT 1;\nSELECT 2;\n", None).sha256)
        with self.assertRaises(UnicodeDecodeError):
            read_migration("x", "é".encode("latin-1"), None)

    def test_statements_are_those_that_the_release_tells(self) -> None:
        text = "-- l'été 😀\nSELECT 1;\n\nCREATE INDEX CONCURRENTLY i ON t (x);".encode()
        told = {"sha256": read_migration("x", text, None).sha256, "mode": "autocommit", "statements": [
            {"start": text.index(b"SELECT"), "end": text.index(b";")}, {"start": text.index(b"CREATE"), "end": len(text) - 1, "alone": True, "index": "i"}]}
        found = read_migration("x", b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"), told)
        self.assertEqual(found.statements, (Statement("SELECT 1", 2), Statement("CREATE INDEX CONCURRENTLY i ON t (x)", 4, True, "i")))
        self.assertTrue(found.is_autocommit)
        with self.assertRaises(ValueError):
            read_migration("x", text + b" ", told)

    def test_the_begin_of_a_file_is_known_again(self) -> None:
        def file(*texts: str) -> str:
            sql = ";".join(texts).encode()
            starts = [sql.index(each.encode()) for each in texts]
            statements = [{"start": start, "end": start + len(each)} for start, each in zip(starts, texts)]
            told = {"sha256": read_migration("x", sql, None).sha256, "mode": "autocommit", "statements": statements}
            return read_migration("x", sql, told).prefix(2)

        self.assertEqual(file("SELECT 1", "SELECT 2", "SELECT 3"), file("SELECT 1", "SELECT 2", "SELECT 4"))
        self.assertNotEqual(file("SELECT 1", "SELECT 2"), file("SELECT 1", "SELECT 3"))


class PsqlErrorTest(unittest.TestCase):
    def test_place_code_and_details(self) -> None:
        error = psql_error(
            "NOTICE:  00000: relation exists, skipping\nLOCATION:  x\n"
            'ERROR:  42703: column "é" does not exist\nLINE 3: SELECT é;\n               ^\n'
            "HINT:  Perhaps you meant another.\nLOCATION:  errorMissingColumn, parse_relation.c:3656\n"
        )
        assert error
        self.assertEqual((error.line, error.sqlstate), (3, "42703"))
        self.assertEqual(
            error.within(Statement("", 10)).describe("090_x.sql"),
            '090_x.sql:12: column "é" does not exist HINT:  Perhaps you meant another. (42703)',
        )

    def test_a_line_of_a_functions_own_text_is_not_the_files(self) -> None:
        error = psql_error("ERROR:  42703: no column\nLINE 7: x\nQUERY:  SELECT x\nCONTEXT:  PL/pgSQL function inline_code_block line 3\nLOCATION:  y\n")
        assert error
        self.assertEqual(error.within(Statement("", 10)).line, 10)

    def test_notices_alone_are_no_error(self) -> None:
        self.assertIsNone(psql_error("NOTICE:  00000: ERROR: none\nLOCATION:  x\n"))

    def test_failures_without_a_place(self) -> None:
        for stderr, expected in [
            ('psql: error: connection to server at "db" failed: FATAL:  password refused', "x.sql: psql: error: connection to server"),
            ("ERROR:  55P03: canceling statement due to lock timeout\n", "x.sql: canceling statement due to lock timeout (55P03)"),
            ("", "x.sql: psql ended without a message"),
        ]:
            with self.subTest(stderr):
                self.assertTrue(program_error(stderr).describe("x.sql").startswith(expected), program_error(stderr).describe("x.sql"))
