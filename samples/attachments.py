#!/usr/bin/env python3
"""Draws the attachments of the samples: two PDFs and a picture of a knee.

Run from anywhere: python3 samples/attachments.py. Needs Python 3 and nothing else; the same bundles give the
same files. The picture is computed, it shows nobody. After a run, put the new file sizes into the bundles
(`size` beside `url`): a test compares them.
"""

import json
import math
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).resolve().parent


def knee(width=320, height=400):
    """A knee from the front: bones as soft shapes, brighter at their edges, the inner gap narrow."""

    def soft(distance, edge):
        return 1 / (1 + math.exp(max(-40.0, min(40.0, distance / edge))))

    def bone(x, y, cx, half, lip):
        d = abs(x - cx) - half
        return soft(d, 2.5) * (0.62 + 0.38 * math.exp(-((d + lip) / 5) ** 2))

    rows = []
    for py in range(height):
        row = bytearray([0])
        for px in range(width):
            x, y = px - width / 2, py - height / 2
            flesh = 0.20 * soft(abs(x + 4) - 118 + 18 * math.cos(y / 70), 9)
            # Thigh bone: a shaft that widens into two rounded ends.
            flare = 34 + 44 / (1 + math.exp(-(y + 62) / 14))
            end = -10 - 7 * math.cos(x / 19) + 0.03 * abs(x)
            thigh = bone(x, y, 0, flare, 3) * soft(y - end, 1.8)
            # Shin bone below; the gap is narrower at the left of the picture (inner side).
            gap = 9 + 5 / (1 + math.exp(-x / 12))
            top = end + gap - 5 * math.exp(-(x / 9) ** 2)
            shaft = 32 + 46 / (1 + math.exp((y - 42) / 13))
            shin = bone(x, y, 0, shaft, 3) * soft(top - y, 1.8)
            calf = 0.7 * bone(x, y, 74, 11, 2) * soft(44 - y, 4)
            cap = 0.22 * soft(math.hypot(x / 33, (y + 52) / 30) - 1, 0.05)
            rim = 0.24 * (thigh * math.exp(-((y - end) / 4) ** 2) + shin * math.exp(-((y - top) / 5) ** 2))
            value = flesh + 0.55 * max(thigh, shin, calf) + cap * thigh + rim
            value += 0.012 * math.sin(x * 0.9 + y * 0.13) * (thigh + shin)
            row.append(int(255 * max(0.0, min(1.0, value))) & 0xFC)
        rows.append(bytes(row))
    return png(width, height, b"".join(rows))


def png(width, height, rows):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def resources(name):
    # Numbers stay text, so that 6.30 is printed with its zero.
    bundle = json.loads((HERE / name / "report.json").read_text(), parse_float=str, parse_int=str)
    return [entry["resource"] for entry in bundle["entry"]]


def of_type(all_of_them, name):
    return [r for r in all_of_them if r["resourceType"] == name]


def laboratory_lines():
    yield 45, 545, 16, "安澜市人民医院检验报告单"
    yield 45, 522, 10, "血脂与肝功能"
    yield 45, 506, 10, "林秀兰　女　68 岁　心内科门诊　标本：血清（空腹）"
    yield 45, 490, 10, "采集 2026-11-12 08:26　报告 2026-11-12 10:40"
    columns = [45, 150, 210, 265, 320]
    for x, text in zip(columns, ["项目", "缩写", "结果", "单位", "参考范围"]):
        yield x, 466, 10, text
    y = 448
    for o in of_type(resources("laboratory"), "Observation"):
        q, mark = o["valueQuantity"], {"H": " ↑", "L": " ↓", "N": ""}[o["interpretation"][0]["coding"][0]["code"]]
        span = o["referenceRange"][0]["text"].replace("–", "-")
        cells = [o["code"]["text"], o["code"]["coding"][1]["code"], q["value"] + mark, q["unit"], span]
        for x, text in zip(columns, cells):
            yield x, y, 10, text
        y -= 18
    yield 45, y - 12, 10, "审核：方静　　本报告仅对该标本负责。"


def imaging_lines():
    all_of_them = resources("imaging")
    report, finding = of_type(all_of_them, "DiagnosticReport")[0], of_type(all_of_them, "Observation")[0]
    yield 45, 545, 16, "安澜市人民医院放射科报告单"
    yield 45, 522, 10, "左膝关节正侧位 X 线片"
    yield 45, 506, 10, "林秀兰　女　68 岁　骨科住院"
    yield 45, 490, 10, "检查 2026-08-27 09:12　报告 2026-08-27 11:05"
    y = 460
    for title, text in [("影像所见", finding["valueString"]), ("诊断意见", report["conclusion"])]:
        yield 45, y, 11, title
        for start in range(0, len(text), 31):
            y -= 17
            yield 45, y, 10, text[start : start + 31]
        y -= 28
    yield 45, y, 10, "报告：陈立群"


def pdf(title, lines):
    """A5, one page, with the CJK font that every PDF reader must know (ISO 32000-1, 9.7.5.2): none inside."""

    def utf16(text):
        return text.encode("utf-16-be").hex().upper()

    page = "".join(f"BT /F {size} Tf {x} {y} Td <{utf16(text)}> Tj ET\n" for x, y, size, text in lines).encode()
    packed = zlib.compress(page, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /Lang (zh-CN) >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UCS2-H /Encoding /UniGB-UCS2-H"
        b" /DescendantFonts [6 0 R] >>",
        # Latin letters and figures are half as wide as Han characters.
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 7 0 R /DW 1000 /W [1 95 500]"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>",
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0"
        b" /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
        b"<< /Title <FEFF%s> >>" % utf16(title).encode(),
    ]
    out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 8 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


if __name__ == "__main__":
    files = {
        "imaging/knee.png": knee(),
        "laboratory/report.pdf": pdf("检验报告单", laboratory_lines()),
        "imaging/report.pdf": pdf("放射科报告单", imaging_lines()),
    }
    for name, content in files.items():
        (HERE / name).write_bytes(content)
        print(name, len(content))
