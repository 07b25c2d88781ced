"""Handle what governments demand of an online service, so that anyone can check it afterwards."""

__version__ = "0.1.0"
