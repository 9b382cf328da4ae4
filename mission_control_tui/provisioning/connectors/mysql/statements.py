"""The text of SQL statements, and which names MariaDB takes."""

from __future__ import annotations

from collections.abc import Mapping

MAX_NAME_LENGTH = 64
RESERVED_NAMES = frozenset(
    {"mysql", "information_schema", "performance_schema", "sys", "root", "mariadb.sys", "public"}
)
OPEN_PREFIXES = ("test_",)
"""Databases of these names may be open to every user, as the server's installation leaves it."""

TENANT_RIGHTS = (
    *("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER"),
    *("CREATE TEMPORARY TABLES", "LOCK TABLES", "EXECUTE", "CREATE VIEW", "SHOW VIEW"),
    *("CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER"),
)
"""What a tenant may do in its own database: all but handing rights on."""
OWN_RIGHTS = ("CREATE USER", "CONNECTION ADMIN", "PROCESS", "DELETE HISTORY")
"""What the connector needs beside the tenants' rights, which it needs everywhere, to hand them on."""

_IRREGULAR = {
    "CREATE TEMPORARY TABLES": "Create_tmp_table_priv",
    "LOCK TABLES": "Lock_tables_priv",
}


def name_problem(name: str) -> str:
    """Return why `name` cannot be the name of a user and a database, or an empty text."""
    if not name:
        return "the name is empty"
    if len(name) > MAX_NAME_LENGTH:
        return f"the name has {len(name)} characters; MariaDB keeps {MAX_NAME_LENGTH}"
    if any(character in "/\\.\0%" or ord(character) > 0xFFFF for character in name):
        return r"the name has one of the characters / \ . % that MariaDB reads as something else"
    if name != name.strip():
        return "the name begins or ends with a space"
    folded = name.casefold()
    if folded in RESERVED_NAMES or folded == "test" or folded.startswith(OPEN_PREFIXES):
        return f"MariaDB keeps the name {name} to itself"
    return ""


def identifier(name: str) -> str:
    """Return `name` as a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"


def in_grants(name: str) -> str:
    """Return a database's name as GRANT keeps it, where `_` and `%` would stand for others."""
    return name.replace("_", r"\_").replace("%", r"\%")


def percent(text: str) -> str:
    """Return a piece of a statement that stands beside parameters (%s)."""
    return text.replace("%", "%%")


def account_options(limits: Mapping[str, int], locked: bool | None) -> str:
    """Return the end of CREATE USER or ALTER USER."""
    words = [f"{resource} {int(number)}" for resource, number in limits.items()]
    options = ["WITH " + " ".join(words)] if words else []
    if locked is not None:
        options.append("ACCOUNT LOCK" if locked else "ACCOUNT UNLOCK")
    return " ".join(options)


def table_of(schema: str) -> str:
    """Return the table of marks, quoted."""
    return f"{percent(identifier(schema))}.objects"


def grant_columns() -> str:
    """Return the expression that is true where a row of mysql.db has all of the tenant's rights and no more."""
    columns = [
        _IRREGULAR.get(right, right.capitalize().replace(" ", "_") + "_priv")
        for right in TENANT_RIGHTS
    ]
    return " AND ".join([*(f"{column} = 'Y'" for column in columns), "Grant_priv = 'N'"])


ACCOUNT = """
SELECT u.max_user_connections, u.max_questions, u.max_updates, u.max_connections,
       COALESCE(JSON_VALUE(g.Priv, '$.account_locked'), 0) AS locked,
       COALESCE(JSON_VALUE(g.Priv, '$.access'), 0) AS privileges,
       (SELECT GROUP_CONCAT(r.Role SEPARATOR ', ') FROM mysql.roles_mapping r
         WHERE r.User = g.User AND r.Host = g.Host) AS roles
  FROM mysql.global_priv g JOIN mysql.user u ON u.User = g.User AND u.Host = g.Host
 WHERE g.User = %s AND g.Host = %s
"""
OTHER_HOSTS = "SELECT Host AS host FROM mysql.global_priv WHERE User = %s AND Host NOT IN (%s, '')"
DATABASE = """
SELECT 1 FROM information_schema.schemata
 WHERE schema_name = %s AND CONVERT(schema_name USING utf8mb4) COLLATE utf8mb4_bin = %s
"""
GRANTS = f"""
SELECT Db AS name, {grant_columns()} AS whole FROM mysql.db WHERE User = %s AND Host = %s
"""  # noqa: S608 - the columns are constants
SESSIONS = "SELECT COUNT(*) AS number FROM information_schema.processlist WHERE user = %s"
SIZE = """
SELECT SUM(clustered_index_size + sum_of_other_index_sizes) * @@innodb_page_size AS bytes
  FROM mysql.innodb_table_stats WHERE database_name = %s
"""
HAS_TABLE = (
    "SELECT 1 FROM information_schema.tables WHERE table_schema = %s AND table_name = 'objects'"
)
MAKE_TABLE = """
CREATE TABLE IF NOT EXISTS {table} (
  name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  owner VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  note VARCHAR(1000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  removed DATETIME NULL,
  PRIMARY KEY (name, owner)
) ENGINE = InnoDB
"""
MARKS = "SELECT owner, note, removed FROM {table} WHERE name = %s"
WRITE_MARK = """
INSERT INTO {table} (name, owner, note, removed) VALUES (%s, %s, %s, IF(%s, UTC_TIMESTAMP(), NULL))
ON DUPLICATE KEY UPDATE note = VALUES(note), removed = VALUES(removed)
"""
TAKE_OVER = "UPDATE {table} SET removed = UTC_TIMESTAMP() WHERE name = %s AND owner <> %s AND removed IS NULL"
FORGET_MARK = "DELETE FROM {table} WHERE name = %s AND owner = %s"

LIST_PAGE = 1000
_BINARY = "CONVERT({} USING utf8mb4) COLLATE utf8mb4_bin"
LIST = f"""
SELECT n.name, MAX(n.locked) AS locked, MAX(o.note) AS note
  FROM (SELECT {_BINARY.format("User")} AS name, COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0) AS locked
          FROM mysql.global_priv WHERE Host = %s
         UNION ALL
        SELECT {_BINARY.format("schema_name")}, 0 FROM information_schema.schemata) AS n
  {{join}} JOIN {{table}} o ON o.name = n.name AND o.removed IS NULL
 WHERE n.name > %s AND n.name NOT IN ({", ".join(f"'{name}'" for name in sorted(RESERVED_NAMES))}, '', 'test')
 GROUP BY n.name ORDER BY n.name LIMIT {LIST_PAGE}
"""  # noqa: S608 - the names are constants

WHO_WE_ARE = """
SELECT VERSION() AS version, CURRENT_USER() AS user,
       (SELECT GROUP_CONCAT(DISTINCT Db SEPARATOR ', ') FROM mysql.db WHERE User = '') AS open_databases,
       (SELECT COUNT(*) FROM mysql.global_priv WHERE User = '' AND Host <> '') AS nameless
"""
OUR_RIGHTS = """
SELECT privilege_type AS name, is_grantable = 'YES' AS grantable FROM information_schema.user_privileges
 WHERE grantee = CONCAT('''', SUBSTRING_INDEX(CURRENT_USER(), '@', 1), '''@''',
                        SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')
"""
