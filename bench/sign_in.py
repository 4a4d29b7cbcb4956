"""Signs a browser of the bench's reader in, and prints its cookies.

Run by its path, so that it imports the checkout in which it runs, not its own.
"""

import json
import os


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    from django.test import Client

    from bench.dataset import READER
    from messaging.models import User

    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(User.objects.get(pk=READER))
    # The first page brings the cookie against forged requests.
    browser.get("/conversations")
    print(json.dumps({name: each.value for name, each in browser.cookies.items()}))


if __name__ == "__main__":
    main()
