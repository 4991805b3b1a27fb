"""The acts about certificates: stock, documents already held, issuing, checking, revoking, and who checked."""

from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import timedelta
from typing import Any

import requests

from cert_registry.civil_date import civil_date_at
from deploy.demo.accounts import legal_person
from deploy.demo.acts_identity import CITIZEN, sign_citizen_in
from deploy.demo.scanning import qr_text_of
from deploy.demo.seed import ENTERPRISE, PREMISES
from deploy.demo.stage import Stage
from deploy.department_client import DepartmentClient
from deploy.form_client import FormClient, Phone, give_code, sign_in_with_password
from deploy.locations import CHECKOUT

MARKET, EDUCATION = "dept-city-market", "dept-city-education"
CODES_TRIED = 5
SERVICE_ITEM = "food-business-licence-application"
PURPOSE = {
    "purpose": "学校食堂承包企业资质核验",
    "service_item": "edu-canteen",
    "officer": "白云",
    "legal_basis": "《学校食品安全与营养健康管理规定》",
}
PENALTY = {
    "operation": "penal-revoke",
    "reason": "使用超过保质期的食品原料，情节严重",
    "legal_basis": "《中华人民共和国食品安全法》第一百二十四条",
}


def stock_goes_in(stage: Stage) -> None:
    """A stock file of 300 rows with known faults."""
    expected = json.loads((CHECKOUT / "deploy/demo/stock-food.expected.json").read_text(encoding="utf-8"))
    done = subprocess.run(
        [
            str(CHECKOUT / "longzheng"),
            "ingest",
            str(CHECKOUT / "deploy/demo/stock-food.csv"),
            "--source",
            "demo-stock",
            "--type",
            "food-business-licence",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    stage.expect(done.returncode == 0, "存量文件处理完毕")
    report = json.loads(done.stdout)
    outcomes = {name: count for name, count in report["outcomes"].items() if count}
    stage.expect(
        outcomes == expected["outcomes"],
        f"300 行：登记 {outcomes.get('registered')}，重复 {outcomes.get('duplicate')}，"
        f"内容冲突 {outcomes.get('conflicting')}，拒绝 {outcomes.get('refused')}",
    )
    reasons = {name: count for name, count in report["reasons"].items() if count}
    told = "，".join(f"{name} {count} 行" for name, count in sorted(reasons.items()))
    stage.expect(reasons == expected["reasons"], f"没有登记的每一行都有原因：{told}")


def documents_already_held(stage: Stage) -> None:
    """An application asks which documents need not be submitted."""
    enterprise = legal_person(ENTERPRISE)
    answer = _department(stage, MARKET, "requirements").post(
        f"/requirements/{SERVICE_ITEM}/check",
        json={
            "holders": [{"code_type": "001", "number": enterprise["code"]}],
            "purpose": "食品经营许可申请",
            "legal_basis": "《食品经营许可和备案管理办法》",
            "case_number": _case(stage, "SP"),
        },
    )
    documents = _ok(stage, answer)["documents"]
    held = [one["name"] for one in documents if not one["must_submit"]]
    wanted = [one["name"] for one in documents if one["must_submit"]]
    stage.expect(
        (len(held), len(wanted)) == (2, 1),
        f"三份材料里两份免提交：{'、'.join(held)}；只需提交：{'、'.join(wanted)}",
    )


def draft_sign_deliver(stage: Stage) -> None:
    """Two officers make a licence on their pages; the legal representative downloads it."""
    drafter, signer = _officer(stage, "li.wenjing"), _officer(stage, "gao.yuan")
    today = civil_date_at(stage.began)
    face = {
        "operator_name": ENTERPRISE,
        "credit_code": legal_person(ENTERPRISE)["code"],
        "representative": CITIZEN,
        "address": PREMISES,
        "premises": PREMISES,
        "business_form": "餐饮服务经营者",
        "operation_items": "热食类食品制售；自制饮品制售",
        "effective_date": today.isoformat(),
        "expiry_date": (today + timedelta(days=5 * 365)).isoformat(),
    }
    drafter.open(f"{stage.configuration.public_url}/officer/drafts/new", type="food-business-licence")
    typed = {f"face-{key}": value for key, value in face.items()}
    wrong = drafter.fill({**typed, "face-credit_code": "123", "case_number": _case(stage, "SP")})
    stage.expect(
        wrong.status == 422 and "统一社会信用代码" in wrong.text,
        "填错的统一社会信用代码当场指出，已填内容保留",
    )
    draft = drafter.fill({"face-credit_code": str(face["credit_code"])})
    stage.expect("等待签发" in draft.text, "制证人保存草稿")
    preview = drafter.http.get(f"{draft.url}/preview.pdf", timeout=60)
    stage.expect(preview.content.startswith(b"%PDF"), "预览是未盖章的 PDF")
    own = drafter.http.get(draft.url, timeout=60).text
    stage.expect("同意签发" not in own, "制证人自己不能签发")
    signer.open(draft.url)
    issued = signer.press("同意签发")
    stage.expect("/officer/ecerts/1.2.156.3005.2." in issued.url, "签发人签发：登记、盖章、写入日志、送达")
    stage.props["revoked_identifier"] = issued.url.rsplit("/", 1)[1]
    stage.props["signer"] = signer
    stage.props["face"] = face
    stage.props["revoked_pdf"] = _download(stage, stage.props["revoked_identifier"])
    stage.expect(stage.props["revoked_pdf"].startswith(b"%PDF"), "法定代表人看到并下载了证照")
    _issue_by_system(stage, face)


def department_checks(stage: Stage) -> None:
    """Another department compares without data, checks the PDF, and sees an altered copy as altered."""
    pdf: bytes = stage.props["revoked_pdf"]
    face: dict[str, Any] = stage.props["face"]
    department = _department(stage, EDUCATION, "verify compare")
    asked = {**PURPOSE, "case_number": _case(stage, "EDU")}
    compare = {"operator_name": ENTERPRISE, "credit_code": face["credit_code"], "premises": "别处一号"}
    answer = _ok(
        stage,
        department.post(
            "/comparisons", json={**asked, "sha256": hashlib.sha256(pdf).hexdigest(), "compare": compare}
        ),
    )
    results = {one["field"]: one["result"] for one in answer["comparison"]}
    stage.expect(
        results == {"operator_name": "match", "credit_code": "match", "premises": "mismatch"},
        "市教育局比对：名称一致，代码一致，经营场所不一致",
    )
    stage.expect(PREMISES not in json.dumps(answer, ensure_ascii=False), "答复里没有登记的内容，只有是与否")
    answer = _check(stage, department, pdf, asked)
    stage.expect(
        (answer["outcome"], answer["seal"]["verdict"], answer["registry"]["state_name"])
        == ("valid", "TOTAL-PASSED", "有效"),
        f"查验 PDF：{answer['sentence']}",
    )
    stage.expect(
        answer["log"]["proof"] is not None and answer["receipt"].count(".") == 2, "附日志证明和签名回执"
    )
    (stage.out / "receipt.jws").write_text(answer["receipt"] + "\n", encoding="ascii")
    altered = _altered(pdf)
    answer = _check(stage, department, altered, asked)
    stage.expect(
        (answer["outcome"], answer["seal"]["verdict"]) == ("altered", "TOTAL-FAILED"),
        f"改动一个字节的副本：{answer['sentence']}",
    )


def revoke_and_check_again(stage: Stage) -> None:
    """The officer revokes as a penalty; the very next check says so."""
    identifier, pdf = stage.props["revoked_identifier"], stage.props["revoked_pdf"]
    signer: FormClient = stage.props["signer"]
    signer.open(f"{stage.configuration.public_url}/officer/ecerts/{identifier}")
    page = signer.fill({**PENALTY, "case_number": _case(stage, "CF")})
    stage.expect("吊销" in page.text and page.status == 200, "示例市市场监督管理局吊销许可证")
    asked = {**PURPOSE, "case_number": _case(stage, "EDU")}
    answer = _check(stage, _department(stage, EDUCATION, "verify"), pdf, asked)
    registry = answer["registry"]
    stage.expect(
        (answer["outcome"], registry["state_name"], registry["reason"], registry["legal_basis"])
        == ("revoked", "吊销", PENALTY["reason"], PENALTY["legal_basis"]),
        f"紧接着查验：{answer['sentence']}",
    )
    stage.expect(answer["seal"]["verdict"] == "TOTAL-PASSED", "印章仍然完好：吊销不等于伪造，两件事分开说")
    (stage.out / "revoked.pdf").write_bytes(pdf)


def holder_sees_checks(stage: Stage) -> None:
    """The citizen sees who checked what, why and when."""
    page = stage.citizen.open(f"{stage.configuration.public_url}/my/checks")
    for word in ("示例市教育局", PURPOSE["purpose"], "比对", _case(stage, "EDU")):
        stage.expect(word in page.text, f"{CITIZEN}看到：{word}")


# ── parts ──


def _issue_by_system(stage: Stage, face: dict[str, Any]) -> None:
    """A second licence through the API, which stays valid; the same request again is the same certificate."""
    market = _department(stage, MARKET, "issue")
    body = {
        "type": "food-business-licence",
        "case_number": _case(stage, "SPXT"),
        "service_item": "SL-002",
        "decision": "准予许可决定书（示市监许〔2026〕17号）",
        "face": face,
    }
    first = _ok(stage, market.post("/issuances", json=body), 201)
    again = _ok(stage, market.post("/issuances", json=body), 200)
    stage.expect(first["identifier"] == again["identifier"], "审批系统经接口签发；重复提交得到同一份证照")
    pdf = _download(stage, first["identifier"])
    stage.props.update(identifier=first["identifier"], sha256=hashlib.sha256(pdf).hexdigest())
    (stage.out / "ecert.pdf").write_bytes(pdf)
    (stage.out / "altered.pdf").write_bytes(_altered(pdf))
    (stage.out / "qr.txt").write_text(qr_text_of(pdf) + "\n", encoding="utf-8")


def _altered(pdf: bytes) -> bytes:
    """The file with one byte of its content changed."""
    place = pdf.index(b"endstream") - 8
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]


def _download(stage: Stage, identifier: str) -> bytes:
    url = f"{stage.configuration.public_url}/my/ecerts/{identifier}"
    page = sign_citizen_in(stage, url)
    if page.url != url:
        page = stage.citizen.open(url)
    stage.expect(page.status == 200 and "食品经营许可证" in page.text, f"{CITIZEN}在“我的证照”里看到它")
    return stage.citizen.press("下载电子证照（PDF）").content


def _officer(stage: Stage, staff_id: str) -> FormClient:
    account = stage.accounts.staff(staff_id)
    stage.expect(account is not None, f"{staff_id} 已在监督下绑定动态口令")
    client = FormClient()
    client.open(f"{stage.configuration.public_url}/officer/")
    if account is not None:
        sign_in_with_password(client, staff_id, account.password)
        phone, tries = Phone(secret=account.totp_secret), 0
        while tries < CODES_TRIED and (tries == 0 or client.page.has_field("otp")):
            give_code(client, phone)  # Keycloak takes a code once; a telling just before may have used it
            tries += 1
    stage.expect("制证与签发" in client.page.text, f"{staff_id} 用口令和动态口令登录工作台")
    return client


def _department(stage: Stage, client_id: str, scopes: str) -> DepartmentClient:
    return DepartmentClient(configuration=stage.configuration, client_id=client_id, scopes=scopes)


def _check(stage: Stage, department: DepartmentClient, pdf: bytes, asked: dict[str, Any]) -> dict[str, Any]:
    return _ok(
        stage,
        department.post(
            "/verifications",
            files={"document": ("ecert.pdf", pdf, "application/pdf")},
            data={"request": json.dumps(asked, ensure_ascii=False)},
        ),
    )


def _ok(stage: Stage, answer: requests.Response, status: int = 200) -> dict[str, Any]:
    if answer.status_code != status:
        stage.expect(False, f"HTTP {answer.status_code}，应为 {status}：{answer.text[:300]}")
    body: dict[str, Any] = answer.json()
    return body


def _case(stage: Stage, prefix: str) -> str:
    """A case number of this telling, so that the story can be told again."""
    return f"{prefix}-{stage.began:%Y%m%d%H%M%S}"
