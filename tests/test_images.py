"""Photos from and to disk."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
import zlib

import cv2
import matplotlib.cbook
import numpy as np
import pillow_heif
import pytest
from matplotlib.figure import Figure
from PIL import Image

from live_emotion.errors import InputError, OutputError
from live_emotion.faces.detection.detector import FaceDetector
from live_emotion.io.images import read_image, write_figure, write_image
from live_emotion.pipelines.analyzer import EmotionAnalyzer
from live_emotion.pipelines.config import AnalysisConfig
from live_emotion.pipelines.photos import PREVIEW_SIDE, read_photo, save_figure
from live_emotion.types import EMOTIONS, Prediction
from live_emotion.visualization.figures import draw_batch, draw_example

pillow_heif.register_heif_opener()  # so that Pillow writes HEIF


def test_round_trip(portrait, tmp_path):
    write_image(tmp_path / "a.png", portrait)
    assert np.array_equal(read_image(tmp_path / "a.png"), portrait)


def test_a_turned_photo_stands_upright(tmp_path):
    path = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    with Image.open(path) as image:
        exif = Image.Exif()
        exif[0x0112] = 6  # turn by 90 degrees clockwise to show
        image.save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (512, 600, 3)


@pytest.mark.parametrize("name", ["a.avif", "a.gif", "a.HEIC", "a.heif", "a.hif"])
def test_photos_of_phones_and_of_the_web(portrait, tmp_path, name):
    image = Image.fromarray(portrait[:, :, ::-1])
    image.save(tmp_path / name, **({} if name.endswith("gif") else {"quality": 95}))
    read = read_image(tmp_path / name)
    assert read.shape == portrait.shape and read.dtype == np.uint8 and read.flags.c_contiguous
    assert np.abs(read.astype(int) - portrait).mean() < 12, "a GIF has 256 colours"
    assert (tmp_path / name).rename(tmp_path / "photo.jpg")
    assert np.array_equal(read_image(tmp_path / "photo.jpg"), read), "phones give them other names"


@pytest.mark.parametrize("suffix", ["avif", "heic"])
def test_turned_ones_stand_upright(portrait, tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(np.rot90(portrait)[:, :, ::-1])
    image.save(tmp_path / f"turned.{suffix}", exif=exif.tobytes(), quality=95)
    assert np.abs(read_image(tmp_path / f"turned.{suffix}").astype(int) - portrait).mean() < 5


@pytest.mark.parametrize("suffix", ["avif", "gif", "heic"])
def test_transparent_parts_of_them_are_grey(tmp_path, suffix):
    image = np.zeros((40, 60, 4), np.uint8)
    image[:, 30:] = (20, 200, 20, 255)
    Image.fromarray(image).save(tmp_path / f"a.{suffix}")
    read = read_image(tmp_path / f"a.{suffix}").astype(int)
    assert np.abs(read[:, :25] - 128).max() < 6
    assert np.abs(read[:, 35:] - (20, 200, 20)).max() < 6


@pytest.mark.parametrize("suffix", ["avif", "gif", "heic"])
def test_broken_ones_are_named(portrait, tmp_path, suffix):
    file = tmp_path / f"a.{suffix}"
    Image.fromarray(portrait).save(file)
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(InputError, match=f"this {suffix.upper()} image is damaged; copy it anew") as caught:
        read_image(file)
    assert str(file) in str(caught.value)


def test_without_the_package_for_heic_it_says_what_to_install(portrait, tmp_path, monkeypatch):
    Image.fromarray(portrait).save(tmp_path / "a.heic")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"a\.heic cannot be read: .* pip install 'live-emotion\[heif\]'"):
        read_image(tmp_path / "a.heic")


def test_transparent_parts_are_grey(tmp_path):
    image = np.zeros((4, 6, 4), np.uint8)
    image[:, 3:] = (10, 20, 30, 255)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    read = read_image(tmp_path / "a.png")
    assert (read[:, :3] == 128).all()
    assert (read[:, 3:] == (10, 20, 30)).all()


@pytest.mark.parametrize("mode", ["L", "P", "I;16", "CMYK"])
def test_other_kinds_of_pixels_become_bgr(mode, tmp_path):
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new(mode, (5, 4)).save(tmp_path / f"a.{suffix}")
    read = read_image(tmp_path / f"a.{suffix}")
    assert read.shape == (4, 5, 3)
    assert read.dtype == np.uint8


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; copy it anew"),
        (b"no image at all", "is not an image that can be read; use JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP or HEIC"),
        (b"<!DOCTYPE html>", "is not an image that can be read; use"),
        (b"%PDF-1.7", "is not an image that can be read; use"),
        (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "is a video; read it with: live-emotion video"),
        (b"\xff\xd8\xff\xe0 damaged", "this JPEG image is damaged; copy it anew"),
        (b"\x89PNG\r\n\x1a\n", "this PNG image is damaged"),
        (b"II*\0 cut", "this TIFF image is damaged"),
    ],
)
def test_not_an_image(content, message, tmp_path):
    file = tmp_path / "bad.jpg"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_image(file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_grey_images_of_32_bits_are_read_or_named(mode, tmp_path):
    Image.new(mode, (5, 4)).save(tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"a\.tif cannot be read: it is grey with 32 bits a pixel; save it with 8"):
        read_image(tmp_path / "a.tif")


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(InputError, match="is a folder"):
        read_image(tmp_path)


def test_unknown_format_for_writing(portrait, tmp_path):
    with pytest.raises(OutputError, match="no image format"):
        write_image(tmp_path / "a.xyz", portrait)
    with pytest.raises(OutputError, match="no image format"):
        write_image(tmp_path / "a.\udcff", portrait)
    assert list(tmp_path.iterdir()) == []


def test_many_photos_keep_no_more_pixels_than_their_pictures_need(tmp_path, portrait):
    big = cv2.resize(portrait, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(tmp_path / "big.jpg"), big)
    with EmotionAnalyzer(AnalysisConfig(device="cpu")) as analyzer:
        photo = read_photo(tmp_path / "big.jpg", analyzer, tmp_path / "annotated.png")
    assert photo.size == (2048, 2400)
    assert photo.preview.shape == (PREVIEW_SIDE, round(PREVIEW_SIDE * 2048 / 2400), 3)
    assert cv2.imread(str(tmp_path / "annotated.png")).shape == big.shape
    assert photo.crop.shape == (48, 48)
    assert save_figure([photo] * 70, analyzer.class_names, path := tmp_path / "all.png") == path
    assert max(cv2.imread(str(path)).shape) < 8000


def test_a_grid_of_wide_photos_has_no_empty_rows(tmp_path):
    draw_batch([np.zeros((90, 160, 3), np.uint8)] * 4, ["a photo\nno face"] * 4, tmp_path / "wide.png")
    blank = (read_image(tmp_path / "wide.png") == 255).all(axis=(1, 2))
    assert blank.mean() < 0.25


def test_the_picture_of_one_face_of_several_says_which(tmp_path, portrait):
    prediction = Prediction.from_probabilities([0.05, 0.1, 0.8, 0.05], EMOTIONS)
    for whose in ("", "Face 1"):
        draw_example(portrait, portrait[:48, :48, 0], prediction, EMOTIONS, tmp_path / f"{whose}.png", whose=whose)
    alone, one_of = (read_image(tmp_path / f"{whose}.png") for whose in ("", "Face 1"))
    differs = (alone != one_of).any(axis=2)
    assert differs[:40].any() and not differs[60:].any(), "in the title alone"


def test_the_picture_of_a_face_that_shows_something_else_says_so(tmp_path, portrait):
    """The bar of what the four lack is in its own grey, and the largest."""
    prediction = Prediction.from_probabilities([0.05, 0.1, 0.2, 0.05], EMOTIONS)
    draw_example(portrait, portrait[:48, :48, 0], prediction, EMOTIONS, tmp_path / "other.png")
    sure = Prediction.from_probabilities([0.05, 0.1, 0.8, 0.05], EMOTIONS)
    draw_example(portrait, portrait[:48, :48, 0], sure, EMOTIONS, tmp_path / "sure.png")
    grey = np.array([0x99] * 3, np.uint8)
    found = [(read_image(tmp_path / f"{name}.png") == grey).all(axis=2).sum() for name in ("other", "sure")]
    assert found[0] > 5000 and found[1] < found[0] / 20


def test_a_figure_may_have_letters_that_no_font_has(tmp_path, recwarn):
    figure = Figure()
    figure.suptitle("\U0001f9ff happy \u5feb\u4e50")
    write_figure(tmp_path / "figure.png", figure, 50)
    assert read_image(tmp_path / "figure.png").std() > 0
    assert not recwarn.list


def test_a_figure_may_be_too_small_for_its_texts(tmp_path, recwarn):
    figure = Figure((1, 1), layout="constrained")
    figure.subplots().set_ylabel("long\n" * 50)
    write_figure(tmp_path / "figure.png", figure, 50)
    assert not recwarn.list


def test_transparency_of_16_bits_takes_no_more_memory_than_pixels(tmp_path):
    cv2.imwrite(str(tmp_path / "deep.png"), np.full((1000, 1000, 4), 257 * 90, np.uint16))
    read_image(tmp_path / "deep.png")  # imports are done
    tracemalloc.start()
    image = read_image(tmp_path / "deep.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (image == 90).all() and peak < 8 * 1000 * 1000


def chunk(kind, data, checksum=None):
    """A part of a PNG, with its checksum or another."""
    checksum = zlib.crc32(kind + data) if checksum is None else checksum
    return len(data).to_bytes(4, "big") + kind + data + checksum.to_bytes(4, "big")


@pytest.mark.parametrize(
    "odd",
    [
        chunk(b"tEXt", b"a\0b", checksum=1),
        chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"nonsense")),
        chunk(b"sRGB", b"\x09"),
        chunk(b"eXIf", b"nonsense"),
        chunk(b"tRNS", b"\0", checksum=1),
        chunk(b"acTL", bytes(8)),
    ],
    ids=["text", "colours", "sRGB", "EXIF", "transparency", "animation"],
)
def test_odd_parts_of_a_png_are_passed_over_silently(portrait, tmp_path, capfd, odd):
    png = cv2.imencode(".png", portrait)[1].tobytes()
    at = png.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(png[:at] + odd + png[at:])
    assert np.array_equal(read_image(tmp_path / "a.png"), portrait)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("damage", ["cut off", "without its end", "a wrong byte", "Apple's own"])
def test_a_damaged_png_is_one_error_and_nothing_else(portrait, tmp_path, capfd, damage):
    png = cv2.imencode(".png", portrait)[1].tobytes()
    at = png.index(b"IDAT") + 999
    damaged = {
        "cut off": png[:at],
        "without its end": png[:-12],
        "a wrong byte": png[:at] + bytes([png[at] ^ 255]) + png[at + 1 :],
        "Apple's own": png[:8] + chunk(b"CgBI", bytes(4)) + png[8:],
    }
    (tmp_path / "a.png").write_bytes(damaged[damage])
    with pytest.raises(InputError, match="this PNG image is damaged"):
        read_image(tmp_path / "a.png")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_pngs_of_every_kind_are_read(portrait, tmp_path, mode):
    image = Image.fromarray(portrait[:, :, ::-1])
    image = Image.fromarray(portrait[:, :, 1].astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)
    image.save(tmp_path / "a.png", **({"transparency": 0} if mode == "P" else {}))
    read = read_image(tmp_path / "a.png")
    grey = np.abs(read.mean(axis=2) - portrait.mean(axis=2)).mean()
    assert read.shape == portrait.shape and grey < {"1": 100, "P": 30}.get(mode, 12)


def test_a_turned_png_stands_upright(portrait, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(portrait[:, :, ::-1]).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), np.rot90(portrait, -1))


def png_header(width, height):
    """A PNG that says it has these sides, and holds next to nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data, b"IEND"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("suffix", ["bmp", "gif", "jpg", "png", "tif", "webp", "avif", "heic", "pgm"])
def test_the_size_is_read_before_the_pixels(tmp_path, suffix):
    file = tmp_path / f"a.{suffix}"
    Image.new("L" if suffix == "pgm" else "RGB", (1500, 1000)).save(file, "PPM" if suffix == "pgm" else None)
    assert read_image(file).shape == (1000, 1500, 3)
    with pytest.raises(InputError, match=rf"a\.{suffix} cannot be read: it has 2 megapixels, and 1.2 are allowed"):
        read_image(file, 1.2)


@pytest.mark.parametrize(("width", "height"), [(65_500, 65_500), (2**31 - 1, 2**31 - 1), (1, 200_000_000)])
def test_a_bomb_is_refused_by_its_name(tmp_path, width, height):
    (tmp_path / "bomb.png").write_bytes(png_header(width, height))
    with pytest.raises(InputError, match=r"bomb\.png"):
        read_image(tmp_path / "bomb.png")


@pytest.mark.parametrize("shape", [(4, 40_000), (40_000, 20), (100, 33_000), (60, 32_767)])
@pytest.mark.parametrize("detector", ["full", "tiled"])
def test_a_picture_as_long_as_none_is_looked_at(shape, detector):
    with FaceDetector(detector) as faces:
        assert faces.detect(np.full((*shape, 3), 90, np.uint8)) == []


def test_what_libraries_say_of_damaged_pictures_is_not_heard(portrait, tmp_path, capfd):
    for suffix in ("jpg", "tif", "png", "webp"):
        content = bytearray(cv2.imencode(f".{suffix}", portrait)[1].tobytes())
        content[len(content) // 2 :: 97] = bytes(len(content[len(content) // 2 :: 97]))
        (tmp_path / f"a.{suffix}").write_bytes(content)
        with contextlib.suppress(InputError):
            read_image(tmp_path / f"a.{suffix}")
    assert capfd.readouterr() == ("", "")
