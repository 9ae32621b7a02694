"""What clients send. Unknown fields are ignored, as the original does."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Email = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=255)]


class NewSuperAdmin(BaseModel):
    email: Email
    # bcrypt reads 72 bytes and no more.
    password: Annotated[str, StringConstraints(min_length=8, max_length=72)]
    nom: Text
    prenom: Text


class Branding(BaseModel):
    nom_collectivite: str | None = None
    logo_url: str | None = None
    favicon_url: str | None = None
    primary_color: Color = "#1d4ed8"
    secondary_color: Color = "#1f2937"
    accent_color: Color = "#0f766e"
    sidebar_color: Color = "#1f2937"
    site_web: str | None = None
    telephone: str | None = None
    email_contact: str | None = None


class GeneralSettings(Branding):
    adresse: str | None = None
    fuseau_horaire: str = "Europe/Paris"
    langue_defaut: str = "fr"


class NewReport(BaseModel):
    description: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=4000)]
    categorie_id: str | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    declarant_email: Email | None = None
