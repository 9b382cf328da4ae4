"""Telephone numbers: what search compares, and a warning (never a refusal) for those that cannot be right."""

from __future__ import annotations

_FEWEST_DIGITS = 3


def digits_of(phone: str) -> str:
    """Only the digits of `phone`, in ASCII: what search compares."""
    if phone.isascii():
        return "".join(filter(str.isdigit, phone))
    return "".join(str(int(char)) for char in phone if char.isdecimal())


def phone_warning(phone: str, country: str = "") -> str:
    """Return why `phone` cannot be dialled, judged by the plan of `country` (alpha-2) or of its own +code, or "".

    A number without + and without a country cannot be judged but for having digits at all.
    """
    import phonenumbers

    if len(digits_of(phone)) < _FEWEST_DIGITS:
        return "has too few digits for a telephone number"
    if not country and not phone.lstrip().startswith("+"):
        return ""
    try:
        number = phonenumbers.parse(phone, country or None)
    except phonenumbers.NumberParseException:
        return "is not a telephone number"
    if phonenumbers.is_valid_number(number):
        return ""
    if phone.lstrip().startswith("+"):
        return f"is not a valid number of country code +{number.country_code}"
    return f"is not a valid number in {country}"
