/** @module Messages of the registry of clients: add, remove, retire, import. */
import { area } from "./area.ts";

export const registry = area(
  {
    errors: {
      STACK_FILE_MISSING: {
        what: "the stack {{stack}} has no file {{file}}",
        next: "run it in the folder of Pulumi.yaml (or set PULUMI_OPTION_CWD), and name the stack with --stack.",
      },
      STACK_NAME_INVALID: {
        what: "{{stack}} is not a name of a stack",
        next: "give --stack a name of letters, digits, `.`, `_` and `-`, e.g. prod.",
      },
      STACK_FILE_UNREADABLE: {
        what: "{{file}} cannot be edited: {{cause}}",
        next: "correct the file by hand and run again; nothing was written.",
      },
      STACK_NOT_FLEET: {
        what: 'the stack of {{file}} has the role "{{role}}", expected "fleet"',
        next: "name the fleet's stack with --stack, e.g. --stack prod.",
      },
      STACK_FILE_DIRTY: {
        what: "{{file}} has changes that are not committed",
        next: "look at them (`git diff`), commit them or take them back, then run again; or run with --no-commit. Nothing was written.",
      },
      STACK_FILE_UNTRACKED: {
        what: "{{file}} is not in git yet",
        next: "commit it (`git add`, `git commit`), then run again; or run with --no-commit. Nothing was written.",
      },
      CHECKOUT_BEHIND: {
        what: "this checkout is behind {{upstream}} by {{behind}} commit(s) (and ahead by {{ahead}})",
        next: "run `git pull --rebase`, then run again. Nothing was written.",
      },
      CHECKOUT_UNCERTAIN: {
        what: "nobody knows whether this checkout is up to date with {{upstream}}: {{cause}}",
        next: "make `git fetch` work and run again, or run with --no-commit. Nothing was written.",
      },
      COMMIT_FAILED: {
        what: "{{file}} was written but not committed: {{cause}}",
        next: "commit it by hand: `git commit -- FILE`.",
      },
      CLIENT_EXISTS: {
        what: "{{file}} already has a client of this name",
        next: "choose another name, or edit the entry; nothing was written.",
      },
      CLIENT_UNKNOWN: {
        what: "{{file}} has no client {{name}} (there are: {{known}})",
        next: "check the name with `geoclic-fleet list`; nothing was written.",
      },
      QUESTION_UNANSWERED: {
        what: "nobody can answer: {{question}}",
        next: "run it in a terminal, or read what it says and add --yes.",
      },
    },
    texts: {
      "ask.yesNo": "[y/N]",
      "ask.typed": "(type {{expected}})",
    },
  },
  {
    errors: {
      STACK_FILE_MISSING: {
        what: "la pile {{stack}} n'a pas de fichier {{file}}",
        next: "lancez la commande dans le dossier de Pulumi.yaml (ou réglez PULUMI_OPTION_CWD) et nommez la pile avec --stack.",
      },
      STACK_NAME_INVALID: {
        what: "{{stack}} n'est pas un nom de pile",
        next: "donnez à --stack un nom fait de lettres, chiffres, `.`, `_` et `-`, p. ex. prod.",
      },
      STACK_FILE_UNREADABLE: {
        what: "{{file}} ne peut pas être modifié : {{cause}}",
        next: "corrigez le fichier à la main et relancez ; rien n'a été écrit.",
      },
      STACK_NOT_FLEET: {
        what: "la pile de {{file}} a le rôle « {{role}} », attendu « fleet »",
        next: "nommez la pile de la flotte avec --stack, p. ex. --stack prod.",
      },
      STACK_FILE_DIRTY: {
        what: "{{file}} a des changements qui ne sont pas validés dans git",
        next: "regardez-les (`git diff`), validez-les ou annulez-les, puis relancez ; ou lancez avec --no-commit. Rien n'a été écrit.",
      },
      STACK_FILE_UNTRACKED: {
        what: "{{file}} n'est pas encore dans git",
        next: "validez-le (`git add`, `git commit`), puis relancez ; ou lancez avec --no-commit. Rien n'a été écrit.",
      },
      CHECKOUT_BEHIND: {
        what: "cette copie de travail a {{behind}} commit(s) de retard sur {{upstream}} (et {{ahead}} d'avance)",
        next: "lancez `git pull --rebase`, puis relancez. Rien n'a été écrit.",
      },
      CHECKOUT_UNCERTAIN: {
        what: "impossible de savoir si cette copie de travail est à jour avec {{upstream}} : {{cause}}",
        next: "faites fonctionner `git fetch` et relancez, ou lancez avec --no-commit. Rien n'a été écrit.",
      },
      COMMIT_FAILED: {
        what: "{{file}} a été écrit mais pas validé dans git : {{cause}}",
        next: "validez-le à la main : `git commit -- FICHIER`.",
      },
      CLIENT_EXISTS: {
        what: "{{file}} a déjà un client de ce nom",
        next: "choisissez un autre nom, ou modifiez l'entrée ; rien n'a été écrit.",
      },
      CLIENT_UNKNOWN: {
        what: "{{file}} n'a pas de client {{name}} (il y a : {{known}})",
        next: "vérifiez le nom avec `geoclic-fleet list` ; rien n'a été écrit.",
      },
      QUESTION_UNANSWERED: {
        what: "personne ne peut répondre à : {{question}}",
        next: "lancez la commande dans un terminal, ou lisez ce qu'elle dit et ajoutez --yes.",
      },
    },
    texts: {
      "ask.yesNo": "[o/N]",
      "ask.typed": "(tapez {{expected}})",
    },
  },
);
