"""Django settings, loaded by name (DJANGO_SETTINGS_MODULE) and imported by nobody.

Entry points put the installation's database into ``DUEPROCESS_DATABASE`` before `django.setup()`, or call
`dueprocess.history.connection.use` afterwards. There is no secret here: history has no cookies or forms.
"""

import os

from dueprocess.history.address import database_settings

SECRET_KEY = "history-signs-nothing-with-django"  # noqa: S105  no cookie, form or token is signed with it
DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
INSTALLED_APPS = ["dueprocess.history"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": database_settings(os.environ.get("DUEPROCESS_DATABASE", "sqlite::memory:"))}
LOGGING_CONFIG = None
