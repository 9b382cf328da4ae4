"""Headings that several formats share: passwords, what users get, and Microsoft's headings in other languages."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mission_control_tui.model.onboarding.files.columns import (
    FormatColumn,
    Use,
    column,
    heading_key,
)

PASSWORDS = tuple(
    FormatColumn(heading, Use.PASSWORD, says_nothing=("****", "********"))
    for heading in (
        *("Password", "Initial password", "Temporary password", "Temp password", "New password"),
        *("[passwordProfile]", "Kennwort", "Passwort", "Mot de passe", "Contraseña", "Clave"),
        *("Parola d'ordine", "Senha", "Palavra-passe", "Wachtwoord"),
    )
)
"""A column of these holds passwords, in whatever format."""

EXTRAS = (
    FormatColumn("Aliases", Use.ALIASES, "aliases"),
    FormatColumn("Alias", Use.ALIASES, "aliases", rank=1),
    FormatColumn("Service", Use.SERVICES, "service"),
    FormatColumn("Level", Use.SERVICES, "level"),
    FormatColumn("Services", Use.SERVICES, "services"),
    FormatColumn("Settings", Use.SERVICES, "settings"),
)
"""What a row may state beside the user's fields."""

# German, French, Spanish, Italian, Portuguese, Dutch: as the admin centre writes them, and as people translate them.
_LOCALISED = {
    "upn": "Benutzername; Benutzerprinzipalname; Nom d'utilisateur; Nom utilisateur; Nom d'utilisateur principal; "
    "Nom principal de l'utilisateur; Nom d'utilisateur principal (UPN); Nombre de usuario; "
    "Nombre principal de usuario; Nome utente; Nome dell'entità utente; Nome principale utente; Nome de usuário; "
    "Nome de utilizador; Nome do usuário; Nome UPN; Nome principal do usuário; Nome principal de utilizador; "
    "Gebruikersnaam; User principal name (UPN); UPN-naam",
    "first_names": "Vorname; Vornamen; Prénom; Prénoms; Nombre; Nome; Nome próprio; Primeiro nome; Voornaam",
    "last_name": "Nachname; Familienname; Nom; Nom de famille; Apellido; Apellidos; Cognome; Sobrenome; Apelido; "
    "Último nome; Achternaam",
    "display_name": "Anzeigename; Nom complet; Nom affiché; Nom d'affichage; Nom à afficher; Nombre para mostrar; "
    "Nombre completo; Nome visualizzato; Nome da visualizzare; Nome completo; Nome para exibição; Nome de exibição; "
    "Nome a apresentar; Weergavenaam; Schermnaam",
    "title": "Position; Titel; Berufsbezeichnung; Stellenbezeichnung; Fonction; Poste; Intitulé du poste; "
    "Titre du poste; Puesto; Cargo; Posición; Posizione; Qualifica; Mansione; Título; Functie; Functienaam; Funktion",
    "department": "Abteilung; Service (département); Département; Departamento; Reparto; Dipartimento; Afdeling",
    "location": "Büronummer; Büro; Numéro de bureau; Bureau; N° de bureau; Número de oficina; Oficina; "
    "Numero ufficio; Ufficio; Número do escritório; Escritório; Kantoornummer; Kantoor",
    "office_phone": "Bürotelefon; Telefon (geschäftlich); Geschäftliche Telefonnummer; Telefon Büro; Telefonnummer; "
    "Rufnummer (Büro); Téléphone (bureau); Téléphone bureau; Téléphone professionnel; Téléphone du bureau; "
    "Numéro de téléphone; Teléfono de la oficina; Teléfono del trabajo; Teléfono de oficina; Número de teléfono; "
    "Telefono ufficio; Telefono dell'ufficio; Numero di telefono; Telefone comercial; Telefone do escritório; "
    "Número de telefone; Telefoon (werk); Telefoon werk; Zakelijke telefoon; Telefoon op kantoor; Telefoonnummer",
    "mobile_phone": "Mobiltelefon; Mobiltelefonnummer; Handy; Mobil; Téléphone mobile; Mobile; Téléphone portable; "
    "Portable; Teléfono móvil; Móvil; Teléfono celular; Cellulare; Telefono cellulare; Telefono mobile; Celular; "
    "Telemóvel; Telefone celular; Mobiele telefoon; Mobiel; Mobiel telefoonnummer; Gsm",
    "fax": "Faxnummer; Télécopie; Numéro de télécopie; Télécopieur; Número de fax; Fax (numero); Numero di fax; "
    "Numero fax",
    "external_email": "Alternative E-Mail-Adresse; Adresse de messagerie secondaire; Autre adresse e-mail; "
    "Adresse e-mail secondaire; Autre adresse de messagerie; Dirección de correo electrónico alternativa; "
    "Correo electrónico alternativo; Indirizzo di posta elettronica alternativo; Indirizzo e-mail alternativo; "
    "Endereço de email alternativo; Endereço de e-mail alternativo; Alternatief e-mailadres",
    "street": "Adresse; Straße; Strasse; Anschrift; Rue; Dirección; Calle; Indirizzo; Via; Endereço; Morada; Rua; "
    "Adres; Straat",
    "city": "Ort; Stadt; Ville; Ciudad; Localidad; Città; Cidade; Localidade; Plaats; Woonplaats; Stad",
    "state": "Bundesland; Bundesland/Kanton; Bundesland oder Kanton; Bundesland oder Region; Bundesland/Provinz; "
    "Département ou région; État ou province; État/Province; Département/Région; Estado o provincia; "
    "Estado/provincia; Provincia; Provincia o estado; Stato o provincia; Provincia/Stato; Estado ou província; "
    "Estado ou Distrito; Distrito; Estado; Provincie; Staat of provincie; Provincie of staat; Staat/provincie",
    "postal_code": "Postleitzahl; PLZ; Code postal; Código postal; Código postal o zona postal; CAP; "
    "Codice postale; CEP; CEP ou código postal; Postcode",
    "country": "Land oder Region; Land/Region; Land; Pays ou région; Pays/région; Pays; País o región; "
    "País o región geográfica; País; Paese o area geografica; Paese/area geografica; Paese; País ou região; "
    "País/Região; Land of regio; Land/regio",
}

_EVERYDAY = {
    "first_names": "Given name; Given names; Forename",
    "last_name": "Surname; Family name",
    "title": "Position; Role",
    "location": "Office",
    "office_phone": "Phone; Phone number; Telephone; Telephone number; Tel; Work phone; Business phone",
    "mobile_phone": "Mobile; Mobile number; Cell; Cell phone; Cell number",
    "postal_code": "Postcode; Post code; ZIP; ZIP code",
    "state": "Province; Region; County",
    "web_page": "Website; Web site",
}
"""What people call columns in English. A column that is headed as a system does it, counts before it."""

_FRENCH = frozenset(
    heading_key(heading)
    for name in ("upn", "first_names", "display_name")
    for heading in _LOCALISED[name].split(";")
    if heading.strip().startswith(("Nom ", "Prénom"))
)


def in_its_language(
    columns: Mapping[str, FormatColumn], keys: Collection[str]
) -> Mapping[str, FormatColumn]:
    """Return the columns as headings of these keys mean them: Microsoft's French "Service" is a department.

    Where a level stands in the file as well it is a service.
    """
    if "service" not in columns or "level" in keys or _FRENCH.isdisjoint(keys):
        return columns
    return {**columns, "service": column("Service", "department", rank=1)}


def everyday() -> tuple[FormatColumn, ...]:
    """Return the columns by the words that people head them with."""
    return tuple(
        column(heading.strip(), name, rank=1)
        for name, headings in _EVERYDAY.items()
        for heading in headings.split(";")
    )


def localised(*, without: str = "") -> tuple[FormatColumn, ...]:
    """Return the columns of Microsoft's template in other languages, but for those of one field."""
    return tuple(
        column(heading.strip(), name)
        for name, headings in _LOCALISED.items()
        if name != without
        for heading in headings.split(";")
    )
