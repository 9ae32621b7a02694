/** @module Messages of the fleet's key and its rotation. */
import { area } from "./area.ts";

export const keys = area(
  {
    errors: {
      KEY_UNPROVEN: {
        what: "the server {{host}} does not accept the new key: {{cause}}",
        next: "the old key stays valid there; look at ~{{user}}/.ssh/authorized_keys and the server's sshd_config, then run `geoclic-fleet ssh-key rotate` again.",
      },
      KEY_NOT_REMOVED: {
        what: "the old key is still in ~{{user}}/.ssh/authorized_keys on {{host}}",
        next: "look who writes that file (a tool of the hoster?), then run `geoclic-fleet ssh-key rotate` again.",
      },
      KEY_STACKS_UNKNOWN: {
        what: "the old key is kept: the servers of {{stacks}} are not known here, there is no file of these stacks in {{folder}}",
        next: "bring the stack files here, or remove stacks that are no more (`pulumi stack rm`), then run `geoclic-fleet ssh-key rotate` again.",
      },
      MASTER_FILE: {
        what: "{{file}} is not the file of a master stack: its role is {{role}}",
        next: "name the stack that holds the fleet's key with --stack, or correct the file.",
      },
    },
    texts: {
      "sshKey.help": "Show the fleet's SSH key, or replace it",
      "sshKey.help.show": "Show the fleet's public key, its fingerprint, and whether it is being replaced",
      "sshKey.help.rotate":
        "Make a new key and bring every server over to it; a server that is offline keeps the old one",
      "sshKey.help.stack": "stack that holds the key (default: GEOCLIC_MASTER_STACK, or master)",
      "sshKey.help.parallel": "servers at once",
      "sshKey.question": "Replace the fleet's SSH key on {{count}} servers?",
      "sshKey.made": "key {{generation}} is made: {{fingerprint}}",
      "sshKey.goesOn": "a rotation is under way: key {{from}} gives way to key {{to}}",
      "sshKey.finished": "key {{generation}} is removed; the rotation is over",
      "sshKey.kept":
        "both keys stay valid: {{left}} not brought over yet. Run `geoclic-fleet ssh-key rotate` again once they answer",
      "sshKey.current": "in force",
      "sshKey.old": "gives way",
      "sshKey.new": "new, being brought to servers",
      "sshKey.dropped": "removed by the next `ssh-key rotate`",
      "column.key": "key",
    },
  },
  {
    errors: {
      KEY_UNPROVEN: {
        what: "le serveur {{host}} n'accepte pas la nouvelle clé : {{cause}}",
        next: "l'ancienne clé y reste valable ; regardez ~{{user}}/.ssh/authorized_keys et le sshd_config du serveur, puis relancez `geoclic-fleet ssh-key rotate`.",
      },
      KEY_NOT_REMOVED: {
        what: "l'ancienne clé est toujours dans ~{{user}}/.ssh/authorized_keys sur {{host}}",
        next: "cherchez qui écrit ce fichier (un outil de l'hébergeur ?), puis relancez `geoclic-fleet ssh-key rotate`.",
      },
      KEY_STACKS_UNKNOWN: {
        what: "l'ancienne clé est gardée : les serveurs de {{stacks}} sont inconnus ici, il n'y a pas de fichier de ces piles dans {{folder}}",
        next: "apportez ici les fichiers de ces piles, ou supprimez les piles qui ne servent plus (`pulumi stack rm`), puis relancez `geoclic-fleet ssh-key rotate`.",
      },
      MASTER_FILE: {
        what: "{{file}} n'est pas le fichier d'une pile maître : son rôle est {{role}}",
        next: "nommez la pile qui détient la clé de la flotte avec --stack, ou corrigez le fichier.",
      },
    },
    texts: {
      "sshKey.help": "Montrer la clé SSH de la flotte, ou la remplacer",
      "sshKey.help.show":
        "Montrer la clé publique de la flotte, son empreinte, et si elle est en cours de remplacement",
      "sshKey.help.rotate":
        "Créer une nouvelle clé et y amener chaque serveur ; un serveur injoignable garde l'ancienne",
      "sshKey.help.stack": "pile qui détient la clé (par défaut : GEOCLIC_MASTER_STACK, ou master)",
      "sshKey.help.parallel": "serveurs à la fois",
      "sshKey.question": "Remplacer la clé SSH de la flotte sur {{count}} serveurs ?",
      "sshKey.made": "la clé {{generation}} est créée : {{fingerprint}}",
      "sshKey.goesOn": "une rotation est en cours : la clé {{from}} cède la place à la clé {{to}}",
      "sshKey.finished": "la clé {{generation}} est retirée ; la rotation est terminée",
      "sshKey.kept":
        "les deux clés restent valables : {{left}} n'ont pas encore changé. Relancez `geoclic-fleet ssh-key rotate` quand ils répondent",
      "sshKey.current": "en vigueur",
      "sshKey.old": "cède la place",
      "sshKey.new": "nouvelle, en cours d'installation",
      "sshKey.dropped": "retirée au prochain `ssh-key rotate`",
      "column.key": "clé",
    },
  },
);
