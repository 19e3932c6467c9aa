"""One damaged input of each kind, and the command that is to read it; the same seed gives the same case."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import numpy as np
from materials import TRAIN
from mutate import (
    NUMBERS,
    TEXTS,
    as_json,
    changed_table,
    changed_toml,
    changed_tree,
    damaged,
    larger_header,
)

MAIN, TRAINING, CALLS, CLIENTS = "live_emotion", "train", "calls", "clients"


@dataclass
class Case:
    """A command and how it runs.

    Attributes:
        arguments: of the program.
        program: which.
        environment: variables beside those that there are.
        stdout: ``file``, ``full``, ``closed`` or ``gone``: the reader has left.
        limits: of the system, by their names in ``resource``.
        own: what the command may change though it is there: names of files and folders in the case's folder.
        utf8: whether the machine's file names are in UTF-8.
        bound: whether permissions of files bind it even if it runs as root.
        fresh: whether it begins by itself, which takes longer, and has not got imported what takes space.
    """

    arguments: list[str]
    program: str = MAIN
    environment: dict[str, str] = field(default_factory=dict)
    stdout: str = "file"
    limits: dict[str, int] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    utf8: bool = True
    bound: bool = False
    fresh: bool = False


def _pick(folder: Path, chance: random.Random) -> Path:
    return chance.choice(sorted(folder.iterdir()))


def a_picture(root: Path, chance: random.Random) -> tuple[str, bytes]:
    """A file's name and content, damaged or of an extreme shape."""
    source = _pick(root / "pictures", chance)
    data, kind = source.read_bytes(), chance.randrange(10)
    if kind < 5:
        data = damaged(data, chance)
    elif kind < 8:
        data = larger_header(data, chance)
    elif kind == 8:
        return "a.png", _extreme(chance)
    name = source.name if chance.random() < 0.9 else f"a{chance.choice(['.jpg', '.png', '.gif', '.tif', ''])}"
    return name, data


def _extreme(chance: random.Random) -> bytes:
    """A whole PNG, or JPEG, of sides such as hardly any picture has."""
    from PIL import Image

    sides = [1, 2, 3, 15, 16, 17, 47, 48, 49, 1000, 32_766, 32_767, 32_768, 40_000, 65_500]
    width = chance.choice(sides)
    height = chance.choice([side for side in sides if side * width <= 70_000_000])
    file = io.BytesIO()
    mode = chance.choice(["L", "RGB", "1", "P"])
    Image.new(mode, (width, height), chance.randrange(2)).save(file, chance.choice(["PNG", "PNG", "TIFF"]))
    return file.getvalue()


def _argument(chance: random.Random) -> str:
    """A text that a command can be given."""
    return chance.choice(TEXTS).replace("\0", "").encode("utf-8", "replace").decode()


def pictures(root: Path, folder: Path, chance: random.Random) -> Case:
    """``image``, ``calibrate`` or ``train prepare`` of damaged photos."""
    (folder / "photos" / "happy").mkdir(parents=True)
    names = []
    for i in range(chance.choice([1, 1, 1, 3])):
        name, data = a_picture(root, chance)
        (folder / "photos" / "happy" / f"{i}{name}").write_bytes(data)
        names.append(f"photos/happy/{i}{name}")
    kind = chance.randrange(8)
    if kind == 0:
        return Case(["prepare", "photos", "-o", "faces"], TRAINING)
    if kind == 1:
        return Case(["calibrate", "--photo", names[0], "--profile", "a"])
    if kind == 2:
        _keep(folder / "out" / f"{Path(names[0]).stem}_annotated.png")
    outputs = chance.choice([["-o", "out"], ["--json"], ["--data", "rows.csv"], ["--data", "-"], []])
    return Case(["image", *names, *outputs])


def _keep(path: Path) -> None:
    """Puts a file where the command would write one, which must stay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("somebody's")


def a_video(root: Path, chance: random.Random) -> tuple[str, bytes]:
    """A file's name and content, damaged."""
    source = _pick(root / "videos", chance)
    name = source.name if chance.random() < 0.9 else f"a{chance.choice(['.mp4', '.avi', '.mkv', '.mp3'])}"
    return name, damaged(source.read_bytes(), chance)


def videos(root: Path, folder: Path, chance: random.Random) -> Case:
    """``video`` or the live loop over a damaged video."""
    name, data = a_video(root, chance)
    (folder / name).write_bytes(data)
    kind = chance.randrange(6)
    if kind == 0:
        return Case(["webcam", "--no-window", "--camera", name, "--log", "log.csv", "--record", "me.mp4"])
    if kind == 1:
        _keep(folder / "out.mp4")
    more = [["--data", "rows.csv"], ["--data", "rows.jsonl"], ["--report", "report"], ["--clip", "0:00-0:01"], []]
    return Case(["video", name, "-o", "out.mp4", *chance.choice(more)])


def weights(root: Path, folder: Path, chance: random.Random) -> Case:
    """Networks whose bytes, description or numbers are damaged."""
    name = (_damage_checkpoint if chance.random() < 0.5 else _damage_onnx)(root, folder, chance)
    photo = str(root / "pictures" / "a.jpg")
    kind = chance.randrange(8)
    if kind == 0:
        return Case(["evaluate", "--weights", name, "--data", str(root / "data"), "-o", "out"], TRAINING)
    if kind == 1:
        return Case(["export", "--weights", name, "-o", "out.onnx"], TRAINING)
    if kind == 2:
        return Case(["--pretrained", name, "--data", str(root / "data"), "-o", "out", *TRAIN], TRAINING)
    return Case(["image", photo, "--json", "--weights", name])


def _damage_checkpoint(root: Path, folder: Path, chance: random.Random) -> str:
    import torch

    path = root / "weights" / "small.pth"
    if chance.random() < 0.3:
        (folder / "a.pth").write_bytes(damaged(path.read_bytes(), chance))
        return "a.pth"
    content = torch.load(path, weights_only=True)
    if chance.random() < 0.6:
        state = content.pop("state_dict")
        content = changed_tree(content, chance)
        if isinstance(content, dict) and chance.random() < 0.95:
            content["state_dict"] = state
    else:
        _damage_state(content["state_dict"], chance)
    with contextlib.suppress(Exception):  # not all can be written
        torch.save(content, folder / "a.pth")
    return "a.pth"


def _damage_state(state: dict[str, Any], chance: random.Random) -> None:
    import torch

    name = chance.choice(list(state))
    value = state[name]
    other = [
        *(
            torch.full_like(value, 0),
            value[..., :1] if value.dim() else value[None],
            value.double(),
            value.to(torch.complex64),
            value.long(),
            value * 0,
        ),
        *(value.to_sparse() if value.dim() else value, None, "text", 3, [1], torch.zeros(0), value.half()),
    ]
    if value.is_floating_point():
        state[name] = chance.choice([*other, value * 1e38, value * float("nan"), value + float("inf"), -value - 9])
    else:
        state[name] = chance.choice([*other, value - 10])
    if chance.random() < 0.1:
        state[chance.choice(TEXTS)] = state.pop(name)


def _damage_onnx(root: Path, folder: Path, chance: random.Random) -> str:
    import onnx

    path = root / "weights" / "small.onnx"
    if chance.random() < 0.3:
        (folder / "a.onnx").write_bytes(damaged(path.read_bytes(), chance))
        return "a.onnx"
    model = onnx.load(path)
    if chance.random() < 0.6:
        content = changed_tree({item.key: json.loads(item.value) for item in model.metadata_props}, chance)
        del model.metadata_props[:]
        for name, value in content.items() if isinstance(content, dict) else ():
            text = as_json(value, chance).decode("utf-8", "replace")
            with contextlib.suppress(Exception):
                model.metadata_props.add(key=str(name), value=text)
    else:
        item = chance.choice([i for i in model.graph.initializer if i.data_type == onnx.TensorProto.FLOAT])
        values = onnx.numpy_helper.to_array(item).copy()
        values.flat[: chance.choice([1, values.size])] = chance.choice([np.nan, np.inf, -np.inf, 3e38, -3e38, 0])
        item.CopyFrom(onnx.numpy_helper.from_array(values, item.name))
    (folder / "a.onnx").write_bytes(model.SerializeToString())
    return "a.onnx"


def profiles(root: Path, folder: Path, chance: random.Random) -> Case:
    """Profiles with anything in them."""
    place = folder / "config" / "live-emotion" / "profiles"
    place.mkdir(parents=True)
    content = changed_tree(json.loads((root / "profile.json").read_text()), chance)
    (place / "anna.json").write_bytes(as_json(content, chance))
    arguments: list[list[str]] = [
        *([["image", str(root / "pictures" / "a.jpg"), "--json", "--profile", "anna"]] * 3),
        *(["profiles"], ["profiles", "show", "anna"], ["profiles", "show", _argument(chance)]),
        ["calibrate", "--photo", str(root / "pictures" / "a.jpg"), "--profile", "anna"],
    ]
    return Case(chance.choice(arguments))


def runs(root: Path, folder: Path, chance: random.Random) -> Case:
    """Runs that are to go on from a damaged state, with changed settings or a changed history."""
    import torch

    shutil.copytree(root / "run", folder / "run")
    state = folder / "run" / "training_state.pth"
    kind = chance.randrange(5)
    if kind == 0:
        state.write_bytes(damaged(state.read_bytes(), chance))
    elif kind == 1:
        settings = folder / "run" / "run.toml"
        settings.write_bytes(changed_toml(settings.read_text(), chance))
    else:
        content = torch.load(state, weights_only=True)
        name = chance.choice(list(content))
        if (
            kind == 2
            and isinstance(content[name], dict)
            and isinstance(next(iter(content[name].values()), 0), torch.Tensor)
        ):
            _damage_state(content[name], chance)
        else:
            plain = {key: value for key, value in content.items() if key not in ("model", "average", "optimizer")}
            changed = changed_tree(plain, chance)
            content = {**content, **changed} if isinstance(changed, dict) else changed
            for key in [key for key in plain if isinstance(changed, dict) and key not in changed]:
                del content[key]
        with contextlib.suppress(Exception):
            torch.save(content, state)
    more = ["--epochs", "2", "--data", str(root / "data"), "--device", "cpu"]
    return Case(["--resume", "-o", "run", *more], TRAINING, own=("run",))


def settings(root: Path, folder: Path, chance: random.Random) -> Case:
    """A run of damaged settings."""
    text = (root / "run" / "run.toml").read_text()
    (folder / "run.toml").write_bytes(changed_toml(text, chance))
    more = ["--data", str(root / "data"), "-o", "out", "--epochs", "1", "--device", "cpu"]
    return Case(["--config", "run.toml", *more], TRAINING)


def tables(root: Path, folder: Path, chance: random.Random) -> Case:
    """``report`` of damaged rows, or votes and weights of images that are no such tables."""
    source = _pick(root / "tables", chance)
    if source.suffix == ".parquet":
        data = damaged(source.read_bytes(), chance)
    else:
        data = changed_table(source.read_text(), chance)
    (folder / source.name).write_bytes(data)
    kind = chance.randrange(8)
    if kind == 0:
        name = chance.choice(["--votes", "--sample-weights"])
        table = "file,angry,happy,neutral,sad\n" + "".join(f"happy/{i}.png,{i},1,0,3\n" for i in range(4))
        if name == "--sample-weights":
            table = "file,weight\n" + "".join(f"happy/{i}.png,{i}.5\n" for i in range(4))
        (folder / "votes.csv").write_bytes(changed_table(table, chance))
        data_folder = str(root / "data")
        return Case(["--data", data_folder, "-o", "out", *TRAIN, name, "votes.csv"], TRAINING)
    if kind == 1:
        _keep(folder / "rows_report" / "people.csv")
    more = [[], [], ["--names", "1=Anna"], ["--names", _argument(chance)]]
    more += [["--video", str(root / "videos" / "a.mp4")]]
    return Case(["report", source.name, *chance.choice(more)])


def options(root: Path, folder: Path, chance: random.Random) -> Case:
    """Commands with options that cannot be, or hardly."""
    program, arguments, command = chance.choice(_commands(root))
    named = [p for p in command.params if isinstance(p, click.Option) and p.name not in NOT_TRIED]
    for option in chance.sample(named, min(len(named), chance.choice([1, 1, 2, 4]))):
        arguments = [*arguments, option.opts[-1]]
        if not option.is_flag:
            arguments.append(_value(option, chance))
    if chance.random() < 0.1:
        arguments.insert(chance.randrange(len(arguments)), _argument(chance))
    if program == TRAINING and arguments[0].startswith("-"):
        arguments += ["--epochs", "1", "--device", "cpu"]
    return Case(arguments, program, own=("",))


NOT_TRIED = frozenset({"epochs", "cluster", "help", "version", "seconds", "workers", "arch"})
"""Options that make commands take long, or other machines work."""


def _commands(root: Path) -> list[tuple[str, list[str], click.Command]]:
    from live_emotion.cli.main import cli
    from train.cli.main import cli as train_cli

    def command(group: click.Group, name: str) -> click.Command:
        found = group.get_command(click.Context(group), name)
        assert found
        return found

    photo, video, rows = (str(root / p) for p in ("pictures/a.jpg", "videos/a.mp4", "tables/rows.csv"))
    data, network = str(root / "data"), str(root / "weights" / "small.pth")
    main = {
        "image": [photo, "-o", "out"],
        "video": [video, "-o", "out.mp4"],
        "report": [rows, "-o", "out"],
        "webcam": ["--no-window", "--camera", video],
        "calibrate": ["--photo", photo],
        "profiles": [],
        "enrol": ["me", "--photos", str(root / "data" / "train")],
    }
    training = {
        "evaluate": ["--weights", network, "--data", data, "-o", "out"],
        "calibrate": ["--weights", network, "--data", data, "-o", "out.pth"],
        "prepare": [data, "-o", "out"],
        "export": ["--weights", network, "-o", "out.onnx"],
    }
    found = [(MAIN, [name, *arguments], command(cli, name)) for name, arguments in main.items()]
    found += [(TRAINING, [name, *arguments], command(train_cli, name)) for name, arguments in training.items()]
    return [*found, *[(TRAINING, ["--data", data, "-o", "out", *TRAIN], train_cli)] * 3]


def _value(option: click.Option, chance: random.Random) -> str:
    if isinstance(option.type, click.Choice) and chance.random() < 0.5:
        return chance.choice(list(option.type.choices))
    value = chance.choice([chance.choice(NUMBERS[:-7]), chance.choice(NUMBERS[-6:]), _argument(chance)])
    return str(value)[:100_000]


def calls(root: Path, folder: Path, chance: random.Random) -> Case:
    """Calls of the public API with arguments that make no sense."""
    return Case([str(chance.randrange(2**32)), str(root)], CALLS)


def requests(root: Path, folder: Path, chance: random.Random) -> Case:
    """What clients send to the server, over HTTP and its live socket."""
    return Case([str(chance.randrange(2**32)), str(root)], CLIENTS)


NAMES = (
    *(
        b"\xff\xfe",
        b"a\nb",
        b"a\rb",
        b"\x1b[2J",
        "ä".encode(),
        "日本語".encode(),
        "😀".encode(),
        b" ",
        b"a b",
        b"a'b\"c",
    ),
    *(b"-", b"--", b"-o", b"a:b", b"CON", b"nul.", b"a%20b%d%s", b"x" * 250, b"y" * 245, b"$(touch x)", b"*", b"a\\b"),
    *(b"\xc3\x28", "\u202egpj".encode(), b"a;b", b"{out}", b"<b>", b"&amp;", b"file=a", b".hidden", b"a.part-1234"),
)


def names(root: Path, folder: Path, chance: random.Random) -> Case:
    """Files and folders of names that are no text, or hardly, on machines with and without UTF-8."""
    stem = chance.choice(NAMES)
    utf8 = chance.random() < 0.6

    def put(source: Path) -> str:
        name = os.fsdecode(stem + source.suffix.encode())
        with contextlib.suppress(OSError):
            shutil.copy(source, folder / name)
        return name if chance.random() < 0.5 or not name.startswith("-") else f"./{name}"

    out = os.fsdecode(chance.choice(NAMES))
    kind = chance.randrange(7)
    photo = _pick(root / "pictures", chance)
    network = ["--weights", put(root / "weights" / chance.choice(["small.pth", "small.onnx"]))]
    arguments, program = {
        0: (["image", put(photo), "-o", out], MAIN),
        1: (["image", put(photo), chance.choice(["--json", "--data=rows.csv", "--data=-"])], MAIN),
        2: (
            ["video", put(root / "videos" / "a.mp4"), "-o", f"{out}.mp4", "--data", f"{out}.csv", "--report", out],
            MAIN,
        ),
        3: (["report", put(root / "tables" / "rows.csv"), "-o", out, "--names", f"1={out}"], MAIN),
        4: (["image", str(root / "pictures" / "a.jpg"), "--json", *network], MAIN),
        5: (["--data", str(root / "data"), "-o", out, *TRAIN], TRAINING),
        6: (["webcam", "--no-window", "--camera", put(root / "videos" / "a.mp4"), "--log", f"{out}.jsonl"], MAIN),
    }[kind]
    return Case(arguments, program, utf8=utf8)


def stdout(root: Path, folder: Path, chance: random.Random) -> Case:
    """Commands whose standard output is full, closed, or read by nobody."""
    photo, video = str(root / "pictures" / "a.jpg"), str(root / "videos" / "a.mp4")
    main = [
        *(["image", photo, "--json"], ["image", photo], ["image", photo, "-o", "out"], ["image", photo, "--data", "-"]),
        *(["video", video, "-o", "out.mp4"], ["video", video, "--no-video", "--data", "-"], ["profiles"], ["--help"]),
        *(["webcam", "--no-window", "--camera", video, "--log", "-"], ["report", str(root / "tables" / "rows.csv")]),
        *(["cameras"], ["--version"], ["image", "--help"], ["image", "missing.jpg"], ["nonsense"]),
    ]
    train = [
        *(["--help"], ["evaluate", "--weights", str(root / "weights" / "small.pth"), "--data", str(root / "data")]),
        *(["--data", str(root / "data"), "-o", "out", *TRAIN], ["prepare", str(root / "data"), "-o", "faces"]),
    ]
    where = chance.choice(["full", "closed", "gone"])
    if chance.random() < 0.75:
        return Case(chance.choice(main), stdout=where)
    return Case(chance.choice(train), TRAINING, stdout=where)


def machine(root: Path, folder: Path, chance: random.Random) -> Case:
    """A disk that is full, a folder that cannot be written, few open files, little memory."""
    photo, video = str(root / "pictures" / "a.jpg"), str(root / "videos" / "a.mp4")
    commands = [
        *((["image", photo, "-o", "out"], MAIN), (["image", photo, "--data", "rows.csv"], MAIN)),
        *((["video", video, "-o", "out.mp4", "--data", "rows.parquet", "--report", "report"], MAIN),) * 2,
        (["webcam", "--no-window", "--camera", video, "--log", "log.csv", "--record", "me.mp4"], MAIN),
        (["report", str(root / "tables" / "rows.csv")], MAIN),
        (["calibrate", "--photo", photo], MAIN),
        (["--data", str(root / "data"), "-o", "out", *TRAIN], TRAINING),
        (["evaluate", "--weights", str(root / "weights" / "small.pth"), "--data", str(root / "data")], TRAINING),
    ]
    arguments, program = chance.choice(commands)
    kind = chance.randrange(4)
    if kind == 0:
        size = chance.choice([0, 1, 100, 1000, 10_000, 30_000])
        return Case(arguments, program, limits={"RLIMIT_FSIZE": size})
    if kind == 1:
        folder.chmod(0o555)
        return Case(arguments, program, bound=True)
    if kind == 2:
        files = chance.choice([16, 20, 24, 32, 48, 63, 64, 80, 100])
        return Case(arguments, program, limits={"RLIMIT_NOFILE": files}, fresh=True)
    memory = chance.randrange(300, 4000) * 1_000_000
    return Case(arguments, program, limits={"RLIMIT_AS": memory}, fresh=True)


KINDS: dict[str, Callable[[Path, Path, random.Random], Case]] = {
    case.__name__: case
    for case in (
        *(
            pictures,
            videos,
            weights,
            profiles,
            runs,
            settings,
            tables,
            options,
            calls,
            names,
            stdout,
            machine,
            requests,
        ),
    )
}
