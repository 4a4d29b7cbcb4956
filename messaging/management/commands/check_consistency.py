from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from messaging.management.terminal import counted
from messaging.services.consistency import find_inconsistencies, repair_inconsistencies
from messaging.services.invariant_checks import Finding


class Command(BaseCommand):
    help = (
        "Check the invariants of the database: numbering, reply trees, "
        "counters, unread state, histories, membership. Exits with 1 on a finding. "
        "May run while the server does."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--fix",
            action="store_true",
            help="first repair values that follow from other rows, and list them",
        )

    @override
    def handle(self, *, fix: bool, **options: object) -> None:
        if fix:
            for repair in repair_inconsistencies():
                self.stdout.write(
                    f"repaired {counted(repair.count, repair.model)}: {repair.promise}"
                )
        findings = list(find_inconsistencies())
        for finding in findings:
            self.stdout.write(_described(finding))
        if findings:
            raise CommandError("The database is not consistent.")
        self.stdout.write("The database is consistent.")


def _described(finding: Finding) -> str:
    ids = ", ".join(str(row_id) for row_id in finding.ids)
    more = ", …" if finding.count > len(finding.ids) else ""
    return (
        f"broken by {counted(finding.count, finding.model)}: {finding.promise}"
        f" (id {ids}{more})"
    )
