"""Loads Django once, on first import, so that any entry point may import history without ceremony."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dueprocess.conf.settings")
django.setup()

LOADED = True
