"""`python -m tui_nn` is `tui-nn`."""

from tui_nn.cli import main

if __name__ == "__main__":
    main(prog_name="tui-nn")
