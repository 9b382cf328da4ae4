"""Files of directories, of other languages and of spreadsheets, and what those damage."""

from __future__ import annotations

import io
import sys
import zipfile
from datetime import date

import openpyxl
import pytest

from mission_control_tui.model.errors import InvalidInput, UsageError
from mission_control_tui.model.onboarding.files.check import check_rows
from mission_control_tui.model.onboarding.files.read import ImportFile, ImportRow, read_users
from mission_control_tui.model.onboarding.files.write import bad_rows_csv
from mission_control_tui.model.people.countries import country_code
from tests.model.onboarding.files.support import csv_bytes

PASSWORD = "Correct-Horse-7"


def one(text: str, **options: object) -> ImportRow:
    """The only row of a file."""
    (row,) = read_users(text.encode(), **options).rows  # type: ignore[arg-type]
    return row


def test_the_template_of_entra_id_is_understood_in_any_language() -> None:
    english = (
        "version:v1.0,,,\n"
        "Name [displayName] Required,User name [userPrincipalName] Required,"
        "Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required,"
        "First name [givenName],Last name [surname],Usage location [usageLocation],Office phone [telephoneNumber]\n"
        f"Ada Lovelace,ada@acme.example,{PASSWORD},Yes,Ada,Lovelace,AU,02 9876 5401\n"
    )
    german = (
        english.replace("Name [", "Name* [")
        .replace("User name [", "Benutzername [")
        .replace("Required", "Erforderlich")
        .replace(",", ";")
    )
    for text in (english, german):
        row = one(text)
        assert row.row == 3
        assert row.password == PASSWORD
        assert dict(row.fields) == {
            "display_name": "Ada Lovelace",
            "upn": "ada@acme.example",
            "disabled": True,
            "first_names": "Ada",
            "last_name": "Lovelace",
            "country": "AU",
            "office_phone": "02 9876 5401",
        }


def test_exports_of_directories_are_understood() -> None:
    entra = one(
        "userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,accountEnabled,mobilePhone\n"
        "ada@acme.example,Ada Lovelace,Lovelace,,Ada,1-2,Member,Analyst,True,0412 555 101\n"
    )
    assert entra.fields["disabled"] is False
    assert (entra.fields["title"], entra.fields["mobile_phone"]) == ("Analyst", "0412 555 101")
    powershell = one(
        "#TYPE Selected.Microsoft.ActiveDirectory.Management.ADUser\n"
        '"SamAccountName","Name","UserPrincipalName","Enabled","OfficePhone","BusinessPhones","Manager"\n'
        '"ada","Ada Lovelace","ada@acme.example","False","02 9876 5401","System.String[]","CN=Bob,DC=acme"\n'
    )
    assert powershell.row == 3
    assert dict(powershell.fields) == {
        "username": "ada",
        "display_name": "Ada Lovelace",
        "upn": "ada@acme.example",
        "disabled": True,
        "office_phone": "02 9876 5401",
    }


def test_what_gam_prints_is_understood() -> None:
    row = one(
        "primaryEmail,name.givenName,name.familyName,name.fullName,suspended,orgUnitPath,phones.0.type,phones.0.value,"
        "phones.1.type,phones.1.value,relations.0.type,relations.0.value,aliases.0,aliases.1,organizations.0.title\n"
        "ada@acme.example,Ada,Lovelace,Ada Lovelace,True,/,mobile,0412 555 101,work,02 9876 5401,manager,"
        "bob@acme.example,a.l@acme.example,al@acme.example,Analyst\n"
    )
    assert dict(row.fields) == {
        "upn": "ada@acme.example",
        "first_names": "Ada",
        "last_name": "Lovelace",
        "display_name": "Ada Lovelace",
        "disabled": True,
        "mobile_phone": "0412 555 101",
        "office_phone": "02 9876 5401",
        "manager": "bob@acme.example",
        "title": "Analyst",
    }
    assert row.aliases == ("a.l@acme.example", "al@acme.example")


@pytest.mark.parametrize(
    "headings",
    [
        "Benutzername;Vorname;Nachname;Anzeigename;Position;Abteilung;Mobiltelefon;Ort;Kennwort",
        "Nom d'utilisateur;Prénom;Nom;Nom complet;Fonction;Département;Téléphone mobile;Ville;Mot de passe",
        "Nom d\u2019utilisateur;Prénom;Nom;Nom d\u2019affichage;Fonction;Service;Téléphone mobile;Ville;Mot de passe",
        "Nombre de usuario;Nombre;Apellidos;Nombre para mostrar;Puesto;Departamento;Teléfono móvil;Ciudad;Contraseña",
        "Nome utente;Nome;Cognome;Nome visualizzato;Posizione;Reparto;Cellulare;Città;Password",
        "Nome de usuário;Nome;Sobrenome;Nome para exibição;Cargo;Departamento;Celular;Cidade;Senha",
        "Nome de utilizador;Nome próprio;Apelido;Nome a apresentar;Cargo;Departamento;Telemóvel;Cidade;Palavra-passe",
        "Gebruikersnaam;Voornaam;Achternaam;Weergavenaam;Functie;Afdeling;Mobiele telefoon;Plaats;Wachtwoord",
    ],
)
def test_microsofts_headings_in_other_languages_are_understood(headings: str) -> None:
    row = one(
        f"{headings}\nada@acme.example;Ada;Lovelace;Ada L.;Analyst;Research;0412 555 101;Wien;{PASSWORD}\n"
    )
    assert row.password == PASSWORD
    assert dict(row.fields) == {
        "upn": "ada@acme.example",
        "first_names": "Ada",
        "last_name": "Lovelace",
        "display_name": "Ada L.",
        "title": "Analyst",
        "department": "Research",
        "mobile_phone": "0412 555 101",
        "city": "Wien",
    }


def test_a_service_is_a_department_in_french_alone_and_not_beside_a_level() -> None:
    french = one("Nom d'utilisateur;Nom complet;Service\na@acme.example;A;Ventes\n")
    assert (french.fields["department"], dict(french.gives)) == ("Ventes", {})
    for headings in (
        "Nom d'utilisateur;Nom complet;Service;Level",
        "UPN;Display Name;Service;Level",
    ):
        given = one(f"{headings}\na@acme.example;A;managed-exchange;popx\n")
        assert dict(given.gives) == {"service": "managed-exchange", "level": "popx"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(
            ("Deutschland", "DE"),
            ("Österreich", "AT"),
            ("Vereinigte Staaten", "US"),
            ("Schweiz", "CH"),
        ),
        *(
            ("Allemagne", "DE"),
            ("États-Unis", "US"),
            ("Côte d\u2019Ivoire", "CI"),
            ("ROYAUME-UNI", "GB"),
        ),
        *(("Alemania", "DE"), ("Estados Unidos", "US"), ("España", "ES"), ("Reino Unido", "GB")),
        *(("Germania", "DE"), ("Stati Uniti", "US"), ("Italia", "IT"), ("Paesi Bassi", "NL")),
        *(("Alemanha", "DE"), ("Brasil", "BR"), ("Países Baixos", "NL"), ("Austrália", "AU")),
        *(("Duitsland", "DE"), ("Verenigde Staten", "US"), ("Nederland", "NL"), ("Belgique", "BE")),
        *(("Niger", "NE"), ("Nigeria", "NG"), ("Dominica", "DM"), ("Georgia", "GE")),
    ],
)
def test_countries_are_known_in_the_languages_of_the_headings(name: str, code: str) -> None:
    assert country_code(name) == code


def test_columns_are_understood_as_people_head_them_and_those_of_a_system_count_before() -> None:
    row = one(
        "UPN,Display Name,Surname,Given name,Phone,Mobile,Office phone,Postcode\n"
        "a@acme.example,A,Byron,Ada,1111 1111,0412 555 101,2222 2222,2000\n"
    )
    assert dict(row.fields) == {
        "upn": "a@acme.example",
        "display_name": "A",
        "last_name": "Byron",
        "first_names": "Ada",
        "mobile_phone": "0412 555 101",
        "office_phone": "2222 2222",
        "postal_code": "2000",
    }
    with pytest.raises(InvalidInput) as caught:
        one("Name,Email,Phone\nA,a@acme.example,1\n")
    assert '--map "Mail=UPN"' in caught.value.hint


@pytest.mark.parametrize(
    "headings",
    ["User Name,Display Name", "User principal name,Display name", "UPN,Display Name"],
)
def test_a_password_column_counts_in_every_layout(headings: str) -> None:
    row = one(f"{headings},Password\np@acme.example,P,{PASSWORD}\n")
    assert row.password == PASSWORD
    assert row.secret


def test_passwords_keep_blanks_within_quotes_and_blanks_around_a_cell_are_told() -> None:
    told = one(f"UPN,Display Name,Password\np@acme.example,P, {PASSWORD}\t\n")
    assert told.password == PASSWORD
    assert [str(warning) for warning in told.warnings] == [
        "row 2, Password: blanks around the password were cut off (put it into quotes to keep them)"
    ]
    kept = one(f'UPN;Display Name;Password\np@acme.example;"P; ""x""";" {PASSWORD} "\n')
    assert (kept.password, kept.warnings) == (f" {PASSWORD} ", ())


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        *(("Mobile Phone", cell) for cell in ("6.14E+10", "6,14E+10", "abc", "12-Apr", "61412.0")),
        *(("Mobile Phone", cell) for cell in ("2026-04-12 00:00:00", "1.2.2026", "####")),
        *(("Mobile Phone", cell) for cell in ("=A1", "'=A1", "'0412555101")),
        *(("Title", cell) for cell in ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#NV", "#WERT!")),
        *(("Title", cell) for cell in ("#BEZUG!", "#VALEUR!", "#¿NOMBRE?", "#RIF!", "#WAARDE!")),
        *(("Location", cell) for cell in ("4. Dez", "Mai-12", "12-avr", "4.12.2026", "Err:502")),
        ("Password", "#REF!"),
        ("Notes", "#N/A"),
        ("Department", "System.Object[]"),
        ("UPN", "#NAME?"),
        ("Aliases", "#N/A"),
        ("Postal Code", "1.2E+05"),
    ],
)
def test_what_a_spreadsheet_damaged_is_refused_by_its_cell(heading: str, cell: str) -> None:
    cells = {"UPN": "ada@acme.example", "Display Name": "Ada", heading: cell}
    row = one(csv_bytes([list(cells), list(cells.values())]).decode())
    assert [problem.where for problem in row.problems] == [f"row 2, {heading}"]
    assert row.password is None


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        *(("Mobile Phone", cell) for cell in ("0412 555 101", "12", "+61-2-9876", "1300 FLOWERS")),
        *(("Mobile Phone", cell) for cell in ("01.23.45.67.89", "ext. 12")),
        *(("Title", cell) for cell in ("#1 Analyst", "C# developer", "#team", "Mar", "E10")),
        *(("Location", cell) for cell in ("4.12", "4-12", "2E5", "B-12", "Apr 12 room")),
        ("Street", "12-Apr"),
        ("Notes", "since 2026-01-01"),
        ("Username", "mar-12"),
        ("Account expires", "2030-12-31"),
    ],
)
def test_what_only_resembles_damage_is_taken(heading: str, cell: str) -> None:
    cells = {"UPN": "ada@acme.example", "Display Name": "Ada", heading: cell}
    assert one(csv_bytes([list(cells), list(cells.values())]).decode()).problems == ()


def test_columns_can_be_said_to_stand_for_something() -> None:
    text = (
        "Mail;Voller Name;User principal name;Tel;Kürzel\n"
        "ada@acme.example;Ada Lovelace;old@acme.example;0412 555 101;al@acme.example\n"
    )
    row = one(
        text,
        mapping={
            "mail": "UPN",
            "Voller Name": "display_name",
            "Tel": "Mobile Phone",
            "KÜRZEL": "Aliases",
        },
    )
    assert dict(row.fields) == {
        "upn": "ada@acme.example",
        "display_name": "Ada Lovelace",
        "mobile_phone": "0412 555 101",
    }
    assert row.aliases == ("al@acme.example",)
    left_out = one("UPN,Display Name,Title\na@acme.example,A,x\n", mapping={"Title": ""})
    assert "title" not in left_out.fields
    with pytest.raises(UsageError, match='no column "Post"') as refused:
        one(text, mapping={"Post": "UPN"})
    assert "Voller Name" in refused.value.hint
    with pytest.raises(UsageError, match='"Shoe size" is nothing') as unknown:
        one(text, mapping={"Mail": "Shoe size"})
    assert "Mobile phone" in unknown.value.hint


def test_an_encoding_can_be_stated() -> None:
    text = "UPN,Display Name\na@acme.example,Łukasz Żółć\n"
    data = text.encode("cp1250")
    assert read_users(data).rows[0].fields["display_name"] != "Łukasz Żółć"
    file = read_users(data, encoding="windows-1250")
    assert file.rows[0].fields["display_name"] == "Łukasz Żółć"
    assert file.encoding == "CP1250"
    assert read_users(("\ufeff" + text).encode(), encoding="UTF-8").encoding == "UTF-8"
    for wrong in ("nonsense", "hex", "rot13", ""):
        if wrong:
            with pytest.raises(UsageError, match="no encoding"):
                read_users(data, encoding=wrong)
    with pytest.raises(InvalidInput, match="line 2"):
        read_users(data, encoding="utf-8")


def book(*rows: tuple[object, ...], title: str = "Sheet") -> bytes:
    """A workbook with these rows."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def test_a_workbook_is_read_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    data = book(
        ("UPN", "Display Name", "Mobile Phone", "Disabled", "Account expires", "Password", "Title"),
        (None,),
        ("ada@acme.example", "Łukasz", 61412555101, True, date(2030, 12, 31), " x y "),
        ("bob@acme.example", "Bob", 6.14e10, False, None, None, date(2026, 4, 12)),
        ("cyd@acme.example", "Cyd", "#N/A"),
    )
    file: ImportFile = read_users(data)
    ada, bob, cyd = file.rows
    assert file.encoding == "an Excel workbook"
    assert (ada.row, ada.password, ada.warnings) == (3, " x y ", ())
    assert ada.fields["mobile_phone"] == "61412555101"
    assert str(ada.fields["expires_on"]) == "2030-12-31"
    assert ada.fields["display_name"] == "Łukasz"
    assert [problem.where for problem in bob.problems] == ["row 4, Title"]
    assert [problem.where for problem in cyd.problems] == ["row 5, Mobile Phone"]
    assert "row" not in bad_rows_csv(file, [(cyd, cyd.problems)]).text.split("\n")[0]
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(UsageError, match="not installed") as refused:
        read_users(data)
    assert "[xlsx]" in refused.value.hint


@pytest.mark.proof
def test_a_workbook_that_would_fill_the_memory_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(6):
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as part:
                for _ in range(100):
                    part.write(bytes(1024 * 1024))
    assert len(buffer.getvalue()) < 2 * 1024 * 1024
    with pytest.raises(InvalidInput, match="larger than 512 MiB"):
        read_users(buffer.getvalue())
    with pytest.raises(InvalidInput, match="damaged"):
        read_users(b"PK\x03\x04 and nothing else")


def test_a_row_that_is_one_quoted_text_is_never_shown() -> None:
    text = (
        f'UPN,Display Name,Country,Password\n"ada@acme.example,Ada,AU,{PASSWORD}"\n'
        f"bob@acme.example,Bob,AU,x,{PASSWORD}\n"
    )
    file = read_users(text.encode())
    for checked in check_rows(file, domains=["acme.example"]):
        assert len(checked.problems) == 1
        assert PASSWORD not in repr(checked.problems) + repr(checked.row)
    assert bad_rows_csv(file, [(row, row.problems) for row in file.rows]).secret
