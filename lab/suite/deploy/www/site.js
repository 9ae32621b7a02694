fetch("/api/settings/branding")
  .then((response) => (response.ok ? response.json() : {}))
  .then(({ nom_collectivite: town }) => {
    if (!town) return;
    document.getElementById("town").textContent = town;
    document.title = `${town} : services en ligne`;
  })
  .catch(() => {});
