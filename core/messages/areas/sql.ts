/** @module Messages about the suite's files of SQL, told when a release is made. */
import { area } from "./area.ts";

export const sql = area(
  {
    errors: {
      SQL_ALONE: {
        what: "{{file}}:{{line}}: `{{found}}` cannot run inside a transaction, and a migration is one{{more}}",
        next: "put it into a file of its own whose first line is `-- geoclic: autocommit` (or name that file in the adapter, database.autocommit): its statements are kept one by one.",
      },
      SQL_AUTOCOMMIT_STATE: {
        what: "{{file}}:{{line}}: `{{found}}` does not fit a file whose statements are kept one by one: after an interruption the next run goes on with a new session{{more}}",
        next: "leave BEGIN, COMMIT and SET out, write names with their schema, and give an index that is made CONCURRENTLY a name.",
      },
      SQL_COPY: {
        what: "{{file}}:{{line}}: `{{found}}` with its rows in the file is a language of psql's own{{more}}",
        next: "write the rows as INSERT (`pg_dump --rows-per-insert=1000`), then run again; nothing was made.",
      },
      SQL_ENCODING: {
        what: "{{file}}:{{line}} is not UTF-8 text ({{found}}){{more}}",
        next: "save the file as UTF-8, then run again; nothing was made.",
      },
      SQL_INIT_AUTOCOMMIT: {
        what: "{{file}}: the init file runs in one transaction, whole or not at all{{more}}",
        next: "put what cannot run inside a transaction into a migration.",
      },
      SQL_NAME: {
        what: "{{file}} is no migration for its name: a migration ends in .sql, in lower case",
        next: "rename it, or keep it out of the releases by the adapter (exclude).",
      },
      SQL_PSQL: {
        what: "{{file}}:{{line}}: `{{found}}` is a command of psql, not SQL{{more}}",
        next: "leave such lines out (\\restrict, \\connect, \\set, \\echo), put the text of an included file (\\i) in its place, and write rows (\\copy) as INSERT.",
      },
      SQL_SYNTAX: {
        what: "{{file}}:{{line}}: PostgreSQL does not read this: {{found}}{{more}}",
        next: "correct the file in the suite, then run again; nothing was made.",
      },
      SQL_TRANSACTION: {
        what: "{{file}}:{{line}}: `{{found}}`: a file runs in the tool's own transaction, whole or not at all{{more}}",
        next: "leave out every word of transactions but BEGIN with its COMMIT, which do no harm; to catch an error, use a DO block with EXCEPTION.",
      },
      SQL_UNFIT: {
        what: "{{file}}:{{line}}: `{{found}}` has no place in a town's migration{{more}}",
        next: "take it out: it concerns the whole server, or the session of the tool.",
      },
    },
    texts: {
      "sql.passedOver":
        "Not run, for they are no migrations (*.sql in {{folder}} itself): {{files}}. Rename or move them, or exclude them in the adapter.",
    },
  },
  {
    errors: {
      SQL_ALONE: {
        what: "{{file}}:{{line}} : `{{found}}` ne peut pas passer dans une transaction, et une migration en est une{{more}}",
        next: "mettez-le dans un fichier à part dont la première ligne est `-- geoclic: autocommit` (ou nommez ce fichier dans l'adaptateur, database.autocommit) : ses instructions sont gardées une à une.",
      },
      SQL_AUTOCOMMIT_STATE: {
        what: "{{file}}:{{line}} : `{{found}}` ne convient pas à un fichier dont les instructions sont gardées une à une : après une interruption, la suite se fait dans une nouvelle session{{more}}",
        next: "retirez BEGIN, COMMIT et SET, écrivez les noms avec leur schéma, et nommez l'index créé CONCURRENTLY.",
      },
      SQL_COPY: {
        what: "{{file}}:{{line}} : `{{found}}` avec ses lignes dans le fichier est un langage propre à psql{{more}}",
        next: "écrivez les lignes en INSERT (`pg_dump --rows-per-insert=1000`), puis relancez ; rien n'a été fait.",
      },
      SQL_ENCODING: {
        what: "{{file}}:{{line}} n'est pas du texte en UTF-8 ({{found}}){{more}}",
        next: "enregistrez le fichier en UTF-8, puis relancez ; rien n'a été fait.",
      },
      SQL_INIT_AUTOCOMMIT: {
        what: "{{file}} : le fichier d'initialisation passe en une transaction, en entier ou pas du tout{{more}}",
        next: "mettez dans une migration ce qui ne peut pas passer dans une transaction.",
      },
      SQL_NAME: {
        what: "{{file}} n'est pas une migration à cause de son nom : une migration finit par .sql, en minuscules",
        next: "renommez-le, ou écartez-le des versions par l'adaptateur (exclude).",
      },
      SQL_PSQL: {
        what: "{{file}}:{{line}} : `{{found}}` est une commande de psql, pas du SQL{{more}}",
        next: "retirez ces lignes (\\restrict, \\connect, \\set, \\echo), mettez à sa place le texte d'un fichier inclus (\\i), et écrivez les lignes de données (\\copy) en INSERT.",
      },
      SQL_SYNTAX: {
        what: "{{file}}:{{line}} : PostgreSQL ne lit pas ceci : {{found}}{{more}}",
        next: "corrigez le fichier dans la suite, puis relancez ; rien n'a été fait.",
      },
      SQL_TRANSACTION: {
        what: "{{file}}:{{line}} : `{{found}}` : un fichier passe dans la transaction de l'outil, en entier ou pas du tout{{more}}",
        next: "retirez tout mot de transaction, sauf BEGIN avec son COMMIT, sans effet ; pour attraper une erreur, écrivez un bloc DO avec EXCEPTION.",
      },
      SQL_UNFIT: {
        what: "{{file}}:{{line}} : `{{found}}` n'a pas sa place dans la migration d'une commune{{more}}",
        next: "retirez-le : il concerne tout le serveur, ou la session de l'outil.",
      },
    },
    texts: {
      "sql.passedOver":
        "Non exécutés, car ce ne sont pas des migrations (*.sql dans {{folder}} même) : {{files}}. Renommez-les ou déplacez-les, ou écartez-les dans l'adaptateur.",
    },
  },
);
