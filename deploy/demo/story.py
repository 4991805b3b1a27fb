"""`./longzheng demo`: the main job, played over HTTP without a browser. Any step that differs ends it with exit 1.

Each step is told on standard error as it goes; with `--json` the report is the one document on standard output.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from deploy.configuration import Configuration, load
from deploy.demo.acts_identity import impostor_is_refused, one_sign_in_for_all_sites
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
    parser = argparse.ArgumentParser(prog="longzheng demo", description="Play the main job end to end.")
    parser.add_argument("--out", type=Path, default=None, help="where the files go (default: var/demo)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")
    arguments = parser.parse_args(argv)
    configuration = load(state_directory())
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
    stage.expect(
        verdicts == ["TOTAL-PASSED", "TOTAL-FAILED"], f"没有网络也能验证：原件通过，改动过的不通过 {verdicts}"
    )


def _goodbye(configuration: Configuration, stage: Stage) -> None:
    addresses: dict[str, Any] = {
        "公众首页": configuration.public_url,
        "证照查验": f"{configuration.public_url}/verify",
        "工作台": f"{configuration.public_url}/officer/",
        **{site.title: site.url for site in configuration.sites.values()},
        "短信（演示）": f"{configuration.public_url}/idp/operator/sms",
        "统一身份认证": configuration.keycloak.issuer,
    }
    print("\n可以自己试试：", file=sys.stderr)
    for title, address in addresses.items():
        print(f"  {title}　{address}", file=sys.stderr)
    print(
        f"  演示账号和动态口令密钥在 {configuration.secrets_dir / 'demo-accounts.json'}，"
        f"工作人员初始密码在 {configuration.section('directory')['staff_initial_password_file']}",
        file=sys.stderr,
    )
    print(
        f"  文件在 {stage.out}：{', '.join(sorted(path.name for path in stage.out.iterdir()))}",
        file=sys.stderr,
    )
    print("  系统还在运行；./longzheng down 停下它。", file=sys.stderr)
