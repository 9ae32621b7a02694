/** @module Messages of operations and of rollouts: update, rollback, preview. */
import { area } from "./area.ts";

export const operations = area(
  {
    errors: {
      PLAN_CHANGED: {
        what: "what would be done is no longer what was confirmed: {{differences}}; nothing was done",
        next: "look at the plan again (the same command), and confirm it anew.",
      },
      CANCELLED: {
        what: "the operation {{operation}} was cancelled",
        next: "run `geoclic-fleet operations resume {{operation}}` to go on with the clients that are not done.",
      },
      CLIENTS_FAILED: {
        what: "{{count}} of {{of}} clients failed: {{failed}}",
        next: "each one's cause stands above and in `geoclic-fleet operations show {{operation}}`; once it is corrected, run `geoclic-fleet operations resume {{operation}}`.",
      },
      CLIENTS_OFFLINE: {
        what: "{{count}} clients are out of reach and were left as they are: {{offline}}",
        next: "they are caught up by `geoclic-fleet operations resume {{operation}}`, or by the next `update --all`.",
      },
      OPERATIONS_NONE: {
        what: "nothing was done on the stack {{stack}} yet, as far as this machine knows",
        next: "name the stack that is meant with --stack, or run it on the machine whose journals they are.",
      },
      OPERATION_UNKNOWN: {
        what: "there is no operation {{id}} on this stack",
        next: "see `geoclic-fleet operations list`.",
      },
      OPERATION_ENDED: {
        what: "the operation {{id}} is not running: it is {{state}}",
        next: "see `geoclic-fleet operations list`.",
      },
      OPERATION_NOT_RESUMABLE: {
        what: "the operation {{id}} ({{verb}}) cannot be resumed: {{cause}}",
        next: "run the command anew: every step may be run again.",
      },
      OPERATION_OVERTAKEN: {
        what: "the operation {{id}} ({{verb}}) is not gone on with: later ones brought elsewhere: {{clients}}; nothing was done",
        next: "ask anew for what you want now (`update --client NAME`, with `--release ID` for the release of then).",
      },
      OPERATION_NOT_CANCELLABLE: {
        what: "the operation {{id}} ({{verb}}) waits for answers at a terminal (pid {{pid}}); nothing was asked of it",
        next: "press Ctrl-C there: each of its steps can be run again.",
      },
      OPERATION_LOCKED: {
        what: "the stack {{stack}} is held by {{what}} of {{actor}} (process {{pid}}, since {{since}})",
        next: "wait for its end (`geoclic-fleet operations follow`), or run without --no-wait to stand in line.",
      },
      CLIENTS_MISSING: {
        what: "no client is named",
        next: "give --client NAME (as often as needed) or --all.",
      },
      CLIENTS_NOT_FOUND: {
        what: "the stack {{stack}} has no client {{names}} (there are: {{known}})",
        next: "check the names with `geoclic-fleet list`.",
      },
      CLIENT_DETACHED: {
        what: "{{names}} is detached: it is no longer converged",
        next: "take it back with `geoclic-fleet add --name {{names}}`.",
      },
      OPTION_INVALID: {
        what: "{{option}}: got {{got}}, expected {{expected}}",
        next: "correct the option and run again; nothing was done.",
      },
      SERVICES_UNKNOWN: {
        what: "--services names {{names}}, which the suite does not have (it has: {{known}})",
        next: "correct the names and run again; nothing was done.",
      },
      SERVICES_NOT_ALONE: {
        what: "{{names}} cannot be updated without {{others}}: what they run was made under other rules (another tool, adapter or imagesAsOf)",
        next: "update the whole: leave --services out.",
      },
      MIGRATION_BREAKING: {
        what: "{{release}} lacks {{migrations}}, which {{running}} has run: it cannot run with the schema that they made",
        next: "go to a release that has them; to go back behind them, restore a backup that was made before (docs/runbooks/restore.md). Nothing was done.",
      },
      VOLUMES_CHANGED: {
        what: "{{release}} would give {{services}} another volume than {{running}} does: without its data",
        next: "keep the volume's name in the suite's compose file. Nothing was done.",
      },
      MIGRATION_UNKNOWN: {
        what: "the suite has no migration {{name}} in {{folder}} (newest there: {{known}})",
        next: "put the file there, or correct the name; nothing was done.",
      },
      RELEASE_NOT_HELD: {
        what: "the release {{release}} is not in this machine's store {{store}}",
        next: "run it on the machine that made the release, or copy its folder here.",
      },
      NO_FORMER_RELEASE: {
        what: "the server knows no former release",
        next: "pin the release wanted: `geoclic-fleet update --client NAME --release ID`.",
      },
      RELEASE_CHECK_FAILED: {
        what: "the release {{release}} does not pass its check on this machine: {{cause}}",
        next: "correct the suite and run again; no town was touched. To go on all the same: --skip-check.",
      },
      OTHERS_TOUCHED: {
        what: "this would touch other clients too: {{others}}",
        next: "converge them first (`pulumi preview` shows why), or take them in with --all; nothing was done in this wave.",
      },
      THRESHOLD_PASSED: {
        what: "{{failed}} failed, more than the {{allowed}} allowed: {{left}} were not begun",
        next: "correct the cause, then run `geoclic-fleet operations resume {{operation}}`, which takes the same release; if the release is the cause, correct the suite and `update` anew.",
      },
      CANARY_UNPROVEN: {
        what: "the canaries {{canaries}} could not be proven on the release: {{left}} were not begun",
        next: "bring them back and run `geoclic-fleet operations resume {{operation}}`; to do without them: `operations resume {{operation}} --without-canary`.",
      },
      NOT_CONVERGED: {
        what: "the engine ended without these steps: {{steps}} (what they wait for failed, a canary for example)",
        next: "correct what failed, then run again.",
      },
      TOWN_UNHEALTHY: {
        what: "its server says that it is done, and from here it is not seen so: {{cause}}",
        next: "look at this town now: `geoclic-fleet status --client {{name}}`.",
      },
      UNDO_FAILED: {
        what: "{{cause}}; and putting it back met a failure too: {{problem}}",
        next: "correct it, then run `pulumi up`: the stack file names the former release.",
      },
      PIN_LEFT: {
        what: "{{cause}}; and the stack file still names {{release}} for {{name}}: {{problem}}",
        next: "put its `release:` back before any `pulumi up`, which would try that release again.",
      },
      UNDO_UNPROVEN: {
        what: "{{cause}}; and the former release is not proven to serve: {{problem}}",
        next: "look at this town now: `geoclic-fleet status --client {{name}}`.",
      },
      SOAK_FAILED: {
        what: "it was healthy at first; of {{total}} looks in the {{seconds}} s after it {{bad}} found it ill: {{cause}}",
        next: "look at its logs (`geoclic-fleet logs {{name}}`), correct the suite, then run again.",
      },
      NOT_CONFIRMED_ROLLOUT: {
        what: "nothing was confirmed, nothing was done",
        next: "answer yes, or give --yes.",
      },
    },
    texts: {
      "operation.waits": "waits for {{what}} of {{actor}} (process {{pid}}, since {{since}})",
      "operation.dead":
        "the turn of {{what}} of {{actor}} (process {{pid}}) is cleared: its process has died",
      "operation.cancelling":
        "cancelling: the step in hand is ended or undone; once more ends at once, unclean",
      "operation.state.running": "running",
      "operation.state.interrupted": "interrupted",
      "operation.state.succeeded": "succeeded",
      "operation.state.failed": "failed",
      "operation.state.cancelled": "cancelled",
      "outcome.done": "done",
      "outcome.unchanged": "unchanged",
      "outcome.failed": "failed",
      "outcome.offline": "offline",
      "outcome.cancelled": "cancelled",
      "outcome.skipped": "not begun",
      "outcome.waiting": "waiting",
      "operations.help": "Tell what was done on a stack, by whom, and how it ended",
      "operations.help.list": "List the operations of a stack, newest first",
      "operations.help.show": "Show one operation: its clients, steps, causes and output",
      "operations.help.follow": "Show a running operation to its end",
      "operations.help.cancel": "End a running operation: the step in hand is ended or undone",
      "operations.help.resume": "Go on with the clients that an operation left undone",
      "operations.help.id": "id of an operation; none: the newest",
      "operations.help.count": "number of operations that are shown",
      "operations.none": "no operation yet",
      "operations.cancelled": "asked {{id}} to end",
      "column.operation": "operation",
      "column.verb": "verb",
      "column.actor": "by",
      "column.began": "begun",
      "column.took": "took",
      "column.outcome": "outcome",
      "column.cause": "cause",
      "column.step": "step",
      "update.help": "Bring clients to a release, wave by wave, without an outage",
      "update.help.client": "a client's name; may be given several times",
      "update.help.all": "every client that is converged",
      "update.help.services": 'only these services, e.g. "api portail"',
      "update.help.migration": "only this file of the suite's migrations",
      "update.help.release":
        "id of a release in the store, or a tag or commit of the suite that one was made of (default: the suite's present tree)",
      "update.help.onlyOutdated": "leave out clients that run the release",
      "update.help.parallel": "clients updated at once inside a wave",
      "update.help.waves":
        "sizes of the waves after the canaries, numbers or percentages; the last one is repeated",
      "update.help.soak": "seconds that a wave must stay healthy before the next one begins",
      "update.help.maxFailures":
        "failures that are allowed, a number or a percentage of the clients; a canary's never is",
      "update.help.skipCheck": "do not try the release on this machine first",
      "update.help.plan": "show what would be done, and do nothing",
      "update.help.noWait": "fail at once when another operation holds the stack",
      "update.help.yes": "do not ask",
      "update.release": "release {{release}} (suite {{version}})",
      "update.leftOut": "not sent to towns ({{count}}): {{names}}",
      "update.wave": "wave {{number}} of {{count}}: {{clients}}",
      "update.pruned":
        "removed from this machine, since nothing names them: {{releases}} releases, {{images}} images ({{mebibytes}} MiB)",
      "update.notPruned": "nothing was removed from this machine's store: {{cause}}",
      "update.checking": "release check on this machine…",
      "update.checked": "release check passed in {{seconds}} s",
      "update.soaking": "soak: {{seconds}} s",
      "update.nothing": "nothing to do: every client named runs {{release}}",
      "update.question": "Update {{count}} client(s) to {{release}}?",
      "update.plan": "waves: {{waves}}",
      "update.expected": "about {{minutes}} min, by former updates",
      "update.gone": "it is no longer declared",
      "update.detached": "it was detached meanwhile",
      "update.unknown": "the state could not be read after the run: {{cause}}; what it runs is not known",
      "update.unpushed": "the pins are {{ahead}} commit(s) that {{upstream}} does not have: push them",
      "update.unpushedBehind":
        "the pins are {{ahead}} commit(s) that {{upstream}} does not have, and {{behind}} came there meanwhile: `git pull --rebase`, then push",
      "update.noCanary": "{{release}} was not proven on a canary: {{canaries}} run something else",
      "update.help.withoutCanary": "go on though a canary could not be proven",
      "update.undone": "put back to {{release}}, which is proven to serve",
      "update.offline": "offline, left as it is: {{cause}}",
      "update.migrationThere": "{{name}} is in what {{client}} runs already",
      "rollback.help": "Return clients to their former release: images and code, not the database",
      "rollback.question": "Return {{count}} client(s) to their former release?",
      "preview.help":
        "Show what an `up` would do: per client the services replaced, migrations, expected outage (exit status 7: changes)",
      "preview.none": "nothing would change",
      "preview.changes": "other changes",
      "column.services": "services replaced",
      "column.migrations": "migrations",
      "column.outage": "expected outage",
      "preview.noOutage": "none",
      "preview.ingress": "none (nginx is handed over)",
      "preview.stateful":
        "some seconds: {{services}} is stopped and started; minutes if its image sorts text by other rules (indexes are rebuilt)",
      "preview.emptied": "refused: {{services}} would begin with another volume, without its data",
      "preview.lacking": "refused: it cannot run behind {{migrations}}",
      "preview.breaking": "503 page while {{migrations}} run",
      "preview.first": "first installation",
      "preview.notHeld": "unknown: {{release}} is not in this machine's store",
      "progress.eta": "about {{minutes}} min left",
    },
  },
  {
    errors: {
      PLAN_CHANGED: {
        what: "ce qui serait fait n'est plus ce qui a été confirmé : {{differences}} ; rien n'a été fait",
        next: "regardez à nouveau le plan (même commande) et confirmez-le.",
      },
      CANCELLED: {
        what: "l'opération {{operation}} a été annulée",
        next: "lancez `geoclic-fleet operations resume {{operation}}` pour continuer avec les clients qui restent.",
      },
      CLIENTS_FAILED: {
        what: "{{count}} client(s) sur {{of}} en échec : {{failed}}",
        next: "chaque cause est ci-dessus et dans `geoclic-fleet operations show {{operation}}` ; une fois corrigée, lancez `geoclic-fleet operations resume {{operation}}`.",
      },
      CLIENTS_OFFLINE: {
        what: "{{count}} client(s) hors d'atteinte, laissés tels quels : {{offline}}",
        next: "ils seront rattrapés par `geoclic-fleet operations resume {{operation}}`, ou par le prochain `update --all`.",
      },
      OPERATIONS_NONE: {
        what: "rien n'a encore été fait sur la pile {{stack}}, autant que cette machine le sache",
        next: "nommez la pile voulue avec --stack, ou lancez la commande sur la machine qui tient ses journaux.",
      },
      OPERATION_UNKNOWN: {
        what: "il n'y a pas d'opération {{id}} sur cette pile",
        next: "voyez `geoclic-fleet operations list`.",
      },
      OPERATION_ENDED: {
        what: "l'opération {{id}} n'est pas en cours, elle est {{state}}",
        next: "voyez `geoclic-fleet operations list`.",
      },
      OPERATION_NOT_RESUMABLE: {
        what: "l'opération {{id}} ({{verb}}) ne peut pas être reprise : {{cause}}",
        next: "relancez la commande : chaque étape peut être refaite.",
      },
      OPERATION_OVERTAKEN: {
        what: "l'opération {{id}} ({{verb}}) n'est pas reprise : d'autres, plus récentes, ont mené ailleurs : {{clients}} ; rien n'a été fait",
        next: "demandez à nouveau ce que vous voulez maintenant (`update --client NOM`, avec `--release ID` pour la version d'alors).",
      },
      OPERATION_NOT_CANCELLABLE: {
        what: "l'opération {{id}} ({{verb}}) attend des réponses dans un terminal (pid {{pid}}) ; rien ne lui a été demandé",
        next: "faites-y Ctrl-C : chacune de ses étapes peut être relancée.",
      },
      OPERATION_LOCKED: {
        what: "la pile {{stack}} est tenue par {{what}} de {{actor}} (processus {{pid}}, depuis {{since}})",
        next: "attendez sa fin (`geoclic-fleet operations follow`), ou relancez sans --no-wait pour prendre votre tour.",
      },
      CLIENTS_MISSING: {
        what: "aucun client n'est nommé",
        next: "donnez --client NOM (autant de fois que nécessaire) ou --all.",
      },
      CLIENTS_NOT_FOUND: {
        what: "la pile {{stack}} n'a pas de client {{names}} (il y a : {{known}})",
        next: "vérifiez les noms avec `geoclic-fleet list`.",
      },
      CLIENT_DETACHED: {
        what: "{{names}} est détaché : il n'est plus maintenu",
        next: "reprenez-le avec `geoclic-fleet add --name {{names}}`.",
      },
      OPTION_INVALID: {
        what: "{{option}} : reçu {{got}}, attendu {{expected}}",
        next: "corrigez l'option et relancez ; rien n'a été fait.",
      },
      SERVICES_UNKNOWN: {
        what: "--services nomme {{names}}, que la suite n'a pas (elle a : {{known}})",
        next: "corrigez les noms et relancez ; rien n'a été fait.",
      },
      SERVICES_NOT_ALONE: {
        what: "{{names}} ne peut pas être mis à jour sans {{others}} : ce qui tourne a été fait selon d'autres règles (autre outil, adaptateur ou imagesAsOf)",
        next: "mettez tout à jour : laissez --services de côté.",
      },
      MIGRATION_BREAKING: {
        what: "{{release}} n'a pas {{migrations}}, que {{running}} a passé : elle ne peut pas tourner avec la base qui en résulte",
        next: "allez à une version qui les contient ; pour revenir avant elles, restaurez une sauvegarde d'avant (docs/runbooks/restore.md). Rien n'a été fait.",
      },
      VOLUMES_CHANGED: {
        what: "{{release}} donnerait à {{services}} un autre volume que {{running}} : sans ses données",
        next: "gardez le nom du volume dans le fichier compose de la suite. Rien n'a été fait.",
      },
      MIGRATION_UNKNOWN: {
        what: "la suite n'a pas de migration {{name}} dans {{folder}} (les plus récentes : {{known}})",
        next: "mettez-y le fichier, ou corrigez le nom ; rien n'a été fait.",
      },
      RELEASE_NOT_HELD: {
        what: "la version {{release}} n'est pas dans le magasin de cette machine, {{store}}",
        next: "lancez la commande sur la machine qui l'a faite, ou copiez-y son dossier.",
      },
      NO_FORMER_RELEASE: {
        what: "le serveur ne connaît pas de version précédente",
        next: "fixez la version voulue : `geoclic-fleet update --client NOM --release ID`.",
      },
      RELEASE_CHECK_FAILED: {
        what: "la version {{release}} ne passe pas son contrôle sur cette machine : {{cause}}",
        next: "corrigez la suite et relancez ; aucune ville n'a été touchée. Pour continuer malgré tout : --skip-check.",
      },
      OTHERS_TOUCHED: {
        what: "d'autres clients seraient touchés : {{others}}",
        next: "faites-les converger d'abord (`pulumi preview` dit pourquoi), ou incluez-les avec --all ; rien n'a été fait dans cette vague.",
      },
      THRESHOLD_PASSED: {
        what: "échecs : {{failed}}, {{allowed}} admis ; pas commencés : {{left}}",
        next: "corrigez la cause, puis lancez `geoclic-fleet operations resume {{operation}}`, qui reprend la même version ; si c'est la version qui est en cause, corrigez la suite et relancez `update`.",
      },
      CANARY_UNPROVEN: {
        what: "les canaris {{canaries}} n'ont pas pu être prouvés sur la version : {{left}} n'ont pas été commencés",
        next: "ramenez-les et lancez `geoclic-fleet operations resume {{operation}}` ; pour s'en passer : `operations resume {{operation}} --without-canary`.",
      },
      NOT_CONVERGED: {
        what: "le moteur s'est arrêté sans ces étapes : {{steps}} (ce qu'elles attendent a échoué, un canari par exemple)",
        next: "corrigez ce qui a échoué, puis relancez.",
      },
      TOWN_UNHEALTHY: {
        what: "son serveur dit que c'est fait, et d'ici cela ne se voit pas : {{cause}}",
        next: "regardez cette ville maintenant : `geoclic-fleet status --client {{name}}`.",
      },
      UNDO_FAILED: {
        what: "{{cause}} ; et la remise en place a échoué aussi : {{problem}}",
        next: "corrigez-le, puis lancez `pulumi up` : le fichier de pile nomme la version précédente.",
      },
      PIN_LEFT: {
        what: "{{cause}} ; et le fichier de pile nomme encore {{release}} pour {{name}} : {{problem}}",
        next: "remettez son `release:` avant tout `pulumi up`, qui réessaierait cette version.",
      },
      UNDO_UNPROVEN: {
        what: "{{cause}} ; et rien ne prouve que la version précédente sert : {{problem}}",
        next: "regardez cette ville maintenant : `geoclic-fleet status --client {{name}}`.",
      },
      SOAK_FAILED: {
        what: "en bonne santé d'abord ; sur {{total}} regards dans les {{seconds}} s suivantes, {{bad}} l'ont vue malade : {{cause}}",
        next: "lisez ses journaux (`geoclic-fleet logs {{name}}`), corrigez la suite, puis relancez.",
      },
      NOT_CONFIRMED_ROLLOUT: {
        what: "rien n'a été confirmé, rien n'a été fait",
        next: "répondez oui, ou donnez --yes.",
      },
    },
    texts: {
      "operation.waits": "attend {{what}} de {{actor}} (processus {{pid}}, depuis {{since}})",
      "operation.dead":
        "le tour de {{what}} de {{actor}} (processus {{pid}}) est libéré : son processus est mort",
      "operation.cancelling":
        "annulation : l'étape en cours se termine ou est défaite ; encore une fois pour arrêter net",
      "operation.state.running": "en cours",
      "operation.state.interrupted": "interrompue",
      "operation.state.succeeded": "réussie",
      "operation.state.failed": "en échec",
      "operation.state.cancelled": "annulée",
      "outcome.done": "fait",
      "outcome.unchanged": "inchangé",
      "outcome.failed": "en échec",
      "outcome.offline": "hors ligne",
      "outcome.cancelled": "annulé",
      "outcome.skipped": "pas commencé",
      "outcome.waiting": "en attente",
      "operations.help": "Dire ce qui a été fait sur une pile, par qui, et comment cela a fini",
      "operations.help.list": "Lister les opérations d'une pile, les plus récentes d'abord",
      "operations.help.show": "Montrer une opération : ses clients, étapes, causes et sorties",
      "operations.help.follow": "Montrer une opération en cours jusqu'à sa fin",
      "operations.help.cancel": "Arrêter une opération : l'étape en cours se termine ou est défaite",
      "operations.help.resume": "Continuer avec les clients qu'une opération a laissés",
      "operations.help.id": "identifiant d'une opération ; sans : la plus récente",
      "operations.help.count": "nombre d'opérations montrées",
      "operations.none": "aucune opération pour l'instant",
      "operations.cancelled": "arrêt demandé à {{id}}",
      "column.operation": "opération",
      "column.verb": "verbe",
      "column.actor": "par",
      "column.began": "début",
      "column.took": "durée",
      "column.outcome": "issue",
      "column.cause": "cause",
      "column.step": "étape",
      "update.help": "Amener des clients à une version, vague par vague, sans coupure",
      "update.help.client": "nom d'un client ; peut être répété",
      "update.help.all": "tous les clients maintenus",
      "update.help.services": 'seulement ces services, p. ex. "api portail"',
      "update.help.migration": "seulement ce fichier des migrations de la suite",
      "update.help.release":
        "identifiant d'une version du magasin, ou étiquette ou commit de la suite dont elle vient (défaut : l'état présent de la suite)",
      "update.help.onlyOutdated": "laisser de côté les clients qui ont déjà la version",
      "update.help.parallel": "clients mis à jour en même temps dans une vague",
      "update.help.waves":
        "tailles des vagues après les canaris, nombres ou pourcentages ; la dernière se répète",
      "update.help.soak": "secondes pendant lesquelles une vague doit rester saine avant la suivante",
      "update.help.maxFailures":
        "échecs admis, un nombre ou un pourcentage des clients ; celui d'un canari jamais",
      "update.help.skipCheck": "ne pas essayer la version sur cette machine d'abord",
      "update.help.plan": "montrer ce qui serait fait, sans rien faire",
      "update.help.noWait": "échouer tout de suite si une autre opération tient la pile",
      "update.help.yes": "ne pas demander",
      "update.release": "version {{release}} (suite {{version}})",
      "update.leftOut": "non envoyés aux communes ({{count}}) : {{names}}",
      "update.wave": "vague {{number}} sur {{count}} : {{clients}}",
      "update.pruned":
        "retiré de cette machine, plus rien ne les nomme : {{releases}} versions, {{images}} images ({{mebibytes}} Mio)",
      "update.notPruned": "rien n'a été retiré de la réserve de cette machine : {{cause}}",
      "update.checking": "contrôle de la version sur cette machine…",
      "update.checked": "contrôle de la version réussi en {{seconds}} s",
      "update.soaking": "observation : {{seconds}} s",
      "update.nothing": "rien à faire : tous les clients nommés ont {{release}}",
      "update.question": "Mettre à jour {{count}} client(s) vers {{release}} ?",
      "update.plan": "vagues : {{waves}}",
      "update.expected": "environ {{minutes}} min, d'après les mises à jour passées",
      "update.gone": "elle n'est plus déclarée",
      "update.detached": "elle a été détachée entre-temps",
      "update.unknown":
        "l'état n'a pas pu être lu après l'exécution : {{cause}} ; ce qu'elle fait tourner n'est pas connu",
      "update.unpushed":
        "les versions fixées sont {{ahead}} commit(s) que {{upstream}} n'a pas : poussez-les",
      "update.unpushedBehind":
        "les versions fixées sont {{ahead}} commit(s) que {{upstream}} n'a pas, et {{behind}} y sont arrivés entre-temps : `git pull --rebase`, puis poussez",
      "update.noCanary":
        "{{release}} n'a pas été prouvée sur un canari : {{canaries}} font tourner autre chose",
      "update.help.withoutCanary": "continuer même si un canari n'a pas pu être prouvé",
      "update.undone": "remise à {{release}}, qui sert, c'est prouvé",
      "update.offline": "hors ligne, laissée telle quelle : {{cause}}",
      "update.migrationThere": "{{name}} est déjà dans ce que {{client}} fait tourner",
      "rollback.help":
        "Ramener des clients à leur version précédente : images et code, pas la base de données",
      "rollback.question": "Ramener {{count}} client(s) à leur version précédente ?",
      "preview.help":
        "Montrer ce que ferait un `up` : par client les services remplacés, migrations, coupure attendue (code 7 : des changements)",
      "preview.none": "rien ne changerait",
      "preview.changes": "autres changements",
      "column.services": "services remplacés",
      "column.migrations": "migrations",
      "column.outage": "coupure attendue",
      "preview.noOutage": "aucune",
      "preview.ingress": "aucune (nginx passe le relais)",
      "preview.stateful":
        "quelques secondes : {{services}} est arrêté et relancé ; des minutes si son image trie le texte autrement (les index sont refaits)",
      "preview.emptied": "refusé : {{services}} partirait d'un autre volume, sans ses données",
      "preview.lacking": "refusé : elle ne peut pas tourner après {{migrations}}",
      "preview.breaking": "page 503 pendant {{migrations}}",
      "preview.first": "première installation",
      "preview.notHeld": "inconnu : {{release}} n'est pas dans le magasin de cette machine",
      "progress.eta": "encore {{minutes}} min environ",
    },
  },
);
