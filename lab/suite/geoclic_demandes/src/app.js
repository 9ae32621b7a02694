const element = (id) => document.getElementById(id);
const login = element("login");
const reports = element("reports");
const key = "geoclic-token";

login.addEventListener("submit", async (event) => {
  event.preventDefault();
  const response = await call("/api/auth/login", { method: "POST", body: new URLSearchParams(new FormData(login)) });
  if (!response?.ok) return say(response ? await reason(response) : "Le serveur ne répond pas.");
  sessionStorage.setItem(key, (await response.json()).access_token);
  login.reset();
  await show();
});
element("logout").addEventListener("click", () => {
  sessionStorage.removeItem(key);
  show();
});

const branding = await call("/api/settings/branding");
if (branding?.ok) element("town").textContent = (await branding.json()).nom_collectivite || "GéoClic";
await show();
if (navigator.serviceWorker && document.documentElement.dataset.worker) navigator.serviceWorker.register("sw.js");

async function show() {
  const token = sessionStorage.getItem(key);
  const response = token ? await call("/api/demandes", { headers: { Authorization: `Bearer ${token}` } }) : undefined;
  const isIn = Boolean(response?.ok);
  login.hidden = isIn;
  reports.hidden = !isIn;
  if (!isIn) return say(token ? (response ? await reason(response) : "Le serveur ne répond pas.") : "");
  const list = await response.json();
  reports.querySelector("tbody").replaceChildren(...list.map(row));
  say(list.length === 0 ? "Aucun signalement." : `${list.length} signalement${list.length > 1 ? "s" : ""}.`);
}

function row({ numero, categorie, description, statut, photos }) {
  const line = document.createElement("tr");
  for (const text of [numero, categorie ?? "Sans catégorie", description, statut]) cell(line).textContent = text;
  const pictures = cell(line);
  photos.forEach((path, index) => {
    const link = document.createElement("a");
    link.href = `/photos/${path}`;
    link.textContent = `Photo ${index + 1}`;
    pictures.append(link, " ");
  });
  return line;
}

function cell(line) {
  return line.appendChild(document.createElement("td"));
}

function call(path, options) {
  return fetch(path, options).catch(() => undefined);
}

async function reason(response) {
  const body = await response.json().catch(() => ({}));
  return typeof body.detail === "string" ? body.detail : `Erreur ${response.status}.`;
}

function say(text) {
  element("message").textContent = text;
}
