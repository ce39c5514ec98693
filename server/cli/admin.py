"""Command line of the administrator: sites, stations and users.

The context's object reads the settings when they are asked for, so that `--help` needs none.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Protocol, TypeVar

import click

from server.administration.service.admin import SHORTEST_PASSWORD, Admin
from server.app.command_services import CommandServices, opened
from server.app.settings.settings import Settings
from server.core.errors import AppError
from server.core.words.for_shell import shell_line
from server.identity.domain.access import Role
from server.identity.domain.users import User

T = TypeVar("T")


class CommandContext(Protocol):
    """The context's object."""

    @property
    def settings(self) -> Settings:
        """Read the settings once."""


def run(lazy: CommandContext, work: Callable[[CommandServices], Awaitable[T]]) -> T:
    """Run one command; a refusal becomes one line and exit code 1."""

    async def whole() -> T:
        async with opened(lazy.settings) as house:
            return await work(house)

    return finished(whole())


def finished(work: Coroutine[object, object, T]) -> T:
    """Run to the end; a refusal becomes one line and exit code 1."""
    try:
        return asyncio.run(work)
    except AppError as refused:
        raise click.ClickException(shell_line(refused)) from None


@click.group()
def site() -> None:
    """SAMU sites."""


@site.command("add")
@click.argument("key")
@click.argument("name")
@click.option("--referent", required=True, help="Where incidents and remarks are mailed.")
@click.option(
    "--sms-sender", required=True, help="Sender shown on phones: 11 letters, or a number."
)
@click.pass_obj
def site_add(lazy: CommandContext, key: str, name: str, referent: str, sms_sender: str) -> None:
    """Add the site KEY, called NAME."""
    added = run(lazy, lambda house: house.admin.add_site(key, name, referent, sms_sender))
    click.echo(f"site {added.key} added")


@site.command("list")
@click.pass_obj
def site_list(lazy: CommandContext) -> None:
    """List the sites."""
    for one in run(lazy, lambda house: house.admin.sites()):
        click.echo(f"{one.key}\t{one.name}\t{one.sms_sender}\t{one.referent_email}")


@click.group()
def station() -> None:
    """Stations (postes) and their line-15 extensions."""


@station.command("add")
@click.argument("site_key", metavar="SITE")
@click.argument("extension", metavar="EXT")
@click.argument("name")
@click.option("--webcam", is_flag=True, help="The station has a webcam.")
@click.pass_obj
def station_add(
    lazy: CommandContext, site_key: str, extension: str, name: str, *, webcam: bool
) -> None:
    """Add the station with extension EXT, called NAME."""
    run(lazy, lambda house: house.admin.add_station(site_key, extension, name, webcam=webcam))
    click.echo(f"station {extension} added to {site_key}")


@station.command("list")
@click.argument("site_key", metavar="SITE")
@click.pass_obj
def station_list(lazy: CommandContext, site_key: str) -> None:
    """List the stations of a site."""
    for one in run(lazy, lambda house: house.admin.stations(site_key)):
        click.echo(f"{one.extension}\t{one.name}\t{'webcam' if one.webcam else ''}".rstrip())


@click.group()
def user() -> None:
    """Professionals who sign in."""


def _password(*, stdin: bool) -> str:
    """Take a password from standard input, or ask for it twice; never from the command line, which others can read."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    asked: str = click.prompt(
        f"Password ({SHORTEST_PASSWORD} characters at least)",
        hide_input=True,
        confirmation_prompt=True,
    )
    return asked


_role = click.Choice([role.value for role in Role])
_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@user.command("add")
@click.argument("identifier")
@click.option("--site", "site_key", required=True)
@click.option("--name", required=True)
@click.option("--role", type=_role, required=True)
@click.option("--email", help="For the one-time code; this or --mobile.")
@click.option("--mobile", help="For the one-time code; this or --email.")
@_stdin
@click.pass_obj
def user_add(
    lazy: CommandContext,
    identifier: str,
    *,
    site_key: str,
    name: str,
    role: str,
    email: str | None,
    mobile: str | None,
    password_stdin: bool,
) -> None:
    """Add a user; the password is asked for."""
    password = _password(stdin=password_stdin)
    added = run(
        lazy,
        lambda house: house.admin.add_user(
            identifier,
            password,
            site_key=site_key,
            name=name,
            role=Role(role),
            email=email,
            mobile=mobile,
        ),
    )
    click.echo(f"user {added.identifier} added to {site_key} as {added.role}")


@user.command("password")
@click.argument("identifier")
@_stdin
@click.pass_obj
def user_password(lazy: CommandContext, identifier: str, *, password_stdin: bool) -> None:
    """Set a new password; the user is signed out everywhere."""
    password = _password(stdin=password_stdin)
    run(lazy, lambda house: house.admin.reset_password(identifier, password))
    click.echo("password set, sessions ended")


@user.command("role")
@click.argument("identifier")
@click.argument("role", type=_role)
@click.pass_obj
def user_role(lazy: CommandContext, identifier: str, role: str) -> None:
    """Change what a user may do."""
    run(lazy, lambda house: house.admin.set_role(identifier, Role(role)))
    click.echo(f"user {identifier} is now {role}")


def _simple(name: str, help_: str, work: Callable[[Admin, str], Awaitable[User]]) -> None:
    """Add a command that takes an identifier and says what was done."""

    @user.command(name, help=help_)
    @click.argument("identifier")
    @click.pass_obj
    def command(lazy: CommandContext, identifier: str) -> None:
        run(lazy, lambda house: work(house.admin, identifier))
        click.echo(f"user {identifier}: {name} done")


_simple("disable", "Shut a user out at once.", Admin.disable)
_simple("enable", "Let a disabled user sign in again.", Admin.enable)
_simple("revoke", "Sign a user out everywhere.", Admin.revoke_sessions)


@user.command("unlock")
@click.argument("identifier")
@click.pass_obj
def user_unlock(lazy: CommandContext, identifier: str) -> None:
    """Lift the block that wrong passwords put on a user, at once."""
    was = run(lazy, lambda house: house.unlock.account(identifier))
    click.echo(f"user {identifier}: {'unlocked' if was else 'was not blocked, failures forgotten'}")


@user.command("list")
@click.option("--site", "site_key", help="Only this site.")
@click.pass_obj
def user_list(lazy: CommandContext, site_key: str | None) -> None:
    """List the users."""
    for one in run(lazy, lambda house: house.admin.users(site_key)):
        state = "disabled" if one.disabled else "active"
        click.echo(f"{one.identifier}\t{one.name}\t{one.role}\t{state}\t{one.id}")
