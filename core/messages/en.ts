/** @module English messages. `{{name}}` is filled in. */
export const en = {
  errors: {
    CLIENT_DROPPED: {
      what: "the stack file no longer has {{clients}}, which this stack still holds; nothing was changed",
      next: "put the entry back (`git checkout` of the stack file). To stop converging a town, run `geoclic-fleet remove NAME`; to end it for good, `geoclic-fleet retire NAME`.",
    },
    CONFIG_INVALID: {
      what: "the configuration is not valid: {{problems}}",
      next: "correct the value in the stack file and run again; nothing was changed.",
    },
    ADAPTER_INVALID: {
      what: "the adapter {{file}} is not valid: {{problems}}",
      next: "correct the adapter and run again; nothing was changed.",
    },
    COMPOSE_UNEXPECTED: {
      what: "the suite's compose file does not fit its adapter: {{problem}}",
      next: "correct the adapter so that it describes the compose file; nothing was changed.",
    },
    COMPOSE_AMBIGUOUS: {
      what: "{{file}}, line {{line}}: {{got}} without quotes is no plain text and no plain number; programs read it in different ways",
      next: "put it in quotes if it is text, or write the number in plain decimal (493 for 0755); nothing was changed.",
    },
    COMPOSE_KEY_REFUSED: {
      what: "{{file}} of the suite has {{places}}, which towns do not take; taken there: {{allowed}}",
      next: "take it out of the compose file, or say it by a key that is taken (docs/decisions/compose-allow-list.md says what stands for what); nothing was changed.",
    },
    COMPOSE_VALUE_REFUSED: {
      what: "{{file}} of the suite has values that towns do not take: {{problems}}",
      next: "correct the compose file (docs/decisions/compose-allow-list.md says what is taken); nothing was changed.",
    },
    SUITE_UNREADABLE: {
      what: "the suite cannot be read at {{path}}: {{cause}}",
      next: "correct what it names, or set geoclic-fleet:suite.path to the folder that holds the suite's checkout.",
    },
    SUITE_SECRETS: {
      what: "the suite at {{path}} holds what may be secrets of this machine: {{names}}; git does not track them and the adapter says nothing of them",
      next: "say in the adapter's `exclude` what each is: `/{{first}}` leaves it out, `!/{{first}}` sends it to the build; nothing was changed.",
    },
    RELEASE_AMBIGUOUS: {
      what: "several releases of the store were made of {{name}}: {{releases}}",
      next: "give the id of the one that you mean; they differ in the adapter, the tool or the date of the images.",
    },
    RELEASE_UNKNOWN: {
      what: "release {{release}} is not in the store {{store}} (the suite's present tree is {{present}})",
      next: "pin a release that `geoclic-fleet doctor` lists, or check out the suite that made it and run a preview.",
    },
    RELEASE_BROKEN: {
      what: "release {{release}} in the store does not fit its id: {{cause}}",
      next: "remove its folder from {{store}} and run again: it is made anew from the suite.",
    },
    TOOL_MISSING: {
      what: "{{tool}} was not found",
      next: "{{fix}}",
    },
    AGENT_MISSING: {
      what: "no SSH agent holds the fleet's key",
      next: "run `. ./env.sh` (or `geoclic-fleet agent`) and start again.",
    },
    SSH_UNREACHABLE: {
      what: "{{host}}:{{port}} does not answer on SSH: {{cause}}",
      next: "check that the server is up, that the address is right and that port {{port}} is open, then run again.",
    },
    SSH_REFUSED: {
      what: "{{user}}@{{host}}:{{port}} refuses the fleet's key: {{cause}}",
      next: "add the fleet's public key (`geoclic-fleet agent --public`) to ~{{user}}/.ssh/authorized_keys on the server.",
    },
    HOST_KEY_CHANGED: {
      what: "the host key of {{host}}:{{port}} is not the pinned one; nothing was sent",
      next: "if the server was reinstalled, verify its new key by another way and change ssh.hostKey; if not, somebody stands between: do not go on.",
    },
    SSH_FAILED: {
      what: "a command on {{host}} ended with {{status}}: {{cause}}",
      next: "look at the server (`ssh`), correct the cause and run again: every step can be repeated.",
    },
    SSH_TIMEOUT: {
      what: "a command on {{host}} gave no end within {{seconds}} s: {{cause}}",
      next: "look at the server's load and network, then run again: every step can be repeated.",
    },
    SUDO_MISSING: {
      what: "{{user}} cannot use sudo without a password on {{host}}: {{cause}}",
      next: "give {{user}} password-less sudo (a file in /etc/sudoers.d) and run again.",
    },
    OS_UNSUPPORTED: {
      what: "{{host}} runs {{got}}",
      next: "use one of: {{allowed}}.",
    },
    DISK_FULL: {
      what: "{{host}} has {{freeMiB}} MiB free on {{path}}, {{neededMiB}} MiB are needed",
      next: "free space or take a larger server, then run again.",
    },
    RSYNC_FAILED: {
      what: "rsync to {{host}} failed with {{status}}: {{cause}}",
      next: "run again: what was sent is kept and only the rest travels.",
    },
    IMAGE_BUILD_FAILED: {
      what: "the image of {{service}} could not be built: {{cause}}",
      next: "correct the suite (or the network of the build) and run again; no server was touched.",
    },
    IMAGE_PULL_FAILED: {
      what: "image {{image}} could not be had: {{cause}}",
      next: "check the network and the registry, then run again: finished layers are kept.",
    },
    DOCKER_UNREACHABLE: {
      what: "the Docker Engine of this machine does not answer: {{cause}}",
      next: "start Docker (or set DOCKER_HOST) and run again; images are built here, once.",
    },
    DNS_MISSING: {
      what: "{{domain}} has no address (asked {{servers}})",
      next: "create an A record {{domain}} → {{ip}} and run again once it resolves.",
    },
    DNS_SILENT: {
      what: "nobody told the address of {{domain}} (asked {{servers}}): {{cause}}",
      next: "check the network and geoclic-fleet:dnsServers, then run again; no certificate was asked for.",
    },
    DNS_ELSEWHERE: {
      what: "{{domain}} points to {{got}}, expected {{expected}} (asked {{servers}})",
      next: "correct the DNS records of {{domain}} (one A record → {{ip}}, no AAAA of elsewhere), or declare the server's own IPv6 address as `ipv6` of the client, and run again.",
    },
    RECORD_CONFLICT: {
      what: "{{domain}} → {{ip}} cannot be made in zone {{zone}}: there is {{got}}",
      next: "remove that record in OVH's manager if nothing uses it (or correct the town's domain; an AAAA of this very server is declared as its `ipv6`), then run again; nothing was changed.",
    },
    ZONE_UNKNOWN: {
      what: "zone {{zone}} is not managed by this OVH account",
      next: "correct geoclic-fleet:zones, or use the account that holds the zone.",
    },
    ZONE_SERVERS_UNKNOWN: {
      what: "the servers of zone {{zone}} are not known: {{cause}}",
      next: 'check the network, or name them in geoclic-fleet:nameServers, e.g. ["213.251.128.1:53"].',
    },
    DNS_UNPUBLISHED: {
      what: "zone {{zone}} was published, but its servers do not answer {{domain}} → {{ip}} after {{seconds}} s: {{cause}}",
      next: "look at the zone in OVH's manager (errors are shown there), then run again; no certificate was asked for.",
    },
    PORT80_CLOSED: {
      what: "port 80 of {{domain}} does not answer from outside at {{host}}: {{cause}}",
      next: "open port 80 (OVH firewall, other programs on the server) and run again; no certificate was asked for.",
    },
    ACME_BUDGET: {
      what: "asking for a certificate for {{domain}} would pass Let's Encrypt's limit: {{limit}} ({{used}} used)",
      next: "wait until {{until}}, then run again.",
    },
    HEALTH_FAILED: {
      what: "{{url}} is not healthy: {{cause}}",
      next: "read the logs of the service on the server, correct the cause and run again.",
    },
    RELEASE_NOT_RUNNING: {
      what: "{{url}} shows release {{got}}, expected {{release}}",
      next: "run again; if it stays, look at `activate status` on the server.",
    },
    STEP_INPUT_INVALID: {
      what: "the step {{step}} got wrong input: {{problems}}",
      next: "this is a defect of the tool: the program and its steps do not fit; check out one version of both.",
    },
    STACK_LOCKED: {
      what: "stack {{stack}} is being worked on by {{holder}}",
      next: "wait until that run has ended. If its machine is gone for good, run `pulumi cancel --stack {{stack}}` and start again.",
    },
    STACK_MISSING: {
      what: "there is no stack {{stack}} at {{backend}}",
      next: "run `npm run demo` for the lab, or `pulumi stack init {{stack}}`.",
    },
    OUTPUT_MISSING: {
      what: "stack {{stack}} has no output {{output}}",
      next: "run `pulumi up --stack {{stack}}` first.",
    },
    SECRET_IN_CLEAR: {
      what: "{{file}} holds a secret in clear: {{paths}}",
      next: "change that secret where it is used if the file was ever shared, delete the line, and give the value by standard input: `pulumi config set --secret --path geoclic-fleet:secrets.CLIENT.VARIABLE`.",
    },
    RUNTIME_UNSAFE: {
      what: "{{folder}} is not safe for the agent's socket: {{cause}}",
      next: "set XDG_RUNTIME_DIR to a folder that this account alone may write in (or GEOCLIC_HOME, whose `run` is used then); look who made that one.",
    },
    FLEET_KEY_MISSING: {
      what: "the state of stack {{stack}} holds no key of the fleet",
      next: "name the master stack (`--stack`), or make the key with `pulumi up --stack {{stack}}`.",
    },
    ANSWER_UNREADABLE: {
      what: "the server's `{{command}}` answered something that cannot be read: {{cause}}",
      next: "run again: the scripts are brought anew where they differ; if it stays, run that command on the server and report what it prints.",
    },
    CONNECTION_FAILED: {
      what: "its server was not reached: {{cause}}",
      next: "look at it with `geoclic-fleet status` (address, port, host key, the fleet's key), then run again.",
    },
    IMAGE_NOT_KEPT: {
      what: "image {{image}} could not be kept in {{folder}} on this machine: {{cause}}",
      next: "look at the space and the rights of that folder (it may be removed as a whole: it is a cache), then run again.",
    },
    LEDGER_BROKEN: {
      what: "the ledger of certificates {{file}} cannot be read: {{cause}}",
      next: "restore it, or move it away: its budget then begins anew, Let's Encrypt's own limits stay; no certificate was asked for.",
    },
    LOCK_TAKEN: {
      what: "another process of this tool has held {{path}} for {{minutes}} minutes",
      next: "look for it (`ps -ef | grep cli/step`), let it end or end it, then run again.",
    },
    LOCK_LOST: {
      what: "this machine stood still for so long that another process took over {{path}}: {{cause}}",
      next: "run again: what was done is checked anew.",
    },
    ENGINE_FAILED: {
      what: "pulumi {{verb}} of {{stack}} failed: {{cause}}",
      next: "read the error of each client above, correct its cause and run again: what is done stays done.",
    },
  },
  texts: {
    "doctor.tool": "tool",
    "doctor.version": "version",
    "doctor.origin": "origin",
    "doctor.fix": "fix",
    "doctor.missing": "missing",
    "doctor.ok": "Everything that is needed is here.",
    "doctor.bad": "{{count}} tool(s) missing.",
    "doctor.substitutes":
      "Substitutes stand in for official plugins that cannot be downloaded here: use them in the lab only.",
    "doctor.releases": "Releases in the store: {{releases}}",
    "doctor.none": "none",
    "doctor.locked":
      "Stack {{stack}} is still locked by a run that died, {{holder}}. Next: `pulumi cancel --stack {{stack}}`, then `pulumi up`; our own commands do so by themselves.",
    "doctor.pending":
      "Stack {{stack}}: a run was killed while it made {{pending}}. Next: `pulumi up` makes them anew; `pulumi refresh --clear-pending-creates --yes --stack {{stack}}` ends its warning.",
    "origin.path": "found on PATH",
    "origin.official": "official",
    "origin.built": "built from its Go module",
    "origin.substitute": "substitute",
    "list.empty": "No clients in stack {{stack}}.",
    "column.client": "town",
    "column.domain": "domain",
    "column.ip": "address",
    "column.reach": "reached at",
    "column.release": "release",
    "column.url": "URL",
    "column.state": "state",
    "state.canary": "canary",
    "state.detached": "detached",
    "state.converged": "converged",
    "column.health": "health",
    "column.certificate": "certificate until",
    "column.schedules": "schedules",
    "column.step": "step",
    "column.seconds": "seconds",
    "column.disk": "disk",
    "status.healthy": "healthy",
    "status.unhealthy": "NOT HEALTHY",
    "status.unreachable": "unreachable",
    "status.days": "{{date}} ({{days}} days)",
    "status.desired": "{{running}} (wanted: {{desired}})",
    "agent.ready": "The agent holds the fleet's key: {{fingerprint}}",
    "help.program": "Keeps a fleet of GéoClic servers converged.",
    "help.doctor": "Show each tool, its version and its origin",
    "help.list": "List the clients of the stack",
    "help.status": "Ask every server for its state",
    "help.agent": "Load the fleet's key into an SSH agent",
    "help.json": "print JSON",
    "help.stack": "stack to use",
    "help.language": "language of the messages: fr or en",
    "help.env": "print the agent's variables as shell lines",
    "help.lifetime":
      "hours after which the agent forgets the key, 1 to 720; without it the key stays until the agent ends",
    "help.public": "print the fleet's public key",
    "demo.setUp": "Lab",
    "demo.master": "Master stack: the fleet's key",
    "demo.adopted": "Server of {{client}}: adopted by its address",
    "demo.owned": "Server of {{client}}: a VPS that is owned at OVH",
    "demo.ordered": "Server of {{client}}: ordered at OVH",
    "demo.fleet": "Fleet stack: {{count}} town(s)",
    "demo.unchanged": "nothing to change",
    "demo.changed": "{{changes}}",
    "demo.look": "Look at the town:",
    "demo.chromium": "In Chromium:",
    "demo.admin": "Administrator's password (kept secret in the state):",
    "demo.stop": "Stop and remove the lab:",
    "demo.byHand": "By hand:",
  },
} as const;
