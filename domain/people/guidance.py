"""What whoever is alarmed is told to do."""

from typing import Final

from domain.ground.bilingual import Bilingual

ALARM: Final = Bilingual(
    en="Somebody may be in danger of their life. Read the case now, before anything else. If you can reach them, "
    "call: listen, ask directly, promise nothing about the complaint. If the danger is near, call the emergency "
    "services where the customer is, and your compliance officer. Send nothing automatic, and do not leave the "
    "customer alone with a letter. Then write into the case what you did, and confirm or withdraw the sign "
    "(redress sign).",
    zh="可能有人面临生命危险。请立即查看该案，先于其他一切事务。如能联系到客户，请致电：倾听，直接询问，"
    "不就投诉结果作任何承诺。如危险迫在眉睫，请拨打客户所在地的急救或报警电话，并通知合规人员。"
    "不得发送自动函件，不要让客户独自面对一封信函。之后请将所做之事记入案卷，并确认或撤回该标记（redress sign）。",
)
