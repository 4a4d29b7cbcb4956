#!/usr/bin/env bash
# django-ratelimit 4.1.0: "5/week" is five in a second, and "5/month" five in a minute.
#
# Expected: a period that is not known is an error, as "5" without a period is.
# Seen: the period is its first letter, if that is s, m, h or d; anything else is left out, and a rate
# without a period is one of a second. So "5/week", "5/year" and "5/M" are five a second, and
# "5/2weeks" five in two seconds. Django REST framework 3.18.3 has the first letter too, and so
# the month of a minute, but raises KeyError for a week.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    django==5.2.19 django-ratelimit==4.1.0 djangorestframework==3.18.3

cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import django
from django.conf import settings

settings.configure(SECRET_KEY="k" * 50, ALLOWED_HOSTS=["*"])
django.setup()

from django.test import RequestFactory
from django_ratelimit.core import get_usage
from rest_framework.throttling import SimpleRateThrottle


def limit(rate):
    """How many requests django-ratelimit allows, and the seconds until it counts anew."""
    usage = get_usage(RequestFactory().get("/"), group=rate, key="ip", rate=rate)
    return usage["limit"], usage["time_left"]


class Throttle(SimpleRateThrottle):
    rate = "1/s"

    def get_cache_key(self, request, view):
        return None


def throttle(rate):
    try:
        return Throttle().parse_rate(rate)
    except KeyError as error:
        return repr(error)


# The seconds that a time of it lasts at most, and what Django REST framework reads.
seen = {
    "5/hour": (3600, (5, 3600)),
    "5/month": (60, (5, 60)),
    "5/week": (1, "KeyError('w')"),
    "5/year": (1, "KeyError('y')"),
    "5/M": (1, "KeyError('M')"),
    "5/2weeks": (2, "KeyError('2')"),
}
same = True
for rate, (longest, expected) in seen.items():
    requests, left = limit(rate)
    found = throttle(rate)
    print(
        f"{rate:10} django-ratelimit: {requests} in a time that ends in {left} s, at most {longest};"
        f" Django REST framework: {found}"
    )
    same = same and requests == 5 and 0 <= left <= longest and found == expected
sys.exit(not same)
PYTHON
