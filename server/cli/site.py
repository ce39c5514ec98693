"""Command line of what a site shares with its call-centre software: secrets, and the rule for launches."""

import click

from server.cli.admin import CommandContext, run, site
from server.core.site_policy import LaunchPolicy, SnapshotPolicy

__all__ = ["site"]


@site.command("secret")
@click.argument("key")
@click.option("--list", "only_list", is_flag=True, help="List the secrets without their values.")
@click.option("--retire", metavar="KID", help="Let this one sign nothing more, at once.")
@click.pass_obj
def site_secret(lazy: CommandContext, key: str, *, only_list: bool, retire: str | None) -> None:
    """Make a secret for the site KEY, shown once; the one before may still sign until the next."""
    if only_list:
        for one in run(lazy, lambda house: house.secrets.every(key)):
            state = f"retired {one.retired:%Y-%m-%d}" if one.retired else "active"
            click.echo(f"{one.id}\t{one.created:%Y-%m-%d %H:%M}\t{state}")
        return
    if retire:
        run(lazy, lambda house: house.secrets.retire(key, retire))
        click.echo(f"secret {retire} retired")
        return
    made = run(lazy, lambda house: house.secrets.rotate(key))
    click.echo(f"kid\t{made.id}")
    click.echo(f"secret\t{made.value}")
    click.echo("Shown once: give it to the call-centre software now.", err=True)


@site.group("observer")
def observers() -> None:
    """Who the desks of a site invite often to see a picture: SMUR crews, specialists."""


@observers.command("add")
@click.argument("key")
@click.argument("name")
@click.option("--mobile", help="Where the link goes by SMS.")
@click.option("--email", help="Where the link goes by e-mail.")
@click.pass_obj
def observer_add(
    lazy: CommandContext, key: str, name: str, *, mobile: str | None, email: str | None
) -> None:
    """Put NAME on the list of the site KEY, with a mobile or an e-mail."""
    added = run(lazy, lambda house: house.admin.add_observer(key, name, mobile=mobile, email=email))
    click.echo(f"observer {added} added to {key}")


@observers.command("list")
@click.argument("key")
@click.pass_obj
def observer_list(lazy: CommandContext, key: str) -> None:
    """List who is on it."""
    for one in run(lazy, lambda house: house.admin.observers(key)):
        click.echo(f"{one.name}\t{one.channel}\t{one.to}")


@observers.command("remove")
@click.argument("key")
@click.argument("name")
@click.pass_obj
def observer_remove(lazy: CommandContext, key: str, name: str) -> None:
    """Take NAME off the list of the site KEY."""
    run(lazy, lambda house: house.admin.remove_observer(key, name))
    click.echo(f"observer {name} removed from {key}")


@site.command("launches")
@click.argument("key")
@click.argument("policy", type=click.Choice([policy.value for policy in LaunchPolicy]))
@click.pass_obj
def site_launches(lazy: CommandContext, key: str, policy: str) -> None:
    """Say whether launches that are not signed may propose something to the desks of the site KEY, or are refused."""
    run(lazy, lambda house: house.secrets.launches(key, LaunchPolicy(policy)))
    click.echo(f"launches of {key}: signature {policy}")


@site.command("snapshots")
@click.argument("key")
@click.argument("policy", type=click.Choice([policy.value for policy in SnapshotPolicy]))
@click.pass_obj
def site_snapshots(lazy: CommandContext, key: str, policy: str) -> None:
    """Say whether the desks of the site KEY may store pictures of what they see."""
    run(lazy, lambda house: house.secrets.snapshots(key, SnapshotPolicy(policy)))
    click.echo(f"snapshots of {key}: {policy}")
