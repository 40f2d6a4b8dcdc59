"""
Stepwell inside Jupyter: a server extension that starts the service and lets it be reached under Jupyter's own address and login.

`extension.py` ties the two to a server, `service.py` keeps the process alive, `proxy.py` lets requests through, and `headers.py` says
what of a request goes along. Nothing outside this folder imports Jupyter, and steps never import this folder.
"""
