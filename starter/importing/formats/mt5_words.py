"""What the headings of an MT5 report are called, in the languages that the terminal is shipped in.

A report is written in the language of the terminal: its sections, columns and labels. The data are not: types,
directions and states stay English. Each line below has the words of one language, in the order of `TERMS`, those that
mean the same between bars; ``-`` where the word is not known. Which of them were seen in a report of a terminal, and
which are taken from its menus and its help, is told in ``docs/importing.md``. A heading with other words is read by its
place, see `starter.importing.formats.mt5_tables`.
"""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

TERMS: Final = (
    *("time", "open time", "position", "order", "deal", "symbol", "type", "direction", "volume", "price"),
    *("s / l", "t / p", "market price", "state", "commission", "fee", "swap", "profit", "balance", "comment"),
    *("positions", "orders", "deals", "results", "account", "currency"),
)
"""The columns, then the sections, then the labels."""

_LANGUAGES: Final = {
    "en": "Time; Open Time|Opening Time; Position|Ticket; Order; Deal; Symbol; Type; Direction; Volume; Price|Open Price;"
    " S / L|Stop Loss; T / P|Take Profit; Market Price|Current Price; State|Status; Commission; Fee; Swap; Profit;"
    " Balance; Comment; Positions|Closed Positions|Open Positions|Trade Positions; Orders|Working Orders; Deals;"
    " Results|Summary; Account|Login; Currency",
    "zh-Hans": "时间; 开盘时间|开仓时间|开单时间; 持仓|仓位|部位; 订单|定单; 成交|交易; 交易品种|品种|商品; 类型; 趋势|方向; 交易量|成交量|手数;"
    " 价位|价格; 止损|止损价; 止盈|获利|止盈价; 市价|市场价格|市场价|当前价格; 状态; 手续费|佣金; 费用|收费; 库存费|隔夜利息|掉期;"
    " 盈利|利润|获利; 结余|余额; 注释|评论|备注; 持仓|仓位|已平仓持仓|未平仓持仓|未平仓|交易持仓; 订单|定单|挂单|有效订单|工作订单; 成交|交易;"
    " 结果|摘要|概要; 账户|帐户|账号|帐号; 货币|币种",
    "zh-Hant": "時間; 開盤時間|開倉時間|開單時間; 持倉|部位|倉位; 訂單|委託單; 成交|交易; 交易品種|品種|商品; 類型; 趨勢|方向; 交易量|成交量|手數;"
    " 價位|價格; 止損|停損; 止盈|停利|獲利; 市價|市場價格|當前價格; 狀態; 手續費|佣金; 費用|收費; 庫存費|隔夜利息|掉期;"
    " 盈利|利潤|獲利; 結餘|餘額; 註釋|注釋|評論|備註; 持倉|部位|倉位|未平倉持倉|未平倉; 訂單|委託單|掛單|有效訂單; 成交|交易;"
    " 結果|摘要; 帳戶|賬戶|帳號; 貨幣|幣種",
    "ja": "時間|時刻|日時; 新規注文時間|オープン時間|注文時間|エントリー時間|オープン時刻; ポジション; 注文|オーダー; 約定|取引|ディール;"
    " 銘柄|通貨ペア|シンボル; タイプ|種別|取引種別; 新規・決済|方向|売買|エントリー; 数量|取引数量|ボリューム|ロット; 価格|約定価格;"
    " S / L|決済逆指値|決済逆指値(S/L)|損切り; T / P|決済指値|決済指値(T/P)|利食い; 市場価格|現在価格|現在値; 状態|ステータス;"
    " 手数料; 費用|フィー|料金; スワップ; 損益|利益; 残高; コメント; ポジション|保有ポジション|オープンポジション; 注文|オーダー|待機注文|予約注文|有効な注文;"
    " 約定|取引|ディール; 結果|概要|サマリー; 口座|口座番号|アカウント; 通貨|口座通貨",
    "ko": "시간; 오픈 시간|진입 시간|개시 시간; 포지션; 주문|오더; 거래|체결|딜; 심볼|종목|통화쌍; 유형|타입|종류; 방향; 거래량|볼륨|랏|수량;"
    " 가격; S / L|손절|스탑로스; T / P|이익실현|익절|테이크프로핏; 시장가|시장 가격|현재가; 상태; 수수료|커미션; 요금|비용|수수료 기타; 스왑; 수익|이익|손익;"
    " 잔고|잔액; 코멘트|설명|주석|의견; 포지션|오픈 포지션|보유 포지션; 주문|오더|대기 주문|대기주문; 거래|체결|딜; 결과|요약;"
    " 계좌|계정|계좌번호; 통화",
    "ru": "Время; Время открытия; Позиция; Ордер; Сделка; Символ|Инструмент; Тип; Направление; Объем; Цена; S / L|Стоп Лосс|Стоп-лосс;"
    " T / P|Тейк Профит|Тейк-профит; Рыночная цена|Текущая цена; Состояние|Статус; Комиссия; Сбор|Плата|Сборы; Своп; Прибыль; Баланс;"
    " Комментарий; Позиции|Открытые позиции|Торговые позиции|Закрытые позиции; Ордера|Рабочие ордера|Отложенные ордера;"
    " Сделки; Результаты|Итоги|Итог; Торговый счет|Счет|Аккаунт; Валюта",
    "uk": "Час; Час відкриття; Позиція; Ордер; Угода; Символ|Інструмент; Тип; Напрямок|Напрям; Обсяг|Об'єм; Ціна; S / L; T / P;"
    " Ринкова ціна|Поточна ціна; Стан|Статус; Комісія; Збір|Плата; Своп; Прибуток; Баланс; Коментар; Позиції|Відкриті позиції;"
    " Ордери|Робочі ордери; Угоди; Результати|Підсумки; Торговий рахунок|Рахунок; Валюта",
    "bg": "Време; Време на отваряне; Позиция; Ордер|Поръчка; Сделка; Символ; Тип; Посока; Обем; Цена; S / L; T / P;"
    " Пазарна цена; Състояние|Статус; Комисиона|Комисия; Такса; Суап; Печалба; Баланс; Коментар; Позиции|Отворени позиции;"
    " Ордери|Поръчки|Работещи ордери; Сделки; Резултати; Сметка|Акаунт; Валута",
    "de": "Zeit; Eröffnungszeit|Öffnungszeit|Zeit der Eröffnung|Eröffnung; Position; Order|Auftrag; Deal|Trade|Abschluss|Transaktion;"
    " Symbol; Typ; Richtung; Volumen; Preis|Kurs; S / L|Stop Loss; T / P|Take Profit; Marktpreis|Marktkurs|Aktueller Preis;"
    " Status|Zustand; Kommission|Provision; Gebühr|Gebühren; Swap; Gewinn|Profit; Kontostand|Saldo|Bilanz; Kommentar;"
    " Positionen|Offene Positionen|Geschlossene Positionen|Handelspositionen; Orders|Aufträge|Aktive Orders|Offene Orders|Pending Orders|Arbeitende Orders;"
    " Deals|Trades|Abschlüsse|Transaktionen; Ergebnisse|Resultate|Zusammenfassung; Konto; Währung",
    "fr": "Heure|Temps|Date; Heure d'ouverture|Temps d'ouverture|Date d'ouverture; Position; Ordre; Transaction|Deal; Symbole; Type;"
    " Direction|Sens; Volume; Prix; S / L|Stop Loss; T / P|Take Profit; Prix du marché|Prix de marché|Prix actuel; État|Statut;"
    " Commission; Frais; Swap|Échange; Profit|Bénéfice; Solde|Balance; Commentaire; Positions|Positions ouvertes;"
    " Ordres|Ordres en cours|Ordres en attente; Transactions|Deals; Résultats|Résumé; Compte; Devise|Monnaie",
    "es": "Fecha/Hora|Hora|Tiempo|Fecha; Hora de apertura|Fecha/Hora de apertura|Tiempo de apertura|Fecha de apertura; Posición; Orden;"
    " Transacción|Operación|Trato; Símbolo|Instrumento; Tipo; Dirección; Volumen; Precio; S / L|Stop Loss; T / P|Take Profit;"
    " Precio de mercado|Precio actual; Estado; Comisión; Tasa|Tarifa|Cargo|Honorarios; Swap; Beneficio|Ganancia|Beneficios; Balance|Saldo;"
    " Comentario|Comentarios; Posiciones|Posiciones abiertas|Posiciones comerciales; Órdenes|Órdenes activas|Órdenes pendientes|Órdenes en curso;"
    " Transacciones|Operaciones|Tratos; Resultados|Resumen; Cuenta; Divisa|Moneda",
    "pt": "Horário|Hora|Tempo|Data/Hora|Data; Horário da Abertura|Horário de Abertura|Hora de Abertura|Hora da Abertura; Posição; Ordem;"
    " Oferta|Transação|Negócio|Trade; Ativo|Símbolo|Instrumento; Tipo; Direção; Volume; Preço; S / L|Stop Loss; T / P|Take Profit;"
    " Preço de Mercado|Preço Atual; Estado|Status; Comissão; Taxa|Tarifa; Swap; Lucro; Saldo|Balanço; Comentário;"
    " Posições|Posições Abertas|Posições Negociadas; Ordens|Ordens Pendentes|Ordens Ativas|Ordens em Andamento;"
    " Transações|Ofertas|Negócios|Trades; Resultados|Resumo; Conta; Moeda",
    "it": "Ora|Tempo|Orario|Data; Ora di apertura|Orario di apertura|Ora apertura|Tempo di apertura; Posizione; Ordine;"
    " Affare|Operazione|Deal|Transazione; Simbolo; Tipo; Direzione; Volume; Prezzo; S / L|Stop Loss; T / P|Take Profit;"
    " Prezzo di mercato|Prezzo mercato|Prezzo attuale; Stato; Commissione|Commissioni; Tassa|Tariffa|Costo|Commissione aggiuntiva; Swap;"
    " Profitto; Saldo|Bilancio; Commento; Posizioni|Posizioni aperte; Ordini|Ordini attivi|Ordini pendenti|Ordini in corso;"
    " Affari|Operazioni|Deal|Transazioni; Risultati|Riepilogo; Conto|Account; Valuta",
    "pl": "Czas; Czas otwarcia; Pozycja; Zlecenie; Transakcja; Symbol|Instrument; Typ|Rodzaj; Kierunek; Wolumen|Wielkość; Cena;"
    " S / L; T / P; Cena rynkowa|Aktualna cena; Stan|Status; Prowizja; Opłata|Opłaty; Swap|Punkty swapowe; Zysk; Saldo|Balans; Komentarz;"
    " Pozycje|Otwarte pozycje|Pozycje otwarte; Zlecenia|Zlecenia oczekujące|Aktywne zlecenia; Transakcje; Wyniki|Rezultaty|Podsumowanie;"
    " Konto|Rachunek; Waluta",
    "cs": "Čas; Čas otevření; Pozice; Pokyn|Příkaz|Objednávka; Obchod; Symbol; Typ; Směr; Objem; Cena; S / L; T / P; Tržní cena;"
    " Stav; Provize|Komise; Poplatek; Swap; Zisk; Zůstatek|Bilance; Komentář; Pozice|Otevřené pozice;"
    " Pokyny|Příkazy|Objednávky|Čekající pokyny|Pracovní příkazy; Obchody; Výsledky; Účet; Měna",
    "sk": "Čas; Čas otvorenia; Pozícia; Pokyn|Príkaz|Objednávka; Obchod; Symbol; Typ; Smer; Objem; Cena; S / L; T / P; Trhová cena;"
    " Stav; Provízia|Komisia; Poplatok; Swap; Zisk; Zostatok; Komentár; Pozície|Otvorené pozície; Pokyny|Príkazy|Objednávky; Obchody;"
    " Výsledky; Účet; Mena",
    "sl": "Čas; Čas odprtja; Pozicija; Naročilo|Nalog; Posel; Simbol; Vrsta|Tip; Smer; Obseg|Volumen; Cena; S / L; T / P; Tržna cena;"
    " Stanje|Status; Provizija; Pristojbina|Taksa; Swap; Dobiček; Stanje računa|Saldo; Komentar; Pozicije|Odprte pozicije;"
    " Naročila|Nalogi; Posli; Rezultati; Račun; Valuta",
    "hr": "Vrijeme; Vrijeme otvaranja; Pozicija; Nalog; Trgovina|Transakcija; Simbol; Vrsta|Tip; Smjer; Volumen|Obujam; Cijena; S / L; T / P;"
    " Tržišna cijena; Stanje|Status; Provizija; Naknada; Swap; Dobit|Profit; Saldo|Bilanca; Komentar; Pozicije|Otvorene pozicije;"
    " Nalozi; Trgovine|Transakcije; Rezultati; Račun; Valuta",
    "sr": "Vreme|Време; Vreme otvaranja|Време отварања; Pozicija|Позиција; Nalog|Налог; Transakcija|Трансакција|Posao; Simbol|Симбол;"
    " Tip|Тип|Vrsta; Smer|Смер; Obim|Обим|Volumen; Cena|Цена; S / L; T / P; Tržišna cena|Тржишна цена; Stanje|Стање|Status;"
    " Provizija|Провизија; Naknada|Накнада|Taksa; Swap|Своп; Profit|Профит|Dobit; Saldo|Баланс|Balans; Komentar|Коментар;"
    " Pozicije|Позиције; Nalozi|Налози; Transakcije|Трансакције|Poslovi; Rezultati|Резултати; Račun|Рачун; Valuta|Валута",
    "hu": "Idő|Időpont; Nyitási idő|Nyitás ideje; Pozíció; Megbízás|Order; Ügylet|Kötés; Szimbólum|Instrumentum; Típus; Irány;"
    " Volumen|Mennyiség; Ár|Árfolyam; S / L; T / P; Piaci ár; Állapot|Státusz; Jutalék; Díj; Swap; Profit|Nyereség|Eredmény;"
    " Egyenleg; Megjegyzés; Pozíciók|Nyitott pozíciók; Megbízások|Orderek|Függő megbízások; Ügyletek|Kötések; Eredmények; Számla; Deviza|Pénznem",
    "ro": "Timp|Ora|Oră; Timp deschidere|Ora deschiderii; Poziție; Ordin; Tranzacție; Simbol; Tip; Direcție; Volum; Preț; S / L; T / P;"
    " Preț de piață|Preț piață; Stare|Status; Comision; Taxă; Swap; Profit; Sold|Balanță; Comentariu; Poziții|Poziții deschise;"
    " Ordine; Tranzacții; Rezultate; Cont; Valută|Monedă",
    "el": "Ώρα|Χρόνος; Ώρα ανοίγματος|Χρόνος ανοίγματος; Θέση; Εντολή; Συναλλαγή; Σύμβολο; Τύπος; Κατεύθυνση; Όγκος; Τιμή; S / L; T / P;"
    " Τιμή αγοράς; Κατάσταση; Προμήθεια; Χρέωση|Τέλος; Swap|Ανταλλαγή; Κέρδος; Υπόλοιπο|Ισοζύγιο; Σχόλιο|Σχόλια; Θέσεις|Ανοιχτές θέσεις;"
    " Εντολές; Συναλλαγές; Αποτελέσματα; Λογαριασμός; Νόμισμα",
    "nl": "Tijd; Openingstijd|Open tijd; Positie; Order; Deal|Transactie; Symbool; Type; Richting; Volume; Prijs|Koers; S / L; T / P;"
    " Marktprijs; Status|Staat; Commissie; Vergoeding|Kosten; Swap; Winst; Balans|Saldo; Opmerking|Commentaar; Posities|Open posities;"
    " Orders; Deals|Transacties; Resultaten; Account|Rekening; Valuta",
    "sv": "Tid; Öppningstid; Position; Order; Affär|Avslut; Symbol; Typ; Riktning; Volym; Pris; S / L; T / P; Marknadspris; Status|Tillstånd;"
    " Kommission|Courtage|Provision; Avgift; Swap; Vinst|Resultat; Saldo|Balans; Kommentar; Positioner|Öppna positioner; Order|Ordrar|Orders;"
    " Affärer|Avslut; Resultat; Konto; Valuta",
    "da": "Tid; Åbningstid|Åbningstidspunkt; Position; Ordre; Handel; Symbol; Type; Retning; Volumen|Volume; Pris|Kurs; S / L; T / P;"
    " Markedspris; Status|Tilstand; Kommission|Kurtage; Gebyr; Swap; Profit|Gevinst; Saldo|Balance; Kommentar; Positioner|Åbne positioner;"
    " Ordrer; Handler; Resultater; Konto; Valuta",
    "fi": "Aika; Avausaika; Positio; Toimeksianto; Kauppa; Symboli; Tyyppi; Suunta; Volyymi|Määrä; Hinta; S / L; T / P; Markkinahinta; Tila;"
    " Komissio|Palkkio; Maksu; Swap; Voitto|Tuotto; Saldo; Kommentti; Positiot|Avoimet positiot; Toimeksiannot; Kaupat; Tulokset; Tili; Valuutta",
    "et": "Aeg; Avamise aeg|Avamisaeg; Positsioon; Order|Korraldus; Tehing; Sümbol; Tüüp; Suund; Maht; Hind; S / L; T / P; Turuhind; Olek|Staatus;"
    " Komisjonitasu|Vahendustasu; Tasu; Swap; Kasum; Saldo|Bilanss; Kommentaar; Positsioonid|Avatud positsioonid; Orderid|Korraldused; Tehingud;"
    " Tulemused; Konto; Valuuta",
    "lv": "Laiks; Atvēršanas laiks; Pozīcija; Orderis|Rīkojums; Darījums; Simbols; Tips|Veids; Virziens; Apjoms; Cena; S / L; T / P; Tirgus cena;"
    " Stāvoklis|Statuss; Komisija; Maksa; Swap|Svops; Peļņa; Bilance|Atlikums; Komentārs; Pozīcijas|Atvērtās pozīcijas; Orderi|Rīkojumi;"
    " Darījumi; Rezultāti; Konts; Valūta",
    "lt": "Laikas; Atidarymo laikas; Pozicija; Orderis|Pavedimas|Užsakymas; Sandoris; Simbolis; Tipas; Kryptis; Apimtis|Tūris; Kaina; S / L; T / P;"
    " Rinkos kaina; Būsena|Statusas; Komisinis|Komisiniai; Mokestis; Swap; Pelnas; Balansas|Likutis; Komentaras; Pozicijos|Atviros pozicijos;"
    " Orderiai|Pavedimai|Užsakymai; Sandoriai; Rezultatai; Sąskaita; Valiuta",
    "tr": "Zaman|Saat; Açılış zamanı|Açılış saati|Açılış zaman; Pozisyon; Emir; İşlem|Anlaşma; Sembol; Tür|Tip; Yön; Hacim; Fiyat;"
    " S / L|Zarar Durdur; T / P|Kar Al|Kâr Al; Piyasa fiyatı|Güncel fiyat; Durum; Komisyon; Ücret|Masraf; Swap|Takas; Kâr|Kar; Bakiye; Yorum|Açıklama;"
    " Pozisyonlar|Açık pozisyonlar; Emirler|Bekleyen emirler|Çalışan emirler; İşlemler|Anlaşmalar; Sonuçlar|Özet; Hesap; Para birimi|Döviz",
    "ar": "الوقت|وقت; وقت الفتح|وقت الافتتاح; المركز|مركز|الصفقة المفتوحة|الوضع; الأمر|أمر|الطلب; الصفقة|صفقة; الرمز|رمز; النوع|نوع; الاتجاه|اتجاه;"
    " الحجم|حجم; السعر|سعر; S / L|وقف الخسارة|إيقاف الخسارة; T / P|جني الأرباح|جني الربح; سعر السوق|السعر الحالي; الحالة|حالة; العمولة|عمولة; الرسوم|رسوم|رسم;"
    " السواب|المبادلة|مبادلة|تبييت|سواب; الربح|ربح|الأرباح; الرصيد|رصيد; التعليق|تعليق|ملاحظة; المراكز|مراكز|المراكز المفتوحة; الأوامر|أوامر|الطلبات|الأوامر المعلقة;"
    " الصفقات|صفقات; النتائج|نتائج; الحساب|حساب; العملة|عملة",
    "fa": "زمان; زمان باز شدن|زمان بازگشایی; موقعیت|پوزیشن; سفارش; معامله; نماد; نوع; جهت; حجم; قیمت; S / L|حد ضرر; T / P|حد سود; قیمت بازار|قیمت فعلی;"
    " وضعیت; کمیسیون|کارمزد; هزینه; سواپ|سوآپ; سود; موجودی|تراز; توضیح|توضیحات|نظر; موقعیت ها|موقعیت‌ها|پوزیشن ها; سفارشات|سفارش ها|سفارش‌ها;"
    " معاملات; نتایج; حساب; ارز|واحد پول",
    "he": "זמן|שעה; זמן פתיחה; פוזיציה; הוראה|פקודה; עסקה; סימול|סמל; סוג; כיוון; נפח; מחיר; S / L; T / P; מחיר שוק; מצב|סטטוס; עמלה; אגרה|דמי;"
    " סוואפ; רווח; יתרה; הערה|תגובה; פוזיציות; הוראות|פקודות; עסקאות; תוצאות; חשבון; מטבע",
    "hi": "समय; खुलने का समय|ओपन समय; पोजीशन|स्थिति; ऑर्डर|आदेश; सौदा|डील; सिंबल|प्रतीक|चिह्न; प्रकार; दिशा; वॉल्यूम|मात्रा; मूल्य|कीमत; S / L; T / P; बाजार मूल्य|बाज़ार मूल्य;"
    " अवस्था|स्टेट; कमीशन; शुल्क|फीस; स्वैप; लाभ; शेष|बैलेंस; टिप्पणी; पोजीशन|पोजीशंस|स्थितियां; ऑर्डर|आदेश; सौदे|डील; परिणाम; खाता; मुद्रा",
    "id": "Waktu; Waktu Buka|Waktu Pembukaan|Waktu Terbuka; Posisi; Order|Pesanan; Deal|Transaksi; Simbol; Tipe|Jenis; Arah; Volume; Harga; S / L; T / P;"
    " Harga Pasar|Harga Saat Ini; Status|Keadaan; Komisi; Biaya; Swap; Profit|Laba|Keuntungan; Saldo|Balance; Komentar; Posisi|Posisi Terbuka;"
    " Order|Pesanan|Order Aktif|Order Tertunda; Deal|Transaksi; Hasil|Ringkasan; Akun|Rekening; Mata Uang",
    "ms": "Masa; Masa Buka|Masa Pembukaan; Posisi|Kedudukan; Pesanan|Arahan|Order; Urus Niaga|Dagangan|Deal; Simbol; Jenis; Arah; Volum|Isipadu; Harga;"
    " S / L; T / P; Harga Pasaran; Status|Keadaan; Komisen; Yuran|Bayaran; Swap; Untung|Keuntungan; Baki; Komen|Ulasan; Posisi|Kedudukan;"
    " Pesanan|Arahan; Urus Niaga|Dagangan; Keputusan|Hasil; Akaun; Mata Wang",
    "vi": "Thời gian|Thời điểm; Thời gian mở|Giờ mở|Thời gian mở cửa; Vị thế|Trạng thái lệnh|Vị trí; Lệnh|Lệnh đặt; Giao dịch|Thỏa thuận|Deal;"
    " Biểu tượng|Mã|Sản phẩm|Ký hiệu|Cặp tiền; Loại|Kiểu; Hướng|Chiều; Khối lượng; Giá|Mức giá; S / L|Cắt lỗ|Dừng lỗ; T / P|Chốt lời; Giá thị trường|Giá hiện tại;"
    " Trạng thái|Tình trạng; Hoa hồng|Tiền hoa hồng; Phí|Lệ phí; Swap|Phí qua đêm|Hoán đổi; Lợi nhuận; Số dư; Ghi chú|Bình luận|Chú thích|Nhận xét;"
    " Vị thế|Các vị thế|Vị trí; Lệnh|Các lệnh|Lệnh chờ|Lệnh đang chờ; Giao dịch|Các giao dịch; Kết quả|Tóm tắt; Tài khoản; Tiền tệ|Đồng tiền|Loại tiền",
    "th": "เวลา; เวลาเปิด; สถานะ|ตำแหน่ง|โพซิชั่น|โพสิชั่น; ออร์เดอร์|ออเดอร์|คำสั่ง|คำสั่งซื้อขาย; ดีล|การซื้อขาย|รายการ; สัญลักษณ์|ซิมโบล; ประเภท|ชนิด; ทิศทาง;"
    " วอลุ่ม|ปริมาณ|ปริมาณการซื้อขาย|โวลุ่ม; ราคา; S / L|หยุดขาดทุน; T / P|ทำกำไร; ราคาตลาด|ราคาปัจจุบัน; สภาวะ|สภาพ; ค่าคอมมิชชั่น|คอมมิชชั่น|ค่าคอมมิชชัน|ค่านายหน้า;"
    " ค่าธรรมเนียม; สวอป|สว็อป|ค่าสวอป; กำไร; ยอดคงเหลือ|บาลานซ์|ยอดเงิน; ความคิดเห็น|คอมเม้นต์|คอมเมนต์|หมายเหตุ; สถานะ|ตำแหน่ง|โพซิชั่น;"
    " ออร์เดอร์|ออเดอร์|คำสั่ง|คำสั่งซื้อขาย; ดีล|การซื้อขาย|รายการ; ผลลัพธ์|สรุป; บัญชี; สกุลเงิน",
    "mn": "Цаг|Хугацаа; Нээсэн цаг; Позици; Захиалга|Ордер; Хэлцэл|Гүйлгээ; Символ|Тэмдэг; Төрөл; Чиглэл; Хэмжээ; Үнэ; S / L; T / P; Зах зээлийн үнэ; Төлөв;"
    " Шимтгэл; Хураамж; Своп; Ашиг; Баланс|Үлдэгдэл; Тайлбар; Позициуд; Захиалгууд|Ордерууд; Хэлцлүүд; Үр дүн; Данс; Валют",
    "uz": "Vaqt; Ochilish vaqti; Pozitsiya; Order|Buyurtma; Bitim; Belgi|Simvol; Turi|Tur; Yo'nalish; Hajm; Narx; S / L; T / P; Bozor narxi; Holat|Holati;"
    " Komissiya; To'lov|Yig'im; Svop; Foyda; Balans; Izoh|Sharh; Pozitsiyalar; Orderlar|Buyurtmalar; Bitimlar; Natijalar; Hisob; Valyuta",
}  # fmt: skip


def _terms(words: str) -> Mapping[str, frozenset[str]]:
    """The words of one language, each with what it may mean."""
    meant: dict[str, set[str]] = {}
    for term, alike in zip(TERMS, words.split(";"), strict=True):
        for word in alike.split("|"):
            meant.setdefault(plain(word), set()).add(term)
    return {word: frozenset(terms) for word, terms in meant.items()}


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """A heading without what does not tell it from another: case, accents of width, colons and spaces around strokes."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е").replace("’", "'").replace("\u0307", "")
    text = " ".join(text.split()).rstrip(": ")
    return "/".join(part.strip() for part in text.split("/"))


WORDS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {name: _terms(words) for name, words in _LANGUAGES.items()}
"""By language, what each of its words may mean."""

SECTIONS: Final = frozenset({"positions", "orders", "deals", "results"})


def meanings(text: str) -> frozenset[str]:
    """What *text* may mean in any of the languages."""
    word = plain(text)
    return frozenset().union(*(words.get(word, frozenset()) for words in WORDS.values()))
