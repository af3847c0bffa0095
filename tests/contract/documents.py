"""Small documents of every kind, made by hand: what their programs write, without what does not matter."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"
_PRESENTATION = "http://schemas.openxmlformats.org/presentationml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_DRAW = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"


def archive(files: dict[str, str]) -> bytes:
    """A zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return buffer.getvalue()


def docx(body: str | None = None, declaration: str = "") -> bytes:
    body = body or (
        "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:r><w:t>Hello</w:t><w:tab/><w:t>wörld</w:t></w:r></w:p>"
        "<w:p><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc>"
        "<w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p><w:p><w:r><w:t>c</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    )
    document = f'<?xml version="1.0"?>{declaration}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    return archive({"word/document.xml": document})


def slow_docx() -> bytes:
    """A document that takes more than a minute to read."""
    buffer = io.BytesIO()
    made = zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with made, made.open("word/document.xml", "w") as document:
        document.write(b"<d>")
        for _ in range(200):
            document.write(b"<x/>" * 250_000)
        document.write(b"</d>")
    return buffer.getvalue()


def pptx() -> bytes:
    def slide(text: str) -> str:
        return (
            f'<p:sld xmlns:p="{_PRESENTATION}" xmlns:a="{_DRAWING}"><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r>'
            "</a:p></p:txBody></p:sld>"
        )

    return archive(
        {
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{_PRESENTATION}" xmlns:r="{_RELATIONS}"><p:sldIdLst>'
            '<p:sldId id="256" r:id="rId2"/><p:sldId id="257" r:id="rId1"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{_PACKAGE}">'
            '<Relationship Id="rId1" Target="slides/slide1.xml"/>'
            '<Relationship Id="rId2" Target="/ppt/slides/slide2.xml"/>'
            "</Relationships>",
            "ppt/slides/slide1.xml": slide("second"),
            "ppt/slides/slide2.xml": slide("first"),
        }
    )


def xlsx() -> bytes:
    sheet = (
        '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c><c r="B1"><v>1</v></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>x</t></is></c><c r="B2"><f>B1*2.5</f><v>2.5</v></c></row>'
    )
    return archive(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
            f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_RELATIONS}"><sheets>'
            '<sheet name="Numbers" sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" '
            f'Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEET}"><sheetData>{sheet}</sheetData></worksheet>',
        }
    )


def _open_document(kind: str, body: str) -> bytes:
    content = (
        f'<office:document-content xmlns:office="{_OFFICE}" xmlns:text="{_TEXT}" xmlns:table="{_TABLE}" '
        f'xmlns:draw="{_DRAW}"><office:body>{body}</office:body></office:document-content>'
    )
    mime = f"application/vnd.oasis.opendocument.{kind}"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{mime}"/></manifest:manifest>'
    )
    return archive({"mimetype": mime, "content.xml": content, "META-INF/manifest.xml": manifest})


def odt() -> bytes:
    return _open_document(
        "text",
        "<office:text><text:h>Title</text:h><text:p>a<text:tab/>b<text:s/>c<text:line-break/>d</text:p>"
        "<table:table><table:table-row><table:table-cell><text:p>1</text:p></table:table-cell>"
        "<table:table-cell><text:p>2</text:p></table:table-cell></table:table-row></table:table></office:text>",
    )


def odp() -> bytes:
    page = (
        "<draw:page><draw:frame><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame></draw:page>"
    )
    return _open_document(
        "presentation",
        f"<office:presentation>{page.format('one')}{page.format('two')}</office:presentation>",
    )


def ods() -> bytes:
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    return _open_document(
        "spreadsheet",
        f'<office:spreadsheet><table:table table:name="S"><table:table-row>{cell.format("a")}{cell.format("b")}'
        "</table:table-row></table:table></office:spreadsheet>",
    )


def epub() -> bytes:
    page = (
        '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>no</title>'
        "</head><body><h1>{}</h1><p>some &amp;\nmore&nbsp;text</p><script>no()</script></body></html>"
    )
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
            '<rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
            '<item id="a" href="b%20c.xhtml"/><item id="b" href="text/d.xhtml"/></manifest>'
            '<spine><itemref idref="b"/><itemref idref="a"/></spine></package>',
            "OEBPS/b c.xhtml": page.format("Second"),
            "OEBPS/text/d.xhtml": page.format("First"),
        }
    )


def pdf(text: str = "Hello from a page", *, repeated: int = 1) -> bytes:
    stream = zlib.compress(f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET\n".encode() * repeated)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    made, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(made))
    return made + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def rtf() -> bytes:
    return rb"{\rtf1\ansi{\fonttbl\f0 Arial;}\f0 Hello {\b bold}\par caf\'e9\par}"


def zip_bomb(name: str = "word/document.xml", size: int = 10 * 1024**3) -> bytes:
    """An archive of some megabytes that unpacks to ten gigabytes."""
    block = b"<p>" * (1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    once = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    repeats = size // len(block) - 1
    data = once + again * repeats + packer.flush()
    unpacked = len(block) * (repeats + 1)
    encoded = name.encode()
    zip64 = struct.pack("<HHQQ", 1, 16, unpacked, len(data))
    fields = (8, 0, 33, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(encoded), len(zip64))
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 45, 0, *fields) + encoded + zip64 + data
    central = (
        struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 45, 45, 0, *fields, 0, 0, 0, 0, 0) + encoded + zip64
    )
    return local + central + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)


BOMBS: dict[str, Callable[[], bytes]] = {
    "zip.docx": zip_bomb,
    "zip.odt": lambda: zip_bomb("content.xml"),
    "laughs.docx": lambda: docx(
        "<w:p><w:r><w:t>&i;</w:t></w:r></w:p>",
        "<!DOCTYPE x [<!ENTITY a 'ha'>"
        + "".join(f"<!ENTITY {b} '{f'&{a};' * 50}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + "]>",
    ),
    "outside.docx": lambda: docx(
        "<w:p><w:r><w:t>&x;</w:t></w:r></w:p>", "<!DOCTYPE x [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
    ),
    "deep.docx": lambda: docx("<w:p>" * 3_000_000),
    "endless.pdf": lambda: pdf("x" * 100, repeated=3_000_000),
    "cut.pdf": lambda: pdf()[:200],
    "cut.xlsx": lambda: xlsx()[:100],
    "cut.docx": lambda: docx()[:-30],
    "other.docx": lambda: archive({"x": "y"}),
    "other.epub": lambda: archive({"x": "y"}),
    "other.pptx": lambda: archive({"x": "y"}),
    "old.xls": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000),
}
"""Documents nobody should have to wait for."""
