/** @module Messages of the store that processes and machines share. */
import { area } from "./area.ts";

export const store = area(
  {
    errors: {
      STORE_DAMAGED: {
        what: "the store {{place}} is damaged: {{cause}}",
        next: "look at the disk, then restore the store from its own copy (docs/runbooks/lost-store.md); until then nothing is begun.",
      },
      STORE_BUSY: {
        what: "the store {{place}} was kept busy by others for too long",
        next: "see what runs (`geoclic-fleet operations list`) and run again; nothing was done.",
      },
      STORE_NEWER: {
        what: "the store {{place}} was made by a newer version of this tool (it knows {{newer}})",
        next: "use that version on this machine too; nothing was read nor changed.",
      },
      STORE_FULL: {
        what: "the disk of the store {{place}} is full",
        next: "free some space and run again; what could not be written was not done.",
      },
      STORE_UNUSABLE: {
        what: "the store {{place}} cannot be used: {{cause}}",
        next: "correct the rights of its folder or of the database's account, and run again.",
      },
      STORE_UNREACHABLE: {
        what: "the store {{place}} does not answer: {{cause}}",
        next: "check the address and that the database runs, then run again.",
      },
      STORE_NO_COPY: {
        what: "there is no whole copy of the store beside {{place}}",
        next: "restore the file from the machine's own backup, or move it aside to begin with an empty store.",
      },
      STORE_IN_USE: {
        what: "the store {{place}} is open in other processes: {{pids}}",
        next: "end them (the worker too), then restore again; nothing was changed.",
      },
      STORE_ROW: {
        what: "a row of the store {{place}} cannot be understood: {{row}}: {{cause}}",
        next: "run `geoclic-fleet doctor`; nothing was changed.",
      },
      MACHINE_UNKNOWN: {
        what: "this system does not tell which processes live: {{cause}}",
        next: "run on Linux with /proc mounted; elsewhere two operations could run at once.",
      },
      TURN_TAKEN: {
        what: "{{key}} is held by {{what}} of {{actor}} (process {{pid}}, since {{since}})",
        next: "wait for its end, or run without --no-wait to stand in line.",
      },
      TURN_LOST: {
        what: "{{what}} stood still so long that others took it for dead: it holds {{key}} no longer",
        next: "see what others have done meanwhile (`geoclic-fleet operations list`), then run again.",
      },
      OPERATION_STATE: {
        what: "the operation {{id}} is {{state}}, it cannot become {{wanted}}",
        next: "see `geoclic-fleet operations show {{id}}`.",
      },
      IMPORT_HOME: {
        what: "{{file}} cannot be taken over into the store: {{cause}}",
        next: "correct or move the file aside, then run again; it was left as it is, and nothing of it was taken over.",
      },
    },
    texts: {
      "store.imported":
        "{{count}} files of this home are taken over into the store {{place}}; they stay where they are",
      "store.restored":
        "the store was damaged: it is restored from its copy of {{time}}, with {{rows}} newer rows of its journals; what was damaged is kept as {{damaged}}. Operations after the copy are not listed, and look at OVH's orders before you order anything",
    },
  },
  {
    errors: {
      STORE_DAMAGED: {
        what: "la base de l'outil {{place}} est endommagée : {{cause}}",
        next: "vérifiez le disque, puis restaurez-la depuis sa propre copie (docs/runbooks/lost-store.md) ; d'ici là, rien n'est commencé.",
      },
      STORE_BUSY: {
        what: "la base de l'outil {{place}} est restée trop longtemps occupée par d'autres",
        next: "voyez ce qui tourne (`geoclic-fleet operations list`) et relancez ; rien n'a été fait.",
      },
      STORE_NEWER: {
        what: "la base de l'outil {{place}} a été faite par une version plus récente de l'outil (elle connaît {{newer}})",
        next: "utilisez cette version sur cette machine aussi ; rien n'a été lu ni modifié.",
      },
      STORE_FULL: {
        what: "le disque de la base de l'outil {{place}} est plein",
        next: "libérez de la place et relancez ; ce qui n'a pas pu être écrit n'a pas été fait.",
      },
      STORE_UNUSABLE: {
        what: "la base de l'outil {{place}} est inutilisable : {{cause}}",
        next: "corrigez les droits de son dossier ou du compte de la base, puis relancez.",
      },
      STORE_UNREACHABLE: {
        what: "la base de l'outil {{place}} ne répond pas : {{cause}}",
        next: "vérifiez l'adresse et que la base tourne, puis relancez.",
      },
      STORE_NO_COPY: {
        what: "il n'y a aucune copie intacte de la base à côté de {{place}}",
        next: "restaurez le fichier depuis la sauvegarde de la machine, ou écartez-le pour repartir d'une base vide.",
      },
      STORE_IN_USE: {
        what: "la base de l'outil {{place}} est ouverte par d'autres processus : {{pids}}",
        next: "terminez-les (le worker aussi), puis relancez la restauration ; rien n'a été modifié.",
      },
      STORE_ROW: {
        what: "une ligne de la base de l'outil {{place}} est incompréhensible : {{row}} : {{cause}}",
        next: "lancez `geoclic-fleet doctor` ; rien n'a été modifié.",
      },
      MACHINE_UNKNOWN: {
        what: "ce système ne dit pas quels processus vivent : {{cause}}",
        next: "lancez l'outil sous Linux, /proc monté ; ailleurs, deux opérations pourraient tourner en même temps.",
      },
      TURN_TAKEN: {
        what: "{{key}} est tenu par {{what}} de {{actor}} (processus {{pid}}, depuis {{since}})",
        next: "attendez sa fin, ou relancez sans --no-wait pour prendre place dans la file.",
      },
      TURN_LOST: {
        what: "{{what}} est resté figé si longtemps que d'autres l'ont cru mort : il ne tient plus {{key}}",
        next: "voyez ce que d'autres ont fait entre-temps (`geoclic-fleet operations list`), puis relancez.",
      },
      OPERATION_STATE: {
        what: "l'opération {{id}} est à l'état {{state}}, elle ne peut passer à {{wanted}}",
        next: "voyez `geoclic-fleet operations show {{id}}`.",
      },
      IMPORT_HOME: {
        what: "{{file}} ne peut être repris dans la base : {{cause}}",
        next: "corrigez ou écartez le fichier, puis relancez ; il est resté tel quel, et rien n'en a été repris.",
      },
    },
    texts: {
      "store.imported":
        "{{count}} fichiers de ce dossier sont repris dans la base {{place}} ; ils restent à leur place",
      "store.restored":
        "la base de l'outil était endommagée : elle est restaurée depuis sa copie du {{time}}, avec {{rows}} lignes plus récentes de ses journaux ; l'original endommagé est gardé sous {{damaged}}. Les opérations d'après la copie ne sont plus listées, et vérifiez les commandes chez OVH avant de commander quoi que ce soit",
    },
  },
);
