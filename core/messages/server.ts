/**
 * @module French for the failures that a server's commands tell, by their code. The server speaks English; what it found
 * stays in its words, after ours.
 */
import type { Values } from "./catalogue.ts";

interface Sentence {
  readonly what: string;
  readonly next: string;
}

const again = "relancez `pulumi up`";
const look = (where: string) => `regardez ${where} sur le serveur, puis relancez.`;

export const serverFrench = {
  ACME_ACCOUNT_LOST: {
    what: "l'autorité de certification ne reconnaît plus le compte",
    next: "relancez : un autre compte est créé.",
  },
  ACME_DOWN: {
    what: "l'autorité de certification ne répond pas",
    next: "attendez qu'elle fonctionne à nouveau, puis relancez.",
  },
  ACME_FAILED: {
    what: "l'autorité de certification n'a pas donné de certificat",
    next: look("/var/log/letsencrypt/letsencrypt.log"),
  },
  ACME_RATE_LIMITED: {
    what: "l'autorité de certification limite les demandes",
    next: "attendez l'heure que son message nomme, puis relancez.",
  },
  ACME_REFUSED: {
    what: "l'autorité de certification refuse",
    next: "vérifiez domaine, e-mail, DNS (A, AAAA, CAA) et qui répond sur le port 80, puis relancez.",
  },
  ACTIVATION_INTERRUPTED: {
    what: "l'activation s'est arrêtée sans un mot (redémarrage, ou tuée)",
    next: `${again} : elle reprend où elle en était.`,
  },
  ACTIVATION_NOT_STARTED: { what: "l'activation n'a pas pu démarrer", next: look("systemd") },
  ACTIVATION_UNKNOWN: { what: "aucune activation de cette version n'a commencé ici", next: `${again}.` },
  BACKUP_FAILED: { what: "la sauvegarde a échoué", next: look("la cause") },
  BACKUP_UNFINISHED: {
    what: "des migrations d'une autre version étaient en cours dans cette sauvegarde",
    next: "choisissez une autre sauvegarde, ou passez d'abord à cette version.",
  },
  BACKUP_FOREIGN: {
    what: "la sauvegarde est celle d'une autre ville",
    next: "corrigez --client, ou choisissez une autre sauvegarde ; rien n'a été modifié.",
  },
  BACKUP_UNREADABLE: { what: "la sauvegarde est illisible", next: look("le disque") },
  BUSY: { what: "un autre travail est en cours sur le serveur", next: "attendez sa fin, puis relancez." },
  CANCELLED: {
    what: "l'activation a été annulée ; ce qui avait changé est remis en place",
    next: "relancez quand elle doit continuer.",
  },
  CANCEL_FAILED: {
    what: "l'activation n'a pas reçu l'ordre de s'arrêter",
    next: "regardez `systemctl status geoclic-activate` sur le serveur, puis annulez à nouveau.",
  },
  CERTBOT_BUSY: { what: "certbot est déjà en cours", next: "attendez une minute, puis relancez." },
  CERTIFICATE_BROKEN: {
    what: "la clé et le certificat ne vont pas ensemble",
    next: look("`certbot certificates`"),
  },
  CERTIFICATE_MISSING: {
    what: "le serveur n'a pas de certificat entier",
    next: "lancez `geoclic-fleet drift --fix` : il en demande un.",
  },
  CERTIFICATE_NOT_SERVED: {
    what: "le nouveau certificat n'est pas servi",
    next: look("le service d'entrée (nginx)"),
  },
  CERTIFICATE_UNREADABLE: {
    what: "le certificat est illisible",
    next: "regardez-le avec openssl sur le serveur.",
  },
  CLIENT_INVALID: {
    what: "le nom du client n'est pas valide",
    next: "donnez le nom qui est dans le fichier de pile.",
  },
  COLLATION_CHANGED: {
    what: "les règles de tri ont changé avec l'image de la base, et un index ne peut pas être refait",
    next: "gardez l'image d'avant (suite.imagesAsOf, ou l'étiquette dans le fichier compose), ou corrigez les lignes nommées, puis relancez.",
  },
  COMPOSE_INVALID: {
    what: "le fichier compose est refusé",
    next: "corrigez la suite ou son adaptateur, puis relancez.",
  },
  COMPOSE_IN_FRONT: {
    what: "un Compose trop ancien passe devant celui du système",
    next: "déplacez le fichier nommé, puis relancez ; rien n'a été modifié.",
  },
  CONTAINERS_STAY: { what: "des conteneurs n'ont pas pu être retirés", next: look("`docker ps`") },
  CONTAINER_MISSING: { what: "un service n'a pas de conteneur", next: look("`docker ps -a`") },
  CRONTAB_FAILED: { what: "la crontab de root n'a pas pu être modifiée", next: look("cette crontab") },
  DATABASE_EMPTY: {
    what: "la base de données est vide, alors que cette ville a déjà tourné",
    next: "retrouvez son volume (`docker volume ls`) ou restaurez une sauvegarde (runbook restore.md) : rien n'est initialisé à la place des données d'une ville.",
  },
  DATABASE_FAILED: { what: "la base de données a échoué", next: look("ses journaux") },
  DATABASE_FOREIGN: {
    what: "la base de données n'est pas de cette suite, ou n'a pas de registre des migrations",
    next: "regardez la base et /opt/geoclic sur le serveur ; rien n'a été modifié.",
  },
  DATABASE_NOT_READY: {
    what: "la base de données ne répond pas",
    next: look("`docker logs` de la base"),
  },
  DATABASE_NOT_STARTED: {
    what: "la base de données ne démarre pas",
    next: look("`docker logs` de la base"),
  },
  DATABASE_PASSWORD: {
    what: "la base de données refuse son mot de passe",
    next: "son volume a été créé avec un autre : restaurez l'état de la pile ou les secrets du serveur.",
  },
  DATABASE_SWAPPED: {
    what: "la base qui tourne n'est plus celle qui a été migrée",
    next: "donnez au volume de la base le nom d'avant dans le fichier compose de la suite.",
  },
  DEFECT: { what: "défaut de l'outil", next: "signalez-le." },
  DEMO_REFUSED: {
    what: "l'adaptateur de la suite n'autorise pas les données de démonstration",
    next: "voyez `demo` dans l'adaptateur (assets/suites), ou initialisez sans elles.",
  },
  DISK_FULL: {
    what: "plus assez de place sur le serveur",
    next: "libérez de la place (anciennes sauvegardes) ou prenez un serveur plus grand, puis relancez.",
  },
  DNS_FAILED: {
    what: "l'autorité de certification ne trouve pas le nom",
    next: "corrigez le DNS (un seul A, aucun AAAA d'ailleurs) et relancez dès qu'il répond.",
  },
  DOCKER_CONFIG_BROKEN: {
    what: "la configuration de Docker n'est pas du JSON",
    next: "corrigez-la ou supprimez-la, puis relancez.",
  },
  DOCKER_CONFIG_CONFLICT: {
    what: "la configuration de Docker contredit les options de son unité systemd",
    next: "retirez l'option de l'unité (`systemctl cat docker`) ou la clé de /etc/docker/daemon.json, puis relancez ; rien n'a été modifié.",
  },
  DOCKER_DOWN: { what: "Docker ne répond pas", next: look("`systemctl status docker`") },
  DOCKER_FOREIGN: {
    what: "le Docker de ce serveur a été installé d'une manière que l'outil ne connaît pas",
    next: "mettez-le à jour comme il a été installé, ou retirez-le, puis relancez ; rien n'a été modifié.",
  },
  DOCKER_KEY_UNKNOWN: {
    what: "la clé du dépôt de Docker n'est pas celle qui est connue",
    next: "arrêtez là : quelqu'un s'interpose peut-être, ou Docker a changé de clé.",
  },
  DOCKER_REPOSITORY_UNREACHABLE: {
    what: "le dépôt de Docker est injoignable depuis le serveur",
    next: "ouvrez HTTPS vers download.docker.com, ou utilisez Debian 13, puis relancez.",
  },
  DOCKER_SWARM: {
    what: "le Docker de ce serveur est en mode swarm",
    next: "si `docker service ls` ne montre rien d'utile : `docker swarm leave --force`, puis relancez ; rien n'a été modifié.",
  },
  DOCKER_UNFIT: {
    what: "Docker Engine 25 ou Compose 2 manque après l'installation",
    next: look("`docker version` et `docker compose version`"),
  },
  ENVIRONMENT_MISSING: {
    what: "le fichier d'environnement manque",
    next: `${again} : il l'écrit.`,
  },
  ENVIRONMENT_UNREADABLE: {
    what: "un fichier d'environnement est illisible pour Compose",
    next: "écrivez-le comme Compose le lit (`docker compose config` le dit), puis relancez.",
  },
  FIREWALL_FAILED: { what: "le pare-feu n'a pas pu être réglé", next: "{{action}}" },
  HANDOVER_FAILED: {
    what: "le service d'entrée (nginx) n'a pas pu être relayé pendant son remplacement",
    next: look("`nft list ruleset`"),
  },
  HEALTH_FAILED: {
    what: "la ville n'est pas en bonne santé",
    next: "lisez les journaux du service nommé, corrigez-le, puis relancez.",
  },
  HOOK_FAILED: {
    what: "un script de la suite a échoué dans son service",
    next: look("les journaux du service"),
  },
  IMAGE_BUILD_FAILED: {
    what: "une image n'a pas pu être construite sur le serveur",
    next: "corrigez la suite, ou vérifiez réseau et mémoire du serveur, puis relancez.",
  },
  IMAGE_MISSING: { what: "une image manque sur le serveur", next: `${again} : il la livre.` },
  IMAGE_PULL_FAILED: {
    what: "une image n'a pas pu être obtenue",
    next: "vérifiez le réseau du serveur et le registre, puis relancez.",
  },
  IMAGE_UNFIT: { what: "une image ne convient pas", next: "corrigez l'image dans la suite." },
  INGRESS_REFUSES: {
    what: "le service d'entrée refuse sa configuration",
    next: "corrigez la configuration de nginx dans la suite, puis relancez.",
  },
  INIT_FAILED: {
    what: "le fichier d'initialisation de la base a échoué",
    next: "corrigez le fichier dans la suite ; il tourne dans une transaction, rien n'en a été gardé.",
  },
  INPUT_INVALID: { what: "une valeur donnée au serveur n'est pas valide", next: "{{action}}" },
  LISTENER_FAILED: { what: "le port 80 n'a pas pu être ouvert pour l'épreuve", next: look("systemd") },
  MAINTENANCE_NOT_SHOWN: {
    what: "la page 503 de maintenance ne s'affiche pas",
    next: "corrigez ingress.maintenance dans l'adaptateur, ou nginx dans la suite, puis relancez.",
  },
  MEMORY_SHORT: { what: "le serveur n'a pas assez de mémoire", next: "prenez un serveur plus grand." },
  MIGRATION_BREAKING: {
    what: "une migration ne va pas avec l'autre version",
    next: "pour avancer : découpez-la en étapes qui ajoutent, ou nommez dans l'adaptateur (ingress.maintenance) le fichier qui montre la page 503 (une reprise n'en fait jamais) ; pour revenir avant elle : restaurez une sauvegarde d'avant (docs/runbooks/restore.md), ou allez à une version qui la contient.",
  },
  MIGRATION_FAILED: {
    what: "une migration a échoué",
    next: "corrigez le fichier dans la suite ; il tourne dans une transaction, rien n'en a été gardé.",
  },
  MIGRATION_HALF_APPLIED: {
    what: "la base de données a une migration en partie",
    next: "complétez-la ou défaites-la à la main dans la base, puis relancez ; rien n'a été modifié.",
  },
  MIGRATION_LOCKED: {
    what: "une migration attend une autre transaction",
    next: "relancez à une heure calme ; rien de ce fichier n'a été gardé.",
  },
  MIGRATION_STOPPED: {
    what: "une migration hors transaction s'est arrêtée en chemin",
    next: "laissez tel quel ce qui est gardé, corrigez la suite du fichier au besoin, puis relancez : elle reprend là.",
  },
  MIGRATION_UNREADABLE: {
    what: "une migration est illisible",
    next: "corrigez le fichier dans la suite (UTF-8 attendu).",
  },
  NOT_ACTIVATED: { what: "aucune version ne tourne encore ici", next: "{{action}}" },
  NOT_ROOT: { what: "root est nécessaire", next: "appelez la commande par sudo." },
  NO_FORMER_RELEASE: {
    what: "il n'y a pas de version précédente ici",
    next: "fixez plutôt une version dans le fichier de pile.",
  },
  RELEASE_OLD: {
    what: "la version a été faite par un outil plus ancien, qui ne dit pas les instructions de ses fichiers SQL",
    next: "refaites la version depuis le même état de la suite, et allez à celle-là.",
  },
  REMOVE_FAILED: {
    what: "un conteneur n'a pas pu être enlevé",
    next: "regardez `docker ps -a` sur le serveur, puis relancez.",
  },
  SESSION_LEFT: {
    what: "ce qui tourne dans la base n'a pas pu être arrêté",
    next: "regardez pg_stat_activity sur le serveur ; relancez quand il n'en reste rien.",
  },
  OS_UNSUPPORTED: {
    what: "le système du serveur n'est pas pris en charge",
    next: "utilisez Debian 12 ou 13, Ubuntu 22.04 ou 24.04.",
  },
  PACKAGES_FAILED: {
    what: "des paquets n'ont pas pu être installés",
    next: look("apt et le réseau"),
  },
  PORT80_CLOSED: {
    what: "l'autorité de certification n'atteint pas le port 80",
    next: "ouvrez le port 80 à tous (pare-feu OVH, autres programmes), puis relancez.",
  },
  PORT80_TAKEN: {
    what: "un autre programme tient le port 80",
    next: "arrêtez ce programme (ou que ce soit le nginx de la suite), puis relancez.",
  },
  PREDECESSOR_RUNS: {
    what: "des conteneurs que cet outil n'a pas créés tournent",
    next: `${again} : il les remplace.`,
  },
  REFERENCE_FAILED: {
    what: "le schéma de référence n'a pas pu être créé",
    next: "regardez la base sur le serveur ; rien n'a été modifié.",
  },
  RELEASE_BROKEN: {
    what: "la version livrée n'est pas entière",
    next: "supprimez son dossier sur le serveur et relancez : elle sera livrée à nouveau.",
  },
  RELEASE_INVALID: {
    what: "l'identifiant de version n'est pas valide",
    next: "donnez l'identifiant d'une version.",
  },
  RELEASE_MISSING: { what: "la version n'est pas sur le serveur", next: `${again} : il la livre.` },
  RENEWAL_UNFIT: { what: "le certificat ne se renouvellera pas", next: "{{action}}" },
  REOPENED: {
    what: "la ville a été rouverte après sa dernière sauvegarde",
    next: "relancez : elle sera sauvegardée encore une fois.",
  },
  RESTIC_CHANGED: {
    what: "le programme restic téléchargé n'est pas celui qui a été publié",
    next: "arrêtez là : n'utilisez pas ce fichier.",
  },
  RESTIC_UNREACHABLE: {
    what: "restic n'a pas pu être téléchargé",
    next: "ouvrez HTTPS vers github.com, ou utilisez Debian 13.",
  },
  RESTORE_FAILED: {
    what: "la base de données n'a pas pu être restaurée ; elle est restée comme avant cet essai",
    next: look("la base de données ; sa sauvegarde est entière"),
  },
  SCHEMA_DIFFERS: {
    what: "il manque à la base de données ce dont la suite a besoin",
    next: "écrivez une migration qui le crée, ou corrigez la base à la main ; rien n'a été modifié.",
  },
  SCRIPTS_DIFFER: {
    what: "les scripts du serveur ne sont pas ceux attendus",
    next: `${again} : il les apporte d'abord.`,
  },
  SECRET_CHANGED: {
    what: "un secret recevrait une autre valeur que celle du serveur",
    next: "{{action}}",
  },
  START_FAILED: { what: "un service ne démarre pas", next: look("`docker ps -a`") },
  STOP_FAILED: {
    what: "un conteneur ne s'arrête pas",
    next: "regardez `docker ps` et `systemctl status docker` sur le serveur, puis relancez.",
  },
  UNDO_FAILED: {
    what: "le retour en arrière a échoué",
    next: "regardez tout de suite `docker ps -a` sur le serveur : la ville est peut-être arrêtée.",
  },
  UNHEALTHY: {
    what: "un service n'est pas en bonne santé",
    next: "corrigez-le dans la suite (ou fixez la version précédente), puis relancez.",
  },
  UNIT_FAILED: { what: "systemd a refusé", next: look("`systemctl status`") },
  VOLUME_CHANGED: {
    what: "la version donnerait un autre volume à ce qui contient des données",
    next: "gardez le nom du volume dans le fichier compose de la suite ; rien n'a été modifié.",
  },
  VOLUME_IN_USE: {
    what: "un autre conteneur se sert du même volume",
    next: "arrêtez l'autre (`docker stop`), puis relancez : deux bases sur un même dossier le détruisent.",
  },
  VOLUME_MISSING: { what: "un volume de données manque", next: look("`docker volume ls`") },
} as const satisfies Readonly<Record<string, Sentence>>;

export type ServerCode = keyof typeof serverFrench;

/** A failure that a server tells has what it found as `cause`, and what it advises as `action`. */
export function isToldByServer(values: Values): boolean {
  return values.action !== undefined;
}

/** A server's failure in a language: the server's own English, or our French around what it found. */
export function serverSentence(code: string, language: "fr" | "en", values: Values): Sentence {
  const { cause = "", action = "" } = values;
  const known: Sentence | undefined = Object.hasOwn(serverFrench, code)
    ? serverFrench[code as ServerCode]
    : undefined;
  if (language === "en" || !known) return { what: String(cause), next: String(action) };
  return { what: `${known.what} (${cause})`, next: known.next.replace("{{action}}", String(action)) };
}
