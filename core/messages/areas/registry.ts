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
      CLIENT_RETIRED: {
        what: "this name was retired on {{on}}",
        next: "choose another name: the old town's backups stand under this one. To give it free all the same, delete its line below `retired` in {{file}}. Nothing was written.",
      },
      CLIENT_DIFFERS: {
        what: "the detached client of this name has the domain {{domain}}, got {{got}}",
        next: "add it with its own domain, or choose another name for another town; nothing was written.",
      },
      HOST_KEY_UNCONFIRMED: {
        what: "the host key of {{host}}:{{port}} was not confirmed",
        next: "compare its fingerprint with the provider's console and run again, or give the key with --host-key; nothing was written.",
      },
      HOST_KEY_DIFFERS: {
        what: "{{host}}:{{port}} shows another host key than the one given ({{fingerprint}})",
        next: "check the address and the key; if both are right, somebody is in between: stop there. Nothing was written.",
      },
      ADDRESS_UNKNOWN: {
        what: "OVH gives {{serviceName}} no IPv4 address (it gives: {{got}})",
        next: "look at the VPS in OVH's console, or give the address with --reach.",
      },
      TOKEN_SHOWN: {
        what: "a token on the command line can be read by everybody on this machine",
        next: "give it on standard input, or when it is asked for: --token-stdin.",
      },
      SERVER_ALIVE: {
        what: "{{host}} is not reached by SSH, but it is not gone ({{observed}}); nothing was removed",
        next: "look at the server (runbook server-unreachable), then run again: its last backup can still be made.",
      },
      NOT_CONFIRMED: {
        what: "it was not confirmed, nothing was done",
        next: "type exactly what is asked for, or add --yes.",
      },
      RETIREMENT_JOURNAL: {
        what: "the journal of the retirement {{file}} cannot be read: {{cause}}",
        next: "restore it from a copy; without it the tool does not know what was done.",
      },
      RETIRED_ELSEWHERE: {
        what: "a retirement of this name was begun in the stack {{stack}}",
        next: "run again with --stack {{stack}}.",
      },
      BACKUP_DAMAGED: {
        what: "{{file}} did not arrive as it was sent ({{got}} of {{bytes}} bytes, or another checksum)",
        next: "look at this machine's disk and the network, then run again; nothing was removed.",
      },
      NO_CONTRACT: {
        what: "this client has no serviceName, so no contract at OVH is known",
        next: "end the contract with the provider by hand, and run again without --end-contract.",
      },
      TERMINATION_UNMAILED: {
        what: "OVH's mail with the token for {{serviceName}} did not come within {{minutes}} min",
        next: "run again later, or give the token of the mail with --token-stdin.",
      },
      NAME_INVALID: {
        what: "{{name}} is not a client's name",
        next: "give 1 to 40 characters of a-z, 0-9 and -, a letter first, e.g. ville-lyon.",
      },
      IMPORT_FILE: {
        what: "{{file}} cannot be read: {{cause}}",
        next: "name the predecessor's clients.conf, e.g. /opt/geoclic/fleet/clients.conf.",
      },
      IMPORT_EMPTY: {
        what: "the registry names no client",
        next: "name the predecessor's clients.conf: one line a client, NAME|DOMAIN|IP|SSH_USER|SSH_PORT|METHOD|DATE.",
      },
      IMPORT_REFUSED: {
        what: "these lines of the registry are refused: {{lines}}; nothing was written",
        next: "read their reasons above, correct them (or the servers) and run again; or import the others with --skip-refused.",
      },
      HOST_KEYS_UNCONFIRMED: {
        what: "the host keys were not confirmed",
        next: "compare them with the provider's console and run again; nothing was read on the servers, nothing was written.",
      },
      NOT_PREDECESSOR: {
        what: "the server has no {{folder}}/.env",
        next: "check the address: the predecessor does not seem to be installed there. A new server is added with `geoclic-fleet add`.",
      },
      DB_PASSWORD_UNKNOWN: {
        what: "neither .env nor the compose file of {{folder}} tells the database's password",
        next: "put DB_PASSWORD, the one that the database was made with, into the server's .env and run again.",
      },
      ENVIRONMENT_UNREADABLE: {
        what: "the server's .env is not one that Compose reads ({{problem}})",
        next: "correct it on the server: `docker compose config` in its folder tells the same.",
      },
      ENVIRONMENT_DIFFERS: {
        what: "{{folder}}/.env and the containers that run differ: {{names}}",
        next: "the file was edited after the containers were made, and database and sessions live by theirs. Make the file say what they have (`docker inspect`), or make them anew by it (`docker compose up -d` there), see that the town works, and import again.",
      },
      SECRET_UNFIT: {
        what: "{{variable}} of the server is not 8 to 200 printable characters without blanks",
        next: "change it on the server (the database's with ALTER ROLE) and run again.",
      },
      EMAIL_UNKNOWN: {
        what: "the server's .env has no LETSENCRYPT_EMAIL",
        next: "give the address with --email.",
      },
      TOWN_UNKNOWN: {
        what: "the town's settings do not tell its name",
        next: "set it in the suite's administration, or make it of the client's name with --town-from-name.",
      },
    },
    texts: {
      "ask.yesNo": "[y/N]",
      "ask.typed": "(type {{expected}})",
      "registry.noCommit": "leave the stack file's change uncommitted",
      "registry.yes": "ask nothing",
      "add.help": "Add a town to the fleet",
      "add.help.name": "the client's name, e.g. ville-lyon",
      "add.help.domain": "its domain, e.g. ville-lyon.geoclic.fr",
      "add.help.email": "e-mail of its administrator",
      "add.help.town": "the town's name as its citizens read it",
      "add.help.ip": "the server's IPv4 address",
      "add.help.ipv6": "the server's IPv6 address, for an AAAA record",
      "add.help.serviceName": "VPS that is owned at OVH, e.g. vps-0a1b2c3d.vps.ovh.net",
      "add.help.reach": "where SSH and probes connect (default: the address)",
      "add.help.sshUser": "user of SSH (default: ubuntu)",
      "add.help.sshPort": "port of SSH (default: 22)",
      "add.help.hostKey": "the server's public host key, when it is known",
      "add.help.canary": "every other town waits until this one is proven",
      "add.help.dns": "the record: managed (at OVH) or external",
      "add.help.check": "try the fleet's key and sudo at the end",
      "add.help.yes": "pin the host key that the server shows, without a question",
      "add.hostKey":
        "{{client}}: the server at {{host}}:{{port}} shows this host key:\n  {{hostKey}}\n  {{fingerprint}}",
      "add.hostKeyFormer": "  WARNING: another one was pinned until now: {{former}}",
      "add.hostKeyQuestion": "Is it the one that the provider's console shows?",
      "add.hostKeyUnasked": "  WARNING: pinned as it is (--yes); compare it with the provider's console.",
      "add.unreached":
        "{{host}}:{{port}} does not answer ({{cause}}): the key that was given is pinned all the same",
      "add.added": "{{client}} is declared in {{file}}",
      "add.attached": "{{client}} was detached and is managed again, with its secrets: {{file}}",
      "add.checked": "{{user}}@{{host}} lets the fleet's key in, and sudo works",
      "add.unchecked": "WARNING: {{error}}",
      "add.next": "Now: pulumi up --stack {{stack}}",
      "remove.help": "No longer manage a town; nothing of it is deleted",
      "remove.already": "{{client}} is detached already; nothing to do",
      "remove.stays":
        "{{client}} will no longer be managed. These stay: its entry, its secrets in the state, the record of {{domain}}, its server with its containers, backups and schedules.",
      "remove.question": "Detach it?",
      "remove.done":
        "{{client}} is detached. `geoclic-fleet add --name {{client}}` takes it back; `geoclic-fleet retire {{client}}` ends it. Now: pulumi up --stack {{stack}}",
      "retire.help":
        "End a town: last backup fetched, schedules, containers, key, record and secrets removed",
      "retire.help.withoutBackup": "go on without a last backup where the server is gone",
      "retire.help.noUp": "do not run the engine at the end",
      "retire.help.endContract": "end the VPS's contract at OVH too, after a second confirmation",
      "retire.help.token": "ask for the token of OVH's mail, or read it from standard input",
      "retire.help.yes": "do not ask for the client's name (the end of a contract is always asked)",
      "retire.plan":
        "{{client}} ({{domain}}) ends: its last backup comes to {{folder}}, then its schedules, its containers and the fleet's key go from the server, then its entry, its secrets and its record. Volumes and backups stay on the server as long as it lives.",
      "retire.question": "End this town?",
      "retire.token": "Token of OVH's mail:",
      "retire.trying": "{{host}} is not reached; it is tried for {{minutes}} min",
      "retire.questionGone":
        "Seen of its server: {{observed}}. If it is gone for good, there is no last backup, and its secrets and its record are deleted. End the town all the same?",
      "retire.questionEnd": "The contract of {{serviceName}} ends and its disk is deleted for good. End it?",
      "retire.resumes": "{{client}}: goes on with the retirement of {{since}}",
      "retire.exported":
        "last backup in {{folder}}, verified: {{mib}} MiB, {{tables}} tables, {{rows}} rows, {{photos}} files",
      "retire.excuse": "there is no last backup; where nothing can be saved, run again with --without-backup",
      "retire.withoutBackup": "WARNING: goes on without a last backup: {{error}}",
      "retire.gone": "{{host}} is gone: nothing was removed there",
      "retire.stopped": "{{host}}: schedules and containers are gone, data stay",
      "retire.left": "{{host}}: the fleet's key is no longer {{user}}'s",
      "retire.up": "Now: pulumi up --stack {{stack}} (it deletes the secrets and the record)",
      "retire.others": "WARNING: the engine failed elsewhere: {{error}}",
      "retire.mail": "OVH mails a token for {{serviceName}}; waiting for it, at most {{minutes}} min",
      "retire.terminated": "the contract of {{serviceName}} is ended",
      "retire.done": "{{client}} is retired; what is kept of it is in {{folder}}",
      "import.help": "Take over the predecessor's registry, with the secrets of its servers",
      "import.help.email": "e-mail where a server's .env has none",
      "import.help.townFromName": "make a town's name of the client's where its settings do not tell",
      "import.help.skipRefused": "import the others though some lines are refused",
      "import.help.dryRun": "read and check everything, write nothing",
      "import.help.reach": "where servers are reached, with the parts of their address as {1} to {4}",
      "import.help.yes": "pin the host keys that the servers show, without a question",
      "import.keys": "Host keys that the servers show:",
      "import.question": "Are they the ones that the provider's console shows?",
      "import.unasked": "WARNING: pinned as they are (--yes); compare them with the provider's console.",
      "import.published":
        "WARNING: {{client}}: {{variable}} is the one printed in the suite's source; it is kept so that the town goes on, change it afterwards",
      "import.absent":
        "WARNING: {{client}}: {{variable}} is not in the server's .env; a new one will be made (sessions end)",
      "import.unseen":
        "WARNING: {{client}}: Docker there does not tell what its containers run with; whether .env was edited since is looked at when the town is taken over",
      "import.dryRun": "{{count}} client(s) would be imported; nothing was written",
      "import.nothing": "nothing to import",
      "import.done":
        "{{count}} client(s) imported into {{file}}. Now: pulumi preview --stack {{stack}}, then pulumi up --stack {{stack}}, which adopts their servers",
      "column.line": "line",
      "column.verdict": "verdict",
      "column.reason": "reason",
      "column.fingerprint": "fingerprint",
      "verdict.valid": "valid",
      "verdict.skipped": "skipped",
      "verdict.refused": "refused",
      "reason.declared": "declared already",
      "reason.domain": "the stack has another domain under this name: {{detail}}",
      "reason.doubled": "name, domain or address already on line {{detail}}",
      "reason.fields": "expected 7 fields, got {{detail}}",
      "reason.master": "the master itself ({{detail}})",
      "reason.method": "expected the method rsync, got {{detail}}",
      "reason.retired": "this name was retired on {{detail}}",
      "reason.taken": "domain or address already {{detail}}'s",
      "reason.values": "{{detail}}",
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
      CLIENT_RETIRED: {
        what: "ce nom a été mis hors service le {{on}}",
        next: "choisissez un autre nom : les sauvegardes de l'ancienne ville portent celui-ci. Pour le libérer malgré tout, supprimez sa ligne sous `retired` dans {{file}}. Rien n'a été écrit.",
      },
      CLIENT_DIFFERS: {
        what: "le client détaché de ce nom a le domaine {{domain}}, reçu {{got}}",
        next: "ajoutez-le avec son propre domaine, ou choisissez un autre nom pour une autre ville ; rien n'a été écrit.",
      },
      HOST_KEY_UNCONFIRMED: {
        what: "la clé d'hôte de {{host}}:{{port}} n'a pas été confirmée",
        next: "comparez son empreinte avec la console du fournisseur et relancez, ou donnez la clé avec --host-key ; rien n'a été écrit.",
      },
      HOST_KEY_DIFFERS: {
        what: "{{host}}:{{port}} montre une autre clé d'hôte que celle qui est donnée ({{fingerprint}})",
        next: "vérifiez l'adresse et la clé ; si les deux sont justes, quelqu'un s'interpose : arrêtez là. Rien n'a été écrit.",
      },
      ADDRESS_UNKNOWN: {
        what: "OVH ne donne pas d'adresse IPv4 à {{serviceName}} (il donne : {{got}})",
        next: "regardez le VPS dans l'espace client OVH, ou donnez l'adresse avec --reach.",
      },
      TOKEN_SHOWN: {
        what: "un jeton sur la ligne de commande se lit par tout le monde sur cette machine",
        next: "donnez-le sur l'entrée standard, ou quand il est demandé : --token-stdin.",
      },
      SERVER_ALIVE: {
        what: "{{host}} n'est pas joint par SSH, mais il n'a pas disparu ({{observed}}) ; rien n'a été retiré",
        next: "regardez le serveur (fiche server-unreachable), puis relancez : sa dernière sauvegarde peut encore être faite.",
      },
      NOT_CONFIRMED: {
        what: "ce n'a pas été confirmé, rien n'a été fait",
        next: "tapez exactement ce qui est demandé, ou ajoutez --yes.",
      },
      RETIREMENT_JOURNAL: {
        what: "le journal de la mise hors service {{file}} est illisible : {{cause}}",
        next: "restaurez-le depuis une copie ; sans lui, l'outil ne sait pas ce qui a été fait.",
      },
      RETIRED_ELSEWHERE: {
        what: "une mise hors service de ce nom a été commencée dans la pile {{stack}}",
        next: "relancez avec --stack {{stack}}.",
      },
      BACKUP_DAMAGED: {
        what: "{{file}} n'est pas arrivé tel qu'il a été envoyé ({{got}} octets sur {{bytes}}, ou une autre somme de contrôle)",
        next: "regardez le disque de cette machine et le réseau, puis relancez ; rien n'a été supprimé.",
      },
      NO_CONTRACT: {
        what: "ce client n'a pas de serviceName, aucun contrat OVH n'est donc connu",
        next: "mettez fin au contrat à la main chez le fournisseur, et relancez sans --end-contract.",
      },
      TERMINATION_UNMAILED: {
        what: "le courriel d'OVH avec le jeton pour {{serviceName}} n'est pas arrivé en {{minutes}} min",
        next: "relancez plus tard, ou donnez le jeton du courriel avec --token-stdin.",
      },
      NAME_INVALID: {
        what: "{{name}} n'est pas un nom de client",
        next: "donnez 1 à 40 caractères parmi a-z, 0-9 et -, une lettre d'abord, p. ex. ville-lyon.",
      },
      IMPORT_FILE: {
        what: "{{file}} est illisible : {{cause}}",
        next: "nommez le clients.conf de l'ancien outil, p. ex. /opt/geoclic/fleet/clients.conf.",
      },
      IMPORT_EMPTY: {
        what: "le registre ne nomme aucun client",
        next: "nommez le clients.conf de l'ancien outil : une ligne par client, NOM|DOMAINE|IP|UTILISATEUR|PORT|METHODE|DATE.",
      },
      IMPORT_REFUSED: {
        what: "ces lignes du registre sont refusées : {{lines}} ; rien n'a été écrit",
        next: "lisez leurs raisons ci-dessus, corrigez-les (ou les serveurs) et relancez ; ou importez les autres avec --skip-refused.",
      },
      HOST_KEYS_UNCONFIRMED: {
        what: "les clés d'hôte n'ont pas été confirmées",
        next: "comparez-les avec la console du fournisseur et relancez ; rien n'a été lu sur les serveurs, rien n'a été écrit.",
      },
      NOT_PREDECESSOR: {
        what: "le serveur n'a pas de {{folder}}/.env",
        next: "vérifiez l'adresse : l'ancien outil ne semble pas y être installé. Un serveur neuf s'ajoute avec `geoclic-fleet add`.",
      },
      DB_PASSWORD_UNKNOWN: {
        what: "ni .env ni le fichier compose de {{folder}} ne donnent le mot de passe de la base",
        next: "mettez DB_PASSWORD, celui avec lequel la base a été créée, dans le .env du serveur et relancez.",
      },
      ENVIRONMENT_UNREADABLE: {
        what: "le .env du serveur n'est pas de ceux que Compose lit ({{problem}})",
        next: "corrigez-le sur le serveur : `docker compose config` dans son dossier dit la même chose.",
      },
      ENVIRONMENT_DIFFERS: {
        what: "{{folder}}/.env et les conteneurs qui tournent diffèrent : {{names}}",
        next: "le fichier a été modifié après la création des conteneurs, or la base et les sessions vivent avec leurs valeurs. Mettez dans le fichier ce qu'ils ont (`docker inspect`), ou recréez-les d'après lui (`docker compose up -d` à cet endroit), voyez que la ville marche, puis relancez l'import.",
      },
      SECRET_UNFIT: {
        what: "{{variable}} du serveur ne fait pas 8 à 200 caractères imprimables sans blanc",
        next: "changez-le sur le serveur (celui de la base avec ALTER ROLE) et relancez.",
      },
      EMAIL_UNKNOWN: {
        what: "le .env du serveur n'a pas de LETSENCRYPT_EMAIL",
        next: "donnez l'adresse avec --email.",
      },
      TOWN_UNKNOWN: {
        what: "les réglages de la ville ne donnent pas son nom",
        next: "réglez-le dans l'administration de la suite, ou tirez-le du nom du client avec --town-from-name.",
      },
    },
    texts: {
      "ask.yesNo": "[o/N]",
      "ask.typed": "(tapez {{expected}})",
      "registry.noCommit": "ne pas valider dans git le changement du fichier de pile",
      "registry.yes": "ne rien demander",
      "add.help": "Ajouter une ville à la flotte",
      "add.help.name": "nom du client, p. ex. ville-lyon",
      "add.help.domain": "son domaine, p. ex. ville-lyon.geoclic.fr",
      "add.help.email": "e-mail de son administrateur",
      "add.help.town": "nom de la collectivité, tel que les habitants le lisent",
      "add.help.ip": "adresse IPv4 du serveur",
      "add.help.ipv6": "adresse IPv6 du serveur, pour un enregistrement AAAA",
      "add.help.serviceName": "VPS détenu chez OVH, p. ex. vps-0a1b2c3d.vps.ovh.net",
      "add.help.reach": "où SSH et les sondes se connectent (par défaut : l'adresse)",
      "add.help.sshUser": "utilisateur SSH (par défaut : ubuntu)",
      "add.help.sshPort": "port SSH (par défaut : 22)",
      "add.help.hostKey": "clé d'hôte publique du serveur, quand elle est connue",
      "add.help.canary": "les autres villes attendent que celle-ci soit prouvée",
      "add.help.dns": "l'enregistrement DNS : managed (chez OVH) ou external",
      "add.help.check": "essayer la clé de la flotte et sudo à la fin",
      "add.help.yes": "épingler sans question la clé d'hôte que montre le serveur",
      "add.hostKey":
        "{{client}} : le serveur {{host}}:{{port}} montre cette clé d'hôte :\n  {{hostKey}}\n  {{fingerprint}}",
      "add.hostKeyFormer": "  ATTENTION : une autre était épinglée jusqu'ici : {{former}}",
      "add.hostKeyQuestion": "Est-ce bien celle que montre la console du fournisseur ?",
      "add.hostKeyUnasked":
        "  ATTENTION : épinglée telle quelle (--yes) ; comparez-la avec la console du fournisseur.",
      "add.unreached": "{{host}}:{{port}} ne répond pas ({{cause}}) : la clé donnée est épinglée malgré tout",
      "add.added": "{{client}} est déclarée dans {{file}}",
      "add.attached": "{{client}} était détachée et est de nouveau gérée, avec ses secrets : {{file}}",
      "add.checked": "{{user}}@{{host}} accepte la clé de la flotte, et sudo fonctionne",
      "add.unchecked": "ATTENTION : {{error}}",
      "add.next": "Ensuite : pulumi up --stack {{stack}}",
      "remove.help": "Ne plus gérer une ville ; rien n'en est supprimé",
      "remove.already": "{{client}} est déjà détachée ; rien à faire",
      "remove.stays":
        "{{client}} ne sera plus gérée. Restent : son entrée, ses secrets dans l'état, l'enregistrement de {{domain}}, son serveur avec ses conteneurs, sauvegardes et tâches planifiées.",
      "remove.question": "La détacher ?",
      "remove.done":
        "{{client}} est détachée. `geoclic-fleet add --name {{client}}` la reprend ; `geoclic-fleet retire {{client}}` y met fin. Ensuite : pulumi up --stack {{stack}}",
      "retire.help":
        "Mettre fin à une ville : dernière sauvegarde rapatriée, tâches, conteneurs, clé, enregistrement et secrets retirés",
      "retire.help.withoutBackup": "continuer sans dernière sauvegarde si le serveur n'existe plus",
      "retire.help.noUp": "ne pas lancer le moteur à la fin",
      "retire.help.endContract": "mettre fin aussi au contrat OVH du VPS, après une seconde confirmation",
      "retire.help.token": "demander le jeton du courriel d'OVH, ou le lire sur l'entrée standard",
      "retire.help.yes": "ne pas demander le nom du client (la fin d'un contrat est toujours demandée)",
      "retire.plan":
        "{{client}} ({{domain}}) prend fin : sa dernière sauvegarde arrive dans {{folder}}, puis ses tâches planifiées, ses conteneurs et la clé de la flotte quittent le serveur, enfin son entrée, ses secrets et son enregistrement. Volumes et sauvegardes restent sur le serveur tant qu'il vit.",
      "retire.question": "Mettre fin à cette ville ?",
      "retire.token": "Jeton du courriel d'OVH :",
      "retire.trying": "{{host}} n'est pas joint ; il est essayé pendant {{minutes}} min",
      "retire.questionGone":
        "Vu de son serveur : {{observed}}. S'il a disparu pour de bon, il n'y a pas de dernière sauvegarde, et ses secrets et son enregistrement sont supprimés. Mettre fin à la ville malgré tout ?",
      "retire.questionEnd":
        "Le contrat de {{serviceName}} prend fin et son disque est effacé définitivement. Y mettre fin ?",
      "retire.resumes": "{{client}} : reprise de la mise hors service du {{since}}",
      "retire.exported":
        "dernière sauvegarde dans {{folder}}, vérifiée : {{mib}} Mio, {{tables}} tables, {{rows}} lignes, {{photos}} fichiers",
      "retire.excuse":
        "il n'y a pas de dernière sauvegarde ; s'il n'y a rien à sauver, relancez avec --without-backup",
      "retire.withoutBackup": "ATTENTION : suite sans dernière sauvegarde : {{error}}",
      "retire.gone": "{{host}} n'existe plus : rien n'y a été retiré",
      "retire.stopped": "{{host}} : tâches et conteneurs retirés, les données restent",
      "retire.left": "{{host}} : la clé de la flotte n'est plus acceptée pour {{user}}",
      "retire.up": "Ensuite : pulumi up --stack {{stack}} (il supprime les secrets et l'enregistrement)",
      "retire.others": "ATTENTION : le moteur a échoué ailleurs : {{error}}",
      "retire.mail":
        "OVH envoie un jeton par courriel pour {{serviceName}} ; attente de {{minutes}} min au plus",
      "retire.terminated": "le contrat de {{serviceName}} est terminé",
      "retire.done": "{{client}} est hors service ; ce qui en est gardé est dans {{folder}}",
      "import.help": "Reprendre le registre de l'ancien outil, avec les secrets de ses serveurs",
      "import.help.email": "e-mail si le .env d'un serveur n'en a pas",
      "import.help.townFromName":
        "tirer le nom de la ville de celui du client si ses réglages ne le donnent pas",
      "import.help.skipRefused": "importer les autres malgré des lignes refusées",
      "import.help.dryRun": "tout lire et vérifier, ne rien écrire",
      "import.help.reach": "où joindre les serveurs, les parties de leur adresse étant {1} à {4}",
      "import.help.yes": "épingler sans question les clés d'hôte que montrent les serveurs",
      "import.keys": "Clés d'hôte que montrent les serveurs :",
      "import.question": "Sont-elles celles que montre la console du fournisseur ?",
      "import.unasked":
        "ATTENTION : épinglées telles quelles (--yes) ; comparez-les avec la console du fournisseur.",
      "import.published":
        "ATTENTION : {{client}} : {{variable}} est celui imprimé dans le code de la suite ; il est gardé pour que la ville continue, changez-le ensuite",
      "import.absent":
        "ATTENTION : {{client}} : {{variable}} n'est pas dans le .env du serveur ; un nouveau sera créé (les sessions prennent fin)",
      "import.unseen":
        "ATTENTION : {{client}} : Docker n'y dit pas avec quoi ses conteneurs tournent ; on verra à la reprise de la ville si le .env a été modifié depuis",
      "import.dryRun": "{{count}} client(s) seraient importés ; rien n'a été écrit",
      "import.nothing": "rien à importer",
      "import.done":
        "{{count}} client(s) importés dans {{file}}. Ensuite : pulumi preview --stack {{stack}}, puis pulumi up --stack {{stack}}, qui reprend leurs serveurs",
      "column.line": "ligne",
      "column.verdict": "verdict",
      "column.reason": "raison",
      "column.fingerprint": "empreinte",
      "verdict.valid": "valide",
      "verdict.skipped": "passée",
      "verdict.refused": "refusée",
      "reason.declared": "déjà déclarée",
      "reason.domain": "la pile a un autre domaine sous ce nom : {{detail}}",
      "reason.doubled": "nom, domaine ou adresse déjà à la ligne {{detail}}",
      "reason.fields": "7 champs attendus, {{detail}} reçus",
      "reason.master": "le maître lui-même ({{detail}})",
      "reason.method": "méthode rsync attendue, reçu {{detail}}",
      "reason.retired": "ce nom a été mis hors service le {{detail}}",
      "reason.taken": "domaine ou adresse déjà pris par {{detail}}",
      "reason.values": "{{detail}}",
    },
  },
);
