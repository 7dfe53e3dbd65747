"""A page as a browser would take it apart; insists that every element is closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "input", "img"}


@dataclass
class Element:
    """An element with all text inside it, that of its children too."""

    tag: str
    attributes: dict[str, str | None]
    inside: tuple[str, ...]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def all(self, tag: str) -> list[Element]:
        """Elements of this name inside, in the order of the page."""
        found = []
        for child in self.children:
            found += [child] if child.tag == tag else []
            found += child.all(tag)
        return found


class Page(HTMLParser):
    """Parsed text of HTML or SVG."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("", {}, ())
        self._open = [self.root]
        self.feed(text)
        self.close()
        assert [element.tag for element in self._open] == [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, dict(attrs), tuple(e.tag for e in self._open))
        self._open[-1].children.append(made)
        if tag not in VOID:
            self._open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, dict(attrs), tuple(e.tag for e in self._open))
        self._open[-1].children.append(made)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        """Elements of this name, in the order of the page."""
        return self.root.all(tag)
