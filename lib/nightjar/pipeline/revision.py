"""Which code is running."""

import hashlib
import subprocess
from pathlib import Path

import nightjar

PACKAGE = Path(nightjar.__file__).resolve().parent


def code_revision() -> str:
    """The git revision of the code, followed by + when files differ from it.

    Outside a repository, and in one that does not hold the package (such as a project's, with its environment inside),
    it is the version and a hash of the package's files: `0.1.0+0123456789ab`.
    """

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["git", "-C", str(PACKAGE), *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607

    try:
        tracked, head = git("ls-files", "--error-unmatch", "__init__.py"), git("rev-parse", "--short=12", "HEAD")
        status = git("status", "--porcelain", "--untracked-files=no")
    except FileNotFoundError:
        return _version_and_hash()
    if tracked.returncode or head.returncode:
        return _version_and_hash()
    return head.stdout.strip() + ("+" if status.stdout.strip() else "")


def _version_and_hash() -> str:
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            contents = file.read_bytes()
            digest.update(f"{file.relative_to(PACKAGE).as_posix()} {len(contents)}\n".encode() + contents)
    return f"{nightjar.__version__}+{digest.hexdigest()[:12]}"
