"""The one exception that is meant for the person at the terminal: a sentence with the remedy in it."""


class Failure(Exception):
    pass
