"""Files from outside are made harmless, or refused in clear words."""

import asyncio
import contextlib
import io
import time
import zlib
from typing import Any

import pikepdf
import pytest
from PIL import Image

from runtime.files import LARGEST, FileRefused, ScannerAway, harmless, harmless_in_turn
from web.words import all_words


def picture(kind: str = "PNG", **options: Any) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "teal").save(out, kind, **options)
    return out.getvalue()


def document(encryption: pikepdf.Encryption | bool = False) -> bytes:
    """A PDF that does everything a PDF must not do by itself."""
    made = pikepdf.new()
    made.add_blank_page()
    action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('boo')")
    made.Root.OpenAction = made.make_indirect(action)
    made.Root.AcroForm = pikepdf.Dictionary(XFA="<xfa/>", Fields=[])
    made.attachments["payload.exe"] = pikepdf.AttachedFileSpec(made, b"MZ payload")
    made.Root.Names.JavaScript = pikepdf.Dictionary(Names=["x", action])
    link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=action)
    launch = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FileAttachment, Rect=[0, 0, 9, 9], Contents="x"
    )
    made.pages[0].Annots = pikepdf.Array([made.make_indirect(link), made.make_indirect(launch)])
    made.pages[0].AA = pikepdf.Dictionary(O=action)
    out = io.BytesIO()
    made.save(out, encryption=encryption)
    return out.getvalue()


def bomb(gigabytes: int) -> bytes:
    """A small PDF whose list of objects unpacks into so much."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS)
    packed = packer.compress(b"\0" * 10_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
    head = b"%PDF-1.5\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    again = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = again.compress(b"\0" * 10_000_000) + again.flush(zlib.Z_FULL_FLUSH)
    packed += block * (100 * gigabytes)
    listed = b"3 0 obj<</Type/XRef/Size 9/W[1 2 1]/Root 1 0 R/Filter/FlateDecode/Length %d>>stream\n" % len(packed)
    return head + listed + packed + b"\nendstream endobj\nstartxref\n%d\n%%%%EOF" % len(head)


def made_of(content: bytes, title: str = "a.bin") -> tuple[str, str, bytes]:
    """Title, type and content of what is kept."""
    file = harmless(title, content, lambda digest: digest[:20])
    return file.title, file.media_type, file.content


def test_a_picture_is_drawn_anew_and_nothing_else_of_the_file_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    hidden = picture("JPEG", exif=exif) + b"<script>alert(1)</script>PK\x03\x04"
    title, media_type, content = made_of(hidden, r"C:\photos\..\截图.exe")
    assert (title, media_type) == ("截图.jpg", "image/jpeg")
    assert b"taken at home" not in content
    assert b"script" not in content
    for kind in ("PNG", "GIF", "WEBP"):
        assert made_of(picture(kind))[1] == "image/png"


def test_a_document_is_written_anew_without_scripts_actions_forms_and_files_inside() -> None:
    title, media_type, content = made_of(document(), "statement.pdf")
    assert (title, media_type) == ("statement.pdf", "application/pdf")
    with pikepdf.open(io.BytesIO(content)) as opened:
        assert len(opened.pages) == 1
        assert not opened.attachments
        everything = b" ".join(each.unparse() for each in opened.objects if isinstance(each, pikepdf.Dictionary))
    for word in (b"JavaScript", b"OpenAction", b"payload", b"AcroForm", b"boo", b"FileAttachment", b"/AA"):
        assert word not in everything + content, word


@pytest.mark.parametrize(
    "content",
    ["止损".encode("gb18030") * 2_400_000, bytes(range(0x81, 0xFF)) * 75_000, b"\xfe\xfe" * 4_900_000],
    ids=["chinese", "binary", "no letters"],
)
def test_telling_what_a_large_file_is_takes_no_more_of_the_process_than_a_small_one(content: bytes) -> None:
    began = time.process_time()
    with contextlib.suppress(FileRefused):
        harmless("a", content, str)
    assert time.process_time() - began < 1


def test_the_same_file_sent_again_is_the_same_file() -> None:
    for content in (document(), picture()):
        first = harmless("a", content, str)
        time.sleep(1.1)  # a PDF may have an id that is made of the second
        assert harmless("a", content, str) == first


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "file.empty"),
        (b"x" * (LARGEST + 1), "file.too_large"),
        (document(encryption=pikepdf.Encryption(owner="o", user="u")), "file.locked"),
        (document(encryption=pikepdf.Encryption(owner="o", user="")), "file.locked"),
        (b"%PDF-1.7 and nothing more", "file.broken"),
        (picture()[:40], "file.broken"),
        (bomb(gigabytes=1), "file.broken"),
        (b"MZ\x90\x00" + b"\0" * 200, "file.kind"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 200, "file.heic"),
        (b"PK\x03\x04" + b"\0" * 200, "file.kind"),
        (b"<html><script>alert(1)</script></html>", "file.kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "file.kind"),
        (b"\xff\xfe\x00\x01\x02", "file.kind"),
        ("Un résumé de l'été".encode("latin-1"), "file.kind"),
        ("Жалоба".encode("cp1251"), "file.kind"),
        ("我的订单".encode("utf-16"), "file.kind"),
    ],
)
def test_what_cannot_be_made_harmless_is_refused_with_words(content: bytes, key: str) -> None:
    with pytest.raises(FileRefused) as refused:
        made_of(content)
    assert refused.value.key == key
    assert key in all_words()


def test_plain_text_is_taken_as_it_is_and_in_utf_8_also_where_chinese_windows_wrote_it() -> None:
    text = "订单 50010001：客服张喆说“滑点正常”，我不同意，请核实。\r\n"
    for encoding in ("utf-8", "utf-8-sig", "gbk", "gb18030"):
        assert made_of(text.encode(encoding), "notes.csv") == ("notes.txt", "text/plain", text.encode())


@pytest.mark.parametrize(
    ("said", "raised", "why"),
    [
        (b"stream: OK\0", None, ""),
        (b"stream: Eicar-Test-Signature FOUND\0", FileRefused, "file.infected"),
        (b"INSTREAM size limit exceeded. ERROR\0", ScannerAway, "StreamMaxLength"),
        (b"", ScannerAway, "did not scan"),
        (None, ScannerAway, "does not answer"),
    ],
)
async def test_a_scanner_looks_through_a_file_as_it_came_and_nothing_is_taken_unscanned(
    said: bytes | None, raised: type[Exception] | None, why: str
) -> None:
    content, heard = picture("PNG") + b"what is drawn anew", []

    async def clamd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\0"))
        heard.append(await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big")))
        heard.append(await reader.readexactly(4))
        writer.write(said or b"")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(clamd, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        if said is None:
            server.close()
        taking = harmless_in_turn("a.png", content, str, scanner=f"127.0.0.1:{port}")
        if raised:
            with pytest.raises(raised, match=why):
                await taking
        else:
            assert (await taking).media_type == "image/png"
    assert heard == ([] if said is None else [b"zINSTREAM\0", content, bytes(4)])
