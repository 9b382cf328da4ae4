"""What is sold and provisioned: pure data without a database. Parsing (parse.py) is imported on demand."""

from mission_control_tui.model.catalogue.codec import from_json, to_json
from mission_control_tui.model.catalogue.names import back_end_name
from mission_control_tui.model.catalogue.quoting import Quote, QuoteLine, quote, tax_label
from mission_control_tui.model.catalogue.types import (
    USER_MEMBER,
    AddressUse,
    Buys,
    Catalogue,
    Extension,
    Field,
    Level,
    Option,
    OptionGroup,
    Override,
    PasswordUse,
    Product,
    ProductLevel,
    Role,
    Service,
)
from mission_control_tui.model.catalogue.values import Rule, Value, ValueType

__all__ = [
    "USER_MEMBER",
    "AddressUse",
    "Buys",
    "Catalogue",
    "Extension",
    "Field",
    "Level",
    "Option",
    "OptionGroup",
    "Override",
    "PasswordUse",
    "Product",
    "ProductLevel",
    "Quote",
    "QuoteLine",
    "Role",
    "Rule",
    "Service",
    "Value",
    "ValueType",
    "back_end_name",
    "from_json",
    "quote",
    "tax_label",
    "to_json",
]
