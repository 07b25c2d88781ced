"""`python -m dueprocess` and the `dueprocess` command."""

from dueprocess.cli.main import main

if __name__ == "__main__":
    main()
