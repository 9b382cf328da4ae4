"""Catalogue files: every error at once, at its line, and never a traceback."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from mission_control_tui.model.catalogue import types
from mission_control_tui.model.catalogue.file.line_numbers import positions
from mission_control_tui.model.catalogue.file.parse import parse, parse_file
from mission_control_tui.model.catalogue.file.schema import CatalogueFile
from mission_control_tui.model.catalogue.file.shipped import shipped
from mission_control_tui.model.catalogue.values import ValueType
from mission_control_tui.model.errors import InvalidInput, NotFound, Problem
from tests.model.catalogue.support import SMALL, line_of

DOCUMENTATION = Path(__file__).parents[4] / "docs" / "catalogue.md"


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        parse(text, connectors=["simulator"])
    assert caught.value.problems
    return caught.value.problems


def line(problem: Problem) -> int:
    found = re.match(r"line (\d+)", problem.where)
    assert found is not None, problem
    return int(found[1])


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("format = 1", "format = 2", "format", "expected 1, found 2"),
        ('currency = "AUD"', 'currency = "AUX"', "currency", "ISO 4217"),
        ('currency = "AUD"', "currency = 5", "currency", "expected a text, found a whole number"),
        ("basis_points = 1000", "basis_points = 10.5", "tax > basis_points", "whole number"),
        ("basis_points = 1000", "basis_points = -1", "tax > basis_points", "at least 0"),
        ('id = "mail"', 'id = "Mail Box"', "service Mail Box > id", "lower-case letters"),
        ('name = "Mail"', 'name = ""', "service mail > name", "not empty"),
        ('name = "Mail"', 'name = "a\\u001b[2J"', "service mail > name", "control"),
        ('name = "Mail"', f'name = "{"x" * 81}"', "service mail > name", "at most 80"),
        ('connector = "simulator"', 'connectr = "simulator"', "connectr", "no such key"),
        ('connector = "simulator"', 'connector = "simlator"', "connector", "no connector"),
        ("{account}_{username}", "{account}_{usrname}", "name_pattern", "no placeholder"),
        ("{account}_{username}", "{account}_{username", "name_pattern", "no pattern"),
        ("{account}_{username}", "fixed", "name_pattern", "the same"),
        ('name = "Full"', 'name = "BASIC"', "level full > name", "taken already on line 14"),
        ('id = "full"', 'id = "basic"', "level basic > id", "taken already on line 14"),
        ('name = "Full"', 'name = "Full"\nlimits = { x = 1.5 }', "limits > x", "a text, a whole"),
        ('name = "Full"', 'name = "Full"\nwithdrawn = "yes"', "withdrawn", "true or false"),
        ('type = "int"', 'type = "integer"', "option quota > type", "expected one of bool, int"),
        ("default = 100", "default = 1000", "default", "above the maximum of 500"),
        ("default = 100", 'default = "100"', "default", "expected 100"),
        ("default = 100", "default = 1.5", "default", "a number with a fraction"),
        ("maximum = 500", "maximum = 5", "maximum", "the minimum 10 is above the maximum 5"),
        ("{ maximum = 200 }", "{ maximum = 50 }", "basic > maximum", "the default '100'"),
        ("basic = { maximum", "basix = { maximum", "per_level > basix", "no level 'basix'"),
        ("{ maximum = 200 }", "{ maxi = 200 }", "per_level > basic > maxi", "no such key"),
        ('levels = ["full"]', 'levels = ["fulll"]', "levels > #1", "no level 'fulll'"),
        ('levels = ["full"]', 'levels = "full"', "extras > levels", "expected a list"),
        ('type = "bool"', 'type = "choice"\nchoices = {}', "extras > choices", "needs choices"),
        ('type = "bool"', 'type = "bool"\nunit = "MB"', "option extras > unit", "only"),
        ('type = "bool"', 'type = "bool"\nminimum = 1', "extras > minimum", "no minimum"),
        ('name = "Full"', 'name = " Full"', "level full > name", "no blanks"),
        ('type = "bool"', 'type = "bool"\nchoices = { a = "A" }', "extras > choices", "only type"),
        ("terms = [1, 12]", "terms = []", "product email > terms", "at least one entry"),
        ("terms = [1, 12]", "terms = [1, 12, 12]", "terms", "twice"),
        ("terms = [1, 12]", "terms = [1, 12, 0]", "terms > #3", "at least 1"),
        ("terms = [1, 12]", "terms = [1, 12]\nmax_quantity = 0", "max_quantity", "at least 1"),
        ("terms = [1, 12]", 'terms = [1, 12]\nbuys = "seat"', "buys", "domain, seats"),
        ('grants_service = "mail"', 'grants_service = "mial"', "grants_service", "no service"),
        ('grants_level = "basic"', 'grants_level = "basics"', "grants_level", "no level of"),
        ("12 = 3000", "12 = -1", "prices > 12", "at least 0"),
        ("12 = 3000", "12 = 30.5", "prices > 12", "whole number"),
        ("12 = 3000", "year = 30", "prices > year", "term in months"),
        ("12 = 3000", "12 = 3000, 24 = 5000", "prices > 24", "no term of 24"),
        (", 12 = 3000", "", "product email > level basic > prices", "12 months is missing"),
    ],
)
def test_an_error_names_its_line_its_place_and_what_was_expected(
    old: str, new: str, where: str, what: str
) -> None:
    assert SMALL.count(old) == 1, old
    found = problems_of(SMALL.replace(old, new))
    expected_line = line_of(SMALL, old) + new.count("\n")
    assert any(
        line(problem) == expected_line and where in problem.where and what in problem.what
        for problem in found
    ), [str(problem) for problem in found]


NAMES = """
[[services]]
id = "names"
name = "Names"
connector = "simulator"
subject = "domain"
seats = false
name_pattern = "{domain}"
levels = [{ id = "held", name = "Held" }]

[[products]]
id = "domains"
name = "Domains"
buys = "domain"
terms = [12]

[[products.levels]]
id = "held"
name = "Registered"
grants_service = "names"
grants_level = "held"

[[products.extensions]]
id = "com"
name = ".com"
prices = { 12 = 900 }

[[products.fields]]
id = "who"
name = "Who"
page = "Registrant"
type = "text"
extensions = ["com"]
"""


def test_the_file_with_domains_is_good() -> None:
    assert parse(SMALL + NAMES).product("domains").extension("com").prices == {12: 900}


@pytest.mark.parametrize(
    ("old", "new", "at", "where", "what"),
    [
        ('"{domain}"', '"{username}"', "{domain}", "name_pattern", "no placeholder 'username'"),
        ('id = "names"', 'id = "names"\ninstances = 2', "{domain}", "name_pattern", "tell apart"),
        ('subject = "domain"', "", 'service = "names"', "grants_service", "grants a service of"),
        ("seats = false", "", 'service = "names"', "grants_service", "grants a service of"),
        ('service = "names"', 'service = "mail"', 'service = "names"', "service", "of domains"),
        ('service = "mail"', 'service = "names"', 'service = "mail"', "grants_service", "no seats"),
        ('name = "Held"', 'name = "Held", withdrawn = true', '"held"', "level", "withdrawn, yet"),
        ('name = ".com"', 'name = "com"', 'name = ".com"', "extension com > name", "an ending"),
        ('name = ".com"', 'name = ".COM"', 'name = ".com"', "extension com > name", "an ending"),
        ("{ 12 = 900 }", "{ 24 = 900 }", "{ 12 = 900 }", "extension com > prices", "12 months"),
        ('extensions = ["com"]', 'extensions = ["net"]', '["com"]', "extensions > #1", "'net'"),
        ('buys = "domain"', 'buys = "seats"', "[[products.extensions]]", "extensions", "only"),
        (
            '_level = "held"',
            '_level = "held"\nprices = { 12 = 1 }',
            '_level = "held"',
            "prices",
            "in",
        ),
        (
            'id = "who"',
            'id = "a"\nname = "W"\npage = "P"\ntype = "text"\n[[products.fields]]\nid = "a"',
            'id = "who"',
            "field a > id",
            "taken already",
        ),
        ('page = "Registrant"', "", "[[products.fields]]", "field who > page", "missing"),
        ('id = "names"', 'id = "names"\nrequires = ["mail"]', 'id = "names"', "requires", "a user"),
        (
            'levels = ["full"]',
            'levels = ["full"]\nper_level = { basic = { default = true } }',
            '["full"]',
            "per_level > basic",
            "not offered",
        ),
    ],
)
def test_an_error_between_tables_is_told_where_it_is_mended(
    old: str, new: str, at: str, where: str, what: str
) -> None:
    text = SMALL + NAMES
    assert text.count(old) == 1, old
    found = problems_of(text.replace(old, new))
    lines = [number for number, one in enumerate(text.splitlines(), 1) if at in one]
    fitting = [one for one in found if where in one.where and what in one.what]
    assert fitting, [str(problem) for problem in found]
    shift = new.count("\n")
    assert {line(one) for one in fitting} & {*lines, *(number + shift for number in lines)}


def test_a_product_that_buys_domains_needs_endings() -> None:
    text = SMALL + NAMES[: NAMES.index("[[products.extensions]]")]
    (problem,) = problems_of(text)
    assert line(problem) == line_of(text, 'id = "domains"') - 1
    assert "at least one of [[products.extensions]]" in problem.what


def test_all_errors_come_at_once_in_the_order_of_the_lines() -> None:
    broken = (
        SMALL.replace('name = "GST"', "")
        .replace('connector = "simulator"', "connector = 5")
        .replace('levels = ["full"]', 'levels = ["fool"]')
        .replace("12 = 3000", "12 = 3.5")
    )
    found = problems_of(broken)
    assert [line(problem) for problem in found] == [4, 11, 36, 48]
    assert str(found[0]) == ("line 4, tax > name: this key is missing (expected a text)")


def test_services_that_need_each_other_are_all_named() -> None:
    other = '[[services]]\nid = "{}"\nname = "{}"\nconnector = "simulator"\n'
    other += 'name_pattern = "{{upn}}"\nrequires = ["{}"]\nlevels = [{{ id = "l", name = "L" }}]\n'
    text = SMALL + other.format("a", "A", "b") + other.format("b", "B", "a")
    text += other.format("c", "C", "a") + other.format("d", "D", "d")
    found = [problem.what for problem in problems_of(text)]
    assert found == [
        "these services need each other: a > b > a",
        "these services need each other: b > a > b",
        "these services need each other: d > d",
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a = ", "line 1, the end of the file"),
        ("a = 1\nb == 2", "line 2, column 4"),
        ('a = 1\nb = "x\nc"', "line 2, column"),
        ("[a]\n[a]", "line 2, column 3"),
        ("x = [1,\n2", "line 2, the end of the file"),
    ],
)
def test_bad_toml_is_one_error_with_its_place(text: str, where: str) -> None:
    (problem,) = problems_of(text)
    assert problem.where.startswith(where)
    assert "not valid TOML" in problem.what


@pytest.mark.parametrize("text", ["", "services = 5", "[[services]]\n[[products]]\nlevels = 1"])
def test_a_file_of_another_shape_is_refused_key_by_key(text: str) -> None:
    where = {problem.where.split(", ")[1] for problem in problems_of(text)}
    assert {"format", "currency", "tax"} <= where


def test_absurd_nesting_is_an_error_and_not_a_crash() -> None:
    (problem,) = problems_of("a = " + "[" * 20000 + "]" * 20000)
    assert "nested too deeply" in problem.what


def test_lines_hold_for_windows_line_ends_a_mark_in_front_and_every_style() -> None:
    written_inline = SMALL.replace(
        '[[services.levels]]\nid = "full"\nname = "Full"\n',
        '[[services.levels]]\nid = "full"\n"name" = """\\\n  Full""" # note\nlimits.protocols = [\n  "a",\n  5,\n]\n',
    )
    for text in (written_inline, "\ufeff" + written_inline.replace("\n", "\r\n")):
        (problem,) = problems_of(text)
        assert line(problem) == line_of(written_inline, "limits.protocols")
        assert "level full > limits > protocols" in problem.where


def test_a_file_is_read_and_its_errors_name_it(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    assert parse_file(file) == parse(SMALL)
    file.write_bytes(b"# one\n# caf\xe9\n")
    with pytest.raises(InvalidInput) as caught:
        parse_file(file)
    assert str(file) in caught.value.what
    assert caught.value.problems[0].where == "line 2"
    with pytest.raises(NotFound, match="cannot be read"):
        parse_file(tmp_path)


def test_connectors_are_left_alone_where_none_are_known() -> None:
    text = SMALL.replace('"simulator"', '"another"')
    assert parse(text).service("mail").connector == "another"


def places() -> list[tuple[int, str, tuple[str | int, ...]]]:
    """Single-line `key = value` pairs of the shipped file: line, key, path."""
    lines = shipped().splitlines()
    found = []
    for path, number in positions(shipped()).items():
        match = re.match(r'("?[\w.-]+"?) = ', lines[number - 1])
        if match and path and path[-1] == match[1].strip('"'):
            found.append((number, match[1], path))
    return found


FREE = {"choices", "limits", "per_level", "prices"}


def table_of(path: tuple[str | int, ...]) -> type[BaseModel]:
    """The schema of the table that has this key."""
    here: object = CatalogueFile
    for key in path[:-1]:
        if isinstance(key, str):
            assert isinstance(here, type)
            assert issubclass(here, BaseModel)
            here = here.model_fields[key].annotation
        else:
            here = get_args(here)[0]
    assert isinstance(here, type)
    assert issubclass(here, BaseModel)
    return here


def with_line(number: int, new: str | None) -> str:
    lines = shipped().splitlines()
    lines[number - 1 : number] = [] if new is None else [new]
    return "\n".join(lines)


@given(st.sampled_from(places()), st.sampled_from(["1979-05-27", "0.5", "[[1]]", "{ a.b = 1 }"]))
def test_any_value_of_a_wrong_type_is_found_at_its_line(
    place: tuple[int, str, tuple[str | int, ...]], wrong: str
) -> None:
    number, key, _ = place
    found = problems_of(with_line(number, f"{key} = {wrong}"))
    assert number in [line(problem) for problem in found]


@given(st.sampled_from([one for one in places() if not FREE & set(one[2][:-1])]))
def test_any_misspelt_key_is_found_at_its_line(
    place: tuple[int, str, tuple[str | int, ...]],
) -> None:
    number, key, _ = place
    text = shipped().splitlines()[number - 1]
    found = problems_of(with_line(number, text.replace(key, f"{key}x", 1)))
    unknown = [problem for problem in found if "no such key" in problem.what]
    assert [line(problem) for problem in unknown] == [number]
    assert key in unknown[0].hint


@given(
    st.sampled_from(
        [
            one
            for one in places()
            if not FREE & set(one[2][:-1]) and table_of(one[2]).model_fields[one[1]].is_required()
        ]
    )
)
def test_any_deleted_key_that_is_compulsory_is_found_at_its_table(
    place: tuple[int, str, tuple[str | int, ...]],
) -> None:
    number, key, path = place
    header = positions(shipped())[path[:-1]]
    found = problems_of(with_line(number, None))
    missing = [problem for problem in found if problem.what == "this key is missing"]
    assert [line(problem) for problem in missing] == [header]
    assert missing[0].where.endswith(key)


@given(st.sampled_from([one for one in places() if one[1] == "id"]))
def test_a_renamed_id_is_found_where_it_is_referred_to(
    place: tuple[int, str, tuple[str | int, ...]],
) -> None:
    number, _, path = place
    renamed = with_line(number, 'id = "renamed"')
    lines = shipped().splitlines()
    old = lines[number - 1].split('"')[1]
    referring = [
        index
        for index, text in enumerate(lines, 1)
        if re.search(
            rf'^(grants_\w+|requires|levels|extensions|accepts|included_with) = .*"{re.escape(old)}"',
            text,
        )
        or re.search(rf"per_level.*\b{re.escape(old)}\b", text)
    ]
    is_referred = {
        ("services",): True,
        ("services", "levels"): old != "standard",
        ("products", "extensions"): old in ("com-au", "net-au"),
    }.get(tuple(key for key in path[:-1] if isinstance(key, str)), False)
    if is_referred:
        found = problems_of(renamed)
        assert {line(problem) for problem in found} <= set(referring)
    else:
        assert parse(renamed) != parse(shipped())


@settings(max_examples=150)
@given(
    at=st.integers(0, len(shipped())),
    cut=st.integers(0, 40),
    put=st.text(alphabet=st.sampled_from(list("\"'[]{}=.,#\\\n\r\t ax1-\x00é")), max_size=4),
)
def test_any_damage_to_the_text_is_answered_in_words(at: int, cut: int, put: str) -> None:
    problems: tuple[Problem, ...] | None = None
    try:
        parse(shipped()[:at] + put + shipped()[at + cut :])
    except InvalidInput as refused:
        problems = refused.problems
    assert problems is None or (problems and all(one.what for one in problems))
    assert "\x00" not in " ".join(map(str, problems or ()))


ANY_TOML = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "mail", "choice", "{x}", "seats"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*types.Service.__dataclass_fields__, *types.Product.__dataclass_fields__]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def inline(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {inline(one)}' for key, one in value.items())} }}"
    return f'"{value}"' if isinstance(value, str) else str(value)


@given(st.lists(ANY_TOML, max_size=3), st.lists(ANY_TOML, max_size=3))
def test_any_shape_of_document_is_answered_in_words(
    services: list[object], products: list[object]
) -> None:
    found = problems_of(f"services = {inline(services)}\nproducts = {inline(products)}")
    assert {"line 1, currency", "line 1, tax"} <= {one.where for one in found}


def models() -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = []

    def visit(annotation: object) -> None:
        if (
            isinstance(annotation, type)
            and issubclass(annotation, BaseModel)
            and annotation not in found
        ):
            found.append(annotation)
            for field in annotation.model_fields.values():
                visit(field.annotation)
        for inner in get_args(annotation):
            visit(inner)

    visit(CatalogueFile)
    return found


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_the_schema_and_the_data_have_the_same_fields_and_defaults(model: type[BaseModel]) -> None:
    if model.__name__ in ("CatalogueFile", "TaxTable"):
        return
    data = getattr(types, model.__name__.removesuffix("Table"))
    fields = {one.name: one for one in dataclasses.fields(data)}
    assert set(model.model_fields) == set(fields)
    for name, field in model.model_fields.items():
        other = fields[name]
        if field.is_required() or other.default is dataclasses.MISSING:
            continue
        wanted = list(other.default) if isinstance(other.default, tuple) else other.default
        assert field.default == wanted, name


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_is_documented(model: type[BaseModel]) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for name in model.model_fields:
        patterns = (rf"`\[?\[?(\w+\.)?{name}\]?\]?`", rf"`{{[^`]*\b{name}\b[^`]*}}`")
        assert any(re.search(pattern, text) for pattern in patterns), name


def test_every_type_is_documented() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for kind in ValueType:
        assert f"| `{kind}` |" in text


def test_the_errors_in_the_documentation_are_real() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    _, _, block = text.partition("## What the errors look like\n\n```\n")
    shown = block.partition("\n```")[0].splitlines()
    popx = line_of(shipped(), 'limits = { protocols = ["pop", "web"] }')
    granting = line_of(shipped(), 'grants_level = "popx"')
    broken = [
        with_line(popx, 'limts = { protocols = ["pop", "web"] }'),
        with_line(granting, 'grants_level = "popxx"'),
    ]
    number = re.compile(r"^line \d+")
    for said, damaged in zip(shown, broken, strict=True):
        (problem,) = problems_of(damaged)
        assert number.sub("", said) == number.sub("", str(problem))
