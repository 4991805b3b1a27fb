"""Words of one's own history: what happened, what a site was given, how a proof ended."""

from typing import Final

from idp.accounts.history import LineKind

KIND_WORDS: Final = {
    LineKind.SIGN_INS: "登录",
    LineKind.PROOFS: "实名核验",
    LineKind.CONSENTS: "授权与提供",
    LineKind.ECERTS: "证照",
    LineKind.CHANGES: "账号变更",
}
WHAT_WORDS: Final = {
    "site-sign-in": "登录网站",
    "sign-in": "通过统一身份认证",
    "sign-in-failed": "登录没有成功",
    "signed-out": "退出登录",
    "ecert-shown": "查看证照",
    "ecert-downloaded": "下载证照",
    "consent": "同意提供",
    "consent-withdrawn": "撤回授权",
    "number-released": "提供身份证号码",
    "factor-changed": "更改登录凭据",
    "phone-changed": "更换手机号",
    "name-changed": "更新姓名",
    "name-differs-now": "人口库登记姓名已变更",
    "reported": "挂失",
    "closed": "注销账号",
    "death-reported": "人口库登记身份已注销",
    "proof": "实名核验",
    "proof-elsewhere": "有人用您的身份证号码核验",
    "counter": "窗口工作人员办理",
}
PROOF_WORDS: Final = {
    "proved": "通过",
    "name-differs": "姓名不一致",
    "no-such-number": "查无此号",
    "deceased-or-cancelled": "身份已注销",
    "document-expired": "证件已过期",
    "mobile-not-owned": "手机号不是本人登记",
    "register-unavailable": "人口库没有应答",
    "ownership-unavailable": "运营商没有应答",
    "too-many-tries": "次数过多",
    "frozen": "账号已停用",
    "stronger-proof": "需要更强的核验",
    "minor": "未成年人",
}
COUNTER_WORDS: Final = {
    "new": "开通",
    "raised": "提升等级",
    "displaced": "停用原账号并开通",
    "refused": "没有办理",
    "nothing-to-freeze": "没有可停用的账号",
}
FACTOR_WORDS: Final = {
    "password": "密码",
    "otp": "动态口令",
    "webauthn": "通行密钥",
    "webauthn-passwordless": "免密码通行密钥",
    "recovery-authn-codes": "恢复码",
}
GIVEN_WORDS: Final = {
    "openid": "本网站专用的编号",
    "name": "脱敏姓名",
    "realname_level": "实名等级",
    "verified_at": "核验时间",
    "verified_claims": "核验依据",
}
"""What a site was given, by scope or claim."""
