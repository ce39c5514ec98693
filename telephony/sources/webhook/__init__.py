"""Signed events of call-centre software: the web server checks the signature and hands the events over."""
