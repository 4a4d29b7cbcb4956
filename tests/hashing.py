"""Password hashers that are quick; one counts."""

from typing import ClassVar

from django.contrib.auth.hashers import MD5PasswordHasher
from typing_extensions import override

QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
COUNTING_HASHERS = ["tests.hashing.CountingHasher"]


class CountingHasher(MD5PasswordHasher):
    hashed: ClassVar[int] = 0

    @override
    def encode(self, password: str, salt: str) -> str:
        CountingHasher.hashed += 1
        return super().encode(password, salt)
