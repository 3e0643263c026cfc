"""The files of make_image_golden.py: small pictures in every variant of each format that is read, by name; written by hand
where Pillow does not write the variant."""

import io
import struct
import subprocess
import zlib

import cv2
import numpy as np
from PIL import Image


def known(width, height):
    """p(x, y, c) = (37x + 91y + 13xy + 59c) mod 256, as tests/image/picture.h makes it."""
    y, x, c = np.ogrid[:height, :width, :3]
    return Image.fromarray(((37 * x + 91 * y + 13 * x * y + 59 * c) % 256).astype(np.uint8))


def smooth(width, height, channels=3):
    """Something that JPEG compresses as it does photographs."""
    y, x, c = np.ogrid[:height, :width, :channels]
    values = 128 + 90 * np.sin(x / 7 + c) * np.cos(y / 5 - c) + (x * y * (c + 1)) % 23
    return values.clip(0, 255).astype(np.uint8)


def jpeg(image, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 85, **options})
    return out.getvalue()


def adobe_transform(data, transform):
    """Another colour transform in the Adobe marker; the data then mean other colours, but are as valid."""
    at = data.index(b"Adobe") + 11
    return data[:at] + bytes([transform]) + data[at + 1 :]


def without_adobe(data):
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


def jpegs(jpegtran):
    rgb = Image.fromarray(smooth(45, 37))
    cmyk = Image.fromarray(smooth(33, 21, 4), "CMYK")
    exif = Image.Exif()
    exif[274] = 6
    files = {
        "grey": jpeg(rgb.convert("L")),
        "444": jpeg(rgb, subsampling=0),
        "422": jpeg(rgb, subsampling=1),
        "420": jpeg(rgb, subsampling=2),
        "progressive": jpeg(rgb, progressive=True),
        "progressive_grey": jpeg(rgb.convert("L"), progressive=True),
        "restart": jpeg(rgb, restart_marker_blocks=2),
        "rgb_coded": jpeg(rgb, keep_rgb=True),
        "cmyk": jpeg(cmyk),
        "cmyk_ycck": adobe_transform(jpeg(cmyk), 2),
        "cmyk_no_marker": without_adobe(jpeg(cmyk)),
        "cmyk_progressive": jpeg(cmyk, progressive=True),
        "exif_rotated": jpeg(Image.fromarray(smooth(20, 10)), exif=exif),
        "bytes_behind": jpeg(rgb) + b"more",
        "coarse": jpeg(rgb, quality=5),
        "fine": jpeg(rgb, quality=100),
        "1x1": jpeg(rgb.crop((0, 0, 1, 1))),
        "8x3": jpeg(rgb.crop((0, 0, 8, 3))),
        "1x300": jpeg(Image.fromarray(smooth(1, 300))),
        "300x1": jpeg(Image.fromarray(smooth(300, 1))),
    }
    out = io.BytesIO()
    rgb.save(out, "MPO", save_all=True, append_images=[rgb.transpose(0)])
    files["two_frames"] = out.getvalue()
    for sampling in ("411", "440"):
        code = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{sampling}")
        files[sampling] = cv2.imencode(".jpg", smooth(45, 37), [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, code])[1].tobytes()
    for name, source, options in (
        ("arithmetic", "420", ["-arithmetic"]),
        ("arithmetic_progressive", "444", ["-arithmetic", "-progressive"]),
    ):
        files[name] = subprocess.run([jpegtran, *options], input=files[source], capture_output=True, check=True).stdout
    return {f"{name}.jpg": data for name, data in files.items()}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def filtered_rows(rows, pixel_bytes):
    """PNG's five filters in turn."""
    out = bytearray()
    before = bytes(len(rows[0]) if rows else 0)
    for number, row in enumerate(rows):
        kind = number % 5
        out.append(kind)
        for i, value in enumerate(row):
            a = row[i - pixel_bytes] if i >= pixel_bytes else 0
            b = before[i]
            c = before[i - pixel_bytes] if i >= pixel_bytes else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            out.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) & 255)
        before = row
    return bytes(out)


def packed(row, depth):
    """One row of samples (any shape) in bytes."""
    row = row.reshape(-1)
    if depth == 16:
        return row.astype(">u2").tobytes()
    if depth == 8:
        return row.astype(np.uint8).tobytes()
    bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(-1).astype(np.uint8)).tobytes()


def png(width, height, depth, color, interlaced=False, palette=None, transparency=None, chunks=b"", split=None, seed=0):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    samples = np.random.default_rng(seed).integers(0, 1 << depth, (height, width, channels))
    samples[0, 0] = 0
    if depth == 16:
        samples.reshape(-1)[: samples.size // 2] >>= 8  # where clipping and scaling differ
    if palette:
        samples %= len(palette) // 3 + 1  # one beyond the palette
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    raw = b""
    for x, y, step_x, step_y in passes:
        part = samples[y::step_y, x::step_x]
        if part.size:
            raw += filtered_rows([packed(row, depth) for row in part], max(1, depth * channels // 8))
    data = zlib.compress(raw)
    split = split or len(data)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))
    out += chunks
    if palette:
        out += chunk(b"PLTE", palette)
    if transparency:
        out += chunk(b"tRNS", transparency)
    for at in range(0, len(data), split):
        out += chunk(b"IDAT", data[at : at + split])
    return out + chunk(b"IEND", b"")


def pngs():
    colours = bytes(np.random.default_rng(1).integers(0, 256, 3 * 256, dtype=np.uint8))
    files = {}
    for color, name, depths in (
        (0, "grey", (1, 2, 4, 8, 16)),
        (2, "rgb", (8, 16)),
        (3, "palette", (1, 2, 4, 8)),
        (4, "grey_alpha", (8, 16)),
        (6, "rgba", (8, 16)),
    ):
        for depth in depths:
            palette = colours[: 3 * ((1 << depth) - 1)] if color == 3 else None
            for interlaced in (False, True):
                suffix = "_interlaced" if interlaced else ""
                files[f"{name}{depth}{suffix}"] = png(19, 13, depth, color, interlaced, palette)
    files["palette_transparent"] = png(9, 7, 4, 3, palette=colours[:45], transparency=bytes(range(0, 150, 10)))
    files["grey_transparent"] = png(9, 7, 8, 0, transparency=b"\0\7")
    files["rgb_transparent"] = png(9, 7, 8, 2, transparency=b"\0\0\0\0\0\0")
    files["grey16_transparent"] = png(9, 7, 16, 0, transparency=b"\0\7")
    files["gamma_and_profile"] = png(9, 7, 8, 2, chunks=chunk(b"gAMA", struct.pack(">I", 30000)) + chunk(b"tEXt", b"a\0b"))
    files["many_data_chunks"] = png(9, 7, 8, 2, split=7)
    files["1x1"] = png(1, 1, 8, 2)
    files["1x1_bit"] = png(1, 1, 1, 0)
    for width, height in ((2, 1), (1, 2), (3, 3), (5, 5), (8, 8), (9, 1), (1, 9)):
        files[f"interlaced_{width}x{height}"] = png(width, height, 8, 2, interlaced=True)
    out = io.BytesIO()
    frames = [known(11, 9).rotate(angle) for angle in (0, 90, 180)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    files["animated"] = out.getvalue()
    out = io.BytesIO()
    known(20000, 1).save(out, "PNG")
    files["20000x1"] = out.getvalue()
    return {f"{name}.png": data for name, data in files.items()}


def lzw(indices, bits, clear_when_full=True):
    """GIF's codes. A full table may also be kept ("deferred clear")."""
    clear, codes, width = 1 << bits, {}, bits + 1
    accumulator, used, out = 0, 0, bytearray()

    def put(code):
        nonlocal accumulator, used
        accumulator |= code << used
        used += width
        while used >= 8:
            out.append(accumulator & 255)
            accumulator >>= 8
            used -= 8

    put(clear)
    codes = {(i,): i for i in range(clear)}
    following, run = clear + 2, ()
    for index in indices:
        if run + (index,) in codes:
            run += (index,)
            continue
        put(codes[run])
        if following < 4096:
            codes[run + (index,)] = following
            following += 1
            if following > 1 << width and width < 12:
                width += 1
        elif clear_when_full:
            put(clear)
            codes, following, width = {(i,): i for i in range(clear)}, clear + 2, bits + 1
        run = (index,)
    put(codes[run])
    put(clear + 1)
    if used:
        out.append(accumulator & 255)
    return bytes(out)


def blocks(data):
    return b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255)) + b"\0"


def gif(width, height, table, frame=None, local=None, interlaced=False, transparent=None, seed=0, clear_when_full=True):
    """Tables are of 4 or 256 colours; every fourth index lies beyond a table of 2."""
    x, y, frame_width, frame_height = frame or (0, 0, width, height)
    used = local or table or bytes(3 * 256)
    bits = 2 if len(used) <= 12 else 8
    indices = np.random.default_rng(seed).integers(0, 1 << bits, (frame_height, frame_width))
    if interlaced:
        indices = indices[[*range(0, frame_height, 8), *range(4, frame_height, 8), *range(2, frame_height, 4), *range(1, frame_height, 2)]]
    size = {6: 0, 12: 1, 768: 7}
    out = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80 | size[len(table)] if table else 0, 1, 0) + (table or b"")
    out += b"!\xfe" + blocks(b"a comment")
    if transparent is not None:
        out += b"!\xf9\4" + bytes([1, 0, 0, transparent, 0])
    flags = (0x40 if interlaced else 0) | (0x80 | size[len(local)] if local else 0)
    out += b"," + struct.pack("<HHHHB", x, y, frame_width, frame_height, flags) + (local or b"")
    return out + bytes([bits]) + blocks(lzw(indices.reshape(-1).tolist(), bits, clear_when_full)) + b";"


def gifs():
    colours = bytes(np.random.default_rng(2).integers(0, 256, 3 * 256, dtype=np.uint8))
    files = {
        "plain": gif(13, 11, colours),
        "four_colours": gif(13, 11, colours[:12]),
        "two_colours_of_four": gif(13, 11, colours[:6]),
        "no_table": gif(13, 11, None),
        "grey_ramp": gif(13, 11, bytes(i // 3 for i in range(12)), seed=3),
        "local_table": gif(13, 11, colours[:12], local=colours[12:24]),
        "interlaced": gif(13, 11, colours, interlaced=True),
        "interlaced_1x1": gif(1, 1, colours, interlaced=True),
        "interlaced_5x5": gif(5, 5, colours[:12], interlaced=True),
        "transparent": gif(13, 11, colours[:12], transparent=2),
        "part_of_screen": gif(13, 11, colours[:12], frame=(3, 2, 5, 6)),
        "part_of_screen_transparent": gif(13, 11, colours[:12], frame=(3, 2, 5, 6), transparent=3),
        "beyond_screen": gif(4, 4, colours[:12], frame=(1, 2, 5, 6)),
        "full_table": gif(160, 90, colours),
        "full_table_kept": gif(160, 90, colours, clear_when_full=False),
    }
    out = io.BytesIO()
    frames = [known(11, 9).rotate(angle).convert("P") for angle in (0, 90, 180)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0)
    files["animated"] = out.getvalue()
    return {f"{name}.gif": data for name, data in files.items()}


def bmp(width, height, bits, palette=b"", header=40, compression=0, masks=b"", colours=0, top_down=False, offset=None, gap=b""):
    row_bytes = (width * bits + 31) // 32 * 4
    rows = np.random.default_rng(bits).integers(0, 256, row_bytes * height, dtype=np.uint8).tobytes()
    if header == 12:
        fields = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        signed = -height if top_down else height
        fields = struct.pack("<IiiHHIIiiII", header, width, signed, 1, bits, compression, 0, 0, 0, colours, 0)
        fields += masks.ljust(header - 40, b"\0") if header > 40 else masks
    start = 14 + len(fields) + len(palette) + len(gap) if offset is None else offset
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + fields + palette + gap + rows


def bmps():
    colours = bytes(np.random.default_rng(3).integers(0, 256, 4 * 256, dtype=np.uint8))
    files = {
        "1bit": bmp(13, 5, 1, colours[:8]),
        "4bit": bmp(13, 5, 4, colours[:64]),
        "4bit_few_colours": bmp(13, 5, 4, colours[:28], colours=7),
        "8bit": bmp(13, 5, 8, colours),
        "8bit_few_colours": bmp(13, 5, 8, colours[:400], colours=100),
        "8bit_wrong_offset": bmp(13, 5, 8, colours, offset=54),
        "8bit_grey": bmp(13, 5, 8, bytes(b for i in range(256) for b in (i, i, i, 0))),
        "8bit_os2": bmp(13, 5, 8, bytes(colours[:768]), header=12),
        "16bit_555": bmp(13, 5, 16),
        "16bit_565": bmp(13, 5, 16, compression=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
        "24bit": bmp(13, 5, 24),
        "24bit_top_down": bmp(13, 5, 24, top_down=True),
        "24bit_os2": bmp(13, 5, 24, header=12),
        "24bit_gap": bmp(13, 5, 24, gap=b"twelve bytes"),
        "24bit_v5": bmp(13, 5, 24, header=124),
        "24bit_no_offset": bmp(13, 5, 24, offset=0),
        "32bit": bmp(13, 5, 32),
        "32bit_rgba": bmp(13, 5, 32, header=56, compression=3, masks=struct.pack("<IIII", 0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
        "32bit_xbgr": bmp(13, 5, 32, header=108, compression=3, masks=struct.pack("<IIII", 0xFF000000, 0xFF0000, 0xFF00, 0)),
        "32bit_masks_behind": bmp(13, 5, 32, compression=3, masks=struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)),
        "1x1": bmp(1, 1, 24),
    }
    files["24bit_padding_missing"] = files["24bit"][:-1]
    return {f"{name}.bmp": data for name, data in files.items()}


def pnms():
    rng = np.random.default_rng(4)
    small = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    wide = rng.integers(0, 1001, (5, 7, 3)).astype(">u2")
    grey = small[:, :, 0]

    def text(values):
        return b" ".join(b"%d" % v for v in np.asarray(values).reshape(-1).tolist())

    files = {
        "p1.pbm": b"P1\n# bits\n7 5\n" + bytes(48 + v % 2 for v in grey.reshape(-1).tolist()) + b"\n",
        "p1_spaced.pbm": b"P1 7 5\n" + text(grey % 2),
        "p2.pgm": b"P2\n7 5\n255\n" + text(grey),
        "p2_deep.pgm": b"P2 7 5 1000\n" + text(wide[:, :, 0]) + b"\n",
        "p3.ppm": b"P3 7 5 255 # colours\n" + text(small[:4]) + b"\n#the last row\n" + text(small[4]) + b"\n",
        "p3_flat.ppm": b"P3\n7 5\n15\n" + text(small % 16) + b"\n",
        "p4.pbm": b"P4\n7 5\n" + bytes(rng.integers(0, 256, 5, dtype=np.uint8)),
        "p5.pgm": b"P5\n# grey\n7 5\n255\n" + grey.tobytes(),
        "p5_flat.pgm": b"P5 7 5 6 " + (grey % 8).tobytes(),  # some above the largest value
        "p5_deep.pgm": b"P5 7 5 1000\n" + wide[:, :, 0].tobytes(),
        "p5_16bit.pgm": b"P5 7 5 65535\n" + (wide[:, :, 0] // 2).astype(">u2").tobytes(),
        "p6.ppm": b"P6\n7 5\n255\n" + small.tobytes() + b"more",
        "p6_deep.ppm": b"P6 7 5 1000\n" + wide.tobytes(),
        "p6_16bit.ppm": b"P6 7 5 65535\n" + (wide * 65).astype(">u2").tobytes(),
    }
    return files
