"""Objects in a file behind the JSON messages, for a program or a server: `python json_objects.py FILE` is the program.

It knows nothing of Mission Control's code, as any back end that speaks the messages.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

PARTS = ("account", "mailbox")
DECLARES: dict[str, Any] = {
    "fence": "conditional",
    "capabilities": [
        *("levels", "suspend", "list", "list_unmarked", "owner_mark", "password", "members"),
        "adopt",
    ],
    "limits": {"quota_mb": {"low": 1, "high": 1000}},
    "options": None,
    "attributes": None,
    "usage": ["storage"],
    "availability": True,
    "parts": [{"name": "account"}, {"name": "mailbox", "carries": ["limits.*"]}],
}
PAGE = 2
TAKEN = "taken.com"
UNKNOWN = "unknown.com"


def seen_of(found: Any) -> str:
    """What tells this state of an object from every other."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def answer(file: Path, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a message, from and into the file of all objects."""
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        objects = json.loads(file.read_text()) if file.exists() else {}
        told = _answer(objects, request)
        if request["operation"] == "apply" and "error" not in told:
            draft = file.with_suffix(".draft")
            draft.write_text(json.dumps(objects))
            draft.replace(file)
    return {"mission_control": 1, **told}


def _answer(objects: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    match request["operation"]:
        case "describe":
            return {"declares": DECLARES}
        case "check":
            return {"version": "7"}
        case "observe":
            found = objects.get(request["desired"]["name"])
            return {**_told(found), "seen": seen_of(found)}
        case "apply":
            return _apply(objects, request)
        case "list":
            names = sorted(name for name in objects if name > request.get("cursor", ""))
            rows = [{"name": name, "note": objects[name]["note"]} for name in names[:PAGE]]
            return {"objects": rows, "cursor": names[PAGE - 1] if len(names) > PAGE else ""}
        case "available":
            free = {TAKEN: False, UNKNOWN: None}.get(request["domain"], True)
            return {"available": free, "said": "as the registry has it"}
    return {"error": {"kind": "unsupported", "said": "not known here"}}


def _told(found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        return {"exists": False}
    return {
        "exists": True,
        "complete": not found["missing"],
        "usage": {"storage": {"value": 4.5, "limit": 10, "unit": "MB"}},
        **{key: found[key] for key in ("state", "note", "limits", "settings", "attributes")},
        **{key: found[key] for key in ("missing", "external_id")},
    }


def _apply(objects: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    desired, step = request["desired"], request["step"]
    found = objects.get(desired["name"])
    if seen_of(found) != request["seen"]:
        return {"error": {"kind": "stale", "said": "it was changed meanwhile"}}
    if request["action"] == "delete":
        if step == PARTS[0]:
            del objects[desired["name"]]
        elif found is not None:
            found["missing"].append(step)
        return {}
    if found is None:
        number = 1 + max((int(one["external_id"]) for one in objects.values()), default=0)
        found = {"missing": [*PARTS], "limits": {}, "password": "", "external_id": str(number)}
        objects[desired["name"]] = found
    if step in found["missing"]:
        found["missing"].remove(step)
    found["note"] = desired["note"]
    if step == PARTS[0]:
        found.update({key: desired[key] for key in ("state", "settings", "attributes")})
    else:
        found["limits"] = desired["limits"]
    if desired.get("password") is not None:
        found["password"] = hashlib.sha256(desired["password"].encode()).hexdigest()
    return {"external_id": found["external_id"]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(Path(sys.argv[1]), json.load(sys.stdin))))
