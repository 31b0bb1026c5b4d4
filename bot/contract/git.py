"""A Git repository over HTTPS, through the access path: read one file, push one commit. For integrations.

dulwich speaks Git's protocol and needs no program beside it; its requests go through the client
that the connection hands out, so that TLS, proxies and paths are the target's own.
"""

import asyncio
import io
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from dulwich.client import AbstractHttpGitClient, HTTPUnauthorized, SendPackResult
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository
from dulwich.object_store import tree_lookup_path
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.pack import pack_objects_to_data
from dulwich.refs import Ref
from dulwich.repo import MemoryRepo

from bot.contract import Connection
from bot.contract.http import Api
from bot.errors import AuthFailed, Rejected, Retryable, Unknown

_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_SECONDS = 15.0  # for one answer
_LARGEST = 64 * 1024 * 1024  # bytes of one answer


@dataclass(frozen=True)
class Place:
    """A file on a branch; ``base`` is the branch that this one begins from where it is not there yet."""

    branch: str
    path: str = ""
    base: str = ""

    @property
    def ref(self) -> Ref:
        """The branch as Git names it. Raises `Rejected`."""
        if not _BRANCH.fullmatch(self.branch) or ".." in self.branch:
            raise Rejected(f"branch of the target is none: {self.branch[:80]!r}.")
        return Ref(f"refs/heads/{self.branch}".encode())


async def read_file(connection: Connection, place: Place) -> str:
    """The file as the branch has it now; empty where it is not there."""
    return await _in_thread(connection, lambda client: _Checkout(client, place).text)


async def edit_file(
    connection: Connection, place: Place, edit: Callable[[str], str], message: str
) -> str:
    """Pushes one commit that edits the file; nothing where `edit` changes nothing. The text it has.

    Raises `Retryable` where somebody pushed meanwhile, `Unknown` where the push was not answered.
    """
    return await _in_thread(
        connection, lambda client: _Checkout(client, place).edited(edit, message)
    )


async def put_files(
    connection: Connection, place: Place, files: Mapping[str, bytes], message: str
) -> None:
    """One commit with all of these files, by path; none where the branch has them so already."""
    await _in_thread(connection, lambda client: _Checkout(client, place).put(files, message))


async def _in_thread(connection: Connection, work: Callable[["_Client"], str]) -> str:
    client = _Client(connection, asyncio.get_running_loop())
    try:
        return await asyncio.to_thread(work, client)
    except HTTPUnauthorized as error:
        raise AuthFailed(
            f"{connection.target} refuses the login.",
            hint="Look at username and token of the target.",
        ) from error
    except NotGitRepository as error:
        raise Rejected(f"{connection.target} has no repository at its url.") from error
    except (GitProtocolError, HangupException, AssertionError, ValueError, KeyError) as error:
        said = f"{connection.target} does not speak Git as expected: {type(error).__name__}: {str(error)[:200]}"  # fmt: skip
        raise (Unknown if client.pushing else Retryable)(said) from error


class _Checkout:
    """The newest commit of a branch, without its history."""

    def __init__(self, client: "_Client", place: Place) -> None:
        self.client = client
        self.place = place
        self.repo = MemoryRepo()
        ref = place.ref
        begins = Place(place.base).ref if place.base else ref
        found = client.fetch(client.path, self.repo, _wants(ref, begins), depth=1)
        self.there = found.refs.get(ref)
        head = self.there or found.refs.get(begins)
        if head is None:
            raise Rejected(f"The repository has no branch {(place.base or place.branch)!r}.")
        self.head = head
        commit = self.repo[head]
        if not isinstance(commit, Commit):
            raise Rejected(f"The branch {place.branch!r} is no commit.")
        self.tree = commit.tree

    @property
    def text(self) -> str:
        """The file; empty where it is not there."""
        return (self._data(self.place.path) or b"").decode("utf-8", "replace")

    def _data(self, path: str) -> bytes | None:
        try:
            _, found = tree_lookup_path(self.repo.__getitem__, self.tree, path.encode())
        except KeyError:
            return None
        blob = self.repo[found]
        return blob.data if isinstance(blob, Blob) else None

    def edited(self, edit: Callable[[str], str], message: str) -> str:
        before = self.text
        after = edit(before)
        if after != before:
            self._push({self.place.path: after.encode()}, message)
        return after

    def put(self, files: Mapping[str, bytes], message: str) -> str:
        """Pushes those that are other than they stand there."""
        new = {path: data for path, data in files.items() if self._data(path) != data}
        if new:
            self._push(new, message)
        return ""

    def _push(self, files: Mapping[str, bytes], message: str) -> None:
        made: list[Blob | Tree | Commit] = []
        root = self.tree
        for path, data in files.items():
            blob = Blob.from_string(data)
            made.append(blob)
            root = self._trees(root, path.encode().split(b"/"), blob, made)
        commit = Commit()
        commit.tree, commit.parents, commit.message = root, [self.head], message.encode()
        commit.author = commit.committer = self.client.author
        commit.author_time = commit.commit_time = int(time.time())
        commit.author_timezone = commit.commit_timezone = 0
        made.append(commit)
        self._sent(commit, made)

    def _trees(
        self,
        tree: ObjectID | None,
        parts: list[bytes],
        blob: Blob,
        made: list[Blob | Tree | Commit],
    ) -> ObjectID:
        """The tree with the file in it, and those on the way to it; adds what is new to ``made``."""
        fresh = next((each for each in made if each.id == tree), None) if tree else None
        old = fresh or (self.repo[tree] if tree else None)
        new = Tree()
        for entry in old.items() if isinstance(old, Tree) else ():
            new.add(entry.path, entry.mode, entry.sha)
        name, rest = parts[0], parts[1:]
        if rest:
            below = new[name][1] if name in new else None
            new.add(name, 0o040000, self._trees(below, rest, blob, made))
        else:
            new.add(name, 0o100644, blob.id)
        made.append(new)
        return new.id

    def _sent(self, commit: Commit, made: list[Blob | Tree | Commit]) -> None:
        ref = self.place.ref

        def update(refs: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
            if refs.get(ref) != self.there:
                raise Retryable("Somebody pushed to the repository meanwhile.")
            return {ref: commit.id}

        result: SendPackResult = self.client.send_pack(
            self.client.path, update, lambda *_, **__: _pack(made)
        )
        for refused in (result.ref_status or {}).values():
            if refused is not None:
                raise Rejected(f"The repository refuses the push: {refused[:200]}")


def _pack(made: list[Blob | Tree | Commit]) -> Any:  # noqa: ANN401 - dulwich's own iterator
    return pack_objects_to_data([(each, None) for each in made])


def _wants(*wanted: Ref) -> Any:  # noqa: ANN401 - dulwich's own callable
    """The first of them that is there."""

    def wants(refs: dict[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
        del depth
        return [refs[ref] for ref in wanted if ref in refs][:1]

    return wants


class _Answer:
    """What dulwich looks at of an HTTP answer."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self.content_type = answer.headers.get("content-type")
        self.redirect_location = ""

    def close(self) -> None:
        """It was read whole."""


class _Client(AbstractHttpGitClient):
    """dulwich in a thread of its own; each request is made by the loop's client."""

    def __init__(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        base = connection.http.base_url
        super().__init__(f"{base.scheme}://{base.netloc.decode()}/", quiet=True)
        self.path = base.path.rstrip("/")
        self.connection = connection
        self.loop = loop
        self.pushing = False
        settings = connection.settings
        self.author = f"{settings.get('author', 'Jackline')} <{settings.get('email', 'jackline@localhost')}>".encode()  # fmt: skip
        login = f"{settings.get('username', 'jackline')}:{settings.get('token', '')}"
        self.login = b64encode(login.encode()).decode() if settings.get("token") else ""

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple[Any, Callable[[int], bytes]]:
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        self.pushing = self.pushing or (body is not None and url.endswith("git-receive-pack"))
        given = {k: v for k, v in (headers or {}).items() if k.lower() != "content-length"}
        if self.login:
            given["Authorization"] = f"Basic {self.login}"
        asked = self.connection.http.request(
            "GET" if body is None else "POST", url, headers=given, content=body, timeout=_SECONDS
        )
        answer = self._answered(asyncio.run_coroutine_threadsafe(asked, self.loop).result)
        if answer.status_code in {401, 403}:
            raise HTTPUnauthorized(answer.headers.get("www-authenticate"), url)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotGitRepository
        if raise_for_status and answer.status_code != httpx.codes.OK:
            said = f"{self.connection.target} answered {answer.status_code}."
            busy = answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS
            raise (Unknown if self.pushing else Retryable if busy else Rejected)(said)
        if len(answer.content) > _LARGEST:
            raise Rejected("The repository's newest commit is larger than 64 MB.")
        return _Answer(answer), io.BytesIO(answer.content).read

    def _answered(self, result: Callable[[float], httpx.Response]) -> httpx.Response:
        target = self.connection.target
        with Api(target).reaching(once=self.pushing):
            try:
                return result(2 * _SECONDS)
            except TimeoutError as error:
                raise httpx.ReadTimeout(f"{target} did not answer in time") from error
