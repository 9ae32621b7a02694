const form = document.getElementById("report");
const message = document.getElementById("message");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  say("Envoi en cours…");
  try {
    const { id, numero } = await post("/api/demandes", JSON.stringify(await report()), { "Content-Type": "application/json" });
    const photo = form.elements.photo.files[0];
    if (photo) await sendPhoto(id, numero, photo);
    say(`Merci ! Votre signalement porte le numéro ${numero}.`, "good");
    form.reset();
  } catch (error) {
    say(error.message, "bad");
  } finally {
    button.disabled = false;
  }
});

await Promise.all([showTown(), showCategories()]);

async function report() {
  const { categorie_id, description, declarant_email, locate } = form.elements;
  return {
    description: description.value,
    categorie_id: categorie_id.value || null,
    declarant_email: declarant_email.value || null,
    ...(locate.checked ? await position() : {}),
  };
}

function position() {
  return new Promise((resolve, reject) => {
    const refused = () => reject(new Error("Votre position n’a pas pu être lue. Décochez la case pour envoyer sans elle."));
    if (!navigator.geolocation) return refused();
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude } }) => resolve({ latitude, longitude }),
      refused,
      { timeout: 10_000 },
    );
  });
}

async function sendPhoto(id, numero, photo) {
  const body = new FormData();
  body.append("photo", photo);
  try {
    await post(`/api/demandes/${id}/photos`, body);
  } catch (error) {
    throw new Error(`Le signalement ${numero} est enregistré, mais pas sa photo : ${error.message}`);
  }
}

async function post(path, body, headers) {
  const response = await fetch(path, { method: "POST", body, headers }).catch(() => undefined);
  if (!response) throw new Error("Le serveur ne répond pas. Réessayez dans un instant.");
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Error(typeof answer.detail === "string" ? answer.detail : `Erreur ${response.status}. Vérifiez les champs du formulaire.`);
}

async function showTown() {
  const { nom_collectivite: town, primary_color: color } = await read("/api/settings/branding", {});
  if (town) {
    document.getElementById("town").textContent = town;
    document.title = `@TITLE@ : ${town}`;
  }
  if (color && matchMedia("(prefers-color-scheme: light)").matches) document.documentElement.style.setProperty("--accent", color);
}

async function showCategories() {
  const select = form.elements.categorie_id;
  for (const { id, nom } of await read("/api/categories", [])) select.add(new Option(nom, id), select.options.length - 1);
  select.selectedIndex = 0;
}

async function read(path, otherwise) {
  const response = await fetch(path).catch(() => undefined);
  return response?.ok ? response.json() : otherwise;
}

function say(text, kind = "") {
  message.textContent = text;
  message.className = kind;
}
