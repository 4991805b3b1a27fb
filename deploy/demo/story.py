"""`./longzheng demo`: the main job, played over HTTP without a browser. Any step that differs ends it with exit 1.

Each step is told on standard error as it goes; with `--json` the report is the one document on standard output.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import requests

from deploy import options
from deploy.configuration import Configuration, load
from deploy.demo.accounts import DemoAccounts, organisations, person
from deploy.demo.acts_identity import CITIZEN, impostor_is_refused, one_sign_in_for_all_sites
from deploy.demo.acts_registry import (
    department_checks,
    documents_already_held,
    draft_sign_deliver,
    holder_sees_checks,
    revoke_and_check_again,
    stock_goes_in,
)
from deploy.demo.stage import Stage, StepDiffers
from deploy.errors import DeployError, ExitCode
from deploy.locations import CHECKOUT, state_directory

OFFICERS = (
    ("li.wenjing", "李文静，示例市市场监督管理局，制证人"),
    ("gao.yuan", "高远，示例市市场监督管理局，签发人"),
    ("he.ping", "何平，示例县市场监督管理局，制证人：看不到市局的证照"),
)
ACTS: tuple[tuple[str, Callable[[Stage], None]], ...] = (
    ("冒名者被拒绝", impostor_is_refused),
    ("一次登录，各站通用，一处退出，处处退出", one_sign_in_for_all_sites),
    ("存量证照归集", stock_goes_in),
    ("申请食品经营许可证：哪些材料免提交", documents_already_held),
    ("制证、签发、盖章、送达", draft_sign_deliver),
    ("其他部门比对和查验", department_checks),
    ("吊销，下一次查验立即可见", revoke_and_check_again),
    ("持证人看到谁查过", holder_sees_checks),
)


def main(argv: list[str]) -> int:
    """Play the story against the running system.

    Returns:
        0 when every step went as told, 1 when one differed, 3 when a part is away.
    """
    arguments = options.demo().parse_args(argv)
    configuration = load(state_directory())
    if arguments.code:
        return _print_code(configuration, arguments.code)
    out: Path = arguments.out or configuration.state_dir / "demo"
    out.mkdir(parents=True, exist_ok=True)
    stage = Stage(configuration=configuration, out=out)
    code = _play(stage)
    report = stage.report(ended=datetime.now(UTC), succeeded=code is ExitCode.DONE)
    (out / "report.json").write_text(
        json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    if code is ExitCode.DONE:
        _goodbye(configuration, stage)
    return int(code)


def _play(stage: Stage) -> ExitCode:
    try:
        for title, act in ACTS:
            stage.begin(title)
            act(stage)
        _take_away(stage)
    except StepDiffers as differs:
        stage.say(f"✗ {differs}")
        return ExitCode.NEGATIVE
    except requests.RequestException as error:
        stage.say(f"✗ A part does not answer ({type(error).__name__}): see ./longzheng status.")
        return ExitCode.UNAVAILABLE
    except DeployError as error:
        stage.say(f"✗ {error}")
        return ExitCode.NEGATIVE if error.code == "page-unexpected" else ExitCode.UNAVAILABLE
    return ExitCode.DONE


def _take_away(stage: Stage) -> None:
    """Trust anchors and receipt keys beside the files, and the last word: the command line, offline."""
    stage.begin("离线验证")
    trust = requests.get(f"{stage.configuration.public_url}/pki/trust.pem", timeout=30)
    (stage.out / "trust.pem").write_bytes(trust.content)
    keys = requests.get(f"{stage.configuration.public_url}/api/v1/receipts/jwks.json", timeout=30)
    (stage.out / "jwks.json").write_text(keys.text, encoding="utf-8")
    done = subprocess.run(
        [
            str(CHECKOUT / "longzheng"),
            "verify",
            str(stage.out / "ecert.pdf"),
            str(stage.out / "altered.pdf"),
            "--trust",
            str(stage.out / "trust.pem"),
            "--offline",
            "--json",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    verdicts = [one["verdict"] for one in json.loads(done.stdout)]
    stage.expect(verdicts == ["TOTAL-PASSED", "TOTAL-FAILED"], "没有网络也能验证：原件通过，改动过的不通过")


def _print_code(configuration: Configuration, staff_id: str) -> int:
    account = DemoAccounts(configuration).staff(staff_id)
    if account is None:
        known = "、".join(str(one["staff_id"]) for one in organisations()["staff"])
        print(f"没有这个演示工作人员：{staff_id}。有：{known}。", file=sys.stderr)
        return int(ExitCode.BAD_USAGE)
    print(pyotp.TOTP(account.totp_secret).now())
    return int(ExitCode.DONE)


def _goodbye(configuration: Configuration, stage: Stage) -> None:
    url, accounts, citizen = configuration.public_url, stage.accounts, person(CITIZEN)
    sites = [f"  {site.title}　{site.url}" for site in configuration.sites.values()]
    officers = [f"    {staff_id}　{title}" for staff_id, title in OFFICERS]
    lines = [
        "",
        "可以自己试试（人物均为虚构）：",
        f"  公众首页　{url}　　证照查验　{url}/verify　　工作台　{url}/officer/",
        *sites,
        f"  公民：{citizen.name}，公民身份号码 {citizen.number}，手机号 {citizen.mobile}；短信看 {url}/idp/operator/sms",
        f"    已注册，用手机号和口令 {accounts.citizen_password()} 登录；其他人物见 deploy/demo/people.yaml",
        f"  工作人员，口令都是 {accounts.staff_password()}，动态口令用 ./longzheng demo --code 账号 查看：",
        *officers,
        "  部门系统的命令（docs/check-a-certificate.md）先设：",
        f"    export LONGZHENG={url} ISSUER={configuration.keycloak.issuer}",
        f"  文件在 {stage.out}：{'、'.join(sorted(path.name for path in stage.out.iterdir()))}",
        "  系统还在运行；./longzheng down 停下它。",
    ]
    print("\n".join(lines), file=sys.stderr)
