"""Makes the environment that runs this able to `import tamiz` from the source tree.

    python cmake/link_package.py BUILD

Puts a link to the module that BUILD holds beside the package's Python files, and the folder of the package on the path
of the environment. Both can be repeated.
"""

import sys
import sysconfig
from pathlib import Path

MODULE = "_tamiz" + sysconfig.get_config_var("EXT_SUFFIX")
ROOT = Path(__file__).resolve().parents[1]


def link(module: Path) -> None:
    place = ROOT / "python" / "tamiz" / MODULE
    if place.is_symlink() and place.resolve() == module:
        return
    place.unlink(missing_ok=True)
    place.symlink_to(module)


def main() -> None:
    module = Path(sys.argv[1]).resolve() / "lib" / MODULE
    if not module.exists():
        sys.exit(f"link_package: {module} is missing: build with -DTAMIZ_WITH_PYTHON=ON and this Python ({sys.executable})")
    packages = Path(sysconfig.get_path("purelib"))
    if (packages / "tamiz").exists():
        sys.exit(f"link_package: the tamiz installed in {packages} hides the one of the source tree: "
                 f"{sys.executable} -m pip uninstall tamiz")
    link(module)
    path_file = packages / "tamiz-source-tree.pth"
    line = f"{ROOT / 'python'}\n"
    if not path_file.exists() or path_file.read_text() != line:
        path_file.write_text(line)


if __name__ == "__main__":
    main()
