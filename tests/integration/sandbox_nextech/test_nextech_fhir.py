"""Every answer is FHIR STU3, except for the deviations that the contract documents and this file lists."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.STU3.account import Account
from fhir.resources.STU3.bundle import Bundle
from fhir.resources.STU3.location import Location
from fhir.resources.STU3.operationoutcome import OperationOutcome
from fhir.resources.STU3.patient import Patient
from fhir.resources.STU3.paymentreconciliation import PaymentReconciliation
from fhir.resources.STU3.practitioner import Practitioner
from pydantic import ValidationError

from sandbox.nextech.resources import SD
from tests.integration.sandbox_nextech.desk import ANA, CAT, Desk

Json = dict[str, Any]
MODELS = {
    "Patient": Patient,
    "PaymentReconciliation": PaymentReconciliation,
    "Location": Location,
    "Practitioner": Practitioner,
    "Account": Account,
}


def value_resource_reference(resource: Json) -> int:
    """Contract 4.9: the extensions Patient and Location carry `valueResourceReference`, which FHIR does not know."""
    found = [entry for entry in resource.get("extension", []) if "valueResourceReference" in entry]
    for entry in found:
        entry["valueReference"] = entry.pop("valueResourceReference")
    return len(found)


def empty_middle_name(resource: Json) -> int:
    """Contract 4.1: a missing middle name is an empty string."""
    found = [name for name in resource.get("name", []) if isinstance(name, dict) and "" in name.get("given", [])]
    for name in found:
        name["given"] = [given for given in name["given"] if given]
    return len(found)


def bundle_without_type(bundle: Json) -> int:
    """Contract section 3, trap 5: a bundle may lack its type."""
    if "type" in bundle:
        return 0
    bundle["type"] = "searchset"
    return 1


def patient_type(resource: Json) -> int:
    """Contract 4.5: `patient-type` is a resource of Nextech's own."""
    if resource.get("resourceType") != "patient-type":
        return 0
    resource["resourceType"] = "Basic"
    resource["code"] = {"text": "patient-type"}
    return 1


DEVIATIONS: tuple[Callable[[Json], int], ...] = (value_resource_reference, empty_middle_name, patient_type)


def conforming(resource: Json) -> tuple[Json, list[str]]:
    """Return a copy without the listed deviations, and which of them it had."""
    mended = copy.deepcopy(resource)
    return mended, [deviation.__name__ for deviation in DEVIATIONS if deviation(mended)]


def collected(desk: Desk) -> list[Json]:
    """Return one resource of every kind, with everything in it that the sandbox can write."""
    desk.pay()
    desk.create()
    searches = ["Patient?birthdate=ge1900-01-01", "PaymentReconciliation", "Account", "Location", "Practitioner"]
    bundles = [desk.client.get(f"/nextech/api/{search}").json() for search in searches]
    return [entry["resource"] for bundle in bundles for entry in bundle["entry"]]


def test_every_resource_is_stu3_but_for_the_listed_deviations(desk: Desk) -> None:
    seen: set[str] = set()
    kinds: set[str] = set()
    for resource in collected(desk):
        mended, deviations = conforming(resource)
        MODELS[resource["resourceType"]].model_validate(mended)
        seen.update(deviations)
        kinds.add(resource["resourceType"])
    assert kinds == set(MODELS)
    assert seen == {"value_resource_reference", "empty_middle_name"}


def test_each_listed_deviation_really_is_one(desk: Desk) -> None:
    for resource in collected(desk):
        _, deviations = conforming(resource)
        if deviations:
            with pytest.raises(ValidationError):
                MODELS[resource["resourceType"]].model_validate(resource)


def test_an_unlisted_deviation_would_be_noticed(desk: Desk) -> None:
    mended, _ = conforming(desk.get(f"/Patient/{ANA}").json())
    mended["maritalstatus"] = {"text": "S"}
    with pytest.raises(ValidationError):
        Patient.model_validate(mended)


def test_a_bundle_is_stu3_with_and_without_its_type(desk: Desk) -> None:
    for is_sent in (True, False):
        desk.switch(is_type_sent=is_sent)
        bundle = desk.get("/Patient", family="Smith").json()
        for entry in bundle["entry"]:
            entry["resource"], _ = conforming(entry["resource"])
        assert bundle_without_type(bundle) == (0 if is_sent else 1)
        assert Bundle.model_validate(bundle).total == 2


def test_a_patient_type_is_no_fhir_resource(desk: Desk) -> None:
    resource = desk.get("/patient-type/4").json()
    assert resource["extension"] == [{"url": SD + "patient-type#name", "valueString": "Retail"}]
    _, deviations = conforming(resource)
    assert deviations == ["patient_type"]


def test_an_error_is_an_operation_outcome(desk: Desk) -> None:
    outcome = OperationOutcome.model_validate(desk.get("/Patient/nobody").json())
    assert [issue.severity for issue in outcome.issue] == ["error"]


def test_a_private_detail_says_so_in_an_extension_of_the_contact(desk: Desk) -> None:
    mended, _ = conforming(desk.get(f"/Patient/{CAT}").json())
    contact = Patient.model_validate(mended).telecom[0]
    assert contact.value is None
    assert contact.extension[0].url == SD + "method-privacy"
