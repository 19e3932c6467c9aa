"""``live-emotion weights``: the networks that come with live-emotion."""

from __future__ import annotations

from dataclasses import asdict

import click

from live_emotion.cli.console import print_json, say


@click.command("weights")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of text.")
def command(as_json: bool) -> None:
    """List the networks that come with live-emotion, by the names that --weights takes.

    With the size of the file, how many of PublicTest's pictures each gets right and of each emotion on average (the
    truth is what most of ten people saw; higher is better, and only networks of the same emotions compare), and what
    the data that it learnt from allow. A .pth file needs PyTorch.

    \b
    live-emotion webcam --weights cnn
    """
    from live_emotion.errors import WeightsError
    from live_emotion.resources import shipped_weights, weights_file

    listed = []
    for each in shipped_weights().values():
        try:
            listed.append((each, weights_file(each.file)))
        except WeightsError as error:  # somebody took it out, perhaps to save space
            say(f"{each.name}: {error}", err=True)
    if as_json:
        rows = [
            asdict(each) | {"path": str(path), "bytes": path.stat().st_size, "terms": each.terms}
            for each, path in listed
        ]
        print_json(rows)
        return
    for each, path in listed:
        others = f"; other: {', '.join(each.others)}" if each.others else ""
        click.echo(
            f"{click.style(each.name, bold=True)}  {each.file}, {path.stat().st_size / 1e6:.1f} MB\n"
            f"    {', '.join(each.classes)}{others}\n"
            f"    right {each.accuracy:.1%}, mean recall {each.mean_recall:.1%}\n"
            f"    {each.about}\n"
            f"    learnt from {each.terms}"
        )
    if listed:
        say(f"How each was made and what it is bad at: {weights_file('README.md')}")
