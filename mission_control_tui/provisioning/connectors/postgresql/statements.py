"""The text of SQL statements: names and values quoted, the owner mark written and read."""

from __future__ import annotations

from mission_control_tui.connect import Note

MAX_NAME_BYTES = 63
UNLIMITED = -1
RESERVED_NAMES = frozenset({"public", "none", "postgres", "template0", "template1"})


def name_problem(name: str) -> str:
    """Return why `name` cannot be the name of a role and a database, or an empty text."""
    if not name:
        return "the name is empty"
    if "\0" in name:
        return "the name has a NUL character"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"the name has {len(name.encode())} bytes; PostgreSQL keeps {MAX_NAME_BYTES}"
    if name in RESERVED_NAMES or name.startswith("pg_"):
        return f"PostgreSQL keeps the name {name} to itself"
    return ""


def identifier(name: str) -> str:
    """Return `name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return `text` as a string constant, for sessions with standard_conforming_strings."""
    return "'" + text.replace("'", "''") + "'"


def role_statement(
    verb: str,
    name: str,
    *,
    login: bool | None = None,
    connections: int | None = None,
    verifier: str | None = None,
) -> str:
    """Return CREATE ROLE or ALTER ROLE with what is given; an empty text when nothing is."""
    options = []
    if login is not None:
        options.append("LOGIN" if login else "NOLOGIN")
    if connections is not None:
        options.append(f"CONNECTION LIMIT {int(connections)}")
    if verifier is not None:
        options.append(f"PASSWORD {literal(verifier)}")
    return f"{verb} ROLE {identifier(name)} {' '.join(options)}" if options else ""


def comment_on(what: str, name: str, comment: Note) -> str:
    """Return COMMENT ON ROLE or DATABASE."""
    return f"COMMENT ON {what} {identifier(name)} IS {literal(comment.to_text())}"


def create_database(name: str) -> str:
    """Return CREATE DATABASE for the role of the same name, closed until PUBLIC has been shut out.

    template0, because nobody can be connected to it, which would refuse the copy.
    """
    quoted = identifier(name)
    return f"CREATE DATABASE {quoted} OWNER {quoted} TEMPLATE template0 ALLOW_CONNECTIONS false"


def drop_database(name: str) -> str:
    """Return DROP DATABASE, which also ends the sessions there; doing so again is harmless."""
    return f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)"


TAKE_LOCK = "SELECT pg_advisory_lock(hashtextextended($1, 0))"
TAKE_ISOLATION_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('mission-control', 0))"
WE_ARE_SUPERUSER = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
RELEASE_LOCK = "SELECT pg_advisory_unlock(hashtextextended($1, 0))"

WHO_WE_ARE = """
SELECT current_setting('server_version') AS version,
       r.rolsuper OR r.rolcreaterole AS may_create_roles,
       r.rolsuper OR r.rolcreatedb AS may_create_databases,
       ARRAY(SELECT d.datname::text
               FROM pg_database d,
                    aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
              WHERE d.datallowconn AND a.grantee = 0 AND a.privilege_type = 'CONNECT'
              ORDER BY 1) AS open_databases
  FROM pg_roles r WHERE r.rolname = current_user
"""

LOOK = """
SELECT wanted.name,
       r.oid IS NOT NULL AS role_exists,
       r.rolcanlogin AS can_login,
       r.rolconnlimit AS connections,
       shobj_description(r.oid, 'pg_authid') AS role_comment,
       array_remove(ARRAY[
           CASE WHEN r.rolsuper THEN 'SUPERUSER' END,
           CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
           CASE WHEN r.rolreplication THEN 'REPLICATION' END,
           CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS privileges,
       EXISTS (SELECT 1 FROM pg_stat_activity s WHERE s.usesysid = r.oid) AS open_sessions,
       d.oid IS NOT NULL AS database_exists,
       pg_get_userbyid(d.datdba)::text AS owner,
       d.datallowconn AS accepts_connections,
       shobj_description(d.oid, 'pg_database') AS database_comment,
       EXISTS (SELECT 1 FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
                WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT') AS public_connect,
       ARRAY(SELECT g.datname::text
               FROM pg_database g,
                    aclexplode(coalesce(g.datacl, acldefault('d', g.datdba))) AS a
              WHERE g.datname = ANY($2::text[]) AND g.datallowconn
                AND a.grantee = 0 AND a.privilege_type = 'CONNECT'
                AND pg_has_role(g.datdba, 'USAGE')
              ORDER BY 1) AS open_databases
  FROM unnest($1::text[]) AS wanted(name)
  LEFT JOIN pg_roles r ON r.rolname = wanted.name
  LEFT JOIN pg_database d ON d.datname = wanted.name
 ORDER BY wanted.name
"""

LIST_PAGE = 1000
LIST = """
SELECT coalesce(r.rolname, d.datname)::text AS name,
       coalesce(r.rolcanlogin, true) AS can_login,
       coalesce(shobj_description(r.oid, 'pg_authid'), shobj_description(d.oid, 'pg_database')) AS comment
  FROM (SELECT * FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolsuper) AS r
  FULL JOIN (SELECT * FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres') AS d
    ON d.datname = r.rolname
 WHERE coalesce(r.rolname, d.datname)::text > $1
   AND (NOT $2::boolean
        OR shobj_description(r.oid, 'pg_authid') LIKE '%"mission_control"%'
        OR shobj_description(d.oid, 'pg_database') LIKE '%"mission_control"%')
 ORDER BY 1 LIMIT $3
"""

END_SESSIONS = """
SELECT count(pg_terminate_backend(s.pid, 5000)) FROM pg_stat_activity s
 WHERE s.usename = $1 AND s.pid <> pg_backend_pid()
"""

OTHER_LOGINS = """
SELECT r.rolname::text AS name, shobj_description(r.oid, 'pg_authid') AS comment
  FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname !~ '^pg_' ORDER BY 1
"""

GRANTED_DATABASES = """
SELECT DISTINCT d.datname::text AS name
  FROM pg_database d, aclexplode(d.datacl) AS a, pg_roles r
 WHERE r.rolname = $1 AND a.grantee = r.oid AND d.datdba <> r.oid ORDER BY 1
"""
