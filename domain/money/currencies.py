"""The currencies there are, today's and those of old records, and how many digits each has after the point.

As CLDR has them; a test holds the tables against Babel's. They stand here so that what travels needs no Babel: the
client package has none, and a workflow, which validates money too, may open no file.
"""

from collections.abc import Mapping
from typing import Final

_BY_DIGITS: Final[Mapping[int, str]] = {
    0: """
        ADP AFN ALL BIF BYR CLP DJF ESP GNF IQD IRR ISK ITL JPY KMF KPW KRW LAK LBP LUF MGA MGF MMK MRO PYG RSD RWF
        SLL SOS STD SYP TMM TRL UGX UYI VND VUV XAF XOF XPF YER ZMK ZWD
    """,
    2: """
        AED AFA ALK AMD ANG AOA AOK AON AOR ARA ARL ARM ARP ARS ATS AUD AWG AZM AZN BAD BAM BAN BBD BDT BEC BEF BEL
        BGL BGM BGN BGO BMD BND BOB BOL BOP BOV BRB BRC BRE BRL BRN BRR BRZ BSD BTN BUK BWP BYB BYN BZD CAD CDF CHE
        CHF CHW CLE CNH CNX CNY COP COU CRC CSD CSK CUC CUP CVE CYP CZK DDM DEM DKK DOP DZD ECS ECV EEK EGP ERN ESA
        ESB ETB EUR FIM FJD FKP FRF GBP GEK GEL GHC GHS GIP GMD GNS GQE GRD GTQ GWE GWP GYD HKD HNL HRD HRK HTG HUF
        IDR IEP ILP ILR ILS INR ISJ JMD KES KGS KHR KRH KRO KYD KZT LKR LRD LSL LTL LTT LUC LUL LVL LVR MAD MAF MCF
        MDC MDL MKD MKN MLF MNT MOP MRU MTL MTP MUR MVP MVR MWK MXN MXP MXV MYR MZE MZM MZN NAD NGN NIC NIO NLG NOK
        NPR NZD PAB PEI PEN PES PGK PHP PKR PLN PLZ PTE QAR RHD ROL RON RUB RUR SAR SBD SCR SDD SDG SDP SEK SGD SHP
        SIT SKK SLE SRD SRG SSP STN SUR SVC SZL THB TJR TJS TMT TOP TPE TRY TTD TWD TZS UAH UAK UGS USD USN USS UYP
        UYU UZS VEB VED VEF VES VNN WST XAG XAU XBA XBB XBC XBD XCD XCG XDR XEU XFO XFU XPD XPT XRE XSU XTS XUA XXX
        YDD YUD YUM YUN YUR ZAL ZAR ZMW ZRN ZRZ ZWG ZWL ZWR
    """,
    3: "BHD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DIGITS: Final[Mapping[str, int]] = {code: digits for digits, codes in _BY_DIGITS.items() for code in codes.split()}
"""Digits after the decimal point by ISO 4217 code: USD 2, JPY 0."""

NO_CURRENCY: Final = frozenset({"XTS", "XXX"})
"""Codes of ISO 4217 for tests, and for no currency: nothing can be owed in them."""

OF_PARTS: Final = "{code} is a hundredth of {whole}, as GBp is a penny: give the amount in {whole}"
"""What is said of a code that :func:`is_of_parts`."""


def is_of_parts(code: str) -> bool:
    """Whether *code* is how markets write the hundredth part of a currency: read as GBP, an amount in GBp
    would be a hundred times too much.
    """
    return len(code) == 3 and code[:2].isupper() and code[2].islower() and code.upper() in DIGITS
