"""How the ingress learns addresses, by its configuration. Not proven here: that nginx does it (see the lab's seamless test)."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from geoclic_server import detour, layout, upstreams
from geoclic_server.compose import Container
from geoclic_server.nginx_text import Directive, Unreadable, directives, read
from geoclic_server.upstreams import Knowledge, Learning

MAIN = "/etc/nginx/nginx.conf"
QUICK, SLOW = "resolver 127.0.0.11 valid=1s ipv6=off;\n", "resolver 127.0.0.11;\n"
VARIABLE, FIXED = "location /a {\n proxy_pass http://$up;\n}\n", "location /a {\n proxy_pass http://admin:80;\n}\n"
BLOCK = "upstream api {\n server api:8000;\n}\n"
SILENT = BLOCK.replace("}", " keepalive 0;\n}")
TO_BLOCK = "proxy_pass http://api;\n"


class ReadTest(unittest.TestCase):
    def test_words_and_blocks(self) -> None:
        for text, expected in [
            ("a b c;", [Directive("a", ("b", "c"))]),
            ("a{b c;}d;", [Directive("a", (), (Directive("b", ("c",)),)), Directive("d", ())]),
            ("location /x { proxy_pass http://api; }", [Directive("location", ("/x",), (Directive("proxy_pass", ("http://api",)),))]),
            ("a # b;\nc;", [Directive("a", ("c",))]),
            ("a b#c;", [Directive("a", ("b#c",))]),
            ("a '#' \"{;}\";", [Directive("a", ("#", "{;}"))]),
            ("a it's;", [Directive("a", ("it's",))]),
            ("a 'it\\'s';", [Directive("a", ("it's",))]),
            ("a b\\;c;", [Directive("a", ("b\\;c",))]),
            ("a ${b}c;", [Directive("a", ("${b}c",))]),
            ("a b}c;", [Directive("a", ("b}c",))]),
            ("a 'b\nc';", [Directive("a", ("b\nc",))]),
            ("if ($uri ~ \"^/x{2}\") { return 1; }", [Directive("if", ("($uri", "~", "^/x{2}", ")"), (Directive("return", ("1",)),))]),
            ("map $a $b { ~^x 'y;'; }", [Directive("map", ("$a", "$b"), (Directive("~^x", ("y;",)),))]),
            ("", []),
            ("a\r\n  b\t;", [Directive("a", ("b",))]),
        ]:
            with self.subTest(text):
                self.assertEqual(list(read(text)), expected)

    def test_what_nginx_refuses(self) -> None:
        for text in ("a", "a {", "}", "a }", ";", "{ a; }", "a 'b;", "a 'b'c;", "a { b; ", "a { b }"):
            with self.subTest(text), self.assertRaises(Unreadable):
                read(text)


class IncludeTest(unittest.TestCase):
    files = {
        MAIN: "include mime.types; http { include conf.d/*.conf; include snippets/api-proxy; }",
        "/etc/nginx/conf.d/": "",
        "/etc/nginx/conf.d/b.conf": "b;",
        "/etc/nginx/conf.d/a.conf": "include /etc/nginx/conf.d/deep/x;",
        "/etc/nginx/conf.d/.hidden.conf": "hidden;",
        "/etc/nginx/conf.d/other.inc": "other;",
        "/etc/nginx/conf.d/deep/x": "x;",
        "/etc/nginx/snippets/": "",
        "/etc/nginx/snippets/api-proxy": "proxy_pass http://api:8000;",
    }

    def test_any_name_and_pattern(self) -> None:
        self.assertEqual([each.name for each in directives(self.files)], ["http", "x", "b", "proxy_pass"])

    def test_without_its_main_file_the_images_own_includes_them(self) -> None:
        files = {path: text for path, text in self.files.items() if path != MAIN}
        self.assertEqual([each.name for each in directives(files)], ["x", "b"])

    def test_what_is_not_known(self) -> None:
        for name, change in [
            ("a file of the image", {MAIN: "include conf.d/missing.conf;"}),
            ("a folder of the image", {MAIN: "include modules-enabled/*.conf;"}),
            ("includes that go round", {MAIN: "include nginx.conf;"}),
            ("an include without a name", {MAIN: "include;"}),
        ]:
            with self.subTest(name), self.assertRaises(Unreadable):
                directives({**self.files, **change})
        self.assertEqual(directives({**self.files, MAIN: "include conf.d/fleet*.conf;"}), [])


def knowledge(files: dict[str, str], version: str = "nginx version: nginx/1.30.2\n") -> Knowledge:
    return upstreams.knowledge(files, lambda: version)


class KnowledgeTest(unittest.TestCase):
    def test_shapes(self) -> None:
        for name, text, expected in [
            ("asks again", QUICK + VARIABLE, Learning.WHILE_RUNNING),
            ("asks again, seldom", SLOW + VARIABLE, Learning.UNCLEAR),
            ("asks again, at one of two places", QUICK + VARIABLE + "server { resolver 127.0.0.11 valid=1h; }", Learning.UNCLEAR),
            ("asks again, by another resolver without a time", QUICK + VARIABLE + "server { " + SLOW + "}", Learning.UNCLEAR),
            ("asks nobody", VARIABLE, Learning.UNCLEAR),
            ("fixed", FIXED, Learning.AT_LOAD),
            ("fixed, on one line", "location /api/ { proxy_pass http://api:8000/; }", Learning.AT_LOAD),
            ("fixed, in an if", "location / { if ($x) { proxy_pass http://api:8000; } }", Learning.AT_LOAD),
            ("fixed, other protocols", "grpc_pass grpc://api:50051;", Learning.AT_LOAD),
            ("fixed, without a scheme", "fastcgi_pass php:9000;", Learning.AT_LOAD),
            ("fixed, in a stream", "stream { server { proxy_pass db:5432; } }", Learning.AT_LOAD),
            ("a block that keeps nothing", SILENT + TO_BLOCK, Learning.AT_LOAD),
            ("a block", BLOCK + TO_BLOCK, Learning.UNCLEAR),
            ("keeps connections", BLOCK.replace("}", " keepalive 32;\n}") + TO_BLOCK, Learning.UNCLEAR),
            ("keeps connections by place", BLOCK.replace("}", " keepalive 32 local;\n}") + TO_BLOCK, Learning.UNCLEAR),
            ("a block on one line", "upstream api { server api:8000; keepalive 16; } " + TO_BLOCK, Learning.UNCLEAR),
            ("a block that looks up itself", SILENT.replace("api:8000", "api:8000 resolve") + TO_BLOCK, Learning.UNCLEAR),
            # With a variable anywhere nginx looks the name up at each request: `ngx_http_proxy_eval`.
            ("a path behind the name", QUICK + "proxy_pass http://admin/$uri;\n", Learning.WHILE_RUNNING),
            ("a path behind the name, and nobody to ask", "proxy_pass http://admin$request_uri;\n", Learning.UNCLEAR),
            ("a resolver that no name needs", QUICK + FIXED, Learning.AT_LOAD),
            ("a client's keepalive_timeout", "keepalive_timeout 65;\n" + FIXED, Learning.AT_LOAD),
            ("both", QUICK + VARIABLE + FIXED, Learning.UNCLEAR),
            ("both, one of them on one line", QUICK + VARIABLE + "location /api/ { proxy_pass http://api:8000/; }", Learning.UNCLEAR),
            ("a variable that may name a block", QUICK + VARIABLE + SILENT, Learning.UNCLEAR),
            ("an address is nobody's name", QUICK + VARIABLE + "location /s { proxy_pass http://127.0.0.1:8081; }", Learning.WHILE_RUNNING),
            ("nor is a socket", QUICK + VARIABLE + "location /s { proxy_pass http://unix:/run/x.sock:/; }", Learning.WHILE_RUNNING),
            ("nor is IPv6", FIXED + "location /s { proxy_pass http://[::1]:80; }", Learning.AT_LOAD),
            ("in comments", "# proxy_pass http://admin:80;\n" + QUICK + VARIABLE, Learning.WHILE_RUNNING),
            ("in a text", QUICK + VARIABLE + "return 200 'proxy_pass http://x;';", Learning.WHILE_RUNNING),
            ("a variable in quotes", QUICK + "proxy_pass \"http://$up\";", Learning.WHILE_RUNNING),
            ("a program in it", FIXED + "js_content main.hello;", Learning.UNCLEAR),
            ("no configuration", "location /a {", Learning.UNCLEAR),
            ("nothing", "", Learning.UNCLEAR),
        ]:
            with self.subTest(name):
                self.assertEqual(knowledge({MAIN: text}).learning, expected)

    def test_a_block_keeps_connections_unasked_since_1_29_7(self) -> None:
        for version, expected in [
            ("nginx version: nginx/1.22.1", Learning.AT_LOAD),
            ("nginx version: nginx/1.29.6", Learning.AT_LOAD),
            ("nginx version: nginx/1.29.7", Learning.UNCLEAR),
            ("nginx version: nginx/2.0.0", Learning.UNCLEAR),
            ("", Learning.UNCLEAR),
        ]:
            with self.subTest(version):
                self.assertEqual(knowledge({MAIN: BLOCK + TO_BLOCK}, version).learning, expected)
        asking = mock.Mock(return_value="")
        upstreams.knowledge({MAIN: FIXED + SILENT}, asking)
        asking.assert_not_called()

    def test_what_an_include_says_counts(self) -> None:
        files = {MAIN: QUICK + VARIABLE + "include snippets/api;", "/etc/nginx/snippets/": "", "/etc/nginx/snippets/api": FIXED}
        self.assertEqual(knowledge(files).learning, Learning.UNCLEAR)
        self.assertEqual(knowledge({**files, "/etc/nginx/snippets/api": "gzip on;"}).learning, Learning.WHILE_RUNNING)
        self.assertEqual(knowledge({}).learning, Learning.UNCLEAR)

    def test_validity(self) -> None:
        times = {"1s": 1, "500ms": 0.5, "2m": 120, "30": 30, "1m30s": 90, "1d": 86_400, "x": float("inf")}
        for text, seconds in times.items():
            with self.subTest(text):
                self.assertEqual(knowledge({MAIN: f"resolver 127.0.0.11 valid={text};"}).validity, seconds)
        self.assertEqual(knowledge({MAIN: "resolver x 'valid=1m 30s';"}).validity, 90)
        self.assertEqual(knowledge({MAIN: "resolver_timeout 2s;"}).validity, float("inf"))

    def test_the_stand_in_is_read_to_its_last_include(self) -> None:
        nginx = Path(__file__).parents[3] / "lab/suite/deploy/nginx"
        files = {MAIN: (nginx / "nginx.conf").read_text(), "/etc/nginx/conf.d/": ""}
        files.update({f"/etc/nginx/conf.d/{file.name}": file.read_text() for file in (nginx / "conf.d").iterdir()})
        self.assertIn("proxy_pass", [each.name for each in directives(files)])


class ConfigurationsTest(unittest.TestCase):
    def test_every_file_of_what_is_mounted_by_its_path_inside(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(layout, "BINDS", Path(folder)):
            confd, main = Path(folder, "1/conf.d"), Path(folder, "2/main.conf")
            (confd / "deep").mkdir(parents=True)
            main.parent.mkdir()
            main.write_text("m;")
            (confd / "deep/api-proxy").write_bytes(b"a \xe9;")
            sources = (str(confd), str(main), "/opt/geoclic/shared/tls")
            container = Container("i", "nginx", "", "", "running", "", "", 0, "", "", sources, targets=("/etc/nginx/conf.d", MAIN, "/etc/nginx/ssl"))
            self.assertEqual(detour.configurations(container), {
                "/etc/nginx/conf.d/": "", "/etc/nginx/conf.d/deep/api-proxy": "a \ufffd;", MAIN: "m;",
            })
