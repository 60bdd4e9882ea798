"""The customer's pages."""

from web.portal import complain
from web.portal.frame import PORTAL
from web.portal.mine import MINE
from web.portal.signing_in import SIGN_IN

__all__ = ["MINE", "PORTAL", "SIGN_IN", "complain"]
