"""HTML pages, parsed."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

Attributes = dict[str, str]


@dataclass
class Page(HTMLParser):
    """Its elements in order, and its text."""

    source: str
    elements: list[tuple[str, Attributes]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    @override
    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def all(self, tag: str) -> list[Attributes]:
        return [attributes for name, attributes in self.elements if name == tag]

    def ids(self, start: str) -> list[str]:
        """The ids that begin so, in the page's order."""
        return [
            attributes["id"]
            for _, attributes in self.elements
            if attributes.get("id", "").startswith(start)
        ]


def parse(content: bytes) -> Page:
    return Page(content.decode())
