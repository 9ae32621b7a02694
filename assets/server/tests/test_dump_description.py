"""What a dump tells of its database, in pg_restore's words (PostgreSQL 15.18). harness/pg_test_restoration.py asks PostgreSQL itself."""

import unittest

from geoclic_server.dump_description import read_description

_HEAD = "--\n-- PostgreSQL database dump\n--\n\n\\restrict a\n\nSET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n"
_SESSION = "\\unrestrict a\n\\connect geo\n\\restrict a\n\nSET statement_timeout = 0;\n\n"
_END = "\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict a\n"


def entry(name: str, kind: str, text: str) -> str:
    return f"--\n-- Name: {name}; Type: {kind}; Schema: -; Owner: proprio\n--\n\n{text}\n\n\n"


class DescriptionTest(unittest.TestCase):
    def test_all_of_it(self) -> None:
        text = "".join((
            _HEAD,
            entry("geo", "DATABASE", "CREATE DATABASE geo WITH TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C.UTF-8' ICU_LOCALE = 'fr';\n\n\n"
                  "ALTER DATABASE geo OWNER TO proprio;") + _SESSION,
            entry("DATABASE geo", "COMMENT", "COMMENT ON DATABASE geo IS 'town''s\n\\connect x';"),
            entry("geo", "DATABASE PROPERTIES", "ALTER DATABASE geo CONNECTION LIMIT = 77;\nALTER DATABASE geo SET search_path TO 'sig', 'public';\n"
                  "ALTER ROLE geoclic IN DATABASE geo SET work_mem TO '5MB';") + _SESSION,
            entry("sig", "SCHEMA", "CREATE SCHEMA sig;\n\n\nALTER SCHEMA sig OWNER TO geoclic;"),
            entry("TABLE t", "COMMENT", "COMMENT ON TABLE sig.t IS 'x';"),
            entry("DATABASE geo", "ACL", "REVOKE CONNECT,TEMPORARY ON DATABASE geo FROM PUBLIC;\nGRANT CONNECT ON DATABASE geo TO lecteur_sig;").rstrip() + _END,
        ))
        described = read_description(text, "geoclic")
        assert described
        self.assertEqual((described.name, described.search_path), ("geo", "'sig', 'public'"))
        self.assertEqual(described.options, "TEMPLATE = template0 ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C.UTF-8' ICU_LOCALE = 'fr'")
        self.assertEqual(described.properties.splitlines(), [
            "ALTER DATABASE geo OWNER TO proprio;", "COMMENT ON DATABASE geo IS 'town''s", "\\connect x';",
            "ALTER DATABASE geo CONNECTION LIMIT = 77;", "ALTER DATABASE geo SET search_path TO 'sig', 'public';",
            "ALTER ROLE geoclic IN DATABASE geo SET work_mem TO '5MB';",
            "REVOKE CONNECT,TEMPORARY ON DATABASE geo FROM PUBLIC;", "GRANT CONNECT ON DATABASE geo TO lecteur_sig;",
        ])

    def test_a_name_in_quotes_and_the_users_own_path_first(self) -> None:
        text = entry('Geo "x"', "DATABASE", 'CREATE DATABASE "Geo ""x""" WITH TEMPLATE = template0;') + entry(
            'Geo "x"', "DATABASE PROPERTIES", 'ALTER DATABASE "Geo ""x""" SET search_path TO \'a\';\nALTER ROLE geoclic IN DATABASE "Geo ""x""" SET search_path TO \'b\';\n'
            'ALTER ROLE other IN DATABASE "Geo ""x""" SET search_path TO \'c\';')
        described = read_description(text, "geoclic")
        assert described
        self.assertEqual((described.name, described.search_path), ('Geo "x"', "'b'"))

    def test_a_dump_of_less_than_a_database(self) -> None:
        self.assertIsNone(read_description(_HEAD + entry("t", "TABLE", "CREATE TABLE t();") + _END, "geoclic"))


if __name__ == "__main__":
    unittest.main()
