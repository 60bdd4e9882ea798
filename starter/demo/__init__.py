"""`redress demo`: seven complaints, lived through in a minute on servers of their own.

`performance` starts the servers and plays, `stories` has the complaints and who does what, `watch` reads the case files
meanwhile, `screen` shows them, `verdict` says whether all ended as it should, `mail` is the customers' mail server.
"""

from starter.demo.performance import run_demo

__all__ = ["run_demo"]
