/** @module French messages: the same keys as the English ones. `{{name}}` is filled in. */
import type { en } from "./en.ts";

type Catalogue = {
  errors: Record<keyof typeof en.errors, { what: string; next: string }>;
  texts: Record<keyof typeof en.texts, string>;
};

export const fr: Catalogue = {
  errors: {
    CLIENT_DROPPED: {
      what: "le fichier de pile n'a plus {{clients}}, que cette pile tient encore ; rien n'a été changé",
      next: "remettez l'entrée (`git checkout` du fichier de pile). Pour ne plus gérer une ville, lancez `geoclic-fleet remove NOM` ; pour y mettre fin, `geoclic-fleet retire NOM`.",
    },
    CONFIG_INVALID: {
      what: "la configuration n'est pas valide : {{problems}}",
      next: "corrigez la valeur dans le fichier de la pile et relancez ; rien n'a été modifié.",
    },
    ADAPTER_INVALID: {
      what: "l'adaptateur {{file}} n'est pas valide : {{problems}}",
      next: "corrigez l'adaptateur et relancez ; rien n'a été modifié.",
    },
    COMPOSE_UNEXPECTED: {
      what: "le fichier compose de la suite ne correspond pas à son adaptateur : {{problem}}",
      next: "corrigez l'adaptateur pour qu'il décrive le fichier compose ; rien n'a été modifié.",
    },
    COMPOSE_AMBIGUOUS: {
      what: "{{file}}, ligne {{line}} : {{got}} sans guillemets n'est ni un texte ni un nombre ordinaire ; les programmes le lisent différemment",
      next: "mettez-le entre guillemets si c'est un texte, ou écrivez le nombre en décimal (493 pour 0755) ; rien n'a été modifié.",
    },
    COMPOSE_KEY_REFUSED: {
      what: "{{file}} de la suite contient {{places}}, que les communes n'acceptent pas ; clés acceptées à cet endroit : {{allowed}}",
      next: "retirez-le du fichier compose, ou dites-le par une clé acceptée (docs/decisions/compose-allow-list.md donne les équivalents) ; rien n'a été modifié.",
    },
    COMPOSE_VALUE_REFUSED: {
      what: "{{file}} de la suite contient des valeurs que les communes n'acceptent pas : {{problems}}",
      next: "corrigez le fichier compose (docs/decisions/compose-allow-list.md dit ce qui est accepté) ; rien n'a été modifié.",
    },
    SUITE_UNREADABLE: {
      what: "la suite est illisible dans {{path}} : {{cause}}",
      next: "corrigez ce qui est nommé, ou donnez à geoclic-fleet:suite.path le dossier qui contient la suite.",
    },
    SUITE_SECRETS: {
      what: "la suite dans {{path}} contient ce qui peut être des secrets de cette machine : {{names}} ; git ne les suit pas et l'adaptateur n'en dit rien",
      next: "dites dans `exclude` de l'adaptateur ce que chacun est : `/{{first}}` l'écarte, `!/{{first}}` l'envoie à la construction ; rien n'a été modifié.",
    },
    RELEASE_AMBIGUOUS: {
      what: "plusieurs versions de la réserve viennent de {{name}} : {{releases}}",
      next: "donnez l'identifiant de celle que vous voulez ; elles diffèrent par l'adaptateur, l'outil ou la date des images.",
    },
    RELEASE_UNKNOWN: {
      what: "la version {{release}} n'est pas dans la réserve {{store}} (la suite actuelle est {{present}})",
      next: "choisissez une version listée par `geoclic-fleet doctor`, ou reprenez la suite qui l'a produite et lancez un aperçu.",
    },
    RELEASE_BROKEN: {
      what: "la version {{release}} de la réserve ne correspond pas à son identifiant : {{cause}}",
      next: "supprimez son dossier de {{store}} et relancez : elle sera refaite depuis la suite.",
    },
    TOOL_MISSING: { what: "{{tool}} est introuvable", next: "{{fix}}" },
    AGENT_MISSING: {
      what: "aucun agent SSH ne détient la clé de la flotte",
      next: "lancez `. ./env.sh` (ou `geoclic-fleet agent`) puis recommencez.",
    },
    SSH_UNREACHABLE: {
      what: "{{host}}:{{port}} ne répond pas en SSH : {{cause}}",
      next: "vérifiez que le serveur est allumé, que l'adresse est juste et que le port {{port}} est ouvert, puis relancez.",
    },
    SSH_REFUSED: {
      what: "{{user}}@{{host}}:{{port}} refuse la clé de la flotte : {{cause}}",
      next: "ajoutez la clé publique de la flotte (`geoclic-fleet agent --public`) à ~{{user}}/.ssh/authorized_keys sur le serveur.",
    },
    HOST_KEY_CHANGED: {
      what: "la clé d'hôte de {{host}}:{{port}} n'est pas celle qui est épinglée ; rien n'a été envoyé",
      next: "si le serveur a été réinstallé, vérifiez sa nouvelle clé par un autre moyen et changez ssh.hostKey ; sinon quelqu'un s'interpose : arrêtez là.",
    },
    SSH_FAILED: {
      what: "une commande sur {{host}} s'est terminée par {{status}} : {{cause}}",
      next: "regardez le serveur (`ssh`), corrigez la cause et relancez : chaque étape peut être répétée.",
    },
    SSH_TIMEOUT: {
      what: "une commande sur {{host}} ne s'est pas terminée en {{seconds}} s : {{cause}}",
      next: "regardez la charge et le réseau du serveur, puis relancez : chaque étape peut être répétée.",
    },
    SUDO_MISSING: {
      what: "{{user}} ne peut pas utiliser sudo sans mot de passe sur {{host}} : {{cause}}",
      next: "donnez à {{user}} un sudo sans mot de passe (fichier dans /etc/sudoers.d) et relancez.",
    },
    OS_UNSUPPORTED: {
      what: "{{host}} fonctionne sous {{got}}",
      next: "utilisez l'un de ces systèmes : {{allowed}}.",
    },
    DISK_FULL: {
      what: "{{host}} a {{freeMiB}} Mio libres sur {{path}}, il en faut {{neededMiB}}",
      next: "libérez de la place ou prenez un serveur plus grand, puis relancez.",
    },
    RSYNC_FAILED: {
      what: "rsync vers {{host}} a échoué avec {{status}} : {{cause}}",
      next: "relancez : ce qui est envoyé est gardé, seul le reste voyage.",
    },
    IMAGE_BUILD_FAILED: {
      what: "l'image de {{service}} n'a pas pu être construite : {{cause}}",
      next: "corrigez la suite (ou le réseau de la construction) et relancez ; aucun serveur n'a été touché.",
    },
    IMAGE_PULL_FAILED: {
      what: "l'image {{image}} n'a pas pu être obtenue : {{cause}}",
      next: "vérifiez le réseau et le registre, puis relancez : les couches finies sont gardées.",
    },
    DOCKER_UNREACHABLE: {
      what: "le moteur Docker de cette machine ne répond pas : {{cause}}",
      next: "démarrez Docker (ou réglez DOCKER_HOST) et relancez ; les images sont construites ici, une fois.",
    },
    DNS_MISSING: {
      what: "{{domain}} n'a pas d'adresse (serveurs interrogés : {{servers}})",
      next: "créez un enregistrement A {{domain}} → {{ip}} et relancez dès qu'il répond.",
    },
    DNS_SILENT: {
      what: "personne n'a donné l'adresse de {{domain}} (serveurs interrogés : {{servers}}) : {{cause}}",
      next: "vérifiez le réseau et geoclic-fleet:dnsServers, puis relancez ; aucun certificat n'a été demandé.",
    },
    DNS_ELSEWHERE: {
      what: "{{domain}} pointe vers {{got}}, attendu {{expected}} (serveurs interrogés : {{servers}})",
      next: "corrigez le DNS de {{domain}} (un seul A → {{ip}}, aucun AAAA d'ailleurs), ou déclarez l'adresse IPv6 du serveur comme `ipv6` du client, et relancez.",
    },
    RECORD_CONFLICT: {
      what: "{{domain}} → {{ip}} ne peut pas être créé dans la zone {{zone}} : il y a {{got}}",
      next: "supprimez cet enregistrement dans l'espace client OVH si rien ne l'utilise (ou corrigez le domaine de la ville ; un AAAA de ce même serveur se déclare comme son `ipv6`), puis relancez ; rien n'a été modifié.",
    },
    ZONE_UNKNOWN: {
      what: "la zone {{zone}} n'est pas gérée par ce compte OVH",
      next: "corrigez geoclic-fleet:zones, ou utilisez le compte qui tient la zone.",
    },
    ZONE_SERVERS_UNKNOWN: {
      what: "les serveurs de la zone {{zone}} sont inconnus : {{cause}}",
      next: 'vérifiez le réseau, ou nommez-les dans geoclic-fleet:nameServers, p. ex. ["213.251.128.1:53"].',
    },
    DNS_UNPUBLISHED: {
      what: "la zone {{zone}} a été publiée, mais ses serveurs ne répondent pas {{domain}} → {{ip}} après {{seconds}} s : {{cause}}",
      next: "regardez la zone dans l'espace client OVH (les erreurs y sont montrées), puis relancez ; aucun certificat n'a été demandé.",
    },
    PORT80_CLOSED: {
      what: "le port 80 de {{domain}} ne répond pas de l'extérieur sur {{host}} : {{cause}}",
      next: "ouvrez le port 80 (pare-feu OVH, autres programmes du serveur) et relancez ; aucun certificat n'a été demandé.",
    },
    ACME_BUDGET: {
      what: "demander un certificat pour {{domain}} dépasserait la limite de Let's Encrypt : {{limit}} ({{used}} utilisés)",
      next: "attendez {{until}}, puis relancez.",
    },
    HEALTH_FAILED: {
      what: "{{url}} n'est pas en bonne santé : {{cause}}",
      next: "lisez les journaux du service sur le serveur, corrigez la cause et relancez.",
    },
    RELEASE_NOT_RUNNING: {
      what: "{{url}} montre la version {{got}}, attendue {{release}}",
      next: "relancez ; si cela persiste, regardez `activate status` sur le serveur.",
    },
    STEP_INPUT_INVALID: {
      what: "l'étape {{step}} a reçu une entrée fausse : {{problems}}",
      next: "c'est un défaut de l'outil : le programme et ses étapes ne correspondent pas ; reprenez une même version des deux.",
    },
    STACK_LOCKED: {
      what: "la pile {{stack}} est en cours de traitement par {{holder}}",
      next: "attendez la fin de ce lancement. Si sa machine a disparu, lancez `pulumi cancel --stack {{stack}}` puis recommencez.",
    },
    STACK_MISSING: {
      what: "il n'y a pas de pile {{stack}} dans {{backend}}",
      next: "lancez `npm run demo` pour le labo, ou `pulumi stack init {{stack}}`.",
    },
    OUTPUT_MISSING: {
      what: "la pile {{stack}} n'a pas de sortie {{output}}",
      next: "lancez d'abord `pulumi up --stack {{stack}}`.",
    },
    SECRET_IN_CLEAR: {
      what: "{{file}} contient un secret en clair : {{paths}}",
      next: "changez ce secret là où il sert si le fichier a été partagé, supprimez la ligne, et donnez la valeur par l'entrée standard : `pulumi config set --secret --path geoclic-fleet:secrets.CLIENT.VARIABLE`.",
    },
    RUNTIME_UNSAFE: {
      what: "{{folder}} n'est pas sûr pour le socket de l'agent : {{cause}}",
      next: "donnez à XDG_RUNTIME_DIR un dossier où ce compte est seul à pouvoir écrire (ou à GEOCLIC_HOME, dont le dossier `run` sert alors) ; regardez qui a créé celui-là.",
    },
    FLEET_KEY_MISSING: {
      what: "l'état de la pile {{stack}} ne contient aucune clé de la flotte",
      next: "nommez la pile du maître (`--stack`), ou créez la clé avec `pulumi up --stack {{stack}}`.",
    },
    ANSWER_UNREADABLE: {
      what: "la commande `{{command}}` du serveur a répondu quelque chose d'illisible : {{cause}}",
      next: "relancez : les scripts sont réinstallés là où ils diffèrent ; si cela persiste, lancez cette commande sur le serveur et signalez ce qu'elle écrit.",
    },
    CONNECTION_FAILED: {
      what: "son serveur n'a pas été joint : {{cause}}",
      next: "regardez-le avec `geoclic-fleet status` (adresse, port, clé d'hôte, clé de la flotte), puis relancez.",
    },
    IMAGE_NOT_KEPT: {
      what: "l'image {{image}} n'a pas pu être gardée dans {{folder}} sur cette machine : {{cause}}",
      next: "regardez la place et les droits de ce dossier (il peut être supprimé en entier : c'est un cache), puis relancez.",
    },
    LEDGER_BROKEN: {
      what: "le registre des certificats {{file}} est illisible : {{cause}}",
      next: "restaurez-le, ou mettez-le de côté : son budget repart alors de zéro, les limites de Let's Encrypt demeurent ; aucun certificat n'a été demandé.",
    },
    LOCK_TAKEN: {
      what: "un autre processus de l'outil tient {{path}} depuis {{minutes}} minutes",
      next: "cherchez-le (`ps -ef | grep cli/step`), laissez-le finir ou arrêtez-le, puis relancez.",
    },
    LOCK_LOST: {
      what: "cette machine est restée figée si longtemps qu'un autre processus a repris {{path}} : {{cause}}",
      next: "relancez : ce qui est fait sera vérifié à nouveau.",
    },
    ENGINE_FAILED: {
      what: "pulumi {{verb}} de {{stack}} a échoué : {{cause}}",
      next: "lisez ci-dessus l'erreur de chaque client, corrigez sa cause et relancez : ce qui est fait reste fait.",
    },
  },
  texts: {
    "doctor.tool": "outil",
    "doctor.version": "version",
    "doctor.origin": "origine",
    "doctor.fix": "remède",
    "doctor.missing": "manquant",
    "doctor.ok": "Tout ce qu'il faut est là.",
    "doctor.bad": "{{count}} outil(s) manquant(s).",
    "doctor.substitutes":
      "Des remplaçants tiennent lieu des greffons officiels impossibles à télécharger ici : pour le labo seulement.",
    "doctor.releases": "Versions en réserve : {{releases}}",
    "doctor.none": "aucune",
    "doctor.locked":
      "La pile {{stack}} est encore verrouillée par une exécution morte, {{holder}}. À faire : `pulumi cancel --stack {{stack}}`, puis `pulumi up` ; nos propres commandes le font d'elles-mêmes.",
    "doctor.pending":
      "Pile {{stack}} : une exécution a été tuée pendant qu'elle créait {{pending}}. À faire : `pulumi up` les refait ; `pulumi refresh --clear-pending-creates --yes --stack {{stack}}` met fin à son avertissement.",
    "origin.path": "trouvé sur PATH",
    "origin.official": "officiel",
    "origin.built": "construit depuis son module Go",
    "origin.substitute": "remplaçant",
    "list.empty": "Aucun client dans la pile {{stack}}.",
    "column.client": "ville",
    "column.domain": "domaine",
    "column.ip": "adresse",
    "column.reach": "joint par",
    "column.release": "version",
    "column.url": "URL",
    "column.state": "état",
    "state.canary": "canari",
    "state.detached": "détachée",
    "state.converged": "gérée",
    "column.health": "santé",
    "column.certificate": "certificat jusqu'au",
    "column.schedules": "tâches planifiées",
    "column.step": "étape",
    "column.seconds": "secondes",
    "column.disk": "disque",
    "status.healthy": "en bonne santé",
    "status.unhealthy": "EN PANNE",
    "status.unreachable": "injoignable",
    "status.days": "{{date}} ({{days}} jours)",
    "status.desired": "{{running}} (voulue : {{desired}})",
    "agent.ready": "L'agent détient la clé de la flotte : {{fingerprint}}",
    "help.program": "Maintient une flotte de serveurs GéoClic dans l'état déclaré.",
    "help.doctor": "Montrer chaque outil, sa version et son origine",
    "help.list": "Lister les clients de la pile",
    "help.status": "Interroger tous les serveurs",
    "help.agent": "Charger la clé de la flotte dans un agent SSH",
    "help.json": "écrire du JSON",
    "help.stack": "pile à utiliser",
    "help.language": "langue des messages : fr ou en",
    "help.env": "écrire les variables de l'agent en lignes de shell",
    "help.lifetime":
      "heures après lesquelles l'agent oublie la clé, de 1 à 720 ; sans elle la clé reste jusqu'à la fin de l'agent",
    "help.public": "écrire la clé publique de la flotte",
    "demo.setUp": "Labo",
    "demo.master": "Pile maître : la clé de la flotte",
    "demo.adopted": "Serveur de {{client}} : repris par son adresse",
    "demo.owned": "Serveur de {{client}} : un VPS détenu chez OVH",
    "demo.ordered": "Serveur de {{client}} : commandé chez OVH",
    "demo.fleet": "Pile de la flotte : {{count}} ville(s)",
    "demo.unchanged": "rien à changer",
    "demo.changed": "{{changes}}",
    "demo.look": "Voir la ville :",
    "demo.chromium": "Dans Chromium :",
    "demo.admin": "Mot de passe de l'administrateur (gardé secret dans l'état) :",
    "demo.stop": "Arrêter et supprimer le labo :",
    "demo.byHand": "À la main :",
  },
};
