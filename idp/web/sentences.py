"""What the pages say at the end of a proof: one sentence, why, and the person's next step."""

from dataclasses import dataclass

from idp.proofing import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Words of an outcome.

    Attributes:
        title: of the page.
        said: what happened.
        next_step: what the person can do.
        may_retry: whether typing again can help.
    """

    title: str
    said: str
    next_step: str
    may_retry: bool


SENTENCES = {
    Outcome.PROVED: Sentence(
        title="实名核验通过",
        said="您的姓名、身份证号码和手机号已核实为同一人。",
        next_step="请点“继续”返回。",
        may_retry=False,
    ),
    Outcome.NAME_DIFFERS: Sentence(
        title="姓名与身份证号码不一致",
        said="您填写的姓名与人口库中这个身份证号码的登记姓名不一致。",
        next_step="请对照身份证核对姓名，少数民族姓名请写全；改过名字的，请先到户籍地派出所更新后再试。",
        may_retry=True,
    ),
    Outcome.NO_SUCH_NUMBER: Sentence(
        title="查不到这个身份证号码",
        said="人口库中没有您填写的身份证号码。",
        next_step="请对照身份证核对号码；核对无误仍查不到的，请带身份证到公安派出所或政务服务窗口办理。",
        may_retry=True,
    ),
    Outcome.DECEASED_OR_CANCELLED: Sentence(
        title="这个身份已注销",
        said="人口库登记的状态是已故或者户口已注销，不能办理实名核验。",
        next_step="如果登记有误，请带身份证和户口簿到户籍地派出所更正；办理亲属身后事，请到政务服务窗口。",
        may_retry=False,
    ),
    Outcome.DOCUMENT_EXPIRED: Sentence(
        title="身份证已过有效期",
        said="您的身份信息一致，但身份证已过有效期。",
        next_step="请到公安派出所换领身份证后再来核验；急需办事的，可以到政务服务窗口由工作人员核对。",
        may_retry=False,
    ),
    Outcome.MOBILE_NOT_OWNED: Sentence(
        title="三项信息核对不一致",
        said="姓名、身份证号码和手机号不是同一人登记的，核验没有通过。",
        next_step=(
            "请使用以您本人身份证登记的手机号；手机号由家人登记的，可到运营商营业厅过户，"
            "或带身份证到政务服务窗口由工作人员核验。"
        ),
        may_retry=True,
    ),
    Outcome.REGISTER_UNAVAILABLE: Sentence(
        title="人口库暂时不能应答",
        said="人口库暂时不能应答，这次没有核验，也不会影响您已有的认证。",
        next_step="您填写的内容已加密登记，人口库恢复后会自动核对，结果用短信告诉您；也可以过几分钟再试。已经实名的账号可以照常登录。",
        may_retry=True,
    ),
    Outcome.OWNERSHIP_UNAVAILABLE: Sentence(
        title="手机号核验暂时不能应答",
        said="手机号实名核验服务暂时不能应答，这次没有核验，也不会影响您已有的认证。",
        next_step="您填写的内容已加密登记，恢复后会自动核对，结果用短信告诉您；也可以过几分钟再试。已经实名的账号可以照常登录。",
        may_retry=True,
    ),
    Outcome.TOO_MANY_TRIES: Sentence(
        title="今天核对次数已用完",
        said="为防止他人试探您的信息，每天核对的次数有限，今天已经用完。",
        next_step="请明天再试，或带身份证到政务服务窗口由工作人员核验。",
        may_retry=False,
    ),
    Outcome.FROZEN: Sentence(
        title="认证已冻结",
        said="这个身份的网上认证已冻结。",
        next_step="请带身份证到政务服务窗口核实后解除。",
        may_retry=False,
    ),
    Outcome.MINOR: Sentence(
        title="未满十四周岁，请监护人办理",
        said="信息核对一致，但未满十四周岁的人不能自己办理网上实名。",
        next_step="请监护人带双方身份证件和户口簿，和孩子一起到政务服务窗口办理。",
        may_retry=False,
    ),
    Outcome.STRONGER_PROOF: Sentence(
        title="请用窗口或刷脸核验时的手机号",
        said="这个身份已经由窗口或刷脸核验过，只能用当时的手机号登录。",
        next_step="那部手机已不用的，请带身份证原件到政务服务窗口重新核验，原账号会立即停用。",
        may_retry=True,
    ),
}

COUNTER_SENTENCES = {
    Outcome.NAME_DIFFERS: (
        "姓名与号码不一致",
        "人口库中这个身份证号码的登记姓名与证件上的姓名不一致。",
        "请核对录入；证件与人口库确有出入的，请本人到户籍地派出所更正后再来。",
    ),
    Outcome.NO_SUCH_NUMBER: (
        "查不到这个身份证号码",
        "人口库中没有这个号码。",
        "请核对录入；核对无误的，请本人到公安派出所查询，并留意证件真伪。",
    ),
    Outcome.DECEASED_OR_CANCELLED: (
        "人口库登记为已故或已注销",
        "这个身份在人口库中的状态是已故或者户口已注销，不能核验。",
        "登记有误的，请本人到户籍地派出所更正；持证人不是本人的，请按规定处理。",
    ),
    Outcome.DOCUMENT_EXPIRED: (
        "证件已过有效期",
        "人口库登记的居民身份证已过有效期，不能作为窗口核验的原件。",
        "请本人换领新证或临时身份证后再来。",
    ),
    Outcome.REGISTER_UNAVAILABLE: (
        "人口库暂时不能应答",
        "这次没有核验，已有的认证不受影响。",
        "请稍后再试；可以先为群众登记，恢复后再请本人来窗口。",
    ),
    Outcome.TOO_MANY_TRIES: (
        "今天核对不一致的次数过多",
        "为防止试探他人信息，每名窗口人员每天核对不一致的次数有限，今天已经用完。",
        "请由其他窗口人员办理，或明天再试。",
    ),
}
