"""Why a message is taken for what it is, in words for those who look after it. Nothing of what was written."""

from collections.abc import Mapping
from typing import Final

from domain.mail.understanding import Why

SPOKEN: Final[Mapping[Why, str]] = {
    Why.ANSWERS_A_LETTER: "it answers a letter of the case",
    Why.NAMES_A_CASE: "its subject names the case",
    Why.NAMES_NO_CASE: "it names no case",
    Why.ASKS_HOW_FAR: "its writer asks how far their complaint is",
    Why.RETURNED: "a mail server returned a letter",
    Why.RETURNED_OF_INCIDENT: "a mail server returned a letter about an incident",
    Why.DELAYED: "a mail server still tries to deliver a letter",
    Why.DELIVERED: "a mail server delivered a letter",
    Why.RETURNED_NOT_OURS: "it is about no letter of ours",
    Why.AUTOMATIC_REPLY: "it is an automatic reply",
    Why.AUTOMATIC_NOTICE: "a program wrote it",
    Why.BULK: "it went to many",
    Why.RECEIPT: "it says that a letter was shown to somebody",
    Why.FEEDBACK_REPORT: "a provider reports a letter as spam",
    Why.INVITATION: "it is about an appointment",
    Why.NO_SUCH_CASE: "its subject names a case that there is not",
    Why.MISTYPED_REFERENCE: "the reference in its subject is mistyped",
    Why.SEVERAL_CASES: "it belongs to several cases",
    Why.SEVERAL_WRITERS: "it names several writers",
    Why.ENCRYPTED: "it is encrypted",
    Why.SPAM: "the receiving server takes it for spam, or for harmful",
    Why.NOTHING_SAID: "nothing in it was written now",
    Why.TOO_DEEP: "its parts are nested too deeply, or too many",
    Why.NO_WRITER: "it does not say who wrote it",
    Why.OUR_OWN: "it is a letter of ours, or from our own address",
    Why.NO_MAIL: "it is no mail",
}
