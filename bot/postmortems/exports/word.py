"""A postmortem as a Word document: headings, tables, pictures and links as Word knows them.

python-docx is loaded when the first one is made.
"""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bot.postmortems.exports.document import (
    Block,
    Code,
    Document,
    Grid,
    Items,
    Paragraph,
    Picture,
    Quote,
    Span,
    Spans,
    shortened,
)
from bot.postmortems.render import media_type

if TYPE_CHECKING:
    from docx.document import Document as Word

_BLUE = "0B57C2"
_DEEPEST = 3  # levels of lists that Word's own styles have
_ORIGIN = {"recorded": "0B7A4B", "derived": "7A4BD0", "proposed": "9A6700", "to be written": "B3261E"}  # fmt: skip


def word(document: Document, pictures: Mapping[str, bytes], *, stand: str) -> bytes:
    """The file. ``stand`` is a line under the title. Blocking."""
    from docx import Document as new  # noqa: PLC0415, N813 - only where one is asked for

    document = shortened(document)
    made = new()
    made.core_properties.title = document.title[:255]
    made.core_properties.author = "Jackline"
    made.core_properties.comments = ""
    _page(made)
    drawing = _Drawing(made, document.anchors(), pictures)
    made.add_heading(document.title, 0)
    if stand:
        drawing.coloured(stand, "5A6673")
    drawing.blocks(document.opening)
    for section in document.sections:
        made.add_heading(section.title, min(max(section.level - 1, 1), 4))
        if section.origin:
            drawing.coloured(section.origin, _ORIGIN.get(section.origin, "5A6673"))
        drawing.blocks(section.blocks)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _page(made: "Word") -> None:
    """A4 with narrow margins: a timeline is wide."""
    from docx.shared import Cm, Pt  # noqa: PLC0415 - as above

    made.styles["Normal"].font.size = Pt(10)
    for section in made.sections:
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(1.8)
        section.top_margin = section.bottom_margin = Cm(1.8)


class _Drawing:
    """Puts blocks at the end of the document."""

    def __init__(self, made: "Word", anchors: set[int], pictures: Mapping[str, bytes]) -> None:
        from docx import oxml, shared  # noqa: PLC0415 - as above
        from docx.opc.constants import RELATIONSHIP_TYPE  # noqa: PLC0415
        from docx.oxml.ns import qn  # noqa: PLC0415

        self.made, self.anchors, self.pictures = made, anchors, pictures
        self.element, self.qn, self.shared = oxml.OxmlElement, qn, shared
        self.hyperlink = RELATIONSHIP_TYPE.HYPERLINK
        self.set: set[int] = set()
        self.addresses: dict[str, str] = {}

    def coloured(self, text: str, colour: str) -> None:
        run = self.made.add_paragraph().add_run(text)
        run.font.size = self.shared.Pt(8.5)
        run.font.color.rgb = self.shared.RGBColor.from_string(colour)

    def blocks(self, blocks: tuple[Block, ...], depth: int = 0) -> None:
        for block in blocks:
            self.block(block, depth)

    def block(self, block: Block, depth: int) -> None:
        match block:
            case Paragraph(spans):
                self.line(self.made.add_paragraph(), spans)
            case Code(text):
                self.code(text)
            case Quote(blocks):
                self.quote(blocks, depth)
            case Items():
                self.items(block, depth)
            case Picture(file, title):
                self.picture(file, title)
            case Grid():
                self.table(block)

    def code(self, text: str) -> None:
        paragraph = self.made.add_paragraph()
        for number, line in enumerate(text.split("\n")):
            run = paragraph.add_run(line)
            run.font.name, run.font.size = "Courier New", self.shared.Pt(8.5)
            if number < text.count("\n"):
                run.add_break()

    def quote(self, blocks: tuple[Block, ...], depth: int) -> None:
        for block in blocks:
            if isinstance(block, Paragraph):
                self.line(self.made.add_paragraph(style="Quote"), block.spans)
            else:
                self.block(block, depth)

    def items(self, items: Items, depth: int) -> None:
        level = min(depth + 1, _DEEPEST)
        style = ("List Bullet" if items.start is None else "List Number") + (f" {level}" if level > 1 else "")  # fmt: skip
        for item in items.items:
            first = item[0] if item else None
            if isinstance(first, Paragraph):
                self.line(self.made.add_paragraph(style=style), first.spans)
                item = item[1:]  # noqa: PLW2901 - the rest of it
            self.blocks(item, depth + 1)

    def picture(self, file: str, title: str) -> None:
        data = self.pictures.get(file, b"")
        if not media_type(data):
            self.made.add_paragraph().add_run(f"{title}: picture not available").italic = True
            return
        try:
            shape = self.made.add_picture(io.BytesIO(data), width=self.shared.Cm(16))
        except (ValueError, KeyError, ZeroDivisionError, EOFError, OSError) as error:
            del error  # a picture that Word's library cannot read is no reason to have no document
            self.made.add_paragraph().add_run(f"{title}: picture not available").italic = True
            return
        shape._inline.docPr.set("descr", title)  # noqa: SLF001 - python-docx has no name for it

    def table(self, grid: Grid) -> None:
        width = max((len(row) for row in (grid.head, *grid.rows)), default=0)
        if not width:
            return
        table = self.made.add_table(rows=0, cols=width, style="Table Grid")
        for number, row in enumerate((grid.head, *grid.rows)):
            added = table.add_row()
            for cell, spans in zip(added.cells, row, strict=False):
                self.line(cell.paragraphs[0], spans, size=8, bold=number == 0)
            if number == 0:
                mark = self.element("w:tblHeader")
                mark.set(self.qn("w:val"), "true")
                added._tr.get_or_add_trPr().append(mark)  # noqa: SLF001 - the same
        self.made.add_paragraph()

    def line(self, paragraph: Any, spans: Spans, size: float = 0, *, bold: bool = False) -> None:  # noqa: ANN401 - python-docx's paragraph
        for span in spans:
            if span.anchor is not None:
                self.bookmark(paragraph, span.anchor)
            if span.text:
                run = paragraph.add_run(span.text)
                run.bold, run.italic = span.bold or bold or None, span.italic or None
                if span.code:
                    run.font.name = "Courier New"
                if size:
                    run.font.size = self.shared.Pt(size)
                self.link(paragraph, run, span)

    def link(self, paragraph: Any, run: Any, span: Span) -> None:  # noqa: ANN401 - the same
        if not span.url and span.row not in self.anchors:
            return
        link = self.element("w:hyperlink")
        if span.url:
            link.set(self.qn("r:id"), self.address(paragraph, span.url))
        else:
            link.set(self.qn("w:anchor"), f"row-{span.row}")
        run.font.color.rgb = self.shared.RGBColor.from_string(_BLUE)
        paragraph._p.append(link)  # noqa: SLF001 - python-docx makes no links
        link.append(run._r)  # noqa: SLF001 - the same

    def address(self, paragraph: Any, url: str) -> str:  # noqa: ANN401 - the same
        """By which name the document knows it; python-docx would look through all for each."""
        if url not in self.addresses:
            self.addresses[url] = name = f"link{len(self.addresses)}"
            paragraph.part.rels.add_relationship(self.hyperlink, url, name, is_external=True)
        return self.addresses[url]

    def bookmark(self, paragraph: Any, row: int) -> None:  # noqa: ANN401 - the same
        if row in self.set:
            return
        self.set.add(row)
        for tag in ("w:bookmarkStart", "w:bookmarkEnd"):
            mark = self.element(tag)
            mark.set(self.qn("w:id"), str(row))
            if tag == "w:bookmarkStart":
                mark.set(self.qn("w:name"), f"row-{row}")
            paragraph._p.append(mark)  # noqa: SLF001 - the same
