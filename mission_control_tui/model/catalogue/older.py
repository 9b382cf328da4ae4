"""Catalogues that were written before an option could be said to be an address of the user or a recipient."""

from __future__ import annotations

from dataclasses import replace

from mission_control_tui.model.catalogue.types import Catalogue, Option, Service
from mission_control_tui.model.catalogue.values import ValueType
from mission_control_tui.model.states import SubjectKind

_PRESENT = {
    ("aliases", ValueType.EMAILS): ValueType.ADDRESSES,
    ("primary-address", ValueType.EMAIL): ValueType.ADDRESS,
    ("forward-to", ValueType.EMAIL): ValueType.RECIPIENT,
}
"""The shipped options by id and former type: files that were made from it still say so."""
_COPY = "keep-copy"


def with_present_types(catalogue: Catalogue) -> Catalogue:
    """Return the catalogue with those options of services of users called what they are."""
    return replace(catalogue, services=tuple(_service(service) for service in catalogue.services))


def _service(service: Service) -> Service:
    if service.subject is not SubjectKind.USER:
        return service
    has_copy = any(option.id == _COPY for option in service.options)
    return replace(service, options=tuple(_option(option, has_copy) for option in service.options))


def _option(option: Option, has_copy: bool) -> Option:
    present = _PRESENT.get((option.id, option.type))
    if present is None:
        return option
    copies = present is ValueType.RECIPIENT and has_copy
    return replace(option, type=present, copy_option=_COPY if copies else "")
