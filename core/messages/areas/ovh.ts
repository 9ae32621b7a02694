/** @module Messages of what is done at OVH: orders and DNS. */
import { area } from "./area.ts";

export const ovh = area(
  {
    errors: {
      OVH_CREDENTIALS: {
        what: "OVH's credentials cannot be used: {{cause}}",
        next: "set OVH_ENDPOINT, OVH_APPLICATION_KEY, OVH_APPLICATION_SECRET and OVH_CONSUMER_KEY (or ~/.ovh.conf); make them at https://api.ovh.com/createToken/.",
      },
      OVH_RIGHTS: {
        what: "OVH's credentials may not do what is needed: {{missing}}; nothing was done",
        next: "make new ones at {{url}} and run again.",
      },
      OVH_REFUSED: {
        what: "OVH answers {{status}} to {{method}} {{path}}: {{cause}} (query {{query}})",
        next: "correct the cause and run again; for OVH's support, give the query's number.",
      },
      OVH_UNREACHABLE: {
        what: "OVH gives no answer to {{method}} {{path}}: {{cause}}",
        next: "check the network and run again: what may have been done is looked up first.",
      },
      OVH_UNEXPECTED: {
        what: "OVH's answer to {{method}} {{path}} is not what is known of its API: {{problems}}",
        next: "update this tool; nothing was done with the answer.",
      },
      ADDRESS_UNTOLD: {
        what: "OVH does not tell the address of {{serviceName}}: {{cause}}; {{former}}",
        next: "check OVH's status and credentials; `ip` in the client's entry spares the question.",
      },
      ORDER_INVALID: {
        what: "the town cannot be declared like this: {{problems}}",
        next: "correct the options; nothing was ordered.",
      },
      ORDER_NOT_SOLD: {
        what: "OVH does not sell this {{what}}: got {{got}}, expected one of: {{allowed}}",
        next: "choose one of them; nothing was ordered.",
      },
      ORDER_TOO_DEAR: {
        what: "{{price}} a month is more than the limit of {{limit}}; nothing was ordered",
        next: "raise --max-price or choose a smaller plan.",
      },
      ORDER_PRICE_CHANGED: {
        what: "OVH's cart costs {{got}} a month, {{shown}} were shown; nothing was ordered",
        next: "run again to see and confirm the present price.",
      },
      ORDER_UNCONFIRMED: {
        what: "the order of {{price}} a month was not confirmed; nothing was ordered",
        next: "confirm it, or give --yes together with --max-price.",
      },
      ORDER_NO_PAYMENT: {
        what: "the OVH account has no default payment method; nothing was ordered",
        next: "set one in OVH's manager (a bank account is not taken for orders by the API), then run again.",
      },
      ORDER_DECLARED: {
        what: "{{client}} is in the stack file already, with the server {{server}}; nothing was ordered",
        next: "choose another name, or run `geoclic-fleet order list`.",
      },
      ORDER_AMBIGUOUS: {
        what: "the checkout of {{client}} was begun and its answer lost; these orders could be it: {{orders}}",
        next: "look at them in OVH's manager and run again with --order ID.",
      },
      ORDER_LOST: {
        what: "the checkout of {{client}} was begun, its cart {{cart}} is closed or not shown, and no order of it can be found yet",
        next: "run again in a few minutes: nothing is ordered a second time. If it stays, look for the order in OVH's manager and give its number: --order ID.",
      },
      ORDER_UNCERTAIN: {
        what: "the checkout of {{client}} was begun on {{date}}, OVH does not know its cart any more, and no order of it can be found: whether it bought a server is not certain; nothing was ordered",
        next: "look at the orders and servers since then in OVH's manager and at `geoclic-fleet order list`. If there is one: --order ID. Only if there is none: --buy-again.",
      },
      ORDER_ELSEWHERE: {
        what: "a server for {{client}} was bought already, and no journal here tells of it: OVH has {{evidence}}; nothing was ordered",
        next: "go on with it on the machine that ordered it, or copy its journal `orders/{{client}}.jsonl` here. If it is another one, and this one is wanted too: --buy-again.",
      },
      ORDER_RIVAL: {
        what: "another run orders a server for {{client}}, or was cut a moment ago: OVH has its cart {{cart}}, which is not of a journal here; nothing was ordered",
        next: "see whether somebody orders it on another machine, and go on there. If nobody does: run again in {{minutes}} minutes.",
      },
      ORDER_OTHER_ACCOUNT: {
        what: "the order of {{client}} was begun with OVH's account {{account}}, these credentials are of {{got}}, which knows nothing of it; nothing was done",
        next: "use the credentials of {{account}}.",
      },
      ORDER_NOT_BEGUN: {
        what: "no checkout of {{client}} was begun here: order {{order}} cannot be its",
        next: "leave --order out to buy a server; one that is there already is declared with `geoclic-fleet add`.",
      },
      ORDER_NOT_IT: {
        what: "order {{order}} is not {{client}}'s ({{evidence}}); nothing was done",
        next: "look at the order's number in OVH's manager, and run again.",
      },
      ORDER_SERVICE_TAKEN: {
        what: "{{server}} is not {{client}}'s to set up ({{evidence}}): setting it up empties its disk, so it was left alone",
        next: "look at it in OVH's manager. If another order is the right one: --order ID. If it is this town's, and nothing on it is wanted, take away what names it (an entry, its display name), then run again.",
      },
      ORDER_STOPPED: {
        what: "order {{order}} is {{status}} at OVH",
        next: "look at it in OVH's manager; if it is gone for good, remove {{journal}} and order again.",
      },
      ORDER_DOCUMENTS: {
        what: "OVH wants documents before it delivers order {{order}}",
        next: "send them in OVH's manager, then run the same command again: it goes on with this order.",
      },
      ORDER_SLOW: {
        what: "order {{order}} is still {{status}} after {{minutes}} min",
        next: "run the same command again later: it goes on with this order.",
      },
      ORDER_REBUILD_FAILED: {
        what: "OVH did not set {{server}} up with the fleet's key: {{cause}}",
        next: "run the same command again; if it stays, look at the VPS in OVH's manager.",
      },
      ORDER_UNREACHED: {
        what: "{{server}} was delivered, but {{reach}} does not let the fleet's key in: {{cause}}",
        next: "check the network (or --reach), then run the same command again.",
      },
      ORDER_JOURNAL: {
        what: "the journal of orders {{file}} cannot be read: {{cause}}",
        next: "restore it from a copy; without it the tool does not know what was bought.",
      },
      ORDER_OPTIONS: {
        what: "{{missing}} is needed for a new order",
        next: "give it: `geoclic-fleet order NAME --domain … --email … --town …`.",
      },
    },
    texts: {
      "order.offer":
        "{{plan}} at {{datacenter}} with {{os}}: {{price}} a month, tax included ({{net}} without)",
      "order.options": "with the options that OVH demands: {{options}}",
      "order.confirm": "Order it now, for {{price}} a month?",
      "order.questionService": "{{serviceName}} is set up anew and its disk emptied. Do it?",
      "order.resumes": "goes on with the order of {{date}}",
      "order.cart": "cart {{cart}}",
      "order.ordered": "order {{order}}",
      "order.adopted": "order {{order}} was made by the run before: adopted",
      "order.paid": "payment given",
      "order.status": "order {{order}}: {{status}}",
      "order.delivered": "delivered: {{server}}",
      "order.rebuild": "{{server}} is set up anew with {{os}} and the fleet's key",
      "order.hostKey": "{{reach}} shows the host key {{fingerprint}}",
      "order.declared": "{{client}} is in the stack file: run `pulumi up`",
      "order.done": "{{client}} was ordered before: {{server}}",
      "order.none": "No orders, and nothing at OVH that the fleet does not know.",
      "order.column.client": "town",
      "order.column.server": "server",
      "order.column.order": "order",
      "order.column.state": "state",
      "order.state.declared": "in the stack file",
      "order.state.asked": "asked, nothing bought",
      "order.state.checkingOut": "checkout begun, answer unknown",
      "order.state.ordered": "ordered, not delivered yet",
      "order.state.delivered": "delivered, not declared yet",
      "order.state.vanished": "its VPS is no longer at OVH",
      "order.state.orphanServer": "at OVH, unknown to the fleet",
      "order.state.orphanOrder": "an order that no journal knows",
      "help.order": "Buy a VPS at OVH for a town, and declare it",
      "help.orderList": "List orders, and what is at OVH without the fleet's knowledge",
      "help.order.domain": "the town's domain",
      "help.order.email": "its administrator's e-mail",
      "help.order.town": "the town's name",
      "help.order.plan": "plan of OVH's catalogue",
      "help.order.datacenter": "OVH's datacenter",
      "help.order.os": "system to install",
      "help.order.dns": "managed: make its record at OVH; external: only check it",
      "help.order.canary": "other towns wait for this one",
      "help.order.maxPrice": "most that it may cost a month, tax included",
      "help.order.yes": "do not ask (needs --max-price)",
      "help.order.wait": "minutes to wait for the delivery",
      "help.order.reach":
        "where the server is reached, if not at its address; {1} to {4} are the address's parts",
      "help.order.sshUser": "user of the system's image",
      "help.order.noCommit": "do not commit the stack file",
      "help.order.buyAgain":
        "after a checkout whose outcome is not known: you looked at OVH, it bought nothing",
      "help.order.order": "take this order of OVH for the one whose answer was lost",
    },
  },
  {
    errors: {
      OVH_CREDENTIALS: {
        what: "les identifiants OVH sont inutilisables : {{cause}}",
        next: "définissez OVH_ENDPOINT, OVH_APPLICATION_KEY, OVH_APPLICATION_SECRET et OVH_CONSUMER_KEY (ou ~/.ovh.conf) ; créez-les sur https://api.ovh.com/createToken/.",
      },
      OVH_RIGHTS: {
        what: "les identifiants OVH n'ont pas les droits nécessaires : {{missing}} ; rien n'a été fait",
        next: "créez-en de nouveaux sur {{url}} puis relancez.",
      },
      OVH_REFUSED: {
        what: "OVH répond {{status}} à {{method}} {{path}} : {{cause}} (requête {{query}})",
        next: "corrigez la cause et relancez ; pour l'assistance d'OVH, donnez le numéro de requête.",
      },
      OVH_UNREACHABLE: {
        what: "OVH ne répond pas à {{method}} {{path}} : {{cause}}",
        next: "vérifiez le réseau et relancez : ce qui a pu être fait est d'abord recherché.",
      },
      OVH_UNEXPECTED: {
        what: "la réponse d'OVH à {{method}} {{path}} n'est pas celle de l'API connue : {{problems}}",
        next: "mettez cet outil à jour ; rien n'a été fait de la réponse.",
      },
      ADDRESS_UNTOLD: {
        what: "OVH ne donne pas l'adresse de {{serviceName}} : {{cause}} ; {{former}}",
        next: "vérifiez l'état d'OVH et les identifiants ; `ip` dans l'entrée du client évite la question.",
      },
      ORDER_INVALID: {
        what: "la ville ne peut pas être déclarée ainsi : {{problems}}",
        next: "corrigez les options ; rien n'a été commandé.",
      },
      ORDER_NOT_SOLD: {
        what: "OVH ne vend pas ce choix ({{what}}) : reçu {{got}}, attendu l'un de : {{allowed}}",
        next: "choisissez l'un d'eux ; rien n'a été commandé.",
      },
      ORDER_TOO_DEAR: {
        what: "{{price}} par mois dépasse la limite de {{limit}} ; rien n'a été commandé",
        next: "augmentez --max-price ou choisissez une offre plus petite.",
      },
      ORDER_PRICE_CHANGED: {
        what: "le panier d'OVH coûte {{got}} par mois, {{shown}} étaient affichés ; rien n'a été commandé",
        next: "relancez pour voir et confirmer le prix actuel.",
      },
      ORDER_UNCONFIRMED: {
        what: "la commande de {{price}} par mois n'a pas été confirmée ; rien n'a été commandé",
        next: "confirmez-la, ou donnez --yes avec --max-price.",
      },
      ORDER_NO_PAYMENT: {
        what: "le compte OVH n'a pas de moyen de paiement par défaut ; rien n'a été commandé",
        next: "définissez-en un dans l'espace client OVH (un compte bancaire n'est pas accepté par l'API), puis relancez.",
      },
      ORDER_DECLARED: {
        what: "{{client}} est déjà dans le fichier de pile, avec le serveur {{server}} ; rien n'a été commandé",
        next: "choisissez un autre nom, ou lancez `geoclic-fleet order list`.",
      },
      ORDER_AMBIGUOUS: {
        what: "la validation de la commande de {{client}} a été lancée et sa réponse perdue ; ces commandes pourraient être la sienne : {{orders}}",
        next: "regardez-les dans l'espace client OVH et relancez avec --order ID.",
      },
      ORDER_LOST: {
        what: "la validation de la commande de {{client}} a été lancée, son panier {{cart}} est fermé ou n'est pas montré, et aucune commande n'est encore visible",
        next: "relancez dans quelques minutes : rien ne sera commandé une seconde fois. Si cela dure, cherchez la commande dans l'espace client OVH et donnez son numéro : --order ID.",
      },
      ORDER_UNCERTAIN: {
        what: "la validation de la commande de {{client}} a été lancée le {{date}}, OVH ne connaît plus son panier, et aucune commande n'est visible : il n'est pas certain qu'un serveur ait été acheté ; rien n'a été commandé",
        next: "regardez les commandes et serveurs depuis cette date dans l'espace client OVH et dans `geoclic-fleet order list`. S'il y en a un : --order ID. Seulement s'il n'y en a aucun : --buy-again.",
      },
      ORDER_ELSEWHERE: {
        what: "un serveur pour {{client}} a déjà été acheté, et aucun journal d'ici ne le dit : OVH a {{evidence}} ; rien n'a été commandé",
        next: "continuez sur la machine qui l'a commandé, ou copiez ici son journal `orders/{{client}}.jsonl`. Si c'en est un autre, et que celui-ci est voulu aussi : --buy-again.",
      },
      ORDER_RIVAL: {
        what: "une autre commande d'un serveur pour {{client}} est en cours, ou vient d'être coupée : OVH a son panier {{cart}}, qui n'est d'aucun journal d'ici ; rien n'a été commandé",
        next: "regardez si quelqu'un le commande sur une autre machine, et continuez là-bas. Si personne ne le fait : relancez dans {{minutes}} minutes.",
      },
      ORDER_OTHER_ACCOUNT: {
        what: "la commande de {{client}} a été commencée avec le compte OVH {{account}}, ces identifiants sont ceux de {{got}}, qui n'en sait rien ; rien n'a été fait",
        next: "utilisez les identifiants de {{account}}.",
      },
      ORDER_NOT_BEGUN: {
        what: "aucune validation de commande pour {{client}} n'a été lancée ici : la commande {{order}} ne peut pas être la sienne",
        next: "retirez --order pour acheter un serveur ; un serveur qui existe déjà se déclare avec `geoclic-fleet add`.",
      },
      ORDER_NOT_IT: {
        what: "la commande {{order}} n'est pas celle de {{client}} ({{evidence}}) ; rien n'a été fait",
        next: "regardez le numéro de la commande dans l'espace client OVH, puis relancez.",
      },
      ORDER_SERVICE_TAKEN: {
        what: "{{server}} n'est pas à installer pour {{client}} ({{evidence}}) : l'installer viderait son disque, il n'a donc pas été touché",
        next: "regardez-le dans l'espace client OVH. Si la bonne commande est une autre : --order ID. S'il est bien à cette ville, et que rien n'y est à garder, retirez ce qui le nomme (une entrée, son nom affiché), puis relancez.",
      },
      ORDER_STOPPED: {
        what: "la commande {{order}} est dans l'état {{status}} chez OVH",
        next: "regardez-la dans l'espace client OVH ; si elle est définitivement annulée, supprimez {{journal}} et commandez à nouveau.",
      },
      ORDER_DOCUMENTS: {
        what: "OVH demande des documents avant de livrer la commande {{order}}",
        next: "envoyez-les dans l'espace client OVH, puis relancez la même commande : elle continue avec cette commande.",
      },
      ORDER_SLOW: {
        what: "la commande {{order}} est encore {{status}} après {{minutes}} min",
        next: "relancez la même commande plus tard : elle continue avec cette commande.",
      },
      ORDER_REBUILD_FAILED: {
        what: "OVH n'a pas installé {{server}} avec la clé de la flotte : {{cause}}",
        next: "relancez la même commande ; si cela dure, regardez le VPS dans l'espace client OVH.",
      },
      ORDER_UNREACHED: {
        what: "{{server}} a été livré, mais {{reach}} n'accepte pas la clé de la flotte : {{cause}}",
        next: "vérifiez le réseau (ou --reach), puis relancez la même commande.",
      },
      ORDER_JOURNAL: {
        what: "le journal des commandes {{file}} est illisible : {{cause}}",
        next: "restaurez-le depuis une copie ; sans lui l'outil ne sait pas ce qui a été acheté.",
      },
      ORDER_OPTIONS: {
        what: "{{missing}} est nécessaire pour une nouvelle commande",
        next: "donnez-le : `geoclic-fleet order NOM --domain … --email … --town …`.",
      },
    },
    texts: {
      "order.offer": "{{plan}} à {{datacenter}} avec {{os}} : {{price}} par mois TTC ({{net}} HT)",
      "order.options": "avec les options exigées par OVH : {{options}}",
      "order.confirm": "Commander maintenant, pour {{price}} par mois ?",
      "order.questionService": "{{serviceName}} sera réinstallé et son disque vidé. Le faire ?",
      "order.resumes": "reprise de la commande du {{date}}",
      "order.cart": "panier {{cart}}",
      "order.ordered": "commande {{order}}",
      "order.adopted": "la commande {{order}} a été passée par le lancement précédent : reprise",
      "order.paid": "paiement donné",
      "order.status": "commande {{order}} : {{status}}",
      "order.delivered": "livré : {{server}}",
      "order.rebuild": "{{server}} est réinstallé avec {{os}} et la clé de la flotte",
      "order.hostKey": "{{reach}} présente la clé d'hôte {{fingerprint}}",
      "order.declared": "{{client}} est dans le fichier de pile : lancez `pulumi up`",
      "order.done": "{{client}} a déjà été commandé : {{server}}",
      "order.none": "Aucune commande, et rien chez OVH que la flotte ne connaisse.",
      "order.column.client": "ville",
      "order.column.server": "serveur",
      "order.column.order": "commande",
      "order.column.state": "état",
      "order.state.declared": "dans le fichier de pile",
      "order.state.asked": "demandée, rien d'acheté",
      "order.state.checkingOut": "validation lancée, réponse inconnue",
      "order.state.ordered": "commandée, pas encore livrée",
      "order.state.delivered": "livrée, pas encore déclarée",
      "order.state.vanished": "son VPS n'est plus chez OVH",
      "order.state.orphanServer": "chez OVH, inconnu de la flotte",
      "order.state.orphanOrder": "une commande inconnue des journaux",
      "help.order": "Acheter un VPS chez OVH pour une ville, et la déclarer",
      "help.orderList": "Lister les commandes, et ce qui est chez OVH à l'insu de la flotte",
      "help.order.domain": "domaine de la ville",
      "help.order.email": "adresse électronique de l'administrateur",
      "help.order.town": "nom de la ville",
      "help.order.plan": "offre du catalogue d'OVH",
      "help.order.datacenter": "centre de données d'OVH",
      "help.order.os": "système à installer",
      "help.order.dns": "managed : créer son enregistrement chez OVH ; external : seulement le vérifier",
      "help.order.canary": "les autres villes attendent celle-ci",
      "help.order.maxPrice": "coût maximal par mois, TTC",
      "help.order.yes": "ne pas demander (exige --max-price)",
      "help.order.wait": "minutes d'attente de la livraison",
      "help.order.reach":
        "où joindre le serveur, si ce n'est pas son adresse ; {1} à {4} sont les parties de l'adresse",
      "help.order.sshUser": "utilisateur de l'image du système",
      "help.order.noCommit": "ne pas valider le fichier de pile dans git",
      "help.order.buyAgain":
        "après une validation dont l'issue est inconnue : vous avez regardé chez OVH, rien n'a été acheté",
      "help.order.order": "prendre cette commande OVH pour celle dont la réponse a été perdue",
    },
  },
);
