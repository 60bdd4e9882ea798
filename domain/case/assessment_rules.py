"""The word lists and tables of the assessment. Everything a firm may want to tune is here, and nothing else.

In a list, commas separate phrases. English is written without punctuation in any case, one number of a noun is enough
(``fee`` finds ``fees``), verbs are listed in the forms that occur; Chinese is written in simplified characters. Where
two phrases start at the same place the longer one counts, and what it covers is not read again: so ``withdraw my
complaint`` under :data:`NOT_A_CATEGORY` keeps ``withdraw`` from counting.
"""

from decimal import Decimal

from domain.ground.words import Category, Priority, Severity

CATEGORY_WORDS: dict[Category, dict[int, str]] = {
    Category.EXECUTION: {
        3: """
            slippage, requote, requoted, off quote, off market quote, off market price, bad tick, bad quote,
            wrong price, wrong quote, invalid price, invalid quote, stop out, stopped out, stop loss, stoploss,
            take profit, margin call, liquidated my position, position was liquidated, position liquidated,
            forced liquidation, forcibly closed, closed my position, closed my trade, position was closed,
            position were closed, trade was closed, trade were closed, filled at, fill price, order was rejected,
            order rejected, order not executed, order was not executed, executed at, execution price, entry price,
            exit price, opening price, closing price, spread widened, widened the spread, wide spread, price spike,
            price gap, negative balance, cancelled my trade, canceled my trade, cancelled my profit,
            removed my profit, binary option, pending order, limit order, market order, buy limit, sell limit,
            buy stop, sell stop, strike price, expiry price, price manipulation, wrong execution, late execution,
            delayed execution,
            滑点, 爆仓, 强平, 强制平仓, 强行平仓, 被平仓, 被平掉, 止损, 止盈, 点差, 报价异常, 异常报价, 报价错误,
            错误报价, 插针, 跳空, 穿仓, 追加保证金, 重新报价, 成交价, 无法平仓, 不能平仓, 平不了仓, 无法开仓,
            无法成交, 拒绝成交, 挂单, 限价单, 市价单, 取消盈利, 扣除盈利, 撤销交易, 二元期权, 卡单, 斩仓, 假行情,
            成交延迟, 延迟成交, 行情异常, 价格异常""",
        2: """
            execution, executed my order, spread, slipped, margin level, leverage, stop level, lot size, quote,
            candle, open position, close my position, tick data, price feed, my position, xauusd, spot gold, forex,
            mt4, mt5, metatrader, limit price, my order, my trade, requotation,
            平仓, 开仓, 建仓, 持仓, 报价, 杠杆, 点位, 下单, 交易订单, k线, 手数, 多单, 空单, 伦敦金, 现货黄金,
            黄金交易, 炒黄金, 外汇, 期货""",
        1: """filled, trader, trading, position, gold price, chart, 成交, 行情, 保证金, 盈利""",
    },
    Category.WITHDRAWAL: {
        3: """
            withdrawal request, withdrawal is pending, withdrawal pending, pending withdrawal, withdrawal rejected,
            withdrawal was rejected, withdrawal delay, withdrawal delayed, delayed withdrawal, late withdrawal,
            withdrawal refused, refused my withdrawal, my withdrawal, withdraw my money, withdraw my fund,
            withdraw fund, withdraw money, withdraw my profit, withdraw my balance, payout, pay out my balance,
            cash out,
            提现, 出金, 提款, 取不出, 提不出, 提不了现, 不让提, 不给提, 无法取出, 取款""",
        2: """withdraw, withdrew, withdrawal, get my money out, 取出来, 提取资金, 提取余额""",
    },
    Category.DEPOSIT: {
        3: """
            deposit not credited, deposit was not credited, deposit never credited, deposit was never credited,
            deposit has not been credited, deposit not received, deposit is missing, missing deposit,
            deposit bonus, deposit did not arrive, deposit has not arrived, deposit failed, top up, topped up,
            fund my trading account, funded my account, credited to my trading account,
            入金, 充值, 存款未到账, 充值不到账, 入账""",
        2: """deposit, 未到账, 没到账, 没有到账, 不到账""",
        1: """deposited""",
    },
    Category.FEE: {
        3: """
            overcharged, over charged, hidden fee, hidden charge, commission, swap, overnight fee,
            overnight interest, overnight charge, rollover fee, inactivity fee, membership fee, guarantee fee,
            management fee, maintenance fee, service fee, monthly fee, conversion fee, refund the fee,
            refund of fee, charged twice, double charged, excessive fee, fee waived, waive the fee,
            undisclosed fee,
            扣费, 会员费, 担保费, 手续费, 服务费, 隔夜利息, 隔夜费, 库存费, 过夜费, 佣金, 管理费, 乱收费, 多收,
            违约金, 罚息, 砍头息, 息费, 利息费, 利息太高, 高利息, 退息, 退费""",
        2: """fee, interest charge, charged interest, 利息, 费用, 费率, 收费, 扣款""",
        1: """charged, charge me""",
    },
    Category.PLATFORM: {
        3: """
            app crashed, app crash, app keeps crashing, platform crashed, platform crash, platform was down,
            platform is down, platform froze, app froze, screen froze, frozen screen, server down, server was down,
            server is down, server error, system down, system was down, system error, system outage,
            technical error, technical problem, technical issue, outage, glitch, disconnection, lost connection,
            connection lost, lagging, cannot log in, can't log in, could not log in, couldn't log in,
            unable to log in, login failed, login error, cannot login, can't login, unable to login, website down,
            website was down, would not load, error message,
            闪退, 卡顿, 死机, 卡死, 无法登录, 无法登陆, 无法登入, 登录不了, 登录不上, 登不上, 登不了, 登陆不上,
            掉线, 断线, 系统故障, 系统崩溃, 系统错误, 崩溃, 宕机, 系统维护, 软件打不开, app打不开, 平台打不开,
            服务器, 软件故障, 黑屏, 白屏""",
        2: """mobile app, the app, disconnected, server, log in, login, bug, 软件, 登录, 登陆, 登入, 网络连接""",
        1: """app, platform, website, 系统, 打不开, 延迟""",
    },
    Category.ACCOUNT: {
        3: """
            checking account, saving account, joint account, account frozen, account was frozen, account is frozen,
            froze my account, frozen my account, freeze my account, account closed, account was closed,
            closed my account, closing my account, close my account, account suspended, account was suspended,
            suspended my account, account locked, account was locked, locked my account, locked out,
            account blocked, account was blocked, blocked my account, restricted my account, account restricted,
            account was restricted, kyc, verification document, identity verification, verify my identity,
            overdraft, overdrawn, insufficient fund, nsf, debit card, certificate of deposit, direct deposit,
            online banking, account was hacked, account hacked, account takeover, deposited a check,
            deposit a check, check deposit, cash a check, account was compromised,
            账户被冻结, 账号被封, 封号, 封户, 销户, 注销账户, 注销账号, 开户, 实名认证, 身份验证, 审核不通过,
            储蓄卡, 借记卡, 账户被盗, 账号被盗, 冻结, 解冻, 挂失, 风控""",
        2: """
            bank account, checking, branch, teller, banker, my bank, on hold, hold on my, cleared check,
            cashier's check, account bonus,
            账户, 账号, 存款, 网点, 柜台, 密码, 银行卡, 被锁""",
        1: """fund, check, bank, opened an account, open an account, new account, account number""",
    },
    Category.CONDUCT: {
        3: """
            misled, mislead, misleading me, misrepresented, misrepresentation, unsuitable, pressured me,
            high pressure, churning, unauthorised trading, unauthorized trading, unauthorised trade,
            unauthorized trade, traded without my permission, guaranteed profit, guaranteed return, false promise,
            scammed me, rigged, manipulated, manipulation, ponzi, fake platform, unlicensed, unregulated,
            conflict of interest, mis sold, missold, mis selling, discriminated, discrimination, bait and switch,
            false advertising, boiler room,
            误导, 诱导, 虚假宣传, 欺骗, 诈骗, 欺诈, 被骗, 骗局, 黑平台, 杀猪盘, 喊单, 带单, 代客操作, 承诺收益,
            保本保息, 承诺保本, 保本理财, 稳赚, 操纵, 操控, 后台操作, 无牌照, 忽悠, 不当销售, 飞单, 强制搭售,
            捆绑销售""",
        2: """
            scam, scammed, lied to me, deceived, deceptive, my account manager, my adviser, my advisor,
            false statement,
            骗, 套路, 违规""",
        1: """fraud, unethical, unfair, 非法""",
    },
    Category.LENDING: {
        3: """
            mortgage, home loan, student loan, auto loan, car loan, vehicle loan, payday loan, personal loan,
            title loan, loan servicer, loan modification, loan application, loan officer, refinance, refinanced,
            refinancing, escrow, foreclosure, forbearance, deferment, heloc, repossession, repossessed, appraisal,
            down payment, lender, car payment, mortgage company, land contract, monthly payment, closing cost,
            private student loan,
            贷款, 网贷, 房贷, 车贷, 消费贷, 高利贷, 提前还款, 提前结清, 放款, 下款, 抵押""",
        2: """
            loan, borrower, borrowed, borrow, servicer, servicing, principal, interest rate, line of credit, lease,
            leased, payoff amount,
            贷, 借款, 还款, 分期, 逾期, 利率, 年化, 授信""",
        1: """property, financed, payoff, my car, my house, my home, insurance, 额度""",
    },
    Category.CARD: {
        3: """
            credit card, card declined, card was declined, card was stolen, stolen card, card was charged,
            charged my card, chargeback, charge back, prepaid card, gift card, balance transfer, cash advance,
            credit limit, cardholder, card member, cardmember, reward point, bonus point, my card, the card,
            new card, card company, merchant,
            信用卡, 刷卡, 盗刷, 提额, 降额, 年费, 办卡, 下卡, 封卡, 批卡, 白金卡, 金卡, 发卡, 卡片, 临时额度,
            卡中心""",
        2: """
            card, annual fee, purchase, statement credit, minimum payment, reward, disputed charge, promotional,
            额度, 激活, 商户, 分期, 账单""",
        1: """apr, refund, store, statement, late fee, dispute the charge""",
    },
    Category.PAYMENT: {
        3: """
            wire transfer, wire, wired, money transfer, transfer money, transferred money, sent money, send money,
            remittance, unauthorised transaction, unauthorized transaction, unauthorised payment,
            unauthorized payment, unauthorised transfer, unauthorized transfer, unauthorised withdrawal,
            unauthorized withdrawal, payment failed, stop payment, bill pay, zelle, venmo, paypal, cash app,
            western union, moneygram, bank transfer, transfer failed, money order, payee, recipient,
            virtual currency,
            转账, 汇款, 支付宝, 微信支付, 扫码, 付款失败, 支付失败, 重复扣款, 电汇, 快捷支付, 收款, 转不出""",
        2: """transfer, transferred, transaction, crypto, bitcoin, wallet, my money back, 支付, 付款, 到账, 退款""",
        1: """sent to, send to, transit""",
    },
    Category.DEBT_COLLECTION: {
        3: """
            debt collector, debt collection, collection agency, collection company, collection account,
            collect a debt, collect this debt, collect the debt, collect on a debt, collecting a debt,
            collecting on a debt, attempting to collect, trying to collect, attempt to collect, alleged debt,
            debt validation, validation of debt, validate the debt, validate this debt, proof of debt,
            cease and desist, fdcpa, fair debt collection practices act, not my debt, debt is not mine, do not owe,
            don't owe, never owed, did not owe, harassing call, harassing phone call, harassing me,
            stop calling me, garnishment, garnish, garnished, process server, the debt, this debt, a debt,
            credit card debt, medical debt, student loan debt, mortgage debt, collection notice, collection letter,
            催收, 催债, 讨债, 爆通讯录, 骚扰电话, 上门催, 催款, 欠债, 协商还款""",
        2: """
            debt, collector, business with, sent to collection, in collection, to collection, to collect,
            original creditor, owed, settle, judgment, judgement, portfolio,
            欠款, 恐吓, 威胁""",
        1: """
            owe, collection, validation, balance, calling me, call from, hang up, threatened, harass, harassed,
            creditor,
            逾期""",
    },
    Category.HARDSHIP: {
        4: """
            hardship notice, hardship application, hardship assistance, hardship request, hardship variation,
            financial hardship, 困难救助申请, 延期还款申请, 还款困难申请""",
    },
    Category.CREDIT_REPORT: {
        3: """
            credit report, credit reporting, credit bureau, credit file, credit score, consumer report,
            consumer reporting, credit profile, credit history, fcra, fair credit, my report, hard inquiry,
            hard inquires, inquiry, trade line, tradeline, on my credit, from my credit, identity theft,
            victim of identity theft, reporting agency, reporting bureau, credit agency, 1681, 1681a, 1681b, 1681c,
            1681i, 1681e, 1681g, block of information, reinvestigation,
            征信, 信用报告, 信用记录, 不良记录, 失信""",
        2: """
            transunion, equifax, experian, derogatory, inaccurate, inaccuracy, furnisher, bureau, credit repair,
            my credit, reporting,
            黑名单, 黑户""",
        1: """
            report, charge off, charged off, dispute, disputed, late payment, verified, remove, removed, delete,
            deleted, item,
            信用""",
    },
    Category.PRIVACY: {
        3: """
            data breach, data leak, leaked my, privacy, gdpr, personal data, shared my information, shared my data,
            sold my information, sold my data, delete my data, delete my information, disclosed my,
            隐私, 泄露, 泄漏, 个人信息, 信息安全, 盗用身份, 骚扰短信""",
        2: """personal information, without my consent, marketing email, 未经本人同意, 未经我同意""",
    },
    Category.SERVICE: {
        3: """
            no reply, no response, never replied, not replied, never answered, ignored me, ignored my, ignores my,
            rude, unhelpful, poor service, bad service, terrible service, nobody answers, nobody replies,
            no one answers, no one replies, kept me waiting,
            态度恶劣, 态度差, 态度很差, 服务态度, 不理人, 不理我, 不回复, 推诿, 踢皮球, 敷衍, 联系不上, 打不通,
            无人接听, 没人处理, 效率低, 效率很低, 没人接""",
        2: """hung up, on hold for, 客服, 服务差, 态度""",
        1: """customer service, customer support, supervisor, 排队, 没有回复""",
    },
}
"""The words of each category by weight: 3 names the matter, 2 points at it, 1 goes with it."""

NOT_A_CATEGORY = """
    withdraw my complaint, withdraw the complaint, withdraw this complaint, withdraw a complaint,
    withdraw complaint, withdrew my complaint, withdrawn my complaint, withdraw my case, withdraw the case,
    withdraw my claim, withdraw my consent, withdraw consent, withdraw my application, withdraw the application,
    withdraw my offer, withdraw from school, withdrew from school, withdraw from college, withdrew from college,
    withdrew from the school, security deposit, interest rate swap, court order, in order to, commission of,
    federal trade commission, exchange commission, identification card, id card, social security card,
    business card, green card, report card, liquidated damages, free of charge, in charge, person in charge,
    take charge, spread out, spread over, spread the, margin of error, executed contract, be in a position,
    put me in a position, no interest in, in my interest, best interest, quote unquote,
    出金额, 出金融, 出金钱, 出金属, 出金牌, 入金额, 入金融, 入金属, 入金库, 强平台, 强平衡, 取款项, 止损失, 止损害,
    止损坏, 止损毁, 止损伤, 有点差, 点差别, 点差距, 点差错, 点差劲, 行情况, 成交通, 成交付, 成交接, 成交流, 成交叉,
    下单位, 下单独, 下单方, 开仓库, 建仓库, 带单位, 多收到, 多收入, 多收获, 天然气泄露, 天然气泄漏, 燃气泄露,
    燃气泄漏, 煤气泄露, 煤气泄漏, 污水泄漏"""
"""Phrases that contain a word of a category and do not mean it."""

MANY_TRADES = 10
"""A complaint that names as many trades is complex."""

TIE_ORDER: tuple[Category, ...] = (
    Category.EXECUTION,
    Category.WITHDRAWAL,
    Category.DEPOSIT,
    Category.HARDSHIP,
    Category.DEBT_COLLECTION,
    Category.CARD,
    Category.LENDING,
    Category.PAYMENT,
    Category.ACCOUNT,
    Category.CREDIT_REPORT,
    Category.PRIVACY,
    Category.CONDUCT,
    Category.FEE,
    Category.PLATFORM,
    Category.SERVICE,
)
"""Of two categories with as many points the earlier one is taken: what can be investigated before what is general."""

REMAINS = Category.SERVICE
"""What a complaint is about where it tells of no other matter: that nobody answers comes on top of most of them."""

ENOUGH = 2
"""Fewer points than this decide nothing."""

BEYOND_DOUBT = 6
"""Fewer points than this decide nothing where a model proposes another category: then a person decides."""

EVERYDAY_LENGTH = 120
"""Up to so many English words or Chinese characters everyday speech decides too; in more the word lists do better."""

SEVERITY_WORDS: dict[Severity, dict[str, str]] = {
    Severity.CRITICAL: {
        "danger to life": """
            suicide, suicidal, kill myself, killing myself, kill himself, kill herself, kill themselves,
            hang myself, end my life, ending my life, end it all, take my life, take my own life,
            taking my own life, want to die, wish i was dead, wish i were dead, better off dead,
            don't want to live, do not want to live, no reason to live, no longer want to live, not want to live,
            self harm, harm myself, hurt myself, overdose, jump off a, kill me, kill my family, death threat,
            自杀, 轻生, 不想活, 活不下去, 活不成, 寻死, 想死, 去死, 跳楼, 跳河, 跳桥, 上吊, 割腕, 自残, 遗书,
            结束生命, 了结生命, 结束自己的生命, 自我了断, 喝农药, 服毒, 自尽, 自焚, 死亡威胁, 杀人, 杀我, 杀了我,
            弄死, 出人命, 逼死""",
    },
    Severity.HIGH: {
        "illness or disability": """
            illness, seriously ill, terminally ill, critically ill, i am ill, is ill, very ill, cancer, tumor,
            tumour, chemotherapy, dialysis, hospital, hospitalized, hospitalised, stroke, heart attack, surgery,
            disability, disabled veteran, disabled person, i am disabled, permanently disabled, wheelchair,
            dementia, alzheimer, depression, mental health, pregnant, life support, intensive care, i am sick,
            very sick,
            生病, 重病, 患病, 病重, 大病, 癌, 肿瘤, 化疗, 透析, 住院, 手术, 医药费, 救命, 残疾, 伤残, 抑郁, 精神病,
            中风, 心脏病, 脑梗, 瘫痪, 尿毒症, 白血病, 怀孕, 孕妇, 重症, 病危""",
        "bereavement": """
            passed away, funeral, bereaved, bereavement, widow, widower, my late husband, my late wife,
            death of my, deceased,
            去世, 过世, 病逝, 丧事, 遗孀, 遗产""",
        "old age": """
            elderly, pensioner, senior citizen, my grandmother, my grandfather, my grandma, my grandpa, old age,
            老人, 老年人, 年迈, 高龄, 年事已高, 退休老, 爷爷, 奶奶, 老母亲, 老父亲""",
        "hardship": """
            hardship, homeless, homelessness, evicted, eviction, lose my home, lose my house, losing my home,
            losing my house, lost my home, lost my house, lost my job, laid off, unemployed, cannot afford food,
            can't afford food, can't afford to eat, cannot afford to eat, can't pay my rent, cannot pay my rent,
            can't pay rent, cannot pay rent, feed my child, feed my children, feed my kid, feed my family,
            starving, food stamp, going bankrupt, destitute, make end meet, foreclosed, utilities shut off,
            生活困难, 经济困难, 家庭困难, 家里困难, 困难群众, 困难户, 手头困难, 失业, 下岗, 揭不开锅, 吃不上饭,
            没饭吃, 无家可归, 走投无路, 交不起, 付不起, 还不起, 无力偿还, 无力还款, 低保, 破产, 没有收入,
            没有经济来源, 单亲, 孤儿, 留守, 农民工, 家破人亡, 妻离子散""",
        "whole savings": """
            life saving, take my life saving, taking my life saving, all my saving, all of my saving,
            entire saving, whole saving, our saving, my saving are gone, retirement saving, retirement fund,
            pension, nest egg, all my money, all of my money, all the money i have, lost everything, college fund,
            积蓄, 养老钱, 养老金, 退休金, 棺材本, 全部身家, 全部家当, 所有的钱, 全部的钱, 血汗钱, 救命钱, 倾家荡产,
            卖房的钱, 卖房款""",
        "violence or intimidation": """
            violence, violent, physically threatened, physical threat, threatened my family, threatened me,
            threatening me, threatened to hurt, assaulted, stalked, stalking, came to my house,
            暴力, 威胁, 恐吓, 殴打, 打人, 人身安全, 上门闹, 爆通讯录, 堵门, 泼油漆, 跟踪我""",
        "data leak": """
            data breach, data leak, leaked my, my data was leaked, information was leaked, information leaked,
            data was leaked, data leaked, information was exposed, data was exposed, information was stolen,
            sold my information, sold my data, security breach, someone else's data, disclosed my,
            信息泄露, 信息泄漏, 信息被泄, 泄露信息, 泄露个人, 泄露客户, 泄露用户, 泄露我, 泄露了我, 泄露隐私,
            隐私泄露, 数据泄露, 数据泄漏, 资料泄露, 资料泄漏, 资料外泄, 信息外泄, 贩卖个人信息, 倒卖信息,
            个人信息被""",
    },
    Severity.MEDIUM: {
        "regulator": """
            regulator, regulatory authority, ombudsman, financial ombudsman service, financial conduct authority,
            fca, cfpb, cfbp, consumer financial protection bureau, ftc, federal trade commission,
            securities and exchange commission, finra, cftc, nfa, asic, afca, sfc, hkma, monetary authority, cysec,
            bafin, attorney general, better business bureau, bbb, financial commission, consumer council, 12386,
            12378, 12363, 12315, 12345,
            监管, 证监, 银监, 保监, 银保监, 金管局, 金融局, 金融办, 人民银行, 央行, 外汇局, 消协, 消保, 消费者协会,
            消委会, 申诉专员, 工商局, 市场监督, 信访, 上访""",
        "difficulty": """struggling to pay, behind on my payment, 困难""",
        "media": """
            the press, journalist, newspaper, reporter, the media, to the media, on television, tv station,
            go public, going public, go viral,
            媒体, 记者, 曝光, 报社, 电视台, 新闻, 微博, 抖音, 315晚会""",
        "lawyer or court": """
            lawyer, attorney, solicitor, barrister, lawsuit, sue you, sue them, suing, to sue, will sue,
            legal action, legal proceeding, to court, in court, small claim, litigation, class action, arbitration,
            律师, 起诉, 法院, 诉讼, 打官司, 仲裁, 法律途径, 法律手段, 告你们, 告上""",
        "police": """
            police, sheriff, criminal complaint, fbi, interpol,
            报警, 警察, 公安, 派出所, 经侦, 立案, 报案, 刑事""",
        "theft or fraud": """
            identity theft, stolen, stole my, stole from, stole money, hacked, hacker, scammed, defrauded,
            fraudster, fraudulent, fraud, forged, unauthorised, unauthorized, without my authorisation,
            without my authorization,
            盗刷, 被盗, 盗用, 冒用, 诈骗, 欺诈, 被骗, 骗走, 骗钱, 黑客""",
    },
}
"""The words that raise the severity, by the kind of harm they tell of."""

NOT_SEVERE = """
    financial suicide, kill my credit, hospital bill, hospital debt, as deceased, sick of, sick and tired,
    i am sick of, i am sick and tired, ill effect, stroke of, key stroke, power of attorney, attorney fee,
    press release, depression in the market, market depression, economic depression, great depression,
    surgery center,
    自杀式, 年轻生, 跳楼价, 跳楼机, 想死你, 想死心, 笑死, 杀人游戏, 提现困难, 出金困难, 取款困难, 提款困难,
    登录困难, 登陆困难, 操作困难, 沟通困难, 开户困难, 办理困难, 停车困难, 出行困难, 交通困难, 手术刀, 监管员,
    新闻发布, 新闻网"""
"""Phrases that contain a word of harm and do not tell of it."""

CLAIMS: tuple[tuple[Severity, Decimal], ...] = (
    (Severity.HIGH, Decimal(20_000)),
    (Severity.MEDIUM, Decimal(1_000)),
)
"""From which amount claimed on, in US dollars or what stands for them by :data:`UNITS_PER_DOLLAR`."""

UNITS_PER_DOLLAR: dict[str, Decimal] = {
    "CNY": Decimal(7),
    "CNH": Decimal(7),
    "HKD": Decimal(8),
    "TWD": Decimal(30),
    "JPY": Decimal(150),
    "KRW": Decimal(1_400),
    "INR": Decimal(85),
    "IDR": Decimal(16_000),
    "VND": Decimal(25_000),
    "THB": Decimal(35),
    "PHP": Decimal(57),
    "MYR": Decimal(4),
    "AED": Decimal(4),
    "SAR": Decimal(4),
    "ZAR": Decimal(18),
    "MXN": Decimal(18),
    "BRL": Decimal(5),
    "PLN": Decimal(4),
    "CZK": Decimal(23),
    "HUF": Decimal(360),
    "SEK": Decimal(10),
    "NOK": Decimal(10),
    "DKK": Decimal(7),
    "TRY": Decimal(40),
    "RUB": Decimal(90),
    "KWD": Decimal("0.3"),
    "BHD": Decimal("0.4"),
    "OMR": Decimal("0.4"),
}
"""Orders of magnitude for :data:`CLAIMS`, not exchange rates: no sum is ever computed with them.

A currency that is not here counts like the dollar: a claim in a smaller one is rated too high rather than too low.
"""

PRIORITIES: dict[Severity, tuple[Priority, Priority, Priority]] = {
    Severity.CRITICAL: (Priority.P1, Priority.P1, Priority.P1),
    Severity.HIGH: (Priority.P2, Priority.P1, Priority.P1),
    Severity.MEDIUM: (Priority.P3, Priority.P2, Priority.P1),
    Severity.LOW: (Priority.P4, Priority.P3, Priority.P2),
}
"""Priority by severity: on its own, with one reason to hurry (a repeat complainant, the regulator), with both."""

NOT_ABOUT_US = """
    not your company, not your firm, not your platform, not about your company, not about your firm, not about you,
    not about your platform, not a complaint about you, not complaining about you, not against your company,
    nothing to do with you, nothing to do with your company, nothing to do with your firm,
    nothing to do with your platform, not your customer, not your client, not a customer of yours,
    not a client of yours, no account with you, never had an account with you,
    投诉的不是贵公司, 投诉的不是贵平台, 投诉的不是你们, 投诉对象不是贵公司, 而不是贵公司, 而不是贵平台, 而不是你们,
    不是贵公司的事, 不是投诉贵公司, 不是投诉贵平台, 不是投诉你们, 并非贵公司, 并非投诉贵公司, 与贵公司无关,
    与贵平台无关, 与贵司无关, 与你们无关, 跟贵公司无关, 跟你们无关, 和贵公司无关, 和你们无关, 不是你们的客户,
    不是贵公司的客户, 不是贵公司客户"""
"""The text says in so many words that it is not about us."""

COMPLAINS_OF = """
    complaint about, complaint is about, complaint against, complaint is against, complaint concerns,
    complaining about, complain about,
    投诉, 投诉的是, 举报, 举报的是"""
"""Followed by one of :data:`OTHER_FIRMS` they say the same."""

DEALS_WITH = """
    account with, my account is with, my account was with, traded with, trading with, invested with,
    deposited with, opened with, money with, money is with, happened with, problem with, dispute with,
    this is with, this was with, it is with, it was with, that is with, that was with, position with, money at,
    happened at, happened on"""
"""Followed by one of :data:`OTHER_FIRMS` they tell of dealings elsewhere."""

OTHER_FIRMS = """
    another broker, another firm, another platform, a different broker, a different firm, a different platform,
    some other broker,
    另一家平台, 另一家公司, 另一家券商, 另一家交易商, 另一个平台, 另外一家平台, 另外一家公司, 别的平台, 别家平台,
    别的公司, 其他平台, 其它平台, 其他公司"""

DEALINGS_AT = """
    开户, 开的户, 开了户, 交易, 入金, 充值, 投资, 被骗, 亏, 买, 做单, 下单, 提现, 出金, 爆仓, 遇到, 发生, 受骗"""
"""The same in Chinese: 在, one of :data:`OTHER_FIRMS` and one of these."""

NOT_SAID_OF_ANOTHER = """
    not your company policy, not your company first, not your company fault, not your company only,
    not your company that, not your platform fault, is it not your company, why is it not your company,
    open an account with another broker,
    难道与贵公司无关, 难道与你们无关, 难道跟你们无关, 不是贵公司的事吗"""
"""Contain words of the lists above and are said about us: rhetorical questions, leaving announced."""

ABOUT_US = """
    your company, your firm, your platform, your broker, your app, your website, your server, your system,
    your price, your quote, your spread, your chart, your staff, your team, your support, your customer service,
    your execution, your dealer, your dealing desk, your fee, your term, your agent, your employee,
    account with you, traded with you, trade with you, money with you, fund with you, deposited with you,
    you closed, you charged, you refuse, you refused, you reject, you rejected, you cancelled, you canceled,
    you executed, you filled, you blocked, you froze, you liquidated, you stopped, you owe, you took, you stole,
    you did not, you didn't, you never, you failed,
    贵公司, 贵平台, 贵司, 你们公司, 你们平台, 你们的平台, 你们系统, 你们的系统, 你们报价, 你们的报价, 你们的价格,
    你们客服, 你们的客服, 你司, 你方, 在你们, 你们强平, 你们平仓, 你们扣, 你们拒绝, 你们不"""
"""A complaint that also says this may be about us after all: then it is ours."""

COMPARES = """
    compared, comparison, compare, same time, same moment, same second, same minute, price, quote, chart, spread,
    candle, no problem, without problem,
    对比, 相比, 比较, 同一时间, 同一时刻, 同时间, 同一秒, 同一分钟, 价格, 报价, 点差, k线, 行情, 正常, 没有问题,
    没问题"""
"""Dealings elsewhere told beside this may be there to compare: then it is ours too."""

NO_OTHER_FIRM = """
    you, yourselves, your company, your firm, your platform, your broker, your app, your website, us, none, na,
    n a, unknown, not sure,
    贵公司, 贵平台, 贵司, 贵方, 你们, 你们公司, 你们平台, 你司, 你方, 本公司, 本平台, 无, 没有, 不知道, 不清楚,
    不详"""
"""What people put into ``about`` when they mean the firm they write to, or nobody."""

COMPANY_FORMS = """
    ltd, limited, inc, incorporated, corp, corporation, co, company, plc, llc, llp, lp, pty, pte, gmbh, ag, sa,
    sarl, bv, nv, ab, oy, kk, bhd, sdn, the, group, holding"""
"""Words that do not tell one firm from another."""

COMPANY_ENDINGS = ("股份有限公司", "有限责任公司", "有限公司", "控股集团", "集团公司", "公司", "集团", "控股")
"""The same in Chinese, where they end the name."""
