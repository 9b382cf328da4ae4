"""Finding things, the settings of an instance, the answers of a purchase, names at back ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mission_control_tui.model.catalogue.backend_names import back_end_name
from mission_control_tui.model.catalogue.types import (
    Level,
    Option,
    OptionGroup,
    Override,
    PasswordUse,
    Service,
)
from mission_control_tui.model.catalogue.values import Value, ValueType
from mission_control_tui.model.errors import InvalidInput, NotFound
from mission_control_tui.model.states import SubjectKind
from tests.model.catalogue.support import shipped_catalogue, small

EXCHANGE = "managed-exchange"


@pytest.mark.parametrize(
    "key", ["managed-exchange", "Managed Exchange", "MANAGED  exchange", " managed-Exchange "]
)
def test_a_service_is_found_by_id_or_name(key: str) -> None:
    assert shipped_catalogue().service(key).id == EXCHANGE


def test_the_articles_levels_are_found_by_their_names() -> None:
    email = shipped_catalogue().product("email")
    for name, granted in [
        ("Standard Mail (POPX)", "popx"),
        ("managed exchange - pc & web access", "pc-web"),
    ]:
        assert email.level(name).grants_level == granted
        assert shipped_catalogue().service(EXCHANGE).level(name).id == granted


def test_what_does_not_exist_is_answered_with_what_does() -> None:
    with pytest.raises(NotFound) as caught:
        shipped_catalogue().service("manged exchange")
    assert "Did you mean Managed Exchange" in caught.value.hint
    assert "databases (Databases)" in caught.value.hint
    with pytest.raises(NotFound) as caught:
        shipped_catalogue().service(EXCHANGE).level("\x1b[31m")
    assert "\x1b" not in str(caught.value)
    assert "popx (Standard Mail (POPX))" in caught.value.hint


def test_the_shipped_services_are_what_the_design_says() -> None:
    catalogue = shipped_catalogue()
    assert catalogue.currency == "AUD"
    assert catalogue.prices_are_examples
    assert [one.name for one in catalogue.products] == [
        "Domain Names",
        "Email",
        "Web Hosting",
        "Databases",
    ]
    assert {one.connector for one in catalogue.services} == {"simulator"}
    domains = catalogue.service("domain-registration")
    assert (domains.subject, domains.visible, domains.seats) == (SubjectKind.DOMAIN, False, False)
    databases = catalogue.service("databases")
    assert databases.password is PasswordUse.OWN
    assert [level.limits["connection_limit"] for level in databases.levels] == [5, 20, 50]
    email = catalogue.product("email")
    assert (email.level_first, email.buy_label) == (True, "BUY EMAIL")
    assert not catalogue.product("domain-names").level_first


def test_the_services_that_come_first_are_known() -> None:
    first = [one.id for one in shipped_catalogue().requirements(EXCHANGE)]
    assert first == ["domain-registration"]
    assert shipped_catalogue().requirements("databases") == ()


def test_products_that_grant_a_level_are_found_for_the_way_to_buy_it() -> None:
    ((product, level),) = shipped_catalogue().granting("Managed Exchange", "popx")
    assert (product.id, level.id) == ("email", "popx")


def test_a_level_shows_only_the_options_that_it_has() -> None:
    exchange = shipped_catalogue().service(EXCHANGE)
    popx = {one.id for one in exchange.options_for("popx")}
    full = {one.id for one in exchange.options_for("pc-web-mobile")}
    assert {"pop", "web", "quota", "forward-to"} <= popx
    assert {one.id for one in exchange.address_options_for("popx")} == {
        "primary-address",
        "aliases",
    }
    assert not popx & {"imap", "mapi", "activesync", "send-as", "full-access"}
    assert {"imap", "mapi", "activesync", "send-as", "full-access", "spam-action"} <= full
    assert "activesync" not in {one.id for one in exchange.options_for("pc-web")}
    assert {one.group for one in exchange.options_for("pc-web")} == set(OptionGroup)


def test_a_level_overrides_limits_and_defaults() -> None:
    service = shipped_catalogue().service(EXCHANGE)
    popx = {one.id: one for one in service.options_for("popx")}
    assert (popx["quota"].default, popx["quota"].minimum, popx["quota"].maximum) == (
        5120,
        100,
        10240,
    )
    assert popx["pop"].default is True
    assert service.option("pop").default is False


def test_settings_are_complete_with_defaults() -> None:
    exchange = shipped_catalogue().service(EXCHANGE)
    settings = exchange.validate_settings("popx", {"Mailbox quota": "2 GB"})
    assert set(settings) == {one.id for one in exchange.options_for("popx")}
    assert settings["quota"] == 2048
    assert "aliases" not in settings
    assert settings["forward-to"] is None
    assert settings["keep-copy"] is True


def test_settings_report_every_problem_at_once() -> None:
    exchange = shipped_catalogue().service(EXCHANGE)
    given_settings = {
        "quota": "20 GB",
        "Mailbox quota": 1000,
        "imap": "yes",
        "aliases": "a@b.test, nonsense",
        "spam-action": "jnk",
        "quoat": 1,
    }
    with pytest.raises(InvalidInput) as caught:
        exchange.validate_settings("popx", given_settings)
    problems = {problem.where: str(problem) for problem in caught.value.problems}
    assert set(problems) == {"quota", "imap", "aliases", "spam-action", "quoat"}
    assert len(caught.value.problems) == 6
    assert "Standard Mail (POPX) does not have it" in problems["imap"]
    assert "Did you mean junk" in problems["spam-action"]
    assert "Did you mean quota" in problems["quoat"]
    assert "nonsense" in problems["aliases"]


def test_a_changed_level_keeps_what_still_fits() -> None:
    exchange = shipped_catalogue().service(EXCHANGE)
    before = exchange.validate_settings(
        "pc-web", {"quota": "50 GB", "forward-to": "x@b.test", "imap": False}
    )
    after = exchange.validate_settings("popx", {}, before)
    assert after["forward-to"] == "x@b.test"
    assert after["quota"] == 5120
    assert "imap" not in after
    back = exchange.validate_settings("pc-web", {"quota": 200}, after)
    assert (back["quota"], back["imap"]) == (200, True)


@given(level=st.sampled_from(["popx", "pc-web", "pc-web-mobile"]), data=st.data())
def test_settings_again_are_the_same_settings(level: str, data: st.DataObject) -> None:
    exchange = shipped_catalogue().service(EXCHANGE)
    values: dict[str, Value] = {}
    for option in exchange.options_for(level):
        if option.id == "quota":
            values[option.id] = data.draw(st.integers(100, 10240))
        elif option.type == "bool":
            values[option.id] = data.draw(st.booleans())
    once = exchange.validate_settings(level, values)
    assert values.items() <= once.items()
    assert exchange.validate_settings(level, {}, once) == once
    assert exchange.validate_settings(level, once) == once


def test_australian_names_are_asked_for_eligibility_and_others_are_not() -> None:
    product = shipped_catalogue().product("Domain Names")
    australian = {one.id for one in product.fields_for(".com.au")}
    assert {"eligibility-type", "eligibility-number"} <= australian
    assert "eligibility-number" not in {one.id for one in product.fields_for("com")}
    assert product.extension_of("Acme.COM.au").id == "com-au"
    assert product.extension("com.au").id == "com-au"
    with pytest.raises(NotFound, match=r"acme\.io"):
        product.extension_of("acme.io")


def test_answers_of_a_purchase_are_checked_together() -> None:
    product = shipped_catalogue().product("domain-names")
    good = {
        "registrant-name": "Acme Pty Ltd",
        "registrant-email": "it@acme.example",
        "eligibility-type": "Company",
        "eligibility-number": "53 004 085 616",
    }
    answers = product.validate_fields(good, "com-au")
    assert answers["eligibility-number"] == "53004085616"
    assert answers["eligibility-type"] == "company"
    assert answers["registrant-country"] == "AU"
    assert answers["name-servers"] == []
    with pytest.raises(InvalidInput) as caught:
        product.validate_fields(
            good | {"eligibility-number": "53004085617", "registrant-name": " ", "abn": "1"},
            "com-au",
        )
    assert {one.where for one in caught.value.problems} == {
        "eligibility-number",
        "registrant-name",
        "abn",
    }


def test_names_at_back_ends_combine_account_and_user() -> None:
    databases = shipped_catalogue().service("databases")
    facts = {"account": "ACME", "username": "jané.citizen", "instance": ""}
    assert back_end_name(databases, facts) == "acme_jane_citizen"
    assert back_end_name(databases, facts | {"instance": "Web Shop"}) == (
        "acme_jane_citizen_web_shop"
    )
    assert back_end_name(databases, facts, 2) == "acme_jane_citizen_2"
    domains = shipped_catalogue().service("domain-registration")
    assert back_end_name(domains, {"domain": "Acme.example"}) == "acme.example"


NAMES = st.text(min_size=1, max_size=60)


@given(NAMES, NAMES, NAMES, st.integers(16, 63), st.integers(1, 99))
def test_names_stay_within_the_limit_of_bytes(
    account: str, username: str, instance: str, limit: int, number: int
) -> None:
    service = Service(
        id="x",
        name="X",
        name_limit=limit,
        name_pattern="ü{account}_{username}_{instance}",
        levels=(Level(id="l", name="L"),),
    )
    facts = {"account": account, "username": username, "instance": instance}
    name = back_end_name(service, facts, number)
    assert 0 < len(name.encode()) <= limit
    assert name == back_end_name(service, facts, number)
    assert name != back_end_name(service, facts, number + 1)


def test_long_names_that_begin_alike_stay_different() -> None:
    exchange = shipped_catalogue().service(EXCHANGE)
    long = {"account": "longaccount", "username": "averylongusername1"}
    other = {"account": "longaccount", "username": "averylongusername2"}
    assert back_end_name(exchange, long) != back_end_name(exchange, other)


def test_the_small_file_says_what_it_means() -> None:
    service = small().service("Mail")
    assert [level.rank for level in service.levels] == [0, 1]
    assert [one.id for one in service.options_for("Basic")] == ["quota"]


def test_a_level_may_turn_a_default_off() -> None:
    option = Option(
        id="pop",
        name="POP",
        type=ValueType.BOOL,
        default=True,
        minimum=5,
        per_level={"small": Override(default=False, minimum=0)},
    )
    assert (option.for_level("small").default, option.for_level("small").minimum) == (False, 0)
    assert option.for_level("large") == option
