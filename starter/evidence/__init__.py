"""The evidence pack: what a handler, a customer or an ombudsman is given to see how a finding came about.

``reading`` gets the facts in one snapshot, ``model`` decides what is shown to whom, ``html`` and ``pdf`` write the same
pages. Pictures are laid out once, as plain shapes, and drawn by both.
"""
