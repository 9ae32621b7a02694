/** @module A small suite's adapter, as its YAML is read. */

const hook = { service: "api", interpreter: ["python", "-c"], script: "hooks/a.py" };

export const adapterYaml = {
  name: "geoclic",
  compose: "deploy/docker-compose.yml",
  project: "deploy",
  exclude: [".git"],
  services: {
    db: { image: "pulled", stateful: true, healthcommand: ["check", "$HOME"], drainSeconds: 60 },
    api: { image: "built", inputs: ["api"], healthcheck: "http://127.0.0.1/health", memory: "1g" },
    admin: { image: "built", inputs: ["admin"] },
    nginx: { image: "pulled", ingress: true },
  },
  health: { path: "/api/health", field: "status", equals: "healthy" },
  env: {
    generated: { JWT_SECRET_KEY: { bytes: 32 }, DB_PASSWORD: { bytes: 16 } },
    fixed: { DB_USER: "geoclic" },
    derived: { CORS_ORIGINS: "https://{domain}", LETSENCRYPT_EMAIL: "{email}" },
  },
  database: {
    service: "db",
    user: "geoclic",
    name: "geoclic_db",
    init: "db/init.sql",
    migrations: "db/m",
    ledger: "fleet_migrations",
  },
  files: { service: "api", path: "/app/photos", volume: "photos" },
  binds: {
    "./nginx/conf.d": "config",
    "./nginx/ssl": "tls",
    "./logs": "logs",
    "./www": "static",
    "./www/certbot": "acme",
    "../db/init.sql": "drop",
  },
  tls: { service: "nginx", test: ["nginx", "-tq"], reload: ["nginx", "-s", "reload"] },
  ingress: { service: "nginx", confd: "./nginx/conf.d", public: "/var/www/fleet", acme: "/var/www/certbot" },
  hooks: { createAdmin: hook, setTown: hook, disableDefaultAdmin: hook },
  demo: { file: "db/demo.sql", allowed: true },
  routes: ["/"],
};
