"""`python -m mission_control_tui` is `mission-control`."""

from mission_control_tui.cli.main import main

if __name__ == "__main__":
    main()
